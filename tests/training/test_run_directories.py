"""The files of a run directory are whole or refused, and what is somebody else's stays."""

import json
import re
import shutil
import zipfile

import numpy as np
import pytest
from small_runs import as_older_version, assert_same_bits, parameters, run, small

from lstmlab.config import ConfigError, save_config, to_tree
from lstmlab.study.runs import read_run
from lstmlab.tracking.files import RunError, read_summary
from lstmlab.training import RunFailed, load
from lstmlab.training.checkpoint import Checkpoints

ERRORS = (RunError, RunFailed, ConfigError)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that nobody touched."""
    return run(small("adding"), tmp_path_factory.mktemp("finished") / "run").directory


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(finished, tmp_path / "run")


def refusal(call, *arguments):
    with pytest.raises(ERRORS) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def resumed(directory):
    return run(small("adding", "resume=true"), directory)


def emptied(path):
    path.write_bytes(b"")


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 2
    path.write_bytes(content)


def garbled(path):
    path.write_bytes(np.random.default_rng(0).bytes(500))


def removed(path):
    path.unlink()


READERS = {
    "config.yaml": [load, read_run, resumed], "summary.json": [load, read_run, resumed],
    "metrics.jsonl": [read_run, resumed], "model.npz": [load, resumed],
}  # fmt: skip


@pytest.mark.parametrize("harm", [emptied, halved, flipped, garbled, removed], ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_named_by_everyone_who_reads_it(name, harm, copy):
    harm(copy / name)
    for reader in READERS[name]:
        if harm is removed and (name, reader) in (("summary.json", read_run), ("summary.json", resumed)):
            continue  # a run that has not finished
        if harm is removed and (name, reader) == ("config.yaml", resumed):
            assert "is of no run that could be found" in refusal(reader, copy)
        elif harm is removed and (name, reader) == ("config.yaml", load):
            assert f"{copy} is not a run directory: it has no config.yaml" in refusal(reader, copy)
        else:
            assert name in refusal(reader, copy)


def test_a_flipped_byte_anywhere_in_a_summary_changes_nothing_unnoticed(copy):
    path, before = copy / "summary.json", read_summary(copy)
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert read_summary(copy) == before  # a space for another
        except RunError as error:
            assert str(path) in str(error)


def test_files_of_two_runs_do_not_make_one(copy, tmp_path):
    other = run(small("adding", "seed=1"), tmp_path / "other").directory
    for name in ("config.yaml", "metrics.jsonl", "model.npz"):
        mixed = shutil.copytree(copy, tmp_path / f"with {name}")
        shutil.copy(other / name, mixed / name)
        for reader in READERS[name]:
            assert name in refusal(reader, mixed) or reader is resumed


def test_a_run_of_an_earlier_version_is_loaded_compared_and_resumed(copy, finished):
    as_older_version(copy)
    assert load(copy).summary == load(finished).summary
    assert read_run(copy).value == read_run(finished).value
    assert resumed(copy).summary == load(finished).summary
    (copy / "summary.json").unlink()
    shutil.rmtree(copy / "checkpoints" / "4")
    resumed(copy)
    assert_same_bits(parameters(copy), parameters(finished))


@pytest.mark.parametrize("harm", [emptied, halved, garbled, removed], ids=lambda harm: harm.__name__)
def test_metrics_of_an_earlier_version_are_complete_or_named(harm, copy):
    as_older_version(copy)
    harm(copy / "metrics.jsonl")
    assert "metrics.jsonl" in refusal(resumed, copy)


@pytest.mark.parametrize("harm", [emptied, halved, garbled, removed], ids=lambda harm: harm.__name__)
def test_metrics_of_a_run_that_goes_on_reach_its_checkpoint(harm, copy):
    (copy / "summary.json").unlink()
    harm(copy / "metrics.jsonl")
    before = sorted(path.name for path in copy.iterdir())
    assert "metrics.jsonl" in refusal(resumed, copy)
    assert sorted({*(path.name for path in copy.iterdir()), "metrics.jsonl"} - {".lock"}) == sorted(
        {*before, "metrics.jsonl"} - {".lock"}
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "it has no status"),
        ({"status": "finished"}, "finished run without"),
        ({"status": 3}, "it has no status"),
        ({"status": "finished", "metric": "mse", "value": "small", "steps": 4}, "summary.json"),
        ({"status": "finished", "checksum": "0"}, "does not have its checksum"),
    ],
)
def test_what_is_no_summary_is_one_line(content, told, copy):
    (copy / "summary.json").write_text(json.dumps(content))
    assert told in refusal(read_run, copy)
    if told != "summary.json":
        assert told in refusal(resumed, copy)
    (copy / "summary.json").write_text("[" * 100_000)
    assert "summary.json" in refusal(read_run, copy)


def npz(path, arrays):
    """The arrays compressed; a tuple is a header and the shape's zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (shape, dtype, content) in arrays.items():
            with archive.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
                stream.write(content)


