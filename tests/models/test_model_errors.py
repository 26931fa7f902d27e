"""What a model refuses, in one line that names the configuration key."""

import jax
import pytest
from model_checks import build

from lstmlab.models import SequenceModel
from lstmlab.models.model_settings import spatial_shape
from lstmlab.tasks import Features, Tokens

CASES = {
    "unknown block": ({"block": "dense"}, ["model.block is 'dense'", "plain, residual, up_projection"]),
    "unknown readout": ({"readout": "first"}, ["model.readout is 'first'", "steps, last, pooled"]),
    "unknown backend": ({"backend": "cuda"}, ["model.backend is 'cuda'", "scan"]),
    "merged directions": (
        {"readout": "last", "bidirectional": True, "block": "residual"},
        ["model.readout=last", "model.bidirectional", "model.block=residual"],
    ),
    "backend that cannot serve": (
        {"cell": "gru", "cell_options": {"reset": "before"}, "backend": "fused"},
        ["'fused'", "scan"],
    ),
    "unknown option": ({"cell_options": {"peephole": True}}, ["cell lstm", "'peephole'"]),
    "value of another type": ({"cell_options": {"bias": 1}}, ["cell lstm", "bias is 1", "bool"]),
    "heads that do not divide": (
        {"cell_options": {"map": "block_diagonal", "heads": 3}},
        ["cell.heads is 3", "hidden size 4"],
    ),
}


def refusal(**settings):
    with pytest.raises(ValueError) as caught:
        build(**settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("case", CASES)
def test_settings_that_do_not_fit(case):
    settings, words = CASES[case]
    message = refusal(**settings)
    for word in words:
        assert word in message


def test_unknown_cells_are_refused_with_a_suggestion():
    with pytest.raises(ValueError, match="unknown cell 'ltsm'; did you mean 'lstm'"):
        SequenceModel("ltsm", Features(1), Features(1), hidden_size=2, key=jax.random.key(0))


@pytest.mark.parametrize("inputs", [Tokens(5), Features(2)])
@pytest.mark.parametrize("cell, options", [("conv_lstm", {}), ("lstm", {"map": "conv"})])
def test_convolutions_need_spatial_inputs(cell, options, inputs):
    with pytest.raises(ValueError, match=r"cell\.map=conv") as caught:
        spatial_shape(cell, options, inputs)
    assert cell in str(caught.value)
    with pytest.raises(ValueError, match=r"cell\.map=conv"):
        build("lstm", inputs=inputs, cell_options={"map": "conv"})
