"""The commands that look things up or use a finished run; training is in ``tests/launch``."""

import re
import runpy
import signal
from types import SimpleNamespace

import pytest
from small_runs import TASKS, TINY, command, overrides, quick_programs, started

from lstmlab.cells import cell_entry, cell_names
from lstmlab.cells.base import Cell
from lstmlab.cli import COMMANDS
from lstmlab.config import compose
from lstmlab.config.describe import describe
from lstmlab.models.catalogue import cell_facts, other_forms
from lstmlab.tasks import task_entry, task_names
from lstmlab.tracking.tables import cell_text


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


@pytest.fixture(scope="module")
def text_run(tmp_path_factory):
    """The directory of a tiny character model."""
    directory = tmp_path_factory.mktemp("text")
    assert command(*overrides("char_lm"), f"hydra.run.dir={directory}").code == 0
    return directory


@pytest.fixture(scope="module")
def number_run(tmp_path_factory):
    """The directory of a run that has no text."""
    directory = tmp_path_factory.mktemp("numbers")
    assert command(*overrides("adding"), f"hydra.run.dir={directory}").code == 0
    return directory


@pytest.mark.parametrize("argument", ["--help", "-h", "help"])
def test_help_names_every_command_and_shows_how_to_train_and_sweep(argument):
    shown = command(argument)
    assert shown.code == 0
    assert shown.err == ""
    for name in COMMANDS:
        assert f"lstmlab {name}" in shown.out
    for text in ("lstmlab cell=gru task=adding", "lstmlab -m cell=", "resume=true", "wandb.mode=", "--hydra-help"):
        assert text in shown.out


