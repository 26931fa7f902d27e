"""Streamed batches are those of a split on the device, to the bit, however often a run is stopped."""

import jax
import numpy as np
import pytest
from small_runs import assert_same_bits, parameters, run, small, untimed
from test_killed_runs import assert_as_if_left_alone, checkpoints, kill, rows, run_to_the_end

from lstmlab.config import ConfigError, split_traced
from lstmlab.tasks import task_names
from lstmlab.tracking.files import read_metrics
from lstmlab.training import functions, train_population
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.stream import HostBatches, Stream, data_placement, split_bytes

STREAM = "data.placement=stream"


def has_data(task):
    return split_bytes(small(task).task.data()["train"]) > 0


@pytest.fixture
def drawn(monkeypatch):
    """The chunks that are drawn, in the order in which they are asked for."""
    chunks, draw = [], HostBatches.draw

    def noted(self, member, chunk):
        chunks.append(chunk)
        return draw(self, member, chunk)

    monkeypatch.setattr(HostBatches, "draw", noted)
    return chunks


@pytest.mark.parametrize(
    "task", ["char_lm", *(pytest.param(t, marks=pytest.mark.slow) for t in ("chorales", "stocks"))]
)
def test_a_streamed_run_has_the_bits_of_one_on_the_device(task, tmp_path):
    settings = ["training.steps=7", "training.log_every=2", "training.eval_every=4", "dropout.layer=0.2"]
    device = run(small(task, *settings), tmp_path / "device")
    streamed = run(small(task, *settings, STREAM), tmp_path / "stream")
    assert_same_bits(parameters(streamed.directory), parameters(device.directory))
    assert untimed(read_metrics(streamed.directory)) == untimed(read_metrics(device.directory))
    assert (device.summary["data_placement"], streamed.summary["data_placement"]) == ("device", "stream")
    assert streamed.summary["test"] == device.summary["test"]


@pytest.mark.parametrize("task", task_names())
def test_batches_of_every_task_are_those_that_the_device_draws(task):
    if not has_data(task):
        pytest.skip("draws from no data")
    config = small(task, STREAM, "training.log_every=3", "training.eval_every=3", "training.steps=8")
    programs = CompiledRun(config)
    _, member = split_traced(config)
    train = programs.data("train")
    chunk = programs.batches.draw(member, 1)
    for place, step in enumerate((3, 4, 5)):
        expected = jax.jit(lambda train, step: functions.draw(config, train, step))(train, np.int32(step))
        jax.tree.map(
            lambda got, want, place=place: np.testing.assert_array_equal(got[place], want),
            chunk,
            jax.device_get(expected),
        )
    assert {leaf.shape[0] for leaf in jax.tree.leaves(programs.batches.draw(member, 2))} == {2}
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), programs.batches.shapes(3))
    assert shapes == jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), chunk)


def test_seeds_have_streams_of_their_own():
    config = small("chorales", STREAM)
    batches = CompiledRun(config).batches
    first, second = (batches.draw({"seed": np.uint32(seed)}, 0) for seed in (0, 1))
    assert not np.array_equal(first.inputs, second.inputs)


def test_the_position_tells_what_was_taken_and_not_what_was_read_ahead(drawn):
    config = small("char_lm", STREAM, "training.steps=20")
    batches, (_, member) = CompiledRun(config).batches, split_traced(config)
    stream = Stream(batches, member, 0)
    stream.take(), stream.take()
    position = stream.position
    stream.close()
    assert position == {"next_index": 2}
    assert max(drawn) > 1
    drawn.clear()
    went_on = Stream(batches, member, 0, position)
    chunk = went_on.take()
    went_on.close()
    assert min(drawn) == 2
    jax.tree.map(np.testing.assert_array_equal, chunk, batches.draw(member, 2))


