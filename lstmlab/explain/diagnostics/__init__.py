"""What can be asked about a checkpoint: one file per diagnostic, each with a function ``find``."""

from collections.abc import Callable, Iterator

from lstmlab.explain.diagnostics import dynamics, gates, generalisation, gradients, memory
from lstmlab.explain.findings import Finding
from lstmlab.explain.material import Material, Refusal

Find = Callable[[Material], Iterator[tuple[int, Finding] | Refusal]]
"""From a checkpoint to findings, each with the number of its layer, and refusals."""

DIAGNOSTICS: dict[str, Find] = {
    "gradients": gradients.find, "gates": gates.find, "memory": memory.find, "dynamics": dynamics.find,
    "generalisation": generalisation.find,
}  # fmt: skip
"""The diagnostics by name, in the order in which they are made."""