def test_help_is_given_wherever_it_is_asked_for():
    assert command("cell=gru", "--help") == command("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    shown = command(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"usage: lstmlab {name}" in shown.out
    assert len(shown.out.splitlines()) >= 5


def test_the_catalogue_of_cells_has_every_cell_with_paper_and_options():
    shown = command("cells")
    assert shown.code == 0
    lines = shown.out.splitlines()
    for name in cell_names():
        entry = cell_entry(name)
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert entry.title in line
        assert entry.paper in line
        assert all(option in line for option in entry.cls.options if option not in Cell.options)
    for option in Cell.options:
        assert f"cell.{option}=" in shown.out


def test_the_catalogue_in_full_adds_what_each_cell_is_made_of():
    short, long = command("cells"), command("cells", "--verbose")
    assert (long.code, long.err) == (0, "")
    assert "parameters" not in short.out
    lines = long.out.splitlines()
    for name in cell_names():
        facts = cell_facts(name)
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        numbers = [str(facts.state_size), str(facts.parameters)]
        assert line.split()[-2:] == numbers
        for text in (facts.form, ", ".join(facts.backends), ", ".join(facts.maps), ", ".join(facts.state)):
            assert text in line


@pytest.mark.parametrize("name", cell_names())
def test_one_cell_is_shown_with_equations_options_gates_and_backends(name):
    shown, facts = command("cells", name), cell_facts(name)
    assert (shown.code, shown.err) == (0, "")
    entry = facts.entry
    assert shown.out.startswith(f"{name}: {entry.title}\n{entry.paper}\n")
    assert "``" not in shown.out and ".. math::" not in shown.out and ":math:" not in shown.out
    (equations,) = [entry.cls.__doc__.split(".. math::")[1].split("\n\n")[0]]
    for line in equations.splitlines():
        assert line.strip() in shown.out
    for text in (*facts.gates, *facts.state, *facts.backends, *facts.maps, f"{facts.parameters} ("):
        assert text in shown.out
    for other in other_forms(name):
        told = f"with cell.{other.option}={other.value}: {other.form}, runs on: {', '.join(other.backends)}"
        assert told in shown.out
    for key, option in entry.cls.options.items():
        (line,) = [line for line in shown.out.splitlines() if line.split()[:1] == [f"cell.{key}"]]
        assert option.help in line
        assert all(cell_text(choice) in line for choice in (option.default, *option.choices))


def test_the_catalogue_of_tasks_has_every_task_with_metric_and_data_and_fits_nothing(monkeypatch):
    for name in task_names():
        if task_entry(name).cls.solved is None:  # others may be solved from a multiple of a closed form on
            monkeypatch.setattr(task_entry(name).cls, "baselines", None)
    shown = command("tasks")
    assert shown.code == 0
    lines = shown.out.splitlines()
    for name in task_names():
        entry = task_entry(name)
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        for text in (entry.title, entry.cls.metric, entry.data, entry.paper):
            assert text in line
    assert "lstmlab tasks --baselines" in lines[-1]


def test_the_catalogue_of_tasks_shows_the_best_baselines_when_asked(monkeypatch):
    monkeypatch.setattr("lstmlab.study.show_tasks.task_names", lambda: ["adding", "stocks"])
    shown = command("tasks", "--baselines")
    assert shown.code == 0
    for name in ("adding", "stocks"):
        baseline, value = next(iter(task_entry(name).cls().baselines().items()))
        (line,) = [line for line in shown.out.splitlines() if line.split()[:1] == [name]]
        assert f"{value:.4g} ({baseline})" in line


def test_python_runs_the_package_as_the_command(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["lstmlab", "tasks", "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_module("lstmlab", run_name="__main__")
    assert left.value.code == 0
    assert capsys.readouterr().out == command("tasks", "--help").out


@pytest.mark.parametrize("name", task_names())
def test_one_task_is_shown_with_protocol_options_and_baselines(name):
    shown, entry = command("tasks", name), task_entry(name)
    assert (shown.code, shown.err) == (0, "")
    task = entry.cls()
    assert shown.out.startswith(f"{name}: {entry.title}\n{entry.paper}\n")
    for text in (entry.data, entry.published, task.metric):
        assert text in shown.out
    for metric, values in {task.metric: task.baselines(), **task.other_baselines()}.items():
        for rule, value in values.items():
            assert re.search(rf"^ +{metric} +{re.escape(rule)} +{re.escape(f'{value:.4g}')}$", shown.out, re.MULTILINE)
    for key, option in task.settings().items():
        (line,) = [line for line in shown.out.splitlines() if line.split()[:1] == [f"task.{key}"]]
        assert option.help in line


def test_an_unknown_task_is_refused_with_the_known_ones():
    refused = command("tasks", "parrity")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("lstmlab: unknown task 'parrity'; did you mean 'parity'? (known tasks: ")
    assert refused.err.count("\n") == 1


def test_config_shows_every_key_of_what_would_run():
    shown = command("config", "cell=gru", "task=adding", "seed=7")
    assert shown.code == 0
    lines = shown.out.splitlines()
    for key, value, meaning, *_ in describe(compose(["cell=gru", "task=adding", "seed=7"])):
        (line,) = [line for line in lines if line.split()[:1] == [key]]
        assert meaning in line
        assert str(value) in line
    refused = command("config", "cell=gruu")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("lstmlab: unknown cell 'gruu'; did you mean 'gru'?")


def test_generate_prints_the_prompt_and_its_continuation(text_run):
    shown = command("generate", str(text_run), "--prompt", "ROMEO:", "--length", "30")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("ROMEO:")
    assert len(shown.out) == len("ROMEO:") + 30 + len("\n")


def test_generate_follows_its_seed_and_its_temperature(text_run):
    def text(*settings):
        return command("generate", str(text_run), "--prompt", "A", "--length", "40", *settings).out

    assert text("--seed", "1") == text("--seed", "1") != text("--seed", "2")
    assert text("--temperature", "0", "--seed", "1") == text("--temperature", "0", "--seed", "2")
    assert text("--temperature", "0") != text("--temperature", "2")
    assert len(command("generate", str(text_run)).out) == 1 + 500 + 1


def test_generate_writes_several_samples_of_which_the_first_are_the_same(text_run):
    def text(*settings):
        return command("generate", str(text_run), "--prompt", "A", "--length", "20", *settings).out

    three, two = text("--samples", "3"), text("--samples", "2", "--top-k", "0", "--top-p", "1")
    assert [line for line in three.splitlines() if line.startswith("===")] == [
        f"=== sample {number} of 3 ===" for number in (1, 2, 3)
    ]
    written = [re.split(r"=== sample \d of \d ===\n", shown)[1:] for shown in (three, two)]
    assert written[0][:2] == written[1]
    assert len(set(written[0])) == 3
    assert written[0][0] == text()
    assert text("--top-k", "1") == text("--temperature", "0") != text()


def test_generate_writes_words_and_says_which_of_the_prompt_it_does_not_know(tmp_path):
    assert command(*overrides("word_lm"), f"hydra.run.dir={tmp_path}").code == 0
    shown = command("generate", str(tmp_path), "--prompt", "the blorbing, the\n", "--length", "10", "--seed", "3")
    assert shown.code == 0
    assert shown.err == "note: words that training has not taught are read as <unk>: blorbing\n"
    assert shown.out.startswith("the <unk>, the\n")
    assert command("generate", str(tmp_path), "--prompt", "the", "--length", "5").err == ""
    nothing = command("generate", str(tmp_path), "--prompt", " ")
    assert (nothing.code, nothing.out) == (1, "")
    assert "--prompt: the prompt is empty" in nothing.err


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_generate_refuses_tasks_whose_words_are_read_alone(task, monkeypatch):
    monkeypatch.setattr("lstmlab.training.load", lambda run: SimpleNamespace(task=task_entry(task).cls()))
    refused = command("generate", "some_run")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"lstmlab: some_run holds a run of task {task}, which has no text to go on with\n"


def test_compare_shows_the_runs_below_its_directories(number_run, text_run, tmp_path):
    shown = command("compare", str(number_run), str(text_run), "--output", str(tmp_path / "out"))
    assert (shown.code, shown.err) == (0, "")
    assert "adding" in shown.out
    assert "char_lm" in shown.out
    assert (tmp_path / "out" / "comparison_char_lm.png").exists()


def test_compare_keeps_values_apart_and_takes_a_reference(number_run, tmp_path):
    shown = command("compare", str(number_run), "--by", "model.hidden_size", "--by", "model.layers")
    assert (shown.code, shown.err) == (0, "")
    assert "model.hidden_size=8 model.layers=1" in shown.out


BAD = {
    "unknown command": (
        ["train"],
        "unknown command 'train' (commands: cells, tasks, config, compare, importance, generate",
    ),
    "no run": (["generate", "{empty}"], "is not a run directory: it has no config.yaml"),
    "no text": (["generate", "{numbers}"], "holds a run of task adding, which has no text"),
    "unknown character": (["generate", "{text}", "--prompt", "Größe"], "--prompt: the vocabulary of"),
    "empty prompt": (["generate", "{text}", "--prompt", ""], "--prompt: the prompt is empty"),
    "no length": (["generate", "{text}", "--length", "0"], "--length is 0, but must be at least 1"),
    "length in words": (["generate", "{text}", "--length", "ten"], "--length: invalid int value: 'ten'"),
    "too cold": (
        ["generate", "{text}", "--temperature", "-1"],
        "--temperature is -1.0, but must be a number",
    ),
    "no number": (
        ["generate", "{text}", "--temperature", "nan"],
        "--temperature is nan, but must be a number",
    ),
    "too hot": (["generate", "{text}", "--temperature", "inf"], "--temperature is inf, but must be a number of at"),
    "no place for a run": (["task=adding", "hydra.run.dir={numbers}/config.yaml/run"], "cannot use"),
    "no tokens": (["generate", "{text}", "--top-k", "-1"], "--top-k is -1, but must be at least 0"),
    "no nucleus": (["generate", "{text}", "--top-p", "0"], "--top-p is 0.0, but must be above 0 and at most 1"),
    "too much probability": (["generate", "{text}", "--top-p", "1.1"], "--top-p is 1.1, but must be above 0 and at"),
    "no samples": (["generate", "{text}", "--samples", "0"], "--samples is 0, but must be at least 1"),
    "no seed": (["generate", "{text}", "--seed", "-1"], "--seed is -1, but must be between 0 and 4294967295"),
    "no directory given": (["generate"], "the following arguments are required: RUN_DIR"),
    "nothing to compare": (["compare", "{empty}"], "no finished run in"),
    "unknown reference": (["compare", "{numbers}", "--reference", "mut"], "--reference mut: no run of this cell"),
    "unknown key to compare by": (["compare", "{numbers}", "--by", "seed"], "--by seed: rows are always kept apart"),
    "nothing to explain": (["importance", "{empty}"], "importance needs at least 4 runs that ended"),
    "nowhere": (["compare", "{empty}/nowhere"], "nowhere is not a directory"),
    "too much": (["cells", "lstm", "gru"], "unrecognized arguments: gru"),
    "unknown cell": (["cells", "ltsm"], "unknown cell 'ltsm'; did you mean 'lstm'?"),
    "unknown key": (["config", "seeds=1"], "unknown key 'seeds'; did you mean 'seed'?"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_on_standard_error(case, number_run, text_run, tmp_path):
    arguments, told = BAD[case]
    places = {"empty": tmp_path, "numbers": number_run, "text": text_run}
    refused = command(*(argument.format(**places) for argument in arguments))
    assert refused.code != 0
    assert refused.out == ""
    assert refused.err.startswith("lstmlab")
    assert told in refused.err
    assert refused.err.count("\n") == 1


def test_ctrl_c_stops_a_run_and_says_how_to_go_on(tmp_path):
    arguments = ["task=adding", *TASKS["adding"], *TINY, "training.steps=1000000", f"hydra.run.dir={tmp_path}/run"]
    environment = {"LSTMLAB_CACHE_DIR": str(tmp_path), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    rows = tmp_path / "run" / "metrics.jsonl"
    with started("-m", "lstmlab.cli", *arguments, **environment) as process:
        process.wait_for(lambda: rows.exists() and rows.stat().st_size)
        process.send(signal.SIGINT)
        stopped = process.end()
    assert stopped.code == 130
    assert stopped.err.splitlines()[-1].startswith(f"lstmlab: stopped; add resume=true hydra.run.dir={tmp_path}/run to")
    assert "Traceback" not in stopped.err
    assert '"status": "failed"' in (tmp_path / "run" / "summary.json").read_text()
