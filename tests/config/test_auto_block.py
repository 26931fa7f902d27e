"""``model.block=auto``: what each cell needs around it."""

import jax
import pytest

from lstmlab.cells import cell_entry, cell_names
from lstmlab.commands.train import check
from lstmlab.config import compose, read_config, save_config, to_tree
from lstmlab.models import SequenceModel
from lstmlab.models.blocks import BLOCKS
from lstmlab.tasks import Features

NEEDED = {
    "lru": "glu", "rg_lru": "up_projection", "mlstm": "up_projection", "slstm": "residual", "min_gru": "residual",
    "min_lstm": "residual", "qrnn": "residual", "sru": "residual",
}  # fmt: skip


@pytest.mark.parametrize("name", cell_names())
def test_every_cell_has_a_block_and_most_have_none(name):
    assert cell_entry(name).cls.default_block == NEEDED.get(name, "plain")
    assert cell_entry(name).cls.default_block in BLOCKS


@pytest.mark.parametrize(("cell", "block"), [("lru", "glu"), ("lstm", "plain")])
def test_auto_is_resolved_in_the_configuration_and_in_a_model(cell, block):
    assert compose(["task=adding", f"cell={cell}"]).model.block == block
    assert compose(["task=adding", f"cell={cell}", "model.block=residual"]).model.block == "residual"
    model = SequenceModel(cell, Features(3), Features(2), hidden_size=4, key=jax.random.key(0))
    assert model.layers[0].block.name == block


def test_a_run_keeps_the_block_that_it_was_made_with(tmp_path):
    path = tmp_path / "config.yaml"
    tree = to_tree(compose(["task=adding", "cell=lru", "model.block=plain"]))
    save_config(tree, path)
    assert read_config(path).model.block == "plain"


def test_a_run_of_an_earlier_version_keeps_what_its_settings_did_not_name(tmp_path):
    path = tmp_path / "config.yaml"
    tree = to_tree(compose(["task=adding", "cell=mogrifier_lstm", "optimizer=adamw"]))
    newer = {"model": ["block"], "optimizer": ["weight_decay_on"], "cell": ["cap_input_gate", "modulator_bias", "rank"]}
    for section, keys in newer.items():
        for key in keys:
            del tree[section][key]
    save_config(tree, path)
    config = read_config(path)
    assert (config.model.block, config.optimizer.weight_decay_on) == ("plain", "all")
    options = config.cell.options
    assert (options["cap_input_gate"], options["modulator_bias"], options["rank"]) == (False, False, 0)


def test_a_linear_model_is_told_in_one_line(capsys):
    check(["task=adding", "cell=lru", "model.block=plain,residual"], sweep=True)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cell lru with model.block=plain makes a linear model" in err
    check(["task=adding", "cell=lru,lstm"], sweep=True)
    check(["task=adding", "cell=min_gru", "model.block=plain"], sweep=False)
    assert capsys.readouterr().err == ""


def test_an_lru_in_a_plain_stack_is_linear_and_in_its_block_is_not():
    def outputs(block, xs):
        model = SequenceModel(
            "lru", Features(3), Features(2), hidden_size=4, layers=2, block=block, key=jax.random.key(0)
        )
        return model(xs).outputs

    one, other = (jax.random.normal(jax.random.key(seed), (2, 5, 3)) for seed in range(2))
    for block, linear in (("plain", True), ("auto", False)):
        both = outputs(block, one + other) + outputs(block, 0 * one)
        apart = outputs(block, one) + outputs(block, other)
        assert (abs(both - apart).max() < 1e-4) == linear
