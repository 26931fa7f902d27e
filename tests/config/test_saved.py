"""The configuration of a run directory: read whole or refused, and nothing in it acts."""

import dataclasses

import pytest

from lstmlab.config import ConfigError, compose, read_config, save_config, to_tree
from lstmlab.config.saved import read_tree


@pytest.fixture
def saved(tmp_path):
    """The file of a run."""
    path = tmp_path / "config.yaml"
    save_config(to_tree(compose(["task=adding", "optimizer.learning_rate=1e-3", "name='2020-01-01'"])), path)
    return path


def old(path):
    """The file as earlier versions wrote it: without the first line."""
    path.write_bytes(path.read_bytes().split(b"\n", 1)[1])


def refused(path):
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    message = str(caught.value)
    assert str(path.parent) in message
    assert "\n" not in message
    return message


def test_what_was_saved_is_read(saved):
    config = compose(["task=adding", "optimizer.learning_rate=1e-3", "name='2020-01-01'"])
    assert read_config(saved) == config
    old(saved)
    assert read_config(saved) == config


def test_a_file_cut_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    for size in range(0, len(whole), 7):
        saved.write_bytes(whole[:size])
        refused(saved)


def test_an_old_file_cut_before_its_last_keys_is_refused(saved):
    old(saved)
    whole = saved.read_bytes()
    for size in range(0, whole.index(b"resume:"), 11):
        saved.write_bytes(whole[:size])
        refused(saved)


def test_a_changed_byte_is_told(saved):
    whole = saved.read_bytes()
    body = whole.index(b"\n") + 1
    for place in range(body, len(whole), 13):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert "cut off or changed" in refused(saved)


def test_what_is_missing_or_no_tree_is_named(saved):
    for content, told in {
        b"- 1\n": "is not a configuration of keys and values",
        b"cell: lstm\ntask: adding\n": "it has no model", b"\xff\xfe\x00": "not valid YAML",
        b"a: [": "not valid YAML", b"!!python/object/apply:os.system ['true']": "not valid YAML",
    }.items():  # fmt: skip
        saved.write_bytes(content)
        assert told in refused(saved)
    saved.unlink()
    assert "is not a run directory" in refused(saved)
    saved.mkdir()
    assert "cannot be read: Is a directory" in refused(saved)


def test_a_section_that_is_no_group_is_named(saved):
    old(saved)
    saved.write_text(saved.read_text().replace("seed: 0", "seed: 0\nwandb: 3"))
    assert "wandb is 3, but must be a section of keys" in refused(saved)


@pytest.mark.parametrize("text", ["${oc.env:SECRET}", "${oc.env:HOME}", "${seed}", "${oc.decode:'1'}", "x ${now:%Y} y"])
def test_interpolations_stay_text(text, saved, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    old(saved)
    saved.write_text(saved.read_text().replace("name: '2020-01-01'", f'name: "{text}"'))
    config = read_config(saved)
    assert config.name == text
    # Also after it is saved again, as a resumed run does.
    save_config(to_tree(dataclasses.replace(config, seed=1)), saved)
    assert read_config(saved).name == text


def test_aliases_depth_and_size_are_bounded(saved):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    saved.write_text("\n".join(rows))
    assert "is an alias (*a0)" in refused(saved)
    saved.write_text("a: " + "[" * 5000)
    refused(saved)
    saved.write_text("a: " + "{b: " * 200 + "1" + "}" * 200)
    assert "nested deeper than 32 levels" in refused(saved)
    saved.write_bytes(b"a: 1\n#" + b"x" * (1 << 20))
    assert "more than 1048576 bytes" in refused(saved)


def test_dates_stay_text_and_a_number_needs_no_point(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: 2020-01-01\nb: 1e-3\n1: x\n")
    assert read_tree(path) == {"a": "2020-01-01", "b": 0.001, "1": "x"}
