"""``lstmlab config``: every key of the configuration."""

from small_runs import command

from lstmlab.config import compose
from lstmlab.config.describe import describe


def test_config_shows_every_key_of_what_would_run():
    shown = command("config", "cell=gru", "task=adding", "seed=7")
    assert shown.code == 0
    lines = shown.out.splitlines()
    for key, value, meaning, *_ in describe(compose(["cell=gru", "task=adding", "seed=7"])):
        (line,) = [line for line in lines if line.split()[:1] == [key]]
        assert meaning in line
        assert str(value) in line
    refused = command("config", "cell=gruu")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("lstmlab: unknown cell 'gruu'; did you mean 'gru'?")
