"""``lstmlab generate``: text from language models, also of runs whose corpus is gone."""

import dataclasses
import hashlib
import io
import re
import shutil
import zipfile
from types import SimpleNamespace

import pytest
from small_runs import as_older_version, command, overrides, quick_programs

from lstmlab.data import registry
from lstmlab.tasks import task_entry
from lstmlab.training import load

LINE = "Now is the winter of our discontent made glorious summer"


@pytest.fixture(autouse=True, scope="module")
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


def wikitext():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in ("train", "valid", "test"):
            archive.writestr(f"wikitext-2/wiki.{part}.tokens", f" \n = Heading = \n {LINE} , 5 @.@ 1 <unk> \n" * 40)
    return packed.getvalue()


CORPORA = {
    "char_lm": ("tiny_shakespeare", lambda: (LINE + "\n").encode() * 40, []),
    "word_lm": ("wikitext2", wikitext, ["data.placement=stream", "model.tied_embeddings=true"]),
}


@pytest.mark.parametrize("task", [pytest.param("char_lm", marks=pytest.mark.slow), "word_lm"])
def test_a_run_writes_text_without_its_corpus(task, tmp_path, monkeypatch):
    corpus, make, settings = CORPORA[task]
    content = make()
    entry, data = registry.REGISTRY[corpus], tmp_path / "data"
    path = data / entry.filename
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    known = "sha256:" + hashlib.sha256(content).hexdigest()
    # An address that answers nothing.
    nowhere = dataclasses.replace(entry, known_hash=known, url="http://127.0.0.1:9/")
    monkeypatch.setitem(registry.REGISTRY, corpus, nowhere)
    where = [f"task.corpus={corpus}", f"data.dir={data}", f"hydra.run.dir={tmp_path / 'run'}"]
    steps = ["training.steps=2", "training.log_every=1", "training.eval_every=2"]
    trained = command(*overrides(task, *where, *settings, *steps))
    assert trained.code == 0, trained.err
    ask = ("generate", str(tmp_path / "run"), "--prompt", "the winter of", "--length", "20", "--temperature", "0")
    before = command(*ask)
    assert before.code == 0
    assert before.out.startswith("the winter of")
    assert load(tmp_path / "run").summary["data_placement"] == ("stream" if task == "word_lm" else "device")

    shutil.rmtree(data)
    assert command(*ask) == before
    # A run of an earlier version has kept nothing: it needs the corpus, and says which.
    kept = as_older_version(tmp_path / "run") / "task.json"
    kept.unlink()
    refused = command(*ask)
    assert refused.code == 1
    (line,) = refused.err.strip().splitlines()
    assert "http://127.0.0.1:9/" in line
    assert str(path) in line
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert command(*ask) == before
    kept.write_text("{}")
    refused = command(*ask)
    assert (refused.code, len(refused.err.strip().splitlines())) == (1, 1)
    assert f"{kept} cannot be used" in refused.err


def test_generate_prints_the_prompt_and_its_continuation(text_run):
    shown = command("generate", str(text_run), "--prompt", "ROMEO:", "--length", "30")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("ROMEO:")
    assert len(shown.out) == len("ROMEO:") + 30 + len("\n")


def test_generate_follows_its_seed_and_its_temperature(text_run):
    def text(*settings):
        return command("generate", str(text_run), "--prompt", "A", "--length", "40", *settings).out

    assert text("--seed", "1") == text("--seed", "1") != text("--seed", "2")
    assert text("--temperature", "0", "--seed", "1") == text("--temperature", "0", "--seed", "2")
    assert text("--temperature", "0") != text("--temperature", "2")
    assert len(command("generate", str(text_run)).out) == 1 + 500 + 1


def test_generate_writes_several_samples_of_which_the_first_are_the_same(text_run):
    def text(*settings):
        return command("generate", str(text_run), "--prompt", "A", "--length", "20", *settings).out

    three, two = text("--samples", "3"), text("--samples", "2", "--top-k", "0", "--top-p", "1")
    assert [line for line in three.splitlines() if line.startswith("===")] == [
        f"=== sample {number} of 3 ===" for number in (1, 2, 3)
    ]
    written = [re.split(r"=== sample \d of \d ===\n", shown)[1:] for shown in (three, two)]
    assert written[0][:2] == written[1]
    assert len(set(written[0])) == 3
    assert written[0][0] == text()
    assert text("--top-k", "1") == text("--temperature", "0") != text()


def test_generate_writes_words_and_says_which_of_the_prompt_it_does_not_know(tmp_path):
    assert command(*overrides("word_lm"), f"hydra.run.dir={tmp_path}").code == 0
    shown = command("generate", str(tmp_path), "--prompt", "the blorbing, the\n", "--length", "10", "--seed", "3")
    assert shown.code == 0
    assert shown.err == "note: words that training has not taught are read as <unk>: blorbing\n"
    assert shown.out.startswith("the <unk>, the\n")
    assert command("generate", str(tmp_path), "--prompt", "the", "--length", "5").err == ""
    nothing = command("generate", str(tmp_path), "--prompt", " ")
    assert (nothing.code, nothing.out) == (1, "")
    assert "--prompt: the prompt is empty" in nothing.err


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_generate_refuses_tasks_whose_words_are_read_alone(task, monkeypatch):
    monkeypatch.setattr("lstmlab.training.load", lambda run: SimpleNamespace(task=task_entry(task).cls()))
    refused = command("generate", "some_run")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"lstmlab: some_run holds a run of task {task}, which has no text to go on with\n"


BAD = {
    "no text": (["generate", "{numbers}"], "holds a run of task adding, which has no text"),
    "unknown character": (["generate", "{text}", "--prompt", "Größe"], "--prompt: the vocabulary of"),
    "empty prompt": (["generate", "{text}", "--prompt", ""], "--prompt: the prompt is empty"),
    "no length": (["generate", "{text}", "--length", "0"], "--length is 0, but must be at least 1"),
    "length in words": (["generate", "{text}", "--length", "ten"], "--length: invalid int value: 'ten'"),
    "too cold": (
        ["generate", "{text}", "--temperature", "-1"],
        "--temperature is -1.0, but must be a number",
    ),
    "no number": (
        ["generate", "{text}", "--temperature", "nan"],
        "--temperature is nan, but must be a number",
    ),
    "too hot": (["generate", "{text}", "--temperature", "inf"], "--temperature is inf, but must be a number of at"),
    "no tokens": (["generate", "{text}", "--top-k", "-1"], "--top-k is -1, but must be at least 0"),
    "no nucleus": (["generate", "{text}", "--top-p", "0"], "--top-p is 0.0, but must be above 0 and at most 1"),
    "too much probability": (["generate", "{text}", "--top-p", "1.1"], "--top-p is 1.1, but must be above 0 and at"),
    "no samples": (["generate", "{text}", "--samples", "0"], "--samples is 0, but must be at least 1"),
    "no seed": (["generate", "{text}", "--seed", "-1"], "--seed is -1, but must be between 0 and 4294967295"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_argument_of_generate_is_one_line_on_standard_error(case, number_run, text_run):
    arguments, told = BAD[case]
    places = {"numbers": number_run, "text": text_run}
    refused = command(*(argument.format(**places) for argument in arguments))
    assert refused.code != 0
    assert refused.out == ""
    assert refused.err.startswith("lstmlab")
    assert told in refused.err
    assert refused.err.count("\n") == 1
