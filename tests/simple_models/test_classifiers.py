"""Classifiers whose settings are chosen on validation, against scikit-learn by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from lstmlab.simple_models import classifiers, scikit
from lstmlab.simple_models.classifiers import Labelled, logistic_regression, nearest_neighbours, standardised
from lstmlab.tasks.classifier_baselines import learned_classifiers


def clouds(seed, count=60):
    """Three overlapping clouds of points."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    return Labelled(rng.normal(size=(count, 4)) * [1, 10, 1, 1] + labels[:, None] * [1, 5, 0, 0.5], labels)


@pytest.fixture
def splits():
    return [clouds(seed) for seed in range(3)]


def test_settings_are_chosen_on_validation(splits, monkeypatch):
    train, validation, test = splits

    def best(models):
        fitted = [model.fit(*train) for model in models]
        return max(fitted, key=lambda model: model.score(*validation)).score(*test)

    by_hand = best([KNeighborsClassifier(k) for k in classifiers.NEIGHBOURS])
    assert nearest_neighbours(train, validation, test) == by_hand
    by_hand = best([LogisticRegression(C=c, max_iter=1000) for c in classifiers.PENALTIES])
    assert logistic_regression(train, validation, test) == pytest.approx(by_hand, abs=0.034)  # two of 60
    one = LogisticRegression(C=0.01, max_iter=1000).fit(*train).score(*test)
    monkeypatch.setattr(classifiers, "PENALTIES", (0.01,))
    assert logistic_regression(train, validation, test) == pytest.approx(one, abs=1e-9)


def test_splits_are_standardised_by_the_training_split(splits):
    constant = [part._replace(features=np.c_[part.features, np.ones(len(part.labels))]) for part in splits]
    rule = StandardScaler().fit(constant[0].features)
    for part, found in zip(constant, standardised(*constant), strict=True):
        np.testing.assert_allclose(found.features, rule.transform(part.features), atol=1e-12)


def test_fitted_once_and_left_out_with_a_line_where_scikit_learn_is_missing(splits, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LSTMLAB_CACHE_DIR", str(tmp_path))
    made = []
    first, second = (learned_classifiers(["data"], lambda: made.append(1) or splits) for _ in range(2))
    assert first == second
    assert first.keys() == {"logistic regression", "k nearest neighbours"}
    assert made == [1]
    scikit.has_scikit_learn.cache_clear()
    monkeypatch.setattr(scikit.importlib.util, "find_spec", lambda name: None)
    assert [learned_classifiers(["data"], lambda: splits) for _ in range(2)] == [{}, {}]
    said = capsys.readouterr().err
    assert "scikit-learn is not installed" in said
    assert "lstmlab[baselines]" in said
    assert said.count("\n") == 1
    scikit.has_scikit_learn.cache_clear()
