"""How good a detector is: its scores and flags over time, compared with labelled windows.

A *window* is a maximal run of labelled rows, an *alarm* a maximal run of flagged rows.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def runs(marked: Bool[np.ndarray, " rows"]) -> list[tuple[int, int]]:
    """First row and end of every maximal run of true rows, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def average_precision(labels: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"]) -> float:
    """Area under the precision–recall curve, Σ (R_n − R_{n−1}) P_n over the distinct scores, from high to low.

    Rows with the same score are flagged together. The area of a constant score is the share of labelled rows. Raises
    ``ValueError`` when no row is labelled: recall is then undefined.
    """
    if not labels.any():
        raise ValueError("no row is labelled, so that recall is undefined")
    order = np.argsort(-scores, kind="stable")
    last_of_score = np.append(np.diff(scores[order]) != 0, True)
    flagged = np.arange(1, len(scores) + 1)[last_of_score]
    hits = np.cumsum(labels[order])[last_of_score]
    gained = np.diff(np.concatenate([[0], hits])) / labels.sum()
    return float(np.sum(gained * hits / flagged))


def window_metrics(labels: Bool[np.ndarray, " rows"], flags: Bool[np.ndarray, " rows"]) -> dict[str, float]:
    """Event-wise measures.

    * ``window_recall``: share of windows with at least one flag inside.
    * ``window_precision``: found windows / (found windows + false alarms), where an alarm is false when it touches no
      window; 0 without alarms. Further alarms in a window that has been found do not count.
    * ``window_f1``: their harmonic mean.
    * ``false_alarms_per_1000``: false alarms per 1000 rows outside windows.
    * ``delay``: rows from the first of a window to its first flag, averaged over all windows; one that is missed counts
      with its whole length, so that finding fewer windows never lowers the delay. ``delay_share`` is relative to the
      windows' lengths.

    Without windows only ``false_alarms_per_1000`` is given.
    """
    windows = runs(labels)
    false_alarms = sum(not labels[first:end].any() for first, end in runs(flags))
    normal = int((~labels).sum())
    alarms = {"false_alarms_per_1000": 1000 * false_alarms / normal} if normal else {}
    if not windows:
        return alarms
    lengths = np.array([end - first for first, end in windows])
    found = np.array([bool(flags[first:end].any()) for first, end in windows])
    waits = [int(np.argmax(flags[first:end])) if flags[first:end].any() else end - first for first, end in windows]
    delays = np.array(waits)
    recall, precision = float(found.mean()), _ratio(found.sum(), found.sum() + false_alarms)
    return {
        "window_recall": recall,
        "window_precision": precision,
        "window_f1": _ratio(2 * precision * recall, precision + recall),
        **alarms,
        "delay": float(delays.mean()),
        "delay_share": float((delays / lengths).mean()),
    }


def point_metrics(labels: Bool[np.ndarray, " rows"], flags: Bool[np.ndarray, " rows"]) -> dict[str, float]:
    """``point_precision`` and ``point_recall`` of single rows; precision is 0 without flags."""
    hits = int((labels & flags).sum())
    return {"point_precision": _ratio(hits, int(flags.sum())), "point_recall": _ratio(hits, int(labels.sum()))}


def detection_metrics(
    labels: Bool[np.ndarray, " rows"] | None, scores: Float[np.ndarray, " rows"], threshold: float
) -> dict[str, float]:
    """All measures of scores, of which those above the threshold are flagged; without labels the share of rows flagged.

    Rows without a score (NaN) are left out; they are allowed only at the beginning.
    """
    if labels is None:
        return {"flagged_share": float(np.mean(scores > threshold))}
    scored = np.isfinite(scores)
    labels, scores = labels[scored], scores[scored]
    flags = scores > threshold
    if not labels.any():
        return window_metrics(labels, flags)
    points = point_metrics(labels, flags)
    return {"auprc": average_precision(labels, scores), **window_metrics(labels, flags), **points}


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
