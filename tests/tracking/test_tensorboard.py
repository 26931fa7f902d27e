"""TensorBoard: its event files hold what was logged."""

import importlib.util
import math
import struct

import numpy as np
import pytest

from lstmlab.tracking import RunError, open_tracker

events_of = pytest.importorskip("tensorboardX.proto.event_pb2")


def events(directory):
    """All events of a run, in order of their files."""
    found = []
    for path in sorted((directory / "tensorboard").iterdir()):
        content, at = path.read_bytes(), 0
        while at < len(content):  # records of TensorFlow: length, its checksum, the event, its checksum
            (length,) = struct.unpack_from("<Q", content, at)
            found.append(events_of.Event.FromString(content[at + 12 : at + 12 + length]))
            at += 12 + length + 4
    return found


def values(directory):
    """``(step, tag, value)`` of everything that was logged."""
    return [(event.step, value.tag, value) for event in events(directory) for value in event.summary.value]


def scalars(directory):
    return [(step, tag, value.simple_value) for step, tag, value in values(directory) if value.HasField("simple_value")]


def texts(directory):
    """By name without the suffix of TensorBoard's plugin for texts."""
    return {tag.split("/")[0]: b"".join(v.tensor.string_val).decode() for _, tag, v in values(directory)
            if v.tensor.string_val}  # fmt: skip


def test_rows_pictures_texts_and_tables_are_there(tmp_path):
    with open_tracker(tmp_path, tensorboard=True, config={"cell": {"name": "gru"}}) as tracker:
        tracker.log(10, {"train/loss": 1.25, "validation/loss": 1.5})
        tracker.log(20, {"train/loss": math.inf})
        tracker.text(20, "sample", "two  spaces\nROMEO:")
        tracker.image(20, "states", np.zeros((3, 5), np.uint8))
        tracker.video(20, "frames", np.zeros((2, 4, 4), np.uint8))
        tracker.table(20, "words", ["word", "count"], [["a", 3]])
        tracker.finish({"steps": 20, "test": {"loss": 0.5}})
    assert scalars(tmp_path) == [(10, "train/loss", 1.25), (10, "validation/loss", 1.5), (20, "train/loss", math.inf)]
    images = {tag: value.image for _, tag, value in values(tmp_path) if value.HasField("image")}
    assert (images["states"].height, images["states"].width) == (3, 5)
    assert images["states"].encoded_image_string.startswith(b"\x89PNG")
    assert images["frames"].encoded_image_string.startswith(b"GIF")
    told = texts(tmp_path)
    assert '"name": "gru"' in told["configuration"]
    assert told["sample"] == "    two  spaces\n    ROMEO:\n"
    assert told["words"].splitlines()[0].split("|")[1].strip() == "word"
    assert '"loss": 0.5' in told["summary"]


def test_a_resumed_run_hides_what_it_repeats(tmp_path):
    tracker = open_tracker(tmp_path, tensorboard=True)
    tracker.log(10, {"loss": 1.0})
    tracker.log(20, {"loss": 2.0})
    tracker.fail("stopped")
    with open_tracker(tmp_path, tensorboard=True, resume_step=10) as again:
        again.log(20, {"loss": 3.0})
    starts = [event.step for event in events(tmp_path) if event.HasField("session_log")]
    assert starts == [11]
    assert scalars(tmp_path)[-1] == (20, "loss", 3.0)


def test_it_writes_nothing_unless_asked_and_refuses_without_its_package(tmp_path, monkeypatch):
    with open_tracker(tmp_path / "off") as tracker:
        tracker.log(1, {"loss": 1.0})
    assert not (tmp_path / "off" / "tensorboard").exists()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"tensorboard=true needs tensorboardX: pip install 'lstmlab\[tensorboard\]'"):
        open_tracker(tmp_path / "on", tensorboard=True)
