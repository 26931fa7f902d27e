"""Findings on dynamics: Lyapunov exponents, spectra of recurrent maps, dimension of the states."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lstmlab.explain.dynamics import MOST_EXPONENTS, lyapunov_exponents, participation_ratio, recurrent_spectra
from lstmlab.explain.findings import Axis, Finding, thinned
from lstmlab.explain.material import Material, Refusal
from lstmlab.explain.recorded import Recorded
from lstmlab.explain.trajectory import flat_steps, state_fields, state_width

_SHARE_SKIPPED = 0.1
_SAMPLES, _NUMBERS = 2000, 2048


def find(material: Material) -> Iterator[tuple[int, Finding] | Refusal]:
    """Findings on the dynamics of every layer."""
    for layer, (cell, path) in enumerate(material.ends):
        steps, width = len(path.after.h), state_width(cell)
        exponents = lyapunov_exponents(cell, path, skip=int(_SHARE_SKIPPED * steps))
        notes = [f"over the last {steps} steps of {exponents.shape[0]} sequences, but for the first tenth of them"]
        if width > MOST_EXPONENTS:
            notes.append(f"the {MOST_EXPONENTS} largest of {width}")
        yield (
            layer,
            Finding(
                "lyapunov_exponents",
                "Lyapunov exponents along sequences, the largest first",
                Axis("exponent", "in order of size", list(range(1, exponents.shape[1] + 1))),
                "1/step",
                {
                    "mean": exponents.mean(axis=0).tolist(),
                    "low": exponents.min(axis=0).tolist(),
                    "high": exponents.max(axis=0).tolist(),
                },
                notes=[*notes, "low and high: least and largest of the sequences"],
            ),
        )
        yield from _spectra(layer, cell)
        yield layer, _participation(material.recorded[layer])


def _spectra(layer: int, cell: object) -> Iterator[tuple[int, Finding] | Refusal]:
    try:
        spectra = recurrent_spectra(cell)
    except ValueError as error:
        yield Refusal(f"spectra: {error}")
        return
    for gate, spectrum in spectra.items():
        shown = thinned(len(spectrum.singular_values))
        series = {"singular values": spectrum.singular_values[shown].tolist()}
        if spectrum.eigenvalues is not None:
            series["moduli of eigenvalues"] = spectrum.eigenvalues[shown].tolist()
        yield (
            layer,
            Finding(
                f"recurrent_spectrum_{gate}",
                f"spectrum of the map of the state for {gate}",
                Axis("index", "in order of size", (shown + 1).tolist()),
                "1",
                series,
            ),
        )


def _participation(one: Recorded) -> Finding:
    valid = np.asarray(one.valid)
    fields = dict.fromkeys(("h", *state_fields(one.cell)))
    ratios, sizes, notes = [], [], []
    for name in fields:
        states = np.asarray(flat_steps(one.path.after, (name,)))[valid]
        sizes.append(states.shape[1])
        if len(states) > _SAMPLES:
            states = states[np.random.default_rng(0).choice(len(states), _SAMPLES, replace=False)]
        if states.shape[1] > _NUMBERS:
            notes.append(f"{name}: {_NUMBERS} of its {states.shape[1]} numbers")
            states = states[:, np.random.default_rng(0).choice(states.shape[1], _NUMBERS, replace=False)]
        ratios.append(participation_ratio(states))
    return Finding(
        "participation_ratio",
        "dimensions over which the states of all sequences and steps spread",
        Axis("field", "", list(fields)),
        "dimensions",
        {"participation ratio": ratios, "numbers": sizes},
        notes=notes,
    )
