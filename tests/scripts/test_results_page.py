"""docs/results.md is what runs gave."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml

from lstmlab.config import compose, to_tree

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "docs" / "results").glob("*.json"))
SUMMARY = {
    "status": "finished", "task": "adding", "cell": "gru", "seed": 0, "metric": "mse", "steps": 10,
    "test": {"within_0.04": 0.9, "mse": 0.001234567}, "validation": {"mse": 0.002, "within_0.04": 0.8},
    "baselines": {"constant 1": 0.16666666}, "parameters": 1234, "device": "cpu: cpu",
    "seconds": {"train": 60.0, "compile": 20.0, "evaluate": 10.0},
}  # fmt: skip


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script, which writes below ``tmp_path``."""
    spec = importlib.util.spec_from_file_location("build_results_page", ROOT / "scripts" / "build_results_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "docs").mkdir()
    for name, path in {"ROOT": ".", "PAGE": "docs/results.md", "RECORDS": "docs/results"}.items():
        monkeypatch.setattr(module, name, tmp_path / path)
    return module


@pytest.fixture
def finished(tmp_path):
    """A function that makes a run directory."""

    def make(words, **summary):
        directory = tmp_path / "run"
        (directory / ".hydra").mkdir(parents=True, exist_ok=True)
        (directory / ".hydra" / "overrides.yaml").write_text("".join(f"- {word}\n" for word in words))
        (directory / "summary.json").write_text(json.dumps({**SUMMARY, **summary}))
        return str(directory)

    return make


def test_a_run_becomes_a_row_with_its_command_and_numbers(script, finished):
    words = ["task=adding", "cell=gru", "hydra.run.dir=somewhere", "data.dir=somewhere", "wandb.mode=disabled"]
    assert script.main(["add", finished(words)]) == 0
    (row,) = [line for line in script.PAGE.read_text().splitlines() if line.startswith("| adding")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "adding", "`lstmlab task=adding cell=gru data.dir=DIR`", "gru", "1234", "mse 0.002",
        "mse **0.001235**, within_0.04 0.9",
        "constant 1 0.1667", "–", "1.5",
    ]  # fmt: skip
    assert "somewhere" not in "".join(path.read_text() for path in script.RECORDS.iterdir())


def test_another_run_of_the_same_command_replaces_the_first(script, finished):
    for mse in (0.5, 0.25):
        script.main(["add", finished(["task=adding"], test={"mse": mse})])
    text = script.PAGE.read_text()
    assert "0.25" in text
    assert "0.5" not in text


def test_a_run_may_stand_under_another_command_of_the_same_configuration(script, finished, tmp_path):
    words = ["task=adding", "optimizer.learning_rate=0.003", "schedule=cosine", "wandb.mode=disabled"]
    directory = finished(words)
    config = to_tree(compose([*words, "data.dir=somewhere"]))
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump(config))
    assert script.main(["add", directory, "as", "experiment=adding"]) == 0
    assert "`lstmlab experiment=adding`" in script.PAGE.read_text()
    with pytest.raises(SystemExit, match=r"no run of experiment=adding seed=1: seed is 0, not 1"):
        script.main(["add", directory, "as", "experiment=adding", "seed=1"])


def test_an_unfinished_run_is_refused(script, finished):
    with pytest.raises(SystemExit, match="has not finished"):
        script.main(["add", finished(["task=adding"], status="diverged")])
    assert not script.PAGE.exists()


def test_a_page_that_is_out_of_date_is_noticed(script, finished):
    script.main(["add", finished(["task=adding"])])
    assert script.main(["--check"]) == 0
    script.PAGE.write_text(script.PAGE.read_text().replace("0.001235", "0.001"))
    assert script.main(["--check"]) == 1


def test_the_page_in_the_repository_is_up_to_date():
    spec = importlib.util.spec_from_file_location("build_results_page", ROOT / "scripts" / "build_results_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_every_command_of_the_page_composes(path):
    made = json.loads(path.read_text())
    words = made["command"].removeprefix("lstmlab").split()
    config = compose([word for word in words if not word.startswith("data.dir=")])
    assert (config.task.name, config.cell.name) == (made["task"], made["cell"])


def test_baselines_of_a_record_are_fitted_again(script, finished, capsys):
    words = ["task=adding", "task.length=20", "cell=gru", "data.dir=somewhere"]
    assert script.main(["add", finished(words)]) == 0
    (path,) = script.RECORDS.iterdir()
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "baselines": {"old": 1.0}}))
    assert script.main(["baselines", "elsewhere", "another"]) == 0
    assert json.loads(path.read_text())["baselines"] == {"old": 1.0}
    assert script.main(["baselines", "elsewhere"]) == 0
    assert json.loads(path.read_text()) == {**content, "baselines": {"constant 1": pytest.approx(1 / 6)}}
    assert "constant 1 0.1667" in script.PAGE.read_text()
