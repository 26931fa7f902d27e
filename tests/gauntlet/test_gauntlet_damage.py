"""The files of a run are damaged at random: it ends with the same bits, or says in one line what is wrong."""

import shutil

from gauntlet_runs import SETTINGS, SLOW
from small_runs import assert_same_bits, parameters, quick_programs, run, small

from lstmlab.config import ConfigError
from lstmlab.study.runs import read_run
from lstmlab.tracking.files import RunError
from lstmlab.training import RunFailed, load

pytestmark = SLOW


def harms(dice):
    """Ways to damage a file, by name: the old content becomes the new one, or ``None`` for no file."""
    return {
        "emptied": lambda content: b"",
        "cut": lambda content: content[: dice.randrange(len(content))],
        "a bit flipped": lambda content: flipped(content, dice),
        "garbled": lambda content: dice.randbytes(len(content)),
        "doubled": lambda content: content + content,
        "deleted": lambda content: None,
    }


def flipped(content, dice):
    place = dice.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << dice.randrange(8))]) + content[place + 1 :]


def test_every_file_damaged_in_every_way(dice, rounds, tried, tmp_path_factory, tmp_path):
    with quick_programs(tmp_path_factory):
        whole = run(small("char_lm", *SETTINGS), tmp_path / "whole").directory
        before, value = parameters(whole), read_run(whole).value
        files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.stat().st_size)
        for number in rounds:
            copy = shutil.copytree(whole, tmp_path / str(number))
            file, (how, harm) = dice.choice(files), dice.choice(list(harms(dice).items()))
            ended = dice.random() < 0.5
            if not ended:
                (copy / "summary.json").unlink()
            if (copy / file).exists():
                content = harm((copy / file).read_bytes())
                (copy / file).unlink() if content is None else (copy / file).write_bytes(content)
            print(f"round {number}: {file} {how}, {'ended' if ended else 'not ended'}")
            results = [
                outcome(lambda copy=copy: load(copy).summary["value"], value),
                outcome(lambda copy=copy: read_run(copy).summary.get("value", value), value),
                outcome(lambda copy=copy: resumed(copy, before), value),
            ]
            kind = "checkpoints/…" if file.parts[0] == "checkpoints" else str(file)
            tried[f"{kind} {how}: {', '.join(results)}"] += 1
            shutil.rmtree(copy)


def resumed(copy, before):
    trained = run(small("char_lm", *SETTINGS, "resume=true"), copy)
    assert_same_bits(parameters(copy), before)
    return trained.summary["value"]


def outcome(call, value):
    """``same`` or ``told``; anything else fails."""
    try:
        assert call() == value
    except (RunError, RunFailed, ConfigError) as error:
        assert "\n" not in str(error)
        return "told"
    return "same"
