"""Values of overrides are taken as they stand, whatever Hydra's grammar thinks of their characters."""

from pathlib import Path

import pytest

from lstmlab.commands._parser import without_dashes
from lstmlab.commands.train import check
from lstmlab.config import ConfigError, compose, compose_tree
from lstmlab.config.overrides import readable

TEXTS = [
    "T (degC)", "T(degC)", "T[1]", "温度", "é", "run#1.csv", "a=b.csv", "a'b", 'a"b', "a\\b (c)", "C:\\data\\",
    "50% (x)", "0", "-1", "1e3", "1_000", "true", "nan", "inf", "[a]", "{a: 1}", "~x", "x~", "a&b", "a;b",
    "cost ${", "(", "]", "a@b!",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_column_may_have_any_name(text):
    overrides = [f"data.target={text}", f"data.label={text}", f"data.time={text}"]
    # Brackets that do not close leave open where a list ends.
    listed = [] if text in ("(", "]") else [f"data.columns=[OT,{text}]"]
    data = compose_tree(overrides + listed).data
    assert (data.target, data.label) == (text, text)
    assert data.time == (["a"] if text == "[a]" else text)  # which may be a list of columns
    assert list(data["columns"]) == (["OT", text] if listed else [])


@pytest.mark.parametrize("text", ["run#1.csv", "a=b.csv", "réseau (1).csv", "2024"])
def test_a_file_may_have_any_name(text):
    config = compose(["task=forecast", f"data.file={text}", "data.target=0"])
    assert (config.data.file, config.data.target) == (str(Path.cwd() / text), "0")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("data.target=null", None),
        ("data.target='T (degC)'", "T (degC)"),
        ('data.target="a, b"', "a, b"),
        ("data.target=${task.name}", "char_lm"),
        ("data.target=${task.name} (x)", "char_lm (x)"),
        ("data.target=T (degC), rounded", "T (degC), rounded"),
    ],
)
def test_what_can_be_read_keeps_its_meaning(text, read):
    assert compose_tree([text]).data.target == read


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_tilde_is_the_home_directory(quote, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = ("hydra.run.dir", "hydra.sweep.dir", "data.dir", "data.file")
    tree = compose_tree([f"{key}={quote}~/runs/a b{quote}" for key in keys], hydra=True)
    found = {tree.hydra.run.dir, tree.hydra.sweep.dir, tree.data.dir, tree.data.file}
    assert found == {str(Path(tmp_path, "runs", "a b"))}


def test_the_home_of_nobody_is_an_error():
    with pytest.raises(ConfigError, match=r"hydra\.run\.dir is '~nobody-here/a': .*write the directory out"):
        readable(["hydra.run.dir=~nobody-here/a"])


def test_reading_twice_changes_nothing():
    once = readable([f"data.target={text}" for text in TEXTS])
    assert readable(once) == once


def test_a_sweep_splits_at_commas_outside_brackets():
    assert readable(["data.target=T (degC, mean),0,p#"], sweep=True) == ["data.target='T (degC, mean)','0','p#'"]
    assert readable(["data.columns=[a,0],[b#]"], sweep=True) == ["data.columns=[a,'0'],['b#']"]
    assert readable(["data.target=choice(a,b)", "seed=0,1"], sweep=True) == ["data.target=choice(a,b)", "seed=0,1"]


def test_several_values_without_a_sweep_say_how_one_value_is_written():
    with pytest.raises(ConfigError, match=r"'data.target=a,b' lists several values: add -m .* quotes"):
        check(["data.target=a,b"], sweep=False)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("--seed=1", "seed=1"),
        ("--optimizer.learning_rate=0.1", "optimizer.learning_rate=0.1"),
        ("--config-dir=conf", "--config-dir=conf"),
        ("--cfg=job", "--cfg=job"),
        ("--multirun", "--multirun"),
        ("seed=--1", "seed=--1"),
    ],
)
def test_dashes_before_an_override_are_left_out(written, read):
    assert without_dashes(written, ["--config-dir", "--cfg", "--multirun"]) == read


LONG = [
    "x" * 3000, f"cell={'a' * 300}", f"cell={'a' * 5000}", f"task={'é' * 300}", f"{'k' * 3000}=1", f"seed={'9' * 5000}",
    f"seed={'9' * 4000}", f"model.dtype={'b' * 3000}", f"model={'y' * 400}", f"cell.name={'q' * 900}",
    f"training.{'s' * 900}=1", f"wandb.tags=[{'1,' * 90}1]", f"training.steps={'{' * 900}", f"cell={'a,' * 900}b",
    f"+{'x' * 2000}=1", f"~{'x' * 2000}", f"cell={'../' * 100}x",
]  # fmt: skip


@pytest.mark.parametrize("override", LONG, ids=lambda text: f"{text[:14]} {len(text)}")
def test_long_overrides_are_not_echoed_whole(override):
    with pytest.raises(ConfigError) as error:
        check([override], sweep=False)
    assert len(str(error.value)) < 700
    assert "\n" not in str(error.value)
    assert "…" in str(error.value)


@pytest.mark.parametrize("override", ["cell=a\nb", "a\nb=1", "name=a\x1b[31mb", "model.dtype=\x1b[31m", "x\x07"])
def test_control_characters_are_echoed_escaped(override):
    with pytest.raises(ConfigError) as error:
        compose([override, "seed=-1"])
    assert str(error.value).isprintable()


def test_a_number_where_a_text_is_meant_says_how_it_is_written():
    with pytest.raises(ConfigError, match=r"""name is 5, but must be of type str or null.*'name="5"'"""):
        compose(["name=5"])
    assert compose(['name="5"']).name == "5"
