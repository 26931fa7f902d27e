"""States go in and out: pieces of a sequence, or single steps, give what the whole gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import representative
from model_checks import BATCH, HIDDEN, bare, build, call, close, compiled, differ, run, sequences

from lstmlab.cells import cell_names
from lstmlab.models.blocks import BLOCKS
from lstmlab.tasks import Tokens

TIME = 4


# A block is around a cell: that it carries states is asked of one cell of every form each time.
@pytest.mark.parametrize(
    ("name", "block"),
    [
        *((name, "plain") for name in cell_names()),
        *(
            pytest.param(name, "residual", marks=() if representative(name) else pytest.mark.slow)
            for name in cell_names()
        ),
    ],
)
def test_pieces_and_single_steps_equal_the_whole(name, block):
    # Layers are stacked around a cell, and a piece is more than one step: asked of one cell of every form each time.
    model = build(name, layers=2 if representative(name) else 1, block=block)
    xs = sequences(model, TIME)
    start = model.initial_state(BATCH)
    whole = run(model, xs, start)

    if representative(name):
        first = run(model, xs[:, :2], start)
        second = run(model, xs[:, 2:], first.state)
        close(jnp.concatenate([first.outputs, second.outputs], axis=1), whole.outputs)
        close(second.state, whole.state)
        assert differ(run(model, xs[:, 2:], start).outputs, second.outputs)

    state, outputs = start, []
    for step in range(TIME):
        result = run(model, xs[:, step : step + 1], state)
        state = result.state
        outputs.append(result.outputs)
    close(jnp.concatenate(outputs, axis=1), whole.outputs)
    close(state, whole.state)
    assert differ(outputs[-1], run(model, xs[:, -1:], start).outputs)


def test_no_state_is_the_initial_state():
    model = build("lstm", layers=2, bidirectional=True)
    xs = sequences(model, TIME)
    close(run(model, xs, model.initial_state(BATCH)), run(model, xs))


def test_both_directions_start_from_their_own_states():
    """The backward direction's state enters after the last step."""
    model = build("gru", bidirectional=True)
    xs = sequences(model, TIME)
    zero, other = (
        [[s._replace(h=jnp.full_like(s.h, value)) for s in pair] for pair in model.initial_state(2)]
        for value in (0.0, 0.7)
    )

    def outputs(forward, backward):
        state = [(forward[0][0], backward[0][1])]
        return run(bare(model), xs, state).outputs

    nothing = outputs(zero, zero)
    ahead, behind = outputs(other, zero), outputs(zero, other)
    # Each state moves its own half of the outputs, most where it enters.
    close(ahead[..., HIDDEN:], nothing[..., HIDDEN:])
    close(behind[..., :HIDDEN], nothing[..., :HIDDEN])
    moved = np.abs(np.asarray(ahead - nothing))[..., :HIDDEN].max(axis=(0, 2))
    assert moved[0] > moved[-1]
    moved = np.abs(np.asarray(behind - nothing))[..., HIDDEN:].max(axis=(0, 2))
    assert moved[-1] > moved[0]


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("block", BLOCKS)
def test_resets_cut_a_sequence_into_independent_segments(block, bidirectional):
    model = build("lstm", layers=2, block=block, bidirectional=bidirectional, hidden_size=2 * HIDDEN)
    xs = sequences(model, 2 * TIME)
    resets = jnp.zeros((BATCH, 2 * TIME), bool).at[:, TIME].set(True)
    whole = run(model, xs, resets=resets)
    segments = [run(model, part).outputs for part in (xs[:, :TIME], xs[:, TIME:])]
    close(whole.outputs, jnp.concatenate(segments, axis=1))
    assert differ(whole.outputs, run(model, xs).outputs)


def test_resets_are_per_sequence_and_drop_the_given_state():
    model = build("gru", layers=2)
    xs = sequences(model, TIME)
    warm = run(model, xs).state
    resets = jnp.zeros((BATCH, TIME), bool).at[0, 0].set(True)
    mixed, cold, carried = (
        run(model, xs, warm, resets=resets),
        run(model, xs),
        run(model, xs, warm),
    )
    close(mixed.outputs[0], cold.outputs[0])
    close(mixed.outputs[1], carried.outputs[1])
    assert differ(mixed.outputs[0], carried.outputs[0])


def test_tokens_are_generated_step_by_step_with_the_same_code():
    model = build("lstm", inputs=Tokens(5), layers=2)
    tokens = jnp.asarray([[0, 4, 2, 3]])
    whole = run(model, tokens).outputs
    state = model.initial_state(1)
    for step in range(4):
        result = run(model, tokens[:, step : step + 1], state)
        state = result.state
        close(result.outputs[:, 0], whole[:, step])


def test_gradients_reach_the_given_state():
    model = build("lstm", layers=2)
    xs = sequences(model, TIME)
    state = model.initial_state(BATCH)
    gradient = compiled(jax.grad(lambda s: (call(model, xs, s).outputs ** 2).sum()))(state)
    assert all(float(jnp.abs(leaf).max()) > 0 for leaf in jax.tree.leaves(gradient))
