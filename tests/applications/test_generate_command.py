"""``lstmlab generate`` by runs whose corpus is gone."""

import dataclasses
import hashlib
import io
import shutil
import zipfile

import pytest
from small_runs import command, overrides, quick_programs

from lstmlab.data import registry
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
    kept = tmp_path / "run" / "task.json"
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
