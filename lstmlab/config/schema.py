"""The typed configuration: every key, its default, its meaning, its range, and whether it is traced.

A *traced* key can change without recompilation: runs that differ in traced keys alone share one compiled program. All
other keys are *static*. A traced key at the value that switches its mechanism off (a dropout rate of 0) is static too:
the mechanism is left out of the program.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lstmlab.cells import Init
from lstmlab.data.clock import AMBIGUOUS
from lstmlab.data.csv_text import DECIMALS
from lstmlab.data.fill import FILLS
from lstmlab.data.table import GAPS
from lstmlab.models.attention import ATTENTIONS
from lstmlab.models.blocks import BLOCKS
from lstmlab.models.model_settings import READOUTS
from lstmlab.recurrence import Backend
from lstmlab.settings import setting
from lstmlab.tasks import Task
from lstmlab.tracking.wandb_settings import AUTO, MODES


@dataclass(frozen=True)
class ModelConfig:
    """How cells are stacked."""

    hidden_size: int = setting(128, "features of every layer's state; even for block=up_projection", minimum=1)
    parameter_budget: int = setting(
        0, "most parameters of the model: hidden_size becomes the largest within it; 0: hidden_size as given", minimum=0
    )
    layers: int = setting(1, "stacked recurrent layers", minimum=1)
    bidirectional: bool = setting(False, "run every layer in both directions")
    block: str = setting(
        "auto",
        "what surrounds a cell: nothing, norm and residual, xLSTM's gated up-projection (stream of half the size), or "
        "a gated linear unit; auto: what the cell needs, for most nothing",
        choices=("auto", *BLOCKS),
        earlier="plain",
    )
    embedding_size: int = setting(
        0,
        "width of the token embedding or linear input map; 0: hidden_size for tokens, no map for features",
        minimum=0,
    )
    tied_embeddings: bool = setting(
        False,
        "the head's matrix is the token embedding (language models); through a projection where widths differ",
    )
    readout: str = setting("auto", "what the head reads; auto: the task's choice", choices=("auto", *READOUTS))
    attention: str = setting(
        "none", "how a decoder looks back at its source (encoder-decoder tasks)", choices=ATTENTIONS
    )
    backend: str = setting("auto", "how the recurrence runs", choices=tuple(map(str, Backend)))
    chunk: int = setting(
        0, "gradient checkpointing: recompute in chunks of this many steps, about √time saves most; 0: off", minimum=0
    )
    dtype: str = setting("float32", "compute dtype of the products", choices=("float32", "bfloat16"))


def _rate(help: str) -> Any:
    return setting(0.0, help, minimum=0.0, maximum=1.0, traced=True, off=0.0)


@dataclass(frozen=True)
class DropoutConfig:
    """Dropout and weight noise: on inputs, between layers and in the recurrence."""

    input: float = _rate("dropout rate on the inputs of the first layer")
    layer: float = _rate("dropout rate between layers and before the head")
    recurrent: float = _rate("dropout rate on h in the recurrent products, one mask per sequence")
    candidate: float = _rate("dropout rate on the candidate, one mask per step: the memory is left alone")
    weight: float = _rate("dropout rate on the recurrent kernels, one mask per batch (weight drop)")
    zoneout: float = _rate("probability that a state element keeps its old value")
    input_noise: float = setting(
        0.0, "standard deviation of noise on what the first layer reads", minimum=0.0, traced=True, off=0.0
    )
    variational: bool = setting(False, "use one input and layer mask for all steps of a sequence")


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimiser; it ignores the keys that it does not use."""

    name: str = setting("adam", "update rule", choices=("adam", "adamw", "rmsprop", "sgd"))
    learning_rate: float = setting(1e-3, "peak learning rate", minimum=0.0, traced=True)
    weight_decay: float = setting(0.0, "decoupled weight decay (adamw, sgd)", minimum=0.0, traced=True, off=0.0)
    weight_decay_on: str = setting(
        "kernels",
        "what weight decay acts on: kernels and embeddings, or also biases, normalisation, decay rates and the like",
        choices=("kernels", "all"),
        earlier="all",
    )
    momentum: float = setting(0.0, "momentum (sgd, rmsprop)", minimum=0.0, maximum=1.0, traced=True, off=0.0)
    beta1: float = setting(0.9, "decay of the first moment (adam, adamw)", minimum=0.0, maximum=1.0)
    beta2: float = setting(0.999, "decay of the second moment (adam, adamw, rmsprop)", minimum=0.0, maximum=1.0)
    eps: float = setting(1e-8, "added to the root of the second moment", minimum=0.0)
    clip_norm: float = setting(1.0, "largest global gradient norm; 0: no clipping", minimum=0.0, traced=True, off=0.0)


@dataclass(frozen=True)
class ScheduleConfig:
    """The learning rate over the steps of a run, as a factor on optimizer.learning_rate."""

    name: str = setting("constant", "kind of schedule", choices=("constant", "cosine", "one_cycle", "step"))
    warmup_steps: int = setting(0, "linear rise from 0 before the schedule begins", minimum=0)
    final_fraction: float = setting(0.0, "last factor of cosine and one_cycle", minimum=0.0, maximum=1.0)
    peak_fraction: float = setting(0.3, "share of the steps before one_cycle's peak", minimum=0.0, maximum=1.0)
    step_every: int = setting(1000, "steps between drops of the step schedule", minimum=1)
    step_factor: float = setting(0.5, "factor of each drop", minimum=0.0, maximum=1.0)


