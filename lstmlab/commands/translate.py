"""``lstmlab translate``: the outputs of a trained encoder-decoder."""

from __future__ import annotations

import sys
from pathlib import Path

from lstmlab.commands._parser import run_parser_for


def main(arguments: list[str]) -> None:
    """Print the output of a trained encoder-decoder for words or sentences, one a line."""
    parser = run_parser_for(main)
    parser.add_argument("text", nargs="*", help="sources (default: one a line from --file or standard input)")
    parser.add_argument("--file", type=Path, help="text file with one source a line")
    parser.add_argument("--beam", type=int, default=1, help="hypotheses kept at each step (default: 1, greedy)")
    parser.add_argument(
        "--n-best",
        action="store_true",
        help="print all hypotheses of the beam: source, score, output, separated by tabs",
    )
    chosen = parser.parse_intermixed_args(arguments)  # sources may stand behind options
    if chosen.beam < 1:
        parser.error(f"--beam is {chosen.beam}, but must be at least 1")
    if chosen.text and chosen.file:
        parser.error("sources come as arguments or from --file, not both")
    from lstmlab.config import ConfigError
    from lstmlab.tasks.text.pairs import PairTask
    from lstmlab.training import load

    trained = load(chosen.run)
    task = trained.task
    if not isinstance(task, PairTask):
        raise ConfigError(f"{chosen.run} holds a run of task {task.name}, which translates nothing")
    texts = [(f"source {number}", text) for number, text in enumerate(chosen.text, 1)] or _lines(chosen.file)
    if not any(text.strip() for _, text in texts):
        raise ConfigError("there is nothing to translate: give a source as an argument, in --file or on standard input")
    sources = []
    for place, text in texts:
        if text.strip():
            try:
                sources.append(task.read(text))
            except ValueError as error:
                raise ConfigError(f"{place}: {error}") from None
    outputs = iter(task.translate(trained, sources, chosen.beam))
    for _, text in texts:
        if not text.strip():
            print()  # a blank line keeps its place, so that lines of the output are those of the input
            continue
        hypotheses = next(outputs)
        if chosen.n_best:
            for symbols, score in hypotheses:
                print(f"{text}\t{score:.4f}\t{task.write(symbols)}")
        else:
            print(task.write(hypotheses[0][0]))


def _lines(file: Path | None) -> list[tuple[str, str]]:
    """The lines of a file or of standard input, each with a name for error messages; without a byte order mark."""
    from lstmlab.config import ConfigError

    name = file or "standard input"
    try:
        text = file.read_text(encoding="utf-8-sig") if file else sys.stdin.read().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is not UTF-8 text") from None
    # Not splitlines(), which also splits at characters that may occur within a line.
    return [(f"{name}, line {i}", line) for i, line in enumerate(text.removesuffix("\n").split("\n"), 1)]