OFTEN = ["training.steps=8", "training.log_every=1", "training.eval_every=4", "training.checkpoint_every=2"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run on the device that nobody interrupts."""
    return run(small("char_lm", *OFTEN), tmp_path_factory.mktemp("alone"))


@pytest.mark.parametrize(
    ("before", "after"),
    [("stream", "stream"), ("device", "stream"), ("stream", "device")],
)
def test_interrupted_and_resumed_it_sees_the_same_batches_wherever_they_come_from(
    before, after, tmp_path, monkeypatch, drawn, alone
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        save = Checkpoints.save

        def interrupted(self, step, *args):
            save(self, step, *args)
            if step == 6:
                raise KeyboardInterrupt

        patch.setattr(Checkpoints, "save", interrupted)
        run(small("char_lm", *OFTEN, f"data.placement={before}"), tmp_path / "stopped")
    drawn.clear()
    run(small("char_lm", *OFTEN, f"data.placement={after}", "resume=true"), tmp_path / "stopped")
    assert_same_bits(parameters(tmp_path / "stopped"), parameters(alone.directory))
    assert untimed(read_metrics(tmp_path / "stopped")) == untimed(read_metrics(alone.directory))
    # Nothing that was learned from is drawn again.
    assert sorted(drawn) == ([6, 7] if after == "stream" else [])


@pytest.mark.slow
def test_killed_and_resumed_it_is_as_if_left_alone_on_the_device(tmp_path):
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    run_to_the_end(alone, "char_lm", tmp_path / "cache")
    command = killed, "char_lm", tmp_path / "cache", STREAM
    kill(lambda: rows(killed) >= 10 and checkpoints(killed), *command)
    run_to_the_end(*command, "resume=true")
    assert_as_if_left_alone(killed, alone)


@pytest.mark.parametrize("strategy", ["threads", "vmap"])
def test_members_of_a_population_stream_one_by_one_with_batches_of_their_own(strategy, tmp_path):
    paths = [tmp_path / str(seed) for seed in range(3)]
    configs = [small("chorales", STREAM, f"seed={seed}") for seed in range(3)]
    outcomes = train_population(configs, paths, strategy=strategy, workers=2, progress=False)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    for outcome in outcomes:
        assert (outcome.summary["data_placement"], outcome.summary["members"]) == ("stream", 1)
    run(small("chorales", "seed=2"), tmp_path / "alone")
    assert_same_bits(parameters(paths[2]), parameters(tmp_path / "alone"))


def test_auto_streams_what_is_larger_than_the_limit(tmp_path):
    task = small("char_lm").task
    size = split_bytes(task.data()["train"])
    for limit, placement in ((size, "device"), (size - 1, "stream")):
        config = small("char_lm", f"data.device_bytes={limit}")
        assert data_placement(config, config.task.data()["train"]) == placement
    assert run(small("char_lm", "data.device_bytes=100"), tmp_path).summary["data_placement"] == "stream"
    assert data_placement(
        small("char_lm", "data.device_bytes=0", "training.distributed=true"), task.data()["train"]
    ) == ("device")
    assert data_placement(small("adding", "data.device_bytes=0"), ()) == "device"


@pytest.mark.parametrize(
    ("task", "settings", "told"),
    [
        ("adding", [STREAM], "data.placement=stream, but task=adding draws its batches on the device"),
        ("char_lm", [STREAM, "training.distributed=true"], "data.placement=stream is for a single process"),
        ("char_lm", ["data.placement=disk"], "data.placement"),
    ],
)
def test_what_cannot_be_streamed_is_refused_in_one_line(task, settings, told):
    with pytest.raises(ConfigError) as error:
        config = small(task, *settings)
        data_placement(config, config.task.data()["train"])
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_the_line_of_a_finished_run_says_that_it_streamed(tmp_path, capsys):
    from lstmlab.training import train

    train(small("char_lm", STREAM), tmp_path / "stream")
    assert "batches streamed" in capsys.readouterr().out
    train(small("char_lm"), tmp_path / "device")
    assert "streamed" not in capsys.readouterr().out


def test_a_split_in_a_memory_mapped_file_is_not_copied(tmp_path):
    path = tmp_path / "split.npy"
    np.save(path, np.arange(1 << 16, dtype=np.int32))
    mapped = np.load(path, mmap_mode="r")
    config = small("char_lm", STREAM)
    batches = HostBatches(CompiledRun(config).config, mapped)
    batches.draw(split_traced(config)[1], 0)
    assert batches._on_cpu.unsafe_buffer_pointer() == mapped.ctypes.data
