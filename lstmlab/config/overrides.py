"""Overrides as users write them, in the form that Hydra's grammar accepts.

The grammar takes ``#``, ``~``, brackets and letters beyond ASCII only in quotes, and reads ``0`` as a number. Column
names and paths may be any of these, so the values of keys that take text are quoted here where they need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import grammar_parser
from omegaconf.errors import GrammarParseError

from lstmlab.cells import cell_entry, cell_names
from lstmlab.config.convert import ConfigError
from lstmlab.config.schema import SECTIONS, Config
from lstmlab.printable import escaped, shown
from lstmlab.settings import settings_of
from lstmlab.tasks import task_entry, task_names

PATHS = ("hydra.run.dir", "hydra.sweep.dir", "data.dir", "data.file")
"""Keys of directories and files: a leading ``~`` is the home directory."""
NAMES_IN_FILE = ("data.target", "data.label", "data.time", "data.columns", "data.file")
"""Keys whose values are text even where they look like numbers: the second column of a file may be called ``1``."""
OPENING, CLOSING, BACKSLASH = "([{", ")]}", "\\"


def parse_override(text: str) -> Override:
    """Hydra's reading of one override; raises ``ConfigError`` where it is none."""
    try:
        return OverridesParser.create().parse_override(text)
    # ValueError: a number with more digits than Python reads.
    except (HydraException, ValueError):
        raise ConfigError(unreadable(text)) from None


def unreadable(text: str) -> str:
    """The message for an override that Hydra's grammar refuses."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or len(text) > 80:
        return f"cannot read '{shown(text)}': an override is written key=value"
    quoted = shown(QuotedString(value, Quote.double).with_quotes())
    return f"cannot read '{shown(text)}': an override is written key=value; special characters need quotes: " + (
        f"'{escaped(key)}={quoted}'"
    )


def readable(overrides: Sequence[str], *, sweep: bool = False) -> list[str]:
    """The overrides with quotes where Hydra's grammar needs them: values of keys that take text are kept as they stand.

    With ``sweep`` a comma separates values of a text. What is no text is left alone, and so is what cannot be read.

    >>> readable(["data.target=T (degC)", "seed=3"])
    ["data.target='T (degC)'", 'seed=3']
    """
    return [_readable(text, sweep) for text in overrides]


def _readable(text: str, sweep: bool) -> str:
    key, equals, value = text.partition("=")
    bare = key.lstrip("+")
    if not equals or not (_holds(bare, str) or _holds(bare, tuple)):
        return text
    parsed = _parsed(text)
    several = sweep if parsed is None else parsed.is_sweep_override()
    parts = _split(value) if several else [value]
    return f"{key}={','.join(_list_or_text(bare, part) for part in parts)}"


def _list_or_text(key: str, value: str) -> str:
    bracketed = value.strip().startswith("[") and value.strip().endswith("]")
    return _list(key, value) if _holds(key, tuple) and (bracketed or not _holds(key, str)) else _text(key, value)


def _text(key: str, value: str) -> str:
    """One value, in quotes where the grammar refuses it or would take it for something else than text."""
    parsed = _parsed(f"{key}={value}")
    if parsed is None:
        return _quoted(key, value)
    if parsed.is_sweep_override():  # a function of several values, such as choice(a, b)
        return value
    read: Any = parsed.value()
    if isinstance(read, str) and read.startswith("~") and key in PATHS:
        return _quoted(key, read)
    return value if read is None or isinstance(read, str) or key not in NAMES_IN_FILE else _quoted(key, value)


def _list(key: str, value: str) -> str:
    """The texts of a list one by one; what is no list in brackets is left alone."""
    value = value.strip()
    if not (value.startswith("[") and value.endswith("]")):
        return value
    parts = list(_split(value[1:-1]))
    # A backslash at the end of a part would take the comma or bracket behind it away.
    return f"[{','.join(_quoted(key, part) if part.endswith(BACKSLASH) else _text(key, part) for part in parts)}]"


def _quoted(key: str, value: str) -> str:
    value = _expanded(key, value)
    try:
        grammar_parser.parse(value)
    except GrammarParseError:  # ${ that begins no interpolation
        value = value.replace("${", r"\${")
    return QuotedString(value, Quote.single).with_quotes()


def _expanded(key: str, value: str) -> str:
    if key not in PATHS or not value.startswith("~"):
        return value
    try:
        return str(Path(value).expanduser())
    except RuntimeError as error:
        raise ConfigError(f"{key} is '{shown(value)}': {str(error).rstrip('.')}; write the directory out") from None


def _parsed(text: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, ValueError):
        return None


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no brackets and no quotes."""
    start = depth = 0
    quote = ""
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote and text[place - 1] != "\\" else quote
        elif character in "'\"" and not text[start:place].strip():
            quote = character
        elif character in OPENING + CLOSING:
            depth += 1 if character in OPENING else -1
        elif character == "," and depth <= 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


def _holds(key: str, kind: type) -> bool:
    """Whether a key of the configuration holds this type, and not just a few values to choose from."""
    if kind is str and key in (*PATHS, "hydra.sweep.subdir"):
        return True
    section, _, name = key.rpartition(".")
    classes: list[type] = [SECTIONS[section]] if section in SECTIONS else []
    classes += [Config] if not section else []
    classes += [cell_entry(each).cls for each in cell_names()] if section == "cell" else []
    classes += [task_entry(each).cls for each in task_names()] if section == "task" else []
    declared = [settings_of(cls)[name] for cls in classes if name in settings_of(cls)]
    return any(kind in setting.types and not setting.choices for setting in declared)
