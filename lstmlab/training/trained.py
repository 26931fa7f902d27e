"""A trained model with what is needed to use it: on sequences, step by step, or to generate."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.config import Config, read_config
from lstmlab.data.download import DataError
from lstmlab.models import ModelOutput, Rates, RecurrentModel
from lstmlab.models.beam import Hypotheses, beam_search
from lstmlab.models.check import check_masks, check_tokens, check_vocabulary
from lstmlab.models.generate import generate
from lstmlab.models.sampling import Draw, continue_sequence
from lstmlab.tasks import Batch, Pairs, Split, Task, Tokens
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.files import RunError, check_run_files, read_summary, write_atomically
from lstmlab.tracking.plain import from_plain, one_line, to_plain
from lstmlab.training import functions
from lstmlab.training.dynamic_evaluation import metrics_while_learning
from lstmlab.training.functions import dropout_rates
from lstmlab.training.model_file import UNREADABLE, read_model, write_model

MODEL_FILE = "model.npz"
ARTIFACTS_FILE = "task.json"


@jax.jit  # here and not for each run: models of one structure share the compiled function
def _run(model: RecurrentModel, inputs: Any, state: Any, lengths: Any, rates: Rates) -> ModelOutput:
    return model(inputs, state, lengths=lengths, rates=rates)


class Trained:
    """The best model of a run.

    Attributes:
        model: the :class:`~lstmlab.models.RecurrentModel`, a pytree of parameters.
        config: the run's configuration.
        task: the run's task, with its data and metrics.
        summary: what ``summary.json`` says.
        directory: the run directory.
    """

    def __init__(self, model: RecurrentModel, config: Config, directory: Path, summary: Mapping[str, Any]) -> None:
        self.model, self.config, self.directory = model, config, directory
        self.summary = dict(summary)
        self.task: Task = config.task
        # As in evaluation: without a key nothing is dropped, and zoneout acts by its expectation.
        self._rates = dropout_rates(config)

    def __call__(self, inputs: Any, lengths: Any = None) -> jax.Array:
        """Outputs for sequences ``[batch, time, ...]``, as the task's head gives them."""
        return self.run(inputs, None, lengths).outputs

    def run(self, inputs: Any, state: Any = None, lengths: Any = None) -> ModelOutput:
        """Outputs and final state; pass the state on to feed a long sequence in pieces.

        ``state`` is ``None`` for a fresh start. A model that reads both directions cannot be fed in pieces. Raises
        ``ValueError`` for tokens outside the vocabulary.
        """
        lengths = None if lengths is None else jnp.asarray(lengths)
        inputs = jax.tree.map(jnp.asarray, inputs)
        if isinstance(self.task.inputs, Tokens):  # compiled code cannot look at the values
            shape = check_tokens("inputs", inputs).shape
            check_vocabulary("inputs", inputs, self.task.inputs.size, check_masks(lengths, None, None, *shape)[0])
        return _run(self.model, inputs, state, lengths, self._rates)

    def step(self, inputs: Any, state: Any = None) -> tuple[jax.Array, Any]:
        """One step ``[batch, ...]``: the output and the new state.

        Raises ``ValueError`` for a model that needs whole sequences.
        """
        if self.model.whole_sequence_reason:
            raise ValueError(self.model.whole_sequence_reason)
        out = self.run(jnp.asarray(inputs)[:, None], state)
        # Only the readout "steps" has a time axis left to take away.
        output = out.outputs[:, 0] if self.model.readout == "steps" else out.outputs
        return output, out.state

    @property
    def stepwise(self) -> bool:
        """Whether the model can continue a sequence: it reads forward alone, and answers at every step."""
        return not self.model.whole_sequence_reason and self.model.readout == "steps"

    def predict(self, batch: Batch) -> jax.Array:
        """Outputs for a batch of the task."""
        return self(batch.inputs, batch.lengths)

    def generate(
        self, prompt: Any, length: int, *, temperature: float = 1.0, seed: int = 0, top_k: int = 0, top_p: float = 1.0,
        samples: int | None = None,
    ) -> np.ndarray:  # fmt: skip
        """``length`` tokens that continue a prompt of tokens ``[time]``.

        Args:
            prompt: at least one token.
            length: tokens to add.
            temperature: divides the logits; 0 takes the likeliest token.
            seed: another seed, another text.
            top_k: draw among this many of the likeliest tokens only; 0 for all.
            top_p: draw among the smallest set of likeliest tokens that holds this probability (nucleus sampling).
            samples: how many continuations, ``[samples, length]``; ``None`` for one, ``[length]``. Sample i is the
                same whatever their number, and the only one is sample 0.

        Raises:
            ValueError: for a task without tokens, an empty prompt, or a value out of range.
        """
        inputs, outputs = self.task.inputs, self.task.outputs
        if not isinstance(inputs, Tokens) or outputs.size != inputs.size or not self.stepwise:
            raise ValueError(f"task {self.task.name} has no tokens to generate")
        check_sampling(temperature, top_k, top_p, 1 if samples is None else samples)
        prompt = np.asarray(prompt).reshape(-1)
        if not prompt.size:
            raise ValueError("the prompt is empty: give at least one token")
        if prompt.min() < 0 or prompt.max() >= inputs.size:
            raise ValueError(f"the prompt's tokens must be 0 to {inputs.size - 1}")
        prompts = jnp.broadcast_to(prompt, (samples or 1, *prompt.shape))
        key = jax.random.key(seed)
        tokens = np.asarray(generate(self.model, prompts, length, key, float(temperature), self._rates, top_k, top_p))
        return tokens[0] if samples is None else tokens

    def continue_sequence(self, prompt: Any, length: int, draw: Draw, *, seed: int = 0) -> np.ndarray:
        """``length`` steps that continue a prompt ``[time, *features]``, see :func:`lstmlab.models.sampling`.

        Raises ``ValueError`` for a model that cannot go step by step, or an empty prompt.
        """
        if not self.stepwise:
            raise ValueError("only a model that reads forward and answers at every step can continue a sequence")
        prompt = jnp.asarray(prompt, jnp.float32)[None]
        if prompt.shape[1] == 0:
            raise ValueError("the prompt is empty: give at least one step")
        return np.asarray(continue_sequence(self.model, prompt, length, jax.random.key(seed), draw, self._rates))[0]

    def decode(self, source: Any, length: int, *, beam: int = 1, alpha: float = 1.0) -> Hypotheses:
        """The ``beam`` best outputs, of at most ``length`` tokens, for each of the sources ``[batch, source]``.

        See :func:`lstmlab.models.beam.beam_search`; ``beam=1`` takes the likeliest token at every step.
        """
        if not isinstance(self.task.inputs, Pairs):
            raise ValueError(f"task {self.task.name} has no sources to decode")
        if beam < 1:
            raise ValueError(f"beam is {beam}, but must be at least 1")
        source = check_tokens("source", jnp.asarray(source, jnp.int32))
        check_vocabulary("source", source, self.task.inputs.source)
        return beam_search(self.model, source, length, beam, alpha=alpha, rates=self._rates)  # type: ignore[arg-type]

    def metrics_while_learning(self, split: Split, rate: float) -> dict[str, float]:
        """Every metric of a split under dynamic evaluation, see :mod:`lstmlab.training.dynamic_evaluation`."""
        return metrics_while_learning(self.model, self.task, self._rates, split, rate)

    def save(self) -> None:
        """Write the parameters to ``model.npz`` in the run directory, by name, and the artifacts of the task."""
        write_model(self.model, self.directory / MODEL_FILE)
        artifacts = self.task.artifacts() | self.task.fitted_artifacts(self)
        if artifacts:
            write_atomically(self.directory / ARTIFACTS_FILE, json.dumps(to_plain(artifacts), indent=1) + "\n")


