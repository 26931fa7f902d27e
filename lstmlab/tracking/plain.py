"""Values as plain JSON values, and back; errors and docstrings as plain text.

JSON has no NaN and no infinity, but every JSON reader should be able to read the files of a run that diverged. So the
three non-finite floats are written as the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, as JavaScript names
them, and :func:`from_plain` turns exactly these strings into floats again. ``null`` would lose the difference between
an overflow and an undefined loss.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

INTERRUPTED = "interrupted"
"""the failure message of a run that was stopped by Ctrl-C"""
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_plain(value: Any) -> Any:
    """A value as dicts, lists, strings, numbers, booleans and None, for ``json.dumps``.

    Takes mappings, lists, tuples, sets, dataclasses, paths, enumerations, and arrays or scalars of NumPy and JAX
    (anything with ``tolist``). Raises ``TypeError`` for everything else.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _finite_or_name(float(value))
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(entry) for entry in value]
    if isinstance(value, Path):
        return value.as_posix()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: to_plain(getattr(value, field.name)) for field in fields}
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return to_plain(tolist())
    raise TypeError(f"cannot write a {type(value).__name__} as JSON: {value!r}")


def from_plain(value: Any) -> Any:
    """What ``json.loads`` returned, with the strings for non-finite floats as floats again."""
    if isinstance(value, str):
        return _NON_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: from_plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [from_plain(entry) for entry in value]
    return value


def number(name: str, value: Any) -> int | float:
    """A Python number from a Python, NumPy or JAX scalar; raises ``TypeError`` naming ``name``.

    Reading a JAX scalar waits for the device, so log once per chunk of steps.
    """
    plain = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(plain, (int, float)):
        raise TypeError(f"metric '{name}' must be one number, not {type(value).__name__}: {value}")
    return plain


def one_line(error: BaseException | str, limit: int = 200) -> str:
    """An error as one line of at most ``limit`` characters, for warnings and summaries."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BaseException):
        error = f"{type(error).__name__}: {error}".removesuffix(": ")
    line = " ".join(error.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _finite_or_name(value: float) -> float | str:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def plain_docstring(docstring: str) -> str:
    """A docstring for the terminal: equations as they are, without the markup of reStructuredText."""
    text = inspect.cleandoc(docstring)
    text = re.sub(r":math:`([^`]*)`", r"\1", text)
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"\1", text)
    text = re.sub(r"^([ \t]*)\.\. math::[ \t]*", r"\1", text.replace("``", ""), flags=re.MULTILINE)
    return re.sub(r"\n\s*\n(?=\s*\S)", "\n\n", text)
