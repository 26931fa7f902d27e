"""How many members a program gets: what fits into memory, at most what was asked for, shared among devices."""

import json
import os
from pathlib import Path

import jax
import pytest
from population_runs import assert_ran_about_as, assert_ran_as, populate
from processes import started
from small_runs import run, small

from lstmlab.tracking.files import read_summary
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.population import memory
from lstmlab.training.population.memory import SHARE, free_bytes, members_that_fit
from lstmlab.training.recorder import Recorder

TESTS = Path(__file__).parents[1]


class Device:
    """A device that tells how much memory it has, or does not."""

    platform = "accelerator"

    def __init__(self, stats):
        self.stats = stats

    def memory_stats(self):
        return self.stats


def members(count):
    return [small("adding", "cell=rnn", f"seed={seed}") for seed in range(count)]


@pytest.fixture(scope="module")
def programs():
    return CompiledRun(members(1)[0])


@pytest.fixture(scope="module")
def needed(programs):
    """Bytes for six members, as the compiler says."""
    bytes_ = programs.advance_bytes(6, runs_of(1)[0].values, programs.data("train"), 2)
    assert bytes_ > 6 * 4 * sum(leaf.size for leaf in jax.tree.leaves(programs.template.model))
    return bytes_


def runs_of(count):
    return [Recorder(config, Path("unused"), group=None, progress=False) for config in members(count)]


def test_free_memory_is_what_the_device_says():
    assert free_bytes(Device({"bytes_limit": 100, "bytes_in_use": 30})) == 70
    assert free_bytes(Device({"bytes_limit": 100})) == 100
    assert free_bytes(Device(None)) is None
    assert free_bytes(Device({})) is None


def test_a_cpu_has_what_the_machine_has_left():
    available = free_bytes(jax.devices("cpu")[0])
    assert available is None or 1e6 < available < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(("room", "count"), [(10, 6), (1.001, 6), (0.5, 3), (0.34, 2), (0.01, 1)])
def test_as_many_members_as_fit_and_at_least_one(room, count, programs, needed):
    device = Device({"bytes_limit": int(room * needed / SHARE) + 1})
    assert members_that_fit(programs, runs_of(6), device) == count


def test_where_nobody_knows_the_memory_all_go_together(programs):
    assert members_that_fit(programs, runs_of(6), Device(None)) == 6


def test_batches_that_fit_have_the_same_results(needed, tmp_path, monkeypatch):
    configs = members(5)
    # A little less than four of six members.
    monkeypatch.setattr(memory, "free_bytes", lambda device: int(0.6 * needed / SHARE))
    populate(configs, tmp_path, strategy="vmap", workers=1)
    assert [read_summary(tmp_path / str(i))["members"] for i in range(5)] == [3, 3, 3, 2, 2]
    for index, config in enumerate(configs):
        run(config, tmp_path / "alone" / str(index))
        assert_ran_about_as(tmp_path / str(index), tmp_path / "alone" / str(index))


ON_TWO_DEVICES = """
import json, sys
from pathlib import Path
import jax
from population_runs import populate
from small_runs import small
from lstmlab.training.population.member_batch import MemberBatch

begin, batches = MemberBatch.__init__, []

def noted(self, compiled, recorders, device=None):
    begin(self, compiled, recorders, device)
    batches.append([str(device), [recorder.directory.name for recorder in recorders]])

MemberBatch.__init__ = noted
directory = Path(sys.argv[1])
configs = [small("adding", "cell=rnn", "training.compilation_cache=false", f"seed={seed}") for seed in range(4)]
for strategy in ("vmap", "threads"):
    outcomes = populate(configs, directory / strategy, strategy=strategy)
    assert [outcome.error for outcome in outcomes] == [None] * 4, outcomes
print(json.dumps({"devices": [str(d) for d in jax.local_devices()], "batches": batches}))
"""


def test_members_are_shared_among_devices(tmp_path):
    environment = {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "JAX_NUM_CPU_DEVICES": "2", "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "LSTMLAB_CACHE_DIR": str(tmp_path / "cache"),
    }  # fmt: skip
    with started("-c", ON_TWO_DEVICES, str(tmp_path), **environment) as process:
        ran = process.end()
    assert ran.code == 0, ran.err
    told = json.loads(ran.out.splitlines()[-1])
    one, other = told["devices"]
    assert told["batches"][:2] == [[one, ["0", "1"]], [other, ["2", "3"]]]
    assert sorted(device for device, _ in told["batches"][2:]) == sorted([one, other] * 2)
    for index, config in enumerate(members(4)):
        run(config, tmp_path / "alone" / str(index))
        assert_ran_about_as(tmp_path / "vmap" / str(index), tmp_path / "alone" / str(index))
        assert_ran_as(tmp_path / "threads" / str(index), tmp_path / "alone" / str(index))
