"""The files inside the package are the recorded ones, small, and carry their licences."""

import gzip
import hashlib
import importlib
from pathlib import Path

import pytest

from lstmlab.data import resources
from lstmlab.data.download import DataError
from lstmlab.data.resources import EMBEDDED, embedded_path

PROVENANCE = (EMBEDDED / "PROVENANCE.md").read_text()
DATA_FILES = sorted(path.name for path in EMBEDDED.iterdir() if path.suffix != ".md")


def script(name):
    """A script as a module; scripts import their siblings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).resolve().parents[2] / "scripts")
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def build_data():
    return script("build_data")


@pytest.mark.parametrize("name", DATA_FILES)
def test_file_has_the_hash_and_a_section_in_the_provenance(name, build_data):
    recorded = build_data.recorded_hashes(PROVENANCE)
    assert hashlib.sha256(embedded_path(name).read_bytes()).hexdigest() == recorded[name]
    section = PROVENANCE.split(f"## `{name}`")[1].split("\n## ")[0]
    for heading in ("**What**", "**Source**", "**How made**", "**Licence**"):
        assert heading in section


def test_provenance_and_scripts_speak_of_exactly_these_files(build_data):
    assert sorted(build_data.recorded_hashes(PROVENANCE)) == DATA_FILES
    scripts = [build_data, *(script(f"build_data_{part}") for part in ("series", "tagging", "speech"))]
    assert sorted(name for built in scripts for name in built.RECIPES) == DATA_FILES


def test_notices_that_must_be_kept_are_kept():
    assert "Copyright (c) 2017 Kevin Sheppard" in PROVENANCE
    assert "Copyright (c) 2014-2026, Sebastian Raschka" in PROVENANCE
    assert "Copyright (c) 2019 - present, The sktime developers" in PROVENANCE
    assert "Copyright (c) 2018 Jake Vanderplas" in PROVENANCE
    assert "Copyright (c) 2024 Colin Catlin" in PROVENANCE
    assert "redistribution permitted." in PROVENANCE
    assert "Copyright (c) The aeon developers" in PROVENANCE


def test_embedded_files_stay_small():
    assert sum(embedded_path(name).stat().st_size for name in DATA_FILES) < 5_000_000


def test_missing_embedded_file_says_to_install_again(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, "EMBEDDED", tmp_path)
    with pytest.raises(DataError, match="install lstmlab again"):
        embedded_path("sp500.csv.gz")


def test_clean_play_keeps_the_play_and_drops_the_rest(build_data):
    source = (
        "A PLAY\n\nby William Shakespeare\n\n\nPERSONS REPRESENTED.\n\nKING, a king.\n\n"
        "SCENE: Rome; in the First Act, Venice.\n\n\nACT 1.\nScene 2. --A  street.\n\n\n"
        "[Enter KING.}\n\nKING.\n     1. I am mad/ or this is a dream.  \n"
        "Act I must, Scene I see.\n\n"
        "ACT II. SCENE I. A room.\n\nKING.\nNo.\n\n[Exit.]\n\nTHE END"
    )
    assert build_data.clean_play(source) == (
        "A PLAY\n\nACT I.\n\nSCENE II. A street.\n\n[Enter KING.]\n\nKING.\n"
        "I am mad, or this is a dream.\nAct I must, Scene I see.\n\n"
        "ACT II.\n\nSCENE I. A room.\n\nKING.\nNo.\n\n[Exit.]\n"
    )


def test_check_finds_another_content_and_an_unrecorded_file(build_data, monkeypatch, tmp_path):
    name = "sp500.csv.gz"
    committed = embedded_path(name).read_bytes()
    assert build_data.check(name, committed) is None
    recompressed = gzip.compress(gzip.decompress(committed), compresslevel=1, mtime=0)
    assert recompressed != committed
    assert build_data.check(name, recompressed) is None
    assert "differs from what this script builds" in build_data.check(name, gzip.compress(b"date,open"))
    (tmp_path / name).write_bytes(recompressed)
    monkeypatch.setattr(build_data, "EMBEDDED", tmp_path)
    assert "not the one PROVENANCE.md records" in build_data.check(name, recompressed)
