"""What a configuration that can run may not be meant to do."""

from __future__ import annotations

from lstmlab.cells import cell_entry
from lstmlab.config.schema import Config


def notes(config: Config) -> list[str]:
    """One line for everything that the user should know before the run; most configurations have none."""
    linear = cell_entry(config.cell.name).cls.linear_in_inputs
    if linear and config.model.block == "plain" and config.model.attention == "none":
        return [
            f"cell {config.cell.name} with model.block=plain makes a linear model: its outputs are linear in the "
            "inputs (model.block=auto puts a nonlinearity between layers)"
        ]
    return []
