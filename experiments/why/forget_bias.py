"""What is left of a memory after 50 steps at initialisation, against the bias of the forget gate: docs/why.md.

    python experiments/why/forget_bias.py

Cells of 32 units with 16 normal inputs, kernels as PyTorch draws them; ten seeds with ten sequences each.
"""

import jax
import numpy as np

from lstmlab.cells import Init, make_cell
from lstmlab.explain import direct_path, field_jacobian, trajectory

STEPS, SEQUENCES, SEEDS, INPUTS, HIDDEN = 50, 10, 10, 16, 32
STARTS = {
    "rnn": ("rnn", {}),
    "lstm, forget bias 0": ("lstm", {"forget_bias": 0.0}),
    "lstm, forget bias 1": ("lstm", {"forget_bias": 1.0}),
    "lstm, forget bias 3": ("lstm", {"forget_bias": 3.0}),
    "lstm, chrono": ("lstm", {"chrono_horizon": STEPS}),
}


def measure(name: str, start: dict, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest singular value of the whole derivative, and the largest over units of the direct path."""
    init = Init("hidden_uniform", "hidden_uniform", **start)
    cell = make_cell(name, INPUTS, HIDDEN, key=jax.random.key(seed), init=init, param_dtype="float64")
    xs = jax.random.normal(jax.random.key(1000 + seed), (STEPS, SEQUENCES, INPUTS))
    path, field = trajectory(cell, xs), "h" if name == "rnn" else "c"
    whole = np.linalg.svd(field_jacobian(cell, path, field), compute_uv=False)[:, 0]
    return whole, np.abs(direct_path(cell, path, field)).max(axis=1)


def main() -> None:
    with jax.enable_x64(True):
        print(
            "| start | largest singular value of ∂c_T/∂c_0 | largest product of forget gates |\n| --- | ---: | ---: |"
        )
        for label, (name, start) in STARTS.items():
            found = [measure(name, start, seed) for seed in range(SEEDS)]
            whole, direct = (np.exp(np.mean(np.log(np.concatenate(each)))) for each in zip(*found, strict=True))
            print(f"| {label} | {whole:.1e} | {'–' if name == 'rnn' else f'{direct:.1e}'} |", flush=True)


if __name__ == "__main__":
    main()
