"""Flax parameters and layouts that do not fit are refused in one line that names the key."""

import numpy as np
from interop_checks import HIDDEN, blank, refused

from lstmlab.interop import cell_to_flax, from_flax, to_flax


def test_flax_layouts():
    gru, lstm = (blank(name).layers[0].forward for name in ("gru", "lstm"))
    with refused("layout is 'torch'", "linen, nnx, nnx_optimized"):
        cell_to_flax(lstm, "torch")
    with refused("cell gru", "nnx_optimized"):
        cell_to_flax(gru, "nnx_optimized")
    with refused("candidate_bias is not zero"):
        cell_to_flax(gru, "nnx")
    with refused("linen"):
        cell_to_flax(blank("lstm", map="conv", spatial=(4,)).layers[0].forward, "nnx")


def test_flax_has_neither_bias_free_cells_nor_the_first_gru():
    linen = to_flax(blank("lstm")).layers
    with refused("cell.bias is false"):
        from_flax(blank("lstm", bias=False), linen)
    for name, settings, word in (
        ("lstm", {"bias": False}, "cell.bias is false"),
        ("gru", {"reset": "before"}, "cell.reset=after only, but it is before"),
        ("conv_lstm", {"bias": False, "peepholes": False, "spatial": (4, 4)}, "cell.bias"),
        ("lstm", {"map": "conv", "activation": "relu", "spatial": (4, 4)}, "cell.activation"),
    ):
        with refused(f"cell {name}", word):
            to_flax(blank(name, **settings))


def test_flax_parameters_that_do_not_fit():
    params = to_flax(blank("lstm")).layers
    with refused("1 recurrent layer(s)", "of 2"):
        from_flax(blank("lstm"), params * 2)
    with refused("layers[0] must be a pair"):
        from_flax(blank("lstm", bidirectional=True), params)
    with refused("'layers[0][0]/ir/kernel' is missing"):
        from_flax(blank("gru"), params)
    with refused("no place for 'layers[0][0]/more'"):
        from_flax(blank("lstm"), [params[0] | {"more": np.zeros(3)}])
    params[0]["hf"]["kernel"] = np.zeros((2, 2))
    with refused("'layers[0][0]/hf/kernel'", "(2, 2)", f"expected {(HIDDEN, HIDDEN)}"):
        from_flax(blank("lstm"), params)
