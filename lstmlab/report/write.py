"""A report as one HTML file that needs no network."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from lstmlab.tracking.files import RunError, write_atomically

_MOST_IN_TITLE = 6


def write_report(
    directories: Sequence[Path],
    path: Path,
    *,
    by: Sequence[str] = (),
    reference: str | None = None,
    title: str | None = None,
) -> Path:
    """Write the report on the runs below the directories to ``path`` and return it.

    Raises ``RunError`` where there is no finished run, as :func:`lstmlab.study.compare`, and where Plotly is missing.
    """
    try:
        import jinja2
        import plotly  # noqa: F401  (the figures import it)
    except ImportError as error:
        raise RunError(f"a report needs {error.name}: pip install 'lstmlab[report]'") from None
    from lstmlab.report.collected import collect
    from lstmlab.report.sections.contents import sections_of

    if path.is_dir():
        raise RunError(f"--output {path} is a directory: name the file, as {path / 'report.html'}")
    collected = collect(directories, by=by, reference=reference)
    sections = sections_of(collected)
    named = title or _title(list(collected.styles))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, _page(jinja2, named, sections))
    return path


def _title(labels: Sequence[str]) -> str:
    more = len(labels) - _MOST_IN_TITLE
    return f"Comparison of {', '.join(labels[:_MOST_IN_TITLE])}{f' and {more} more' if more > 0 else ''}"


def _page(jinja2: Any, title: str, sections: Sequence[Any]) -> str:
    from plotly.offline import get_plotlyjs

    from lstmlab.report.figures.style import theme

    own = files("lstmlab.report") / "page"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     lstrip_blocks=True)  # fmt: skip
    environment.filters["figure"] = _figure_json
    template = environment.from_string((own / "page.html").read_text(encoding="utf-8"))
    themes = {name: theme(dark=name == "dark").to_plotly_json() for name in ("light", "dark")}
    return template.render(
        title=title,
        sections=sections,
        made=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        version=version("lstmlab"),
        css=(own / "page.css").read_text(encoding="utf-8"),
        script=(own / "page.js").read_text(encoding="utf-8"),
        plotly=get_plotlyjs().replace("</script", "<\\/script"),
        themes=_inside_script(json.dumps(themes)),
    )


def _figure_json(figure: Any) -> str:
    return _inside_script(figure.to_json())


def _inside_script(text: str) -> str:
    """JSON that cannot end the script element it stands in, whatever names it has."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
