"""Anomaly task: nothing after the training part reaches scaler, batches or threshold; rows meet their forecasts."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from anomaly_tasks import ECG, Clairvoyant, Persistent, other_future, task_on
from sklearn.linear_model import LinearRegression

from lstmlab.tasks.series.anomaly import baselines as anomaly_baselines
from lstmlab.tasks.series.anomaly.baselines import simple_errors
from lstmlab.tasks.series.anomaly_scores import Detector
from lstmlab.tasks.task import mean


@pytest.mark.parametrize("fitted_on", ["validation", "train"])
def test_nothing_after_the_training_part_reaches_scaler_batches_or_threshold(fitted_on):
    before = task_on(ECG, fitted_on=fitted_on)
    after = task_on(other_future(ECG, before.splits.train_end), fitted_on=fitted_on)
    jax.tree.map(np.testing.assert_array_equal, before.artifacts(), after.artifacts())
    for split in ("train", "validation"):
        np.testing.assert_array_equal(before.data()[split], after.data()[split])
    a, b = (t.train_batch(t.data()["train"], jax.random.key(0), jnp.asarray(0), 8) for t in (before, after))
    jax.tree.map(np.testing.assert_array_equal, a, b)
    assert before.fitted_artifacts(Persistent(before)) == after.fitted_artifacts(Persistent(after))
    assert not np.array_equal(before.data()["test"], after.data()["test"])
    for name, errors in simple_errors(before.scaled, before.context).items():
        changed = fit(after, simple_errors(after.scaled, after.context)[name])
        assert fit(before, errors).scorer.threshold == changed.scorer.threshold, name


def test_training_never_sees_the_rows_that_stop_it_early():
    before = task_on(ECG)
    after = task_on(other_future(ECG, before.splits.spans["validation"][0]))
    assert before.data()["train"].shape == after.data()["train"].shape
    # The scaler is of the whole training part; in the data's units nothing of training has moved.
    restored = [t.info.scaler.restore(t.data()["train"]) for t in (before, after)]
    np.testing.assert_allclose(*restored, atol=1e-5)


def test_a_score_depends_on_rows_up_to_its_own_alone():
    before = task_on(ECG, smoothing=5)
    row = before.splits.train_end + 700
    after = task_on(other_future(ECG, row), smoothing=5)
    for make in (lambda t: t.detector(Persistent(t)), lambda t: fit(t, errors_of(t))):
        np.testing.assert_allclose(make(before).scores[:row], make(after).scores[:row], rtol=1e-4)
        assert not np.allclose(make(before).scores[row:], make(after).scores[row:])


def fit(task, errors):
    return Detector.fit(errors, task.labelled.labels, task.detector_settings)


def errors_of(task):
    return simple_errors(task.scaled, task.context)["moving z-score"]


def test_splits_follow_each_other_in_time():
    task = task_on(ECG)
    assert task.splits.spans == {"train": (0, 3600), "validation": (3600, 4500), "test": (4500, 7500)}
    assert not ECG.labels[: task.splits.train_end].any()


@pytest.mark.parametrize("steps", [1, 7, 10, 400])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_row_of_a_split_is_forecast_once_from_each_distance(split, steps):
    task = task_on(ECG, steps=steps)
    data, size = task.data()[split], 64
    draw = jax.jit(task.eval_batch, static_argnums=(1, 3))
    batches = [draw(data, split, i, size) for i in range(task.eval_batches(split, size))]
    first, end = task.splits.spans[split]
    counted = [
        np.asarray(b.targets)[np.asarray(b.weights) > 0].reshape(-1, 1 + task.horizon) for b in batches
    ]  # fmt: skip
    rows = np.concatenate(counted)
    changes = rows[rows[:, 0] > 0, 1:]
    scaled = task.scaled[:, 0]
    origins = np.arange(first - 1, end - task.horizon)
    expected = np.stack([scaled[origins + 1 + k] - scaled[origins] for k in range(task.horizon)], axis=1)
    np.testing.assert_allclose(changes, expected, atol=1e-5)
    metrics = [task.metrics(Persistent(task).predict(b), b) for b in batches]
    mse = sum(float(m["mse"][0]) for m in metrics) / sum(float(m["mse"][1]) for m in metrics)
    assert mse == pytest.approx(np.mean(expected**2), rel=1e-4)
    if split == "test":
        assert task.baselines()["persistence"] == pytest.approx(mse, rel=1e-4)


def test_the_linear_baseline_is_the_regression_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(anomaly_baselines, "fit_linear", partial(anomaly_baselines.fit_linear, strengths=(1e-12,)))
    task = task_on(ECG)
    scaled, width, spans = task.scaled[:, 0], task.context, task.splits.spans

    def examples(first, end):
        rows = np.arange(max(first, width), end - task.horizon + 1)
        seen = scaled[rows[:, None] + np.arange(-width, 0)]
        last = seen[:, -1:]
        return seen - last, scaled[rows[:, None] + np.arange(task.horizon)] - last

    rule = LinearRegression().fit(*examples(*spans["train"]))
    seen, truth = examples(*spans["test"])
    expected = np.mean((rule.predict(seen) - truth) ** 2)
    assert task.baselines()["linear"] == pytest.approx(expected, rel=1e-3)


def test_the_output_at_a_row_is_of_the_rows_after_it():
    task = task_on(ECG)
    batch = task.windows(jnp.asarray(task.scaled, jnp.float32), jnp.asarray([100]))
    scaled = task.scaled[:, 0]
    np.testing.assert_allclose(batch.inputs[0, :, 0], scaled[100:129], rtol=1e-5)
    last_read = 100 + 28
    expected = [1.0, *(scaled[last_read + 1 : last_read + 3] - scaled[last_read])]
    np.testing.assert_allclose(batch.targets[0, -1], expected, rtol=1e-4, atol=1e-6)


def test_training_windows_lie_inside_their_split_and_reach_its_ends():
    task = task_on(ECG._replace(values=np.arange(200.0)[:, None], labels=None), train_share=0.5, context=5, steps=4)
    batch = task.train_batch(task.data()["train"], jax.random.key(0), jnp.asarray(0), 4000)
    seen = task.info.scaler.restore(np.asarray(batch.inputs))
    assert seen.min() == pytest.approx(0, abs=1e-3)
    assert seen.max() == pytest.approx(79 - task.horizon, abs=1e-3)
    assert (np.asarray(batch.targets)[..., 0] == 1).all()


def test_a_model_that_knows_the_future_has_no_errors():
    task = task_on(ECG)
    made = task.forecasts(Clairvoyant(task), task.scaled)
    rows = np.arange(task.context - 1, len(ECG.values) - task.horizon)
    assert np.isnan(made[: task.context - 1]).all()
    for k in range(task.horizon):
        np.testing.assert_allclose(made[rows, k], task.scaled[rows + 1 + k], atol=1e-5)


def test_the_persistent_model_is_the_persistence_baseline():
    task = task_on(ECG, horizon=1, smoothing=3)
    judged = task.final_metrics(Persistent(task))
    assert judged.keys() == {k for k, v in task.other_baselines().items() if "persistence" in v}
    for name, values in task.other_baselines().items():
        assert judged[name] == pytest.approx(values["persistence"], rel=1e-3, abs=1e-6), name
    labels = ECG.labels[task.splits.train_end :]
    assert task.other_baselines()["auprc"]["no skill"] == labels.mean()


def test_labelled_rows_of_the_training_part_do_not_fit_the_threshold():
    values = ECG.values.copy()
    values[4000:4010] += 50
    labels = ECG.labels | (np.abs(np.arange(7500) - 4005) < 30)
    clean, spiked = task_on(ECG), task_on(ECG._replace(values=values, labels=labels))
    blind = task_on(ECG._replace(values=values))
    made = [task.detector(Persistent(task)).scorer.threshold for task in (clean, spiked, blind)]
    assert made[1] == pytest.approx(made[0], rel=0.1)
    assert made[2] > 2 * made[0]


def test_metrics_and_loss_against_numpy():
    task = task_on(ECG)
    batch = task.eval_batch(task.data()["test"], "test", jnp.asarray(0), 16)
    outputs = np.random.default_rng(0).normal(size=(16, 29, 2)).astype(np.float32)
    error = outputs[:, 19:] - np.asarray(batch.targets)[..., 1:]
    values = {name: float(mean(pair)) for name, pair in task.metrics(jnp.asarray(outputs), batch).items()}
    assert values["mse"] == pytest.approx(np.mean(error**2), rel=1e-5)
    assert values["mae"] == pytest.approx(np.mean(np.abs(error)), rel=1e-5)
    assert values["next_mse"] == pytest.approx(np.mean(error[..., 0] ** 2), rel=1e-5)
    assert float(task.loss(jnp.asarray(outputs), batch)) == pytest.approx(values["mse"], rel=1e-6)


def test_what_a_run_keeps_is_enough_to_score_without_the_series(tmp_path):
    task = task_on(ECG)
    kept = task.artifacts() | task.fitted_artifacts(Persistent(task))
    loaded = dataclasses.replace(task, data_file=str(tmp_path / "gone.csv")).with_artifacts(kept)
    assert loaded.inputs == task.inputs
    scaled = loaded.info.scaler.scale(ECG.values)
    again = loaded.scorer.scores(loaded.model_errors(Persistent(loaded), scaled))
    np.testing.assert_allclose(again, task.detector(Persistent(task)).scores, rtol=1e-6)


def test_plots_are_drawn(tmp_path):
    task = task_on(ECG)
    shown = task.plot(Persistent(task))
    assert [item.name for item in shown] == ["anomalies", "first_window"]
    for item in shown:
        item.draw(tmp_path / f"{item.name}.png")
        assert (tmp_path / f"{item.name}.png").read_bytes().startswith(b"\x89PNG")
