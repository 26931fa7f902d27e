"""What a report is made of: sections with blocks of plain data. The template makes HTML of them and escapes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import plotly.graph_objects as go


@dataclass(frozen=True)
class Lines:
    """Sentences, one below the other; ``kind`` is ``plain``, ``verdict`` or ``caution``."""

    lines: Sequence[str]
    kind: str = "plain"
    block: ClassVar[str] = "lines"


@dataclass(frozen=True)
class Table:
    """A table that a click on a header sorts."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    colours: Sequence[str] = ()
    """of the mark before each row, if any"""
    block: ClassVar[str] = "table"


@dataclass(frozen=True)
class Figure:
    """A Plotly figure; ``alt`` says in words what it shows."""

    figure: go.Figure
    title: str
    alt: str
    log: bool = False
    """whether there is a button for a logarithmic vertical axis"""
    log_first: bool = False
    """whether that button is pressed at first"""
    block: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Picture:
    """An image, as a ``data:`` address."""

    address: str
    alt: str
    caption: str
    block: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side."""

    pictures: Sequence[Picture]
    block: ClassVar[str] = "gallery"


@dataclass(frozen=True)
class Text:
    """Text as it is, in a font of fixed width."""

    text: str
    caption: str = ""
    block: ClassVar[str] = "text"


@dataclass(frozen=True)
class Folded:
    """Blocks that a click opens."""

    title: str
    blocks: Sequence[Any]
    block: ClassVar[str] = "folded"


@dataclass(frozen=True)
class Section:
    """A heading with its anchor and blocks; it is left out where it has none."""

    anchor: str
    title: str
    blocks: list[Any] = field(default_factory=list)