def check_sampling(temperature: float, top_k: int, top_p: float, samples: int) -> None:
    """Raise ``ValueError`` naming the value that is out of range."""
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature is {temperature}, but must be a number of at least 0")
    if top_k < 0:
        raise ValueError(f"top_k is {top_k}, but must be at least 0")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}, but must be above 0 and at most 1")
    if samples < 1:
        raise ValueError(f"samples is {samples}, but must be at least 1")


def model_template(config: Config) -> RecurrentModel:
    """The shapes of a configuration's model, without its arrays."""
    return jax.eval_shape(lambda: functions.init(config).model)


def load(directory: str | Path) -> Trained:
    """Load a finished run.

    >>> trained = load("outputs/my_run")  # doctest: +SKIP
    >>> outputs = trained(sequences)  # doctest: +SKIP
    >>> output, state = trained.step(first_inputs)  # doctest: +SKIP

    Raises:
        ConfigError, RunError: naming the file that is missing or cannot be read.
    """
    directory = Path(directory)
    config = read_config(directory / CONFIG_FILE)
    path = directory / MODEL_FILE
    if not path.exists():
        raise RunError(f"{directory} holds no {MODEL_FILE}: the run has not finished (see metrics.jsonl)")
    summary = read_summary(directory)
    check_run_files(directory, (CONFIG_FILE, MODEL_FILE, ARTIFACTS_FILE))
    config = dataclasses.replace(config, task=_with_artifacts(config.task, directory / ARTIFACTS_FILE))
    try:
        template = model_template(config)
    except DataError as error:
        if (directory / ARTIFACTS_FILE).exists():
            raise
        reason, _, advice = str(error).partition("; ")
        if advice and "data." not in advice:  # else it tells how to train, not how to load
            reason = str(error)
        raise RunError(f"{reason}; it is needed since {directory} has no {ARTIFACTS_FILE}: restore either") from None
    try:
        model = read_model(template, path)
    except UNREADABLE as error:
        raise RunError(f"{path} cannot be used ({one_line(error)})") from None
    return Trained(model, config, directory, summary)


def _with_artifacts(task: Task, path: Path) -> Task:
    """The task with the artifacts of its run, if the run has any."""
    try:
        return task.with_artifacts(from_plain(json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return task
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be used ({one_line(error)})") from None
