"""What cannot run is refused in one line that names the key, its value and what would be right."""

import pytest

from lstmlab.cells import cell_names
from lstmlab.config import ConfigError, compose, to_config
from lstmlab.tasks import task_names

# Overrides, and what the line must contain: the key or choice, the value, what would be right.
UNKNOWN_CHOICES = [
    (["cell=lstmm"], ["unknown cell 'lstmm'", "did you mean 'lstm'?", *cell_names()]),
    (["task=ading"], ["unknown task 'ading'", "did you mean 'adding'?", *task_names()]),
    (["optimizer=adm"], ["unknown optimizer 'adm'", "did you mean 'adam'?", "adam, adamw, rmsprop, sgd"]),
    (["schedule=linear"], ["unknown schedule 'linear'", "constant, cosine, one_cycle, step"]),
    (["experiment=nonesuch"], ["unknown experiment 'nonesuch'", "demo"]),
    (["cell="], ["unknown cell ''", "lstm"]),
    (["cell=null"], ["'cell=null'", "name"]),
    (["task=adding", "cell=3"], ["'cell=3'", "name"]),
    (["~cell"], ["cell is not chosen", "cell=NAME"]),
    (["cell.name=nonesuch"], ["unknown cell 'nonesuch'", "lstm"]),
    (["cell=lstm,gru"], ["'cell=lstm,gru' lists several values", "one is needed"]),
]
UNKNOWN_KEYS = [
    (["model.hiden_size=3"], ["'model.hiden_size'", "did you mean 'hidden_size'?", "keys of model", "layers"]),
    (["mode.hidden_size=3"], ["'mode.hidden_size'", "did you mean 'model'?", "training"]),
    (["+model.hiden_size=3"], ["'model.hiden_size'", "did you mean 'hidden_size'?", "model.layers"]),
    (["sed=3"], ["'sed'", "did you mean 'seed'?", "model"]),
    (["task=adding", "task.lenght=3"], ["'task.lenght'", "did you mean 'length'?", "eval_examples"]),
    (["task.length=3"], ["'task.length'", "keys of task", "unroll"]),
    (["cell=gru", "cell.rset=before"], ["'cell.rset'", "did you mean 'reset'?", "map"]),
    (["cell=lstm", "cell.reset=before"], ["'cell.reset'", "keys of cell", "map"]),
    (["model.foo=1", "model.bar=2"], ["'model.foo'", "hidden_size"]),
    (["foo=1", "task=adding", "task.lenght=3"], ["'foo'", "training"]),
    (["hydra.run.nonesuch=3"], ["'hydra.run.nonesuch'"]),
    (["~model.nonesuch"], ["model.nonesuch"]),
]
WRONG_TYPES = [
    (["training.steps=many"], ["training.steps", "'many'", "int"]),
    (["training.steps=2.5"], ["training.steps", "2.5", "int"]),
    (["training.steps=true"], ["training.steps", "True", "int"]),
    (["training.steps=null"], ["training.steps", "None", "int"]),
    (["training.steps=[1,2]"], ["training.steps", "[1, 2]", "int"]),
    (["optimizer.learning_rate=fast"], ["optimizer.learning_rate", "'fast'", "float"]),
    (["model.bidirectional=1"], ["model.bidirectional", "1", "bool"]),
    (["resume=2"], ["resume", "2", "bool"]),
    (["name=5"], ["name", "5", "str or null"]),
    (["wandb.tags=one"], ["wandb.tags", "'one'", "list"]),
    (["wandb.tags=[1,2]"], ["wandb.tags", "[1, 2]", "list of texts"]),
    (["cell.heads=two"], ["cell.heads", "'two'", "int"]),
    (["cell.bias=maybe"], ["cell.bias", "'maybe'", "bool"]),
    (["task=adding", "task.length=long"], ["task.length", "'long'", "int"]),
    (["training=5"], ["training", "5", "section", "training.steps="]),
    (["model=null"], ["model", "None", "section", "model.hidden_size="]),
]
OUT_OF_RANGE = [
    (["training.steps=0"], ["training.steps", "0", "at least 1"]),
    (["seed=-1"], ["seed", "-1", "at least 0"]),
    (["seed=4294967296"], ["seed", "4294967296", "at most 4294967295"]),
    (["dropout.layer=1.5"], ["dropout.layer", "1.5", "at most 1"]),
    (["optimizer.learning_rate=-1"], ["optimizer.learning_rate", "-1", "at least 0"]),
    (["optimizer.learning_rate=inf"], ["optimizer.learning_rate", "inf", "finite"]),
    (["init.forget_bias=nan"], ["init.forget_bias", "nan", "finite"]),
    (["init.chrono_horizon=2"], ["init.chrono_horizon", "2", "0 (off) or at least 3"]),
    (["task=adding", "task.length=1"], ["task.length", "1", "at least 2"]),
    (["task=stocks", "task.window=2000"], ["task.window", "2000", "1000"]),
    (["cell.heads=0"], ["cell.heads", "0", "at least 1"]),
    (["model.dtype=float64"], ["model.dtype", "'float64'", "float32, bfloat16"]),
    (["optimizer.name=adagrad"], ["optimizer.name", "'adagrad'", "adam, adamw, rmsprop, sgd"]),
    (["wandb.mode=off"], ["wandb.mode", "'off'", "did you mean 'offline'?"]),
    (["cell.map=sparse"], ["cell.map", "'sparse'", "dense, conv, diagonal, block_diagonal"]),
    (["init.recurrent=random"], ["init.recurrent", "'random'", "orthogonal"]),
    (["task.corpus=bible"], ["task.corpus", "'bible'", "shakespeare"]),
]
WRONG_TOGETHER = [
    (["training.eval_every=30"], ["training.eval_every", "30", "multiple of training.log_every", "50"]),
    (["training.checkpoint_every=30"], ["training.checkpoint_every", "30", "multiple of training.log_every"]),
    (["model.chunk=4", "model.backend=fused"], ["model.chunk", "'fused'", "scan or auto"]),
    (["model.chunk=4", "model.backend=associative", "cell=min_gru"], ["model.chunk", "'associative'", "scan or auto"]),
    (["model.bidirectional=true"], ["model.bidirectional", "char_lm", "read ahead"]),
    (["model.readout=last"], ["model.readout", "'last'", "auto, steps"]),
    (["task=adding", "model.readout=steps"], ["model.readout", "'steps'", "auto, last, pooled"]),
    (["task=moving_mnist", "task.patch=5"], ["task.patch=5", "task.frame_size=64"]),
]
UNREADABLE = [
    (["training.steps"], ["'training.steps'", "key=value"]),
    (["a=b=c"], ["'a=b=c'", "key=value"]),
    (["training.steps={"], ["'training.steps={'", "key=value"]),
    (["=3"], ["'=3'"]),
    (["dropout.input=${nonesuch}"], ["dropout.input", "nonesuch"]),
]
CASES = UNKNOWN_CHOICES + UNKNOWN_KEYS + WRONG_TYPES + OUT_OF_RANGE + WRONG_TOGETHER + UNREADABLE


