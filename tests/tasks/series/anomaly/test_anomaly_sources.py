"""Series of the anomaly task: the ECG, Numenta's benchmark, files of one's own; and options that do not fit."""

import os
from pathlib import Path

import numpy as np
import pytest
from anomaly_tasks import ECG, Persistent, task_on

from lstmlab.config import ConfigError, compose
from lstmlab.data.download import DataError
from lstmlab.data.nab_registry import NAB_SERIES
from lstmlab.tasks.series.anomaly.dataset import load_nab
from lstmlab.tasks.series.anomaly.metrics import runs
from lstmlab.tasks.series.anomaly.task import Anomaly

NAB = Path(os.environ.get("LSTMLAB_DATA_DIR", "data")) / "nab"
needs_nab = pytest.mark.skipif(not NAB.is_dir(), reason="needs nab/ below LSTMLAB_DATA_DIR")


def test_the_ecg_is_as_its_source_labels_it():
    assert ECG.values.shape == (7500, 1)
    np.testing.assert_array_equal(np.flatnonzero(ECG.labels), np.arange(6936, 7288))
    wave = ECG.values[:, 0]
    beats = np.flatnonzero((wave[1:-1] > 0.6) & (wave[1:-1] >= wave[:-2]) & (wave[1:-1] > wave[2:])) + 1
    shortest = int(np.diff(beats).argmin())
    assert (beats[shortest], beats[shortest + 1]) == (6882, 7080)
    assert np.diff(beats).argmax() == shortest + 1  # the pause after it


def test_a_file_of_ones_own_with_and_without_labels(tmp_path):
    path = tmp_path / "own.csv"
    rng = np.random.default_rng(0)
    lines = [f"{a:.4f},{b:.4f},{int(i > 180)}" for i, (a, b) in enumerate(rng.normal(size=(200, 2)))]
    path.write_text("a,b,odd\n" + "\n".join(lines) + "\n")
    options = {"context": 5, "steps": 5, "horizon": 2, "data_file": str(path)}
    labelled = Anomaly(**options, data_label="odd")
    assert labelled.info.names == ("a", "b")
    assert labelled.splits.train_end == 100
    assert {"auprc", "window_recall", "delay"} <= labelled.final_metrics(Persistent(labelled)).keys()
    unlabelled = Anomaly(**options, data_columns=("a", "b"))
    assert unlabelled.final_metrics(Persistent(unlabelled)).keys() == {"flagged_share"}
    assert unlabelled.other_baselines().keys() == {"flagged_share"}
    alone = Anomaly(**options, data_target="b", data_label="odd")
    assert alone.info.names == ("b",)
    np.testing.assert_array_equal(alone.labelled.labels, labelled.labelled.labels)


def test_wrong_labels_are_named(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("a,odd\n" + "".join(f"{i},{2 * (i == 7)}\n" for i in range(50)))
    with pytest.raises(DataError, match=r"own\.csv, row 8 of data, column 'odd': 2, but a label is 0"):
        _ = Anomaly(data_file=str(path), data_label="odd").labelled
    with pytest.raises(DataError, match="has no column 'oddd'; did you mean 'odd'"):
        _ = Anomaly(data_file=str(path), data_label="oddd").labelled
    with pytest.raises(DataError, match=r"train split has 20 of the 50 rows.*task\.context \(100\)"):
        _ = Anomaly(data_file=str(path), data_columns=("a",)).splits.spans


def test_a_column_that_is_constant_in_the_training_part_is_refused():
    values = np.where(np.arange(400) < 300, 1.0, 2.0)[:, None]
    with pytest.raises(DataError, match="'ecg_mV' never changes in the 240 rows of the training part"):
        _ = task_on(ECG._replace(values=values, labels=None)).info


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.target=a"], r"data\.target=a is set, but is of a table"),
        (["data.gaps=ignore"], r"data\.gaps is set, but data\.file is not"),
        (["task.train_share=1"], r"task\.train_share is 1\.0, but must be below 1"),
        (["task.rule=quantile"], r"task\.level is 4\.0, but with task\.rule=quantile must be between 0 and 1"),
        (["task.source=file"], r"task\.source=file needs a table: set data\.file"),
        (["task.source=ecg", "data.file=a.csv"], r"task\.source=ecg and data\.file=a\.csv: set one of them"),
        (["task.series=realTraffic/speed_7578"], r"realTraffic/speed_7578 is set.*add task\.source=nab"),
        (["data.label=odd"], r"data\.label=odd is set, but is of a table: set data\.file"),
        (["model.bidirectional=true"], "backward direction would read ahead"),
    ],
)
def test_options_that_do_not_fit_are_refused(overrides, message):
    with pytest.raises(ConfigError, match=message):
        compose(["task=anomaly", *overrides])


@pytest.mark.parametrize(
    ("name", "near"),
    [("nyc_taxis", "realKnownCause/nyc_taxi"), ("realKnownCause/nyc_taxi.csv", "realKnownCause/nyc_taxi"),
     ("realTraffic", "realTraffic/speed_7578"), ("nothing of the kind", "folders: artificialNoAnomaly")],
)  # fmt: skip
def test_an_unknown_series_of_nab_is_told_its_neighbours(name, near):
    with pytest.raises(DataError, match=near):
        load_nab(name, "unused")


def test_nab_that_is_not_there_says_where_to_get_it_and_where_to_put_it(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise DataError("cannot download it")

    monkeypatch.setattr("lstmlab.tasks.series.anomaly.dataset.fetch", refuse)
    with pytest.raises(DataError, match=f"numenta/NAB on GitHub.*{tmp_path}/nab, or set data.dir"):
        load_nab("realKnownCause/nyc_taxi", tmp_path)


@needs_nab
def test_nab_has_its_windows():
    taxi = load_nab("realKnownCause/nyc_taxi", NAB.parent)
    assert taxi.values.shape == (10320, 1)
    assert len(runs(taxi.labels)) == 5
    assert taxi.labels.sum() == 1035
    first = int(np.argmax(taxi.labels))
    assert taxi.times[first] == np.datetime64("2014-10-30T15:30:00")
    for name in NAB_SERIES:
        series = load_nab(name, NAB.parent)
        assert np.isfinite(series.values).all()
        # NAB places no window in its probationary period.
        task = task_on(series, source="nab")
        assert task.splits.train_end <= 750
        assert not series.labels[: task.splits.train_end].any(), name
