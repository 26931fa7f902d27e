"""The entry of PyTorch in `bench.py`."""

from __future__ import annotations

import bench_machine
import jax
import torch
from bench_references import LEARNING_RATE, Problem


class TorchStep:
    """``torch.nn.LSTM`` and ``torch.optim.Adam``, eager, on the GPU where JAX uses one."""

    def __init__(self, problem: Problem) -> None:
        self.gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
        torch.set_num_threads(bench_machine.cores())
        if jax.config.jax_default_matmul_precision == "highest":  # pyright: ignore
            torch.backends.cudnn.allow_tf32 = False
        device = "cuda" if self.gpu else "cpu"
        self.layer = torch.nn.LSTM(problem.shape.input, problem.shape.hidden)
        weights = {
            "weight_ih_l0": problem.kernel.T,
            "weight_hh_l0": problem.recurrent.T,
            "bias_ih_l0": problem.bias,
            "bias_hh_l0": 0 * problem.bias,
        }
        self.layer.load_state_dict({name: torch.tensor(w) for name, w in weights.items()})
        self.layer.to(device)
        # The fastest of its implementations, on CPUs and on GPUs.
        self.optimizer = torch.optim.Adam(self.layer.parameters(), lr=LEARNING_RATE, fused=True)
        self.xs, self.ys = torch.tensor(problem.xs).to(device), torch.tensor(problem.ys).to(device)

    def step(self) -> None:
        self.optimizer.zero_grad()
        outputs, _ = self.layer(self.xs)
        self.loss = torch.nn.functional.mse_loss(outputs, self.ys)
        self.loss.backward()
        self.optimizer.step()

    def wait(self) -> float:
        if self.gpu:
            torch.cuda.synchronize()
        return self.loss.item()
