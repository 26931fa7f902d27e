"""``lstmlab generate``: sample from a language model of characters or words."""

from __future__ import annotations

import math
import sys
from typing import Any

from lstmlab.commands._parser import run_parser_for


def main(arguments: list[str]) -> None:
    """Write text with a trained language model of characters or words."""
    parser = run_parser_for(main)
    parser.add_argument("--prompt", help="text to continue (default: a line break, or a space where there is none)")
    parser.add_argument("--length", type=int, default=500, help="characters or words to add (default: 500)")
    parser.add_argument("--temperature", type=float, default=0.8, help="0: always the likeliest token (default: 0.8)")
    parser.add_argument("--top-k", type=int, default=0, help="draw among the K likeliest tokens; 0: all (default)")
    parser.add_argument(
        "--top-p",
        type=float,
        default=1.0,
        help="draw among the likeliest tokens of this total probability (default: 1)",
    )
    parser.add_argument("--samples", type=int, default=1, help="number of texts to write (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    chosen = parser.parse_args(arguments)
    if chosen.length < 1:
        parser.error(f"--length is {chosen.length}, but must be at least 1")
    if not 0 <= chosen.temperature < math.inf:
        parser.error(f"--temperature is {chosen.temperature}, but must be a number of at least 0")
    if chosen.top_k < 0:
        parser.error(f"--top-k is {chosen.top_k}, but must be at least 0")
    if not 0 < chosen.top_p <= 1:
        parser.error(f"--top-p is {chosen.top_p}, but must be above 0 and at most 1")
    if chosen.samples < 1:
        parser.error(f"--samples is {chosen.samples}, but must be at least 1")
    if not 0 <= chosen.seed < 2**32:
        parser.error(f"--seed is {chosen.seed}, but must be between 0 and {2**32 - 1}")
    import numpy as np

    from lstmlab.config import ConfigError
    from lstmlab.tasks.text.streams import TokenStream
    from lstmlab.tasks.text.word_lm.dataset import WordVocabulary
    from lstmlab.training import load

    trained = load(chosen.run)
    vocabulary = getattr(trained.task, "vocabulary", None) if isinstance(trained.task, TokenStream) else None
    if vocabulary is None:
        raise ConfigError(f"{chosen.run} holds a run of task {trained.task.name}, which has no text to go on with")
    try:
        text = _default_prompt(vocabulary) if chosen.prompt is None else chosen.prompt
        prompt = vocabulary.encode(text)
        if isinstance(vocabulary, WordVocabulary) and (unknown := vocabulary.unknown(text)):
            print(f"note: words that training has not taught are read as <unk>: {' '.join(unknown)}", file=sys.stderr)
        texts = trained.generate(
            prompt, chosen.length, temperature=chosen.temperature, seed=chosen.seed, top_k=chosen.top_k,
            top_p=chosen.top_p, samples=chosen.samples,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(f"--prompt: {error}") from None
    for number, tokens in enumerate(texts, 1):
        if chosen.samples > 1:
            print(f"=== sample {number} of {chosen.samples} ===")
        print(vocabulary.decode(np.concatenate([prompt, tokens])))


def _default_prompt(vocabulary: Any) -> str:
    """The default prompt: a line break, or a space where the training text has no lines, as text8."""
    try:
        vocabulary.encode("\n")
    except ValueError:
        return " "
    return "\n"