@dataclass(frozen=True)
class TrainingConfig:
    """The training loop."""

    steps: int = setting(2000, "optimiser steps", minimum=1)
    batch_size: int = setting(32, "sequences per step", minimum=1)
    eval_batch_size: int = setting(0, "sequences per evaluation batch; 0: batch_size", minimum=0)
    log_every: int = setting(50, "steps per compiled call and per logged row", minimum=1)
    eval_every: int = setting(200, "steps between evaluations on validation; a multiple of log_every", minimum=1)
    patience: int = setting(0, "evaluations without improvement before stopping early; 0: never", minimum=0)
    checkpoint_every: int = setting(
        0, "steps between checkpoints besides those at every evaluation; 0: none", minimum=0
    )
    illustrate_every: int = setting(0, "evaluations between samples and plots; 0: at the end only", minimum=0)
    test: bool = setting(
        True,
        "evaluate the best model on the test split at the end; false: results are of validation alone, without samples "
        "and plots, which show the test split, and without baselines, which are measured on it",
    )
    compilation_cache: bool = setting(True, "keep compiled programs between runs")
    devices: int = setting(1, "devices over which every batch is split; 0: all", minimum=0)
    distributed: bool = setting(
        False, "this process is one of several, such as one per host, that train one run together"
    )


@dataclass(frozen=True)
class WandbConfig:
    """Weights & Biases. What is not said here, W&B's environment variables say (docs/wandb.md)."""

    mode: str = setting(AUTO, "where W&B rows go; auto: $WANDB_MODE, else offline", choices=(AUTO, *MODES))
    project: str | None = setting(None, "project name; none: $WANDB_PROJECT, else lstmlab")
    entity: str | None = setting(None, "user or team; none: $WANDB_ENTITY, else your default")
    group: str | None = setting(None, "group of runs; none: $WANDB_RUN_GROUP, else the sweep's directory")
    job_type: str | None = setting(None, "kind of the run; none: $WANDB_JOB_TYPE, else train")
    tags: tuple[str, ...] = setting((), "labels of the run; none: $WANDB_TAGS, separated by commas")
    notes: str | None = setting(None, "a longer description of the run; none: $WANDB_NOTES")


@dataclass(frozen=True)
class TrackingConfig:
    """What is tracked besides losses and metrics, and where; results stay the same, but for rounding."""

    optimisation: bool = setting(
        False,
        "log, with every row, update-to-weight ratios, the share of clipped gradients, and the gradient-noise scale",
    )
    tensorboard: bool = setting(False, "also write TensorBoard event files (needs lstmlab[tensorboard])")


PLACE_KEYS = ("data.dir", "data.placement", "data.device_bytes")
"""Keys that say where data is stored; they do not change results."""


@dataclass(frozen=True)
class DataConfig:
    """Where data sets are stored, the CSV file of the user for tasks that read one, and where the training split is
    kept."""

    dir: str | None = setting(None, "data directory; none: $LSTMLAB_DATA_DIR or the user cache")
    file: str | None = setting(None, "your CSV file: a line of column names, then one line per point in time")
    target: str | None = setting(None, "the file's column that the task is about")
    label: str | None = setting(None, "the file's column that says which rows are anomalous: 1, else 0")
    time: str | tuple[str, ...] | None = setting(
        None,
        "the file's column of times, or [date,time] or [year,month,day,hour] where they have several; null: found by "
        "its dates; none: read without times",
    )
    time_format: str | None = setting(
        None,
        "how times are written: a pattern such as '%d/%m/%Y %H:%M', excel (days), unix, unix_ms, unix_us or unix_ns; "
        "null: found",
    )
    timezone: str | None = setting(
        None, "zone of local times, and in which results are written: Europe/Berlin, +01:00; null: as the file says"
    )
    ambiguous_time: str = setting(
        "error",
        "which is meant of a local time that is there twice as clocks are put back, where the order does not tell",
        choices=AMBIGUOUS,
    )
    columns: tuple[str, ...] = setting(
        (), "the file's columns to read, as [a,b]; none: all but row numbers and parts of the date"
    )
    decimal: str = setting(".", "the file's decimal mark", choices=DECIMALS)
    na: tuple[str, ...] = setting((), "further cells that count as empty, as ['.','#N/A','-999']")
    missing: str = setting("error", "how to fill the file's empty cells and absent rows", choices=("error", *FILLS))
    gaps: str = setting("error", "whether the times of the file may be unequally spaced", choices=GAPS)
    placement: str = setting(
        "auto",
        "where the training split is kept: on the device, or on the host with batches streamed; auto: by its size",
        choices=("auto", "device", "stream"),
    )
    device_bytes: int = setting(64 * 2**20, "largest training split that placement=auto puts on the device", minimum=0)


@dataclass(frozen=True)
class CellConfig:
    """A registered cell and the values of its settings."""

    name: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """One run."""

    cell: CellConfig
    task: Task
    model: ModelConfig = ModelConfig()
    dropout: DropoutConfig = DropoutConfig()
    init: Init = Init()  # noqa: RUF009 - a frozen dataclass like the others, from another file
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()
    wandb: WandbConfig = WandbConfig()
    tracking: TrackingConfig = TrackingConfig()
    data: DataConfig = DataConfig()
    seed: int = setting(0, "random seed of parameters, batches and masks", minimum=0, maximum=2**32 - 1, traced=True)
    name: str | None = setting(None, "name of the run; none: made of cell, task and seed")
    resume: bool = setting(False, "continue the run in the same directory from its last checkpoint")


SECTIONS: dict[str, type] = {
    "model": ModelConfig, "dropout": DropoutConfig, "init": Init, "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig, "training": TrainingConfig, "wandb": WandbConfig,
    "tracking": TrackingConfig, "data": DataConfig,
}  # fmt: skip