@pytest.mark.parametrize(("overrides", "parts"), CASES, ids=[" ".join(overrides) for overrides, _ in CASES])
def test_one_line_says_what_is_wrong_and_what_would_be_right(overrides, parts):
    with pytest.raises(ConfigError) as error:
        compose(overrides)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 600  # all names of the longest list
    for part in parts:
        assert part in message
    # Nothing of the machinery: neither Hydra's advice nor an exception's name.
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert "Hydra" not in message
    assert "Error" not in message


def test_a_further_folder_of_files_must_exist(tmp_path):
    with pytest.raises(ConfigError, match="nowhere is not a directory"):
        compose(config_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("tree", "parts"),
    [
        ({}, ["cell is not chosen"]),
        ({"cell": "lstm"}, ["task is not chosen"]),
        ({"cell": "lstm", "task": "adding", "modle": {}}, ["'modle'", "did you mean 'model'?"]),
        ({"cell": {"options": 1}, "task": "adding"}, ["cell is not chosen"]),
        ({"cell": "lstm", "task": {"name": "adding", "lenght": 1}}, ["'task.lenght'", "did you mean 'length'?"]),
        ({"cell": {"name": "gru", "rset": 1}, "task": "adding"}, ["'cell.rset'", "did you mean 'reset'?"]),
        ({"cell": "lstm", "task": "adding", "training": {"step": 1}}, ["'training.step'", "did you mean 'steps'?"]),
    ],
    ids=str,
)
def test_trees_that_scripts_build_are_checked_as_well(tree, parts):
    with pytest.raises(ConfigError) as error:
        to_config(tree)
    assert "\n" not in str(error.value)
    assert all(part in str(error.value) for part in parts)
