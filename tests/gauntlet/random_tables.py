"""CSV files as people have them, and worse: dates, numbers, delimiters, quotes and encodings at random."""

import gzip
import math
from datetime import UTC, datetime, timedelta

DATES = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S+01:00", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y", "%m/%d/%y %I:%M %p", "%b %d, %Y",
    "%d %B %Y", "%Y%m%d", "%Y%m%d%H%M", "%Y-%m", "%Y", "%H:%M", "unix", "unix_ms", "excel", "number", "%c", "%G-W%V",
)  # fmt: skip
STEPS = (timedelta(seconds=1), timedelta(minutes=15), timedelta(hours=1), timedelta(days=1), timedelta(days=31),
         timedelta(milliseconds=40), timedelta(0), timedelta(days=-1), timedelta(days=365))  # fmt: skip
STARTS = (datetime(2021, 3, 1), datetime(1969, 12, 31, 23), datetime(2021, 3, 27), datetime(1900, 1, 1),
          datetime(9990, 1, 1), datetime(1, 1, 2), datetime(2020, 2, 29))  # fmt: skip
CELLS = ("", "NA", "nan", "-", "inf", "-inf", "1e400", "1e30", "-9e29", "1e-320", "0", "-0", "1,5", "1.234,5", "1 000",
         "0x1F", "1_000", "true", "½", "٣", "#N/A", "-999", "x" * 300, "a\nb", '"', "'", "\t", "=1+1", "9" * 18,
         "2021-02-30", "24:00", "\u200b", "\ufeff", "é")  # fmt: skip
NAMES = ("load", "wind", "T (degC)", "time", "date", "x", "1", "", "load", "a,b", "a;b", 'a"b', "a'b", "Größe", "[x]",
         "{x}", "${x}", "x=y", " ", "none", "null", "row", "id", "2021-01-01", "/", "\n", "x" * 300)  # fmt: skip
FORMS = ("sine", "noise", "constant", "almost constant", "huge", "tiny", "steps", "counter")


def moment(form, start, step, row):
    """The time of a row as text; what cannot be written is left empty."""
    try:
        time = start + row * step
        if form in ("unix", "unix_ms"):
            return str(int(time.replace(tzinfo=UTC).timestamp() * (1000 if form == "unix_ms" else 1)))
        if form == "excel":
            return f"{(time - datetime(1899, 12, 30)) / timedelta(days=1):.6f}"
        return str(row) if form == "number" else time.strftime(form)
    except (OverflowError, ValueError):
        return ""


def value(form, row, dice):
    """The number of a row."""
    return {
        "sine": math.sin(row / 4), "noise": dice.gauss(50, 9), "constant": 3.5,
        "almost constant": 0.1 + 0.2 * (row % 2) * 1e-16, "huge": dice.gauss(0, 1) * 1e29,
        "tiny": dice.gauss(0, 1) * 1e-300, "steps": row // 20, "counter": row,
    }[form]  # fmt: skip


def random_table(dice, names=None):
    """The bytes of a file and in a few words what is in it; ``names`` are those of the columns after the times."""
    calm = dice.random() < 0.5
    names = names or (dice.sample(NAMES[:3], 2) if calm else dice.choices(NAMES, k=dice.randrange(1, 5)))
    rows = dice.choice((40, 120, 400) if calm else (0, 1, 2, 120))
    date, start, step = dice.choice(DATES[:13] if calm else DATES), STARTS[0], dice.choice(STEPS[:4])
    if not calm:
        start, step = dice.choice(STARTS), dice.choice(STEPS)
    forms = [dice.choice(FORMS[:2] if calm else FORMS) for _ in names]
    lines = [[dice.choice(("time", "date", "ds", "")), *names]]
    for row in range(rows):
        lines.append([moment(date, start, step, row), *(f"{value(form, row, dice):.8g}" for form in forms)])
    faults = [fault for fault in FAULTS if dice.random() < (0.02 if calm else 0.12)]
    for fault in faults:
        FAULTS[fault](lines, dice)
    content, how = ("\n".join(map(",".join, lines)).encode(), []) if calm else encoded(lines, dice)
    return content, ", ".join([f"{rows} rows", date, *forms, *faults, *how])


def odd_cells(lines, dice):
    for _ in range(dice.randrange(1, 4)):
        line = dice.choice(lines)
        line[dice.randrange(len(line))] = dice.choice(CELLS)


def ragged(lines, dice):
    line = dice.choice(lines)
    line.append("7") if dice.random() < 0.5 else line.pop()
    line.extend([""] * (not line))


def empty_column(lines, dice):
    place = dice.randrange(len(lines[0]))
    for line in lines[1:]:
        line[place % len(line)] = dice.choice(("", "NA"))


FAULTS = {
    "odd cells": odd_cells, "ragged": ragged, "empty column": empty_column,
    "rows left out": lambda lines, dice: lines.__delitem__(slice(len(lines) // 2 + 1, len(lines) // 2 + 4)),
    "shuffled": lambda lines, dice: lines.__setitem__(slice(1, None), dice.sample(lines[1:], len(lines) - 1)),
    "rows twice": lambda lines, dice: lines.extend([list(line) for line in lines[-2:]]),
    "no names": lambda lines, dice: lines.pop(0) if len(lines) > 1 else lines,
    "blank lines": lambda lines, dice: lines.insert(dice.randrange(len(lines) + 1), [""]),
    "no times": lambda lines, dice: [line.pop(0) for line in lines if len(line) > 1],
    "names twice": lambda lines, dice: lines.insert(1, list(lines[0])),
}  # fmt: skip


def encoded(lines, dice):
    """The bytes of the lines, and what is unusual about them."""
    delimiter = dice.choice(",,,,;\t| :")
    quote = dice.choice(("", "", "all", "some", "open"))
    text = "\n".join(delimiter.join(quoted(cell, quote, dice) for cell in line) for line in lines)
    text = (
        dice.choice(("", "", "", "sep=;\n", "# comment\n", "\n\n"))
        + text
        + dice.choice(("\n", "", "\n\n\n", delimiter))
    )
    if dice.random() < 0.2:
        text = text.replace("\n", dice.choice(("\r\n", "\r")))
    code = dice.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16", "cp1252", "utf-32"))
    content, how = text.encode(code, "replace"), [f"'{delimiter}'", code]
    wrapping = dice.random()
    if wrapping < 0.1:
        content = gzip.compress(content)
        how.append("gzip")
    if wrapping < 0.15 and content and dice.random() < 0.5:
        content = content[: dice.randrange(len(content))] + dice.choice((b"", b"\0", b"\xff\xfe", b"\x1a"))
        how.append("cut")
    return content, how


def quoted(cell, quote, dice):
    if quote == "all" or (quote == "some" and dice.random() < 0.3):
        return '"' + cell.replace('"', '""') + '"'
    return '"' + cell if quote == "open" and dice.random() < 0.005 else cell
