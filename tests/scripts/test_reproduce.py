"""Rows that are trained again: what is recorded, what is compared, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lstmlab.config import compose, save_config, to_tree
from lstmlab.tracking import RunFiles

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import build_results_page  # noqa: E402
import reproduce  # noqa: E402
import result_record  # noqa: E402
import result_revision  # noqa: E402
import result_rows  # noqa: E402

CONFIG = compose(["task=adding"])
ROWS = {
    "adding": {"overrides": ["task=adding"], "data": "none", "chosen_on": "none", "how": "defaults"},
    "etth1": {"overrides": ["experiment=etth1"], "data": "ett/ETTh1.csv", "chosen_on": "none", "how": "defaults"},
}
KNOWN = {
    "cell": "lstm", "task": "adding", "metric": "mse", "goal": "min", "parameters": 361, "block": "plain",
    "backend": "fused", "device": "cpu: cpu", "data_hash": None, "versions": {"jax": "1.2"}, "steps": 4, "best_step": 2,
    "baselines": {"constant 1": 1 / 6}, "seconds": {"train": 6.0, "compile": 3.0, "evaluate": 1.0},
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with rows, in which runs take no time: ``results`` are the test values by seed."""
    records = tmp_path / "docs" / "results"
    records.mkdir(parents=True)
    (records / "rows.yaml").write_text(yaml.safe_dump(ROWS))
    (tmp_path / "lstmlab").mkdir()
    (tmp_path / "lstmlab" / "code.py").write_text("1\n")
    (tmp_path / ".gitignore").write_text("multirun/\n")
    for name in ("conf", "scripts"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        git(tmp_path, *words)
    for module in (result_record, result_rows):
        monkeypatch.setattr(module, "RECORDS", records)
    monkeypatch.setattr(result_rows, "ROWS", records / "rows.yaml")
    monkeypatch.setattr(reproduce, "ROWS", records / "rows.yaml")
    monkeypatch.setattr(result_revision, "ROOT", tmp_path)
    monkeypatch.setattr(build_results_page, "PAGE", tmp_path / "docs" / "results.md")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def results(monkeypatch):
    """The test values that runs give, by seed; a text is the reason of a failure."""
    values = [0.1, 0.12, 0.14]

    def sweep(row, options, directory):
        for seed in range(options.seeds):
            files = RunFiles(directory / str(seed))
            config = to_tree(CONFIG) | {"seed": seed}
            save_config(config, directory / str(seed) / "config.yaml")
            value = values[seed]
            if isinstance(value, str):
                files.fail(value)
                return 1
            files.log(4, {"train/loss": value})
            both = {"mse": value, "within_0.04": 0.5}
            files.finish(KNOWN | {"seed": seed, "value": value, "test": both, "validation": both})
        return 0

    monkeypatch.setattr(reproduce, "sweep", sweep)
    return values


def git(place, *words):
    """Run git as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(["git", "-C", str(place), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_record_has_every_seed_intervals_revision_and_machine(checkout, results, capsys):
    assert reproduce.main(["adding", "--record"]) == 0
    record = json.loads((checkout / "docs" / "results" / "adding.json").read_text())
    assert [(seed["seed"], seed["test"]["mse"]) for seed in record["seeds"]] == [(0, 0.1), (1, 0.12), (2, 0.14)]
    assert record["test"]["mse"] == pytest.approx({"mean": 0.12, "low": 0.07032, "high": 0.16968}, abs=1e-5)
    assert record["binomial"]["within_0.04"]["examples"] == CONFIG.task.eval_examples
    assert record["revision"] == git(checkout, "rev-parse", "--short=12", "HEAD")
    assert record["command"] == "lstmlab -m task=adding seed=0,1,2"
    assert record["minutes"] == pytest.approx(0.5)
    assert {"jax", "numpy", "scipy"} <= set(record["versions"])
    assert str(checkout) not in json.dumps(record)
    assert "written to docs/results/adding.json" in capsys.readouterr().out
    assert "3 seeds" in build_results_page.PAGE.read_text()


def test_a_row_that_comes_out_otherwise_has_exit_status_1(checkout, results, capsys):
    reproduce.main(["adding", "--record"])
    for found, status, said in (
        ([0.09, 0.12, 0.16], 0, "adding: as recorded: test mse 0.1233 (mean of 3), 95 % prediction interval"),
        ([0.3, 0.3, 0.3], 1, "adding: WORSE than recorded"),
        ([0.01, 0.01, 0.01], 1, "adding: BETTER than recorded"),
    ):
        results[:] = found
        assert reproduce.main(["adding"]) == status
        assert said in capsys.readouterr().out
    assert json.loads((checkout / "docs" / "results" / "adding.json").read_text())["seeds"][0]["test"]["mse"] == 0.1


def test_changes_are_never_recorded_as_a_revision(checkout, results):
    (checkout / "lstmlab" / "code.py").write_text("2\n")
    with pytest.raises(SystemExit, match=r"needs a clean checkout, but lstmlab/code\.py has changed"):
        reproduce.main(["adding", "--record"])
    git(checkout, "commit", "-qam", "second")
    (checkout / "new.py").write_text("")
    with pytest.raises(SystemExit, match=r"new\.py has changed"):
        reproduce.main(["adding", "--record"])
    (checkout / "new.py").unlink()
    # Records that are not committed yet are no change of the code.
    assert reproduce.main(["adding", "adding", "--record"]) == 0


def test_code_that_changes_while_a_row_is_trained_is_noticed(checkout, results, monkeypatch):
    trained = reproduce.sweep

    def sweep(row, options, directory):
        (checkout / "lstmlab" / "code.py").write_text("2\n")
        git(checkout, "commit", "-qam", "second")
        return trained(row, options, directory)

    monkeypatch.setattr(reproduce, "sweep", sweep)
    with pytest.raises(SystemExit, match="the code has changed from"):
        reproduce.main(["adding", "--record"])
    assert not (checkout / "docs" / "results" / "adding.json").exists()


def test_a_failed_row_is_told_and_the_next_one_is_trained(checkout, results, capsys):
    results[1] = "RunFailed: the loss stopped being finite"
    assert reproduce.main(["adding", "adding", "--record"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(";")[0] for line in told] == ["results: adding: the sweep has ended with status 1"] * 2
    assert not (checkout / "docs" / "results" / "adding.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adding"], "adding has no record yet"),
        (["paritty"], "no row 'paritty' in docs/results/rows.yaml; rows: adding etth1"),
        (["etth1", "--record"], "etth1 reads ett/ETTh1.csv: add --dir DIR"),
        (["adding", "--record", "--sweep", "here"], "revision.txt is missing"),
    ],
)
def test_what_cannot_work_is_refused_before_training(checkout, monkeypatch, arguments, said):
    monkeypatch.setattr(reproduce, "sweep", lambda *_: pytest.fail("trained"))
    with pytest.raises(SystemExit, match=said):
        reproduce.main(arguments)


def test_one_recorded_seed_gives_no_interval(checkout, results):
    reproduce.main(["adding", "--record", "--seeds", "1"])
    with pytest.raises(SystemExit, match=r"the record of adding has 1 seed\(s\), but an interval needs 3"):
        reproduce.main(["adding"])
