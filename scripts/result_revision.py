"""The revision of the code that made a record: only of a checkout without changes."""

from __future__ import annotations

import subprocess

from result_rows import ROOT, leave

CODE = ("lstmlab", "conf", "scripts", "pyproject.toml", "docs/results/rows.yaml")
"""what a result depends on"""
# What records themselves change: several rows can be recorded before they are committed.
WRITTEN = (":!docs/results/*.json", ":!docs/results.md")


def clean_revision() -> str:
    """The commit of the checkout; exits with one line where files other than records differ from it."""
    if changed := _git("status", "--porcelain", "--", ".", *WRITTEN).splitlines():
        leave(f"a record needs a clean checkout, but {changed[0][3:]} has changed: commit it, or leave --record out")
    return _git("rev-parse", "--short=12", "HEAD")


def check_same_code(revision: str) -> None:
    """Exit with one line unless the checkout is clean and has the code of this revision."""
    now = clean_revision()
    try:
        _git("diff", "--quiet", revision, now, "--", *CODE)
    except subprocess.CalledProcessError:
        leave(f"the code has changed from {revision} to {now} since the runs began: run the row again")


def _git(*words: str) -> str:
    try:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip("\n")
    except FileNotFoundError:
        leave("a record needs git, which is not installed")
    except subprocess.CalledProcessError as error:
        if words[0] == "diff" and error.returncode == 1:
            raise
        leave(f"a record needs a git checkout: {error.stderr.strip()}")
