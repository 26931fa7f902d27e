"""Which tokens may be drawn, against a statement of the filters in plain NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.models.generate import generate, likeliest
from lstmlab.models.sequence import SequenceModel
from lstmlab.tasks import Features, Tokens


def allowed(logits: np.ndarray, top_k: int, top_p: float) -> set[int]:
    """The tokens that may be drawn, one after another from the likeliest on."""
    kept = sorted(range(len(logits)), key=lambda token: (-logits[token], token))[: top_k or None]
    mass = np.exp(logits[kept] - logits[kept].max())
    mass /= mass.sum()
    nucleus, held = set(), 0.0
    for token, probability in zip(kept, mass, strict=True):
        if held >= top_p and top_p < 1:
            break
        nucleus.add(token)
        held += probability
    return nucleus


@pytest.mark.parametrize("top_k", [0, 1, 3, 11, 50])
@pytest.mark.parametrize("top_p", [1e-9, 0.3, 0.75, 0.999, 1.0])
def test_filters_against_numpy(top_k, top_p):
    logits = np.random.default_rng(top_k).normal(scale=2, size=(6, 11)).astype(np.float32)
    filtered = np.asarray(jax.jit(likeliest)(logits, top_k, top_p))
    for row, before in zip(filtered, logits, strict=True):
        kept = set(np.flatnonzero(np.isfinite(row)).tolist())
        assert kept == allowed(before.astype(np.float64), top_k, top_p)
        np.testing.assert_array_equal(row[sorted(kept)], before[sorted(kept)])
        assert np.all(row[[t for t in range(11) if t not in kept]] == -np.inf)


def test_ties_are_cut_at_the_count_and_the_nucleus_is_as_small_as_can_be():
    even = jnp.zeros((1, 4))
    np.testing.assert_array_equal(np.isfinite(likeliest(even, 2, 1.0))[0], [True, True, False, False])
    np.testing.assert_array_equal(np.isfinite(likeliest(even, 0, 0.5))[0], [True, True, False, False])
    np.testing.assert_array_equal(np.isfinite(likeliest(even, 0, 0.51))[0], [True, True, True, False])
    # After top_k the two left have a half each: 0.5 is reached by the first.
    np.testing.assert_array_equal(np.isfinite(likeliest(even, 2, 0.5))[0], [True, False, False, False])


def test_frequencies_are_those_of_the_renormalised_distribution():
    model = SequenceModel("lstm", Tokens(5), Features(5), hidden_size=4, key=jax.random.key(1))
    model.head.kernel = model.head.kernel * 20
    prompts = jnp.zeros((20_000, 1), jnp.int32)
    logits = np.asarray(model(prompts[:1]).outputs[0, -1], np.float64) / 1.5
    kept = sorted(allowed(logits, 4, 0.9))
    assert 1 < len(kept) < 5
    expected = np.exp(logits[kept]) / np.exp(logits[kept]).sum()
    drawn = np.asarray(generate(model, prompts, 1, jax.random.key(2), 1.5, top_k=4, top_p=0.9))
    counts = np.bincount(drawn[:, 0], minlength=5) / len(drawn)
    assert set(np.flatnonzero(counts).tolist()) == set(kept)
    np.testing.assert_allclose(counts[kept], expected, atol=4 * 0.5 / np.sqrt(len(drawn)))
