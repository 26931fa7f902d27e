"""docs/results.md is what the records say, and every row can be run."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from lstmlab.config import compose

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import build_results_page  # noqa: E402
import result_record  # noqa: E402
import result_rows  # noqa: E402
from result_words import baseline_text  # noqa: E402
from result_words import test_text as result_text  # noqa: E402

ROW = {"overrides": ["experiment=adding"], "data": "none", "chosen_on": "test", "how": "by hand"}
RECORDS = sorted((ROOT / "docs" / "results").glob("*.json"))


def made(values, goal="min", baseline=0.2, **more):
    """A record with these test values."""
    seeds = [{"seed": n, "test": {"mse": v}, "validation": {"mse": v}, "steps": 3} for n, v in enumerate(values)]
    means = result_record.intervals([seed["test"] for seed in seeds])
    return {
        "task": "adding", "cell": "lstm", "metric": "mse", "goal": goal, "parameters": 12, "block": "plain",
        "backend": "fused", "device": "cpu: cpu", "data_hash": None, "versions": {"jax": "1.2"}, "revision": "abc",
        "cpu": "a chip", "cores": 2, "command": "lstmlab …", "minutes": 1.0, "baselines": {"guess": baseline},
        "seeds": seeds, "test": means, "validation": means, "binomial": {}, **more,
    }  # fmt: skip


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """A place for rows, records and the page."""
    monkeypatch.setattr(result_rows, "RECORDS", tmp_path)
    monkeypatch.setattr(result_record, "RECORDS", tmp_path)
    monkeypatch.setattr(result_rows, "ROWS", tmp_path / "rows.yaml")
    monkeypatch.setattr(build_results_page, "PAGE", tmp_path / "results.md")
    (tmp_path / "rows.yaml").write_text(yaml.safe_dump({"adding": ROW}))
    return tmp_path


def test_the_page_in_the_repository_is_up_to_date():
    assert build_results_page.main(["--check"]) == 0


def test_every_row_has_a_record_and_composes_to_its_task_and_cell():
    rows = result_rows.read_rows()
    assert sorted(rows) == [path.stem for path in RECORDS]
    for row in rows.values():
        record = json.loads((ROOT / "docs" / "results" / f"{row.name}.json").read_text())
        config = compose(row.words("somewhere"))
        assert (config.task.name, config.cell.name) == (record["task"], record["cell"]), row.name
        assert (config.task.metric, config.task.goal) == (record["metric"], record["goal"]), row.name


def test_the_page_shows_intervals_seeds_and_details(docs):
    (docs / "adding.json").write_text(json.dumps(made([0.1, 0.12, 0.14])))
    assert build_results_page.main([]) == 0
    text = build_results_page.PAGE.read_text()
    assert (
        "| [adding](#adding) | lstm | 12 | mse **0.12** [0.07032, 0.1697], 3 seeds | guess 0.2 | – | – | **test** |"
        in text
    )
    assert "- Revision: abc\n- Versions: jax 1.2\n- Machine: a chip, 2 cores (cpu: cpu)\n" in text
    assert "| mse | 0.12 [0.07032, 0.1697] | – | 0.12 [0.07032, 0.1697] | 0.1, 0.12, 0.14 |" in text
    assert build_results_page.main(["--check"]) == 0
    build_results_page.PAGE.write_text(text.replace("0.12", "0.13"))
    assert build_results_page.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("values", "goal", "said"),
    [
        ([0.1, 0.12, 0.14], "min", "guess 0.2"),
        ([0.1, 0.2, 0.3], "min", "**not told apart from** guess 0.2"),
        ([0.3, 0.31, 0.32], "min", "**lost to** guess 0.2"),
        ([0.3, 0.31, 0.32], "max", "guess 0.2"),
        ([0.1], "max", "**lost to** guess 0.2"),
        ([0.20000000298], "max", "**not told apart from** guess 0.2"),
    ],
)
def test_a_baseline_is_beaten_by_the_whole_interval(values, goal, said):
    assert baseline_text(made(values, goal)) == said


def test_few_seeds_rank_nothing():
    assert result_text(made([0.1])) == "mse **0.1**, one seed: ranks nothing"
    assert result_text(made([0.1, 0.2])) == "mse **0.15**, two seeds: rank nothing"


def test_accuracies_on_few_examples_have_the_interval_of_the_sample():
    task = compose(["task=japanese_vowels"]).task
    assert result_record.test_examples(task, {"accuracy": {}}) == {"accuracy": 370}
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263 by the method of Wilson.
    found = result_record.binomial({"accuracy": {"mean": 81 / 263}}, {"accuracy": 263})["accuracy"]
    assert (found["low"], found["high"]) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert result_text(made([0.1], binomial={"mse": {"examples": 9, "value": 0.1, "low": 0.0, "high": 0.5}})) == (
        "mse **0.1**, one seed: ranks nothing; 9 examples [0, 0.5]"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"chosen_on": "train"}, "chosen_on is train; known: validation, test, none, unknown"),
        ({"seeds": 3}, "unknown key seeds"),
        ({"how": None}, "has no how"),
        ({"published": "0.9", "source": "X 2020"}, "has no same_protocol"),
        ({"published": "0.9", "source": "X", "because": "it is", "same_protocol": "maybe"}, "it is yes or no"),
        ({"overrides": "experiment=adding"}, "overrides is no list"),
    ],
)
def test_a_wrong_row_is_told_in_one_line(docs, change, said):
    (docs / "rows.yaml").write_text(yaml.safe_dump({"adding": {**ROW, **change}}))
    with pytest.raises(SystemExit, match=said) as refused:
        result_rows.read_rows(docs / "rows.yaml")
    assert "row adding" in str(refused.value) and "\n" not in str(refused.value)


def test_baselines_of_a_record_are_fitted_again(docs, capsys):
    (docs / "adding.json").write_text(json.dumps(made([0.1], baseline=9.0)))
    assert build_results_page.main(["baselines", "elsewhere"]) == 0
    found = json.loads((docs / "adding.json").read_text())
    assert found == made([0.1]) | {"baselines": {"constant 1": pytest.approx(1 / 6)}}
    assert "constant 1 0.1667" in build_results_page.PAGE.read_text()
    with pytest.raises(SystemExit, match=r"no row 'other' in docs/results/rows\.yaml; rows: adding"):
        build_results_page.main(["baselines", "elsewhere", "other"])
