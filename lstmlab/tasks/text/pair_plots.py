"""What an encoder-decoder writes, and where its attention lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from lstmlab.plots.attention import attention_map
from lstmlab.tasks.specs import Plot


def examples(sources: Iterable[str], references: Iterable[str], outputs: Iterable[str]) -> Plot:
    """Sources with reference and output as text."""
    rows = zip(sources, references, outputs, strict=True)
    texts = [f"source     {source}\nreference  {reference}\noutput     {output}" for source, reference, output in rows]
    return Plot("outputs", text="\n\n".join(texts))


def attention_maps(
    weights: Float[np.ndarray, "rows outputs source"],
    sources: Sequence[Sequence[str]],
    outputs: Sequence[Sequence[str]],
) -> list[Plot]:
    """A picture for each output: a row per output symbol, a column per source symbol, dark where attention is high."""
    rows = enumerate(zip(weights, sources, outputs, strict=True), 1)
    return [Plot(f"attention_{i}", picture=attention_map(map_, source, output)) for i, (map_, source, output) in rows]
