"""``lstmlab key=value ...``, the command without a name: train one model, sweep or search."""

from __future__ import annotations


def main(arguments: list[str]) -> int:
    """Train one model; with -m sweep over lists of values, or search ranges of them."""
    from lstmlab.launch.hydra_main import run

    return run(arguments)