def test_a_model_is_not_unpacked_before_its_headers_are_looked_at(copy, monkeypatch):
    as_older_version(copy)
    path = copy / "model.npz"
    whole = {name: (array.shape, array.dtype.str, array.tobytes()) for name, array in parameters(copy).items()}
    npz(path, whole)
    load(copy)
    name, (shape, dtype, content) = next(iter(whole.items()))
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("an array was read"))
    for changed, told in {
        ((1 << 33,), dtype, content): "has shape (8589934592,), but the configuration asks for",
        (shape, dtype, content + b"\0" * 1000): "bytes, which do not fit its shape",
        (shape, "|O", content): "which is no number",
        (shape, "|S4000", content): "which is no number",
    }.items():
        npz(path, whole | {name: changed})
        message = refusal(load, copy)
        assert told in message
        assert f"'{name}'" in message


def test_arrays_that_the_model_has_no_use_for_are_not_read(copy, finished):
    as_older_version(copy)
    whole = {name: (array.shape, array.dtype.str, array.tobytes()) for name, array in parameters(copy).items()}
    npz(copy / "model.npz", whole | {"more": ((1 << 40,), "<f4", b"")})
    load(copy)


def test_leftovers_of_a_killed_run_are_removed_and_only_those(copy):
    (copy / "summary.json").unlink()
    mine = [".config.yaml.mine.tmp", ".notes.txt.12.tmp", "summary.json.12.tmp"]
    theirs = [
        ".summary.json.123.tmp",
        ".model.npz.9.tmp",
        ".config.yaml.77.tmp",
        "checkpoints/9.orbax-checkpoint-tmp",
    ]
    for name in [*mine, *theirs[:3]]:
        (copy / name).write_text("x")
    (copy / theirs[3] / "state").mkdir(parents=True)
    resumed(copy)
    assert all((copy / name).exists() for name in mine)
    assert not any((copy / name).exists() for name in theirs)


@pytest.mark.parametrize("harm", [emptied, halved, garbled, removed], ids=lambda harm: harm.__name__)
def test_a_damaged_checkpoint_is_named_and_an_earlier_one_taken_once_it_is_removed(harm, copy, finished):
    (copy / "summary.json").unlink()
    newest = copy / "checkpoints" / str(Checkpoints(copy).latest_step)
    for path in newest.rglob("*"):
        if path.is_file() and not re.search("commit_success|_CHECKPOINT_METADATA", path.name):
            harm(path)
    assert newest.name in refusal(resumed, copy)
    shutil.rmtree(newest)
    resumed(copy)
    assert_same_bits(parameters(copy), parameters(finished))


def test_a_configuration_edited_by_hand_needs_no_first_line(copy):
    (copy / "summary.json").unlink()
    save_config(to_tree(small("adding", "name=other")), copy / "config.yaml")
    as_text = (copy / "config.yaml").read_text().replace("name: other", "name: another")
    (copy / "config.yaml").write_text(as_text)
    assert "without the first line it is read as it is" in refusal(resumed, copy)
    (copy / "config.yaml").write_text(as_text.split("\n", 1)[1])
    resumed(copy)
