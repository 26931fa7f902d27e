"""What Hydra promises for every job holds for the jobs of a population: files, callbacks, results, settings."""

import re
from pathlib import Path

import pytest
from hydra.core.utils import JobStatus
from hydra.experimental.callback import Callback
from omegaconf import OmegaConf
from small_runs import command, overrides

from lstmlab.launch.population import PopulationLauncher

heard: list[tuple] = []


class Ears(Callback):
    """Notes what it is told of every job."""

    def on_job_start(self, config, *, task_function, **kwargs):
        heard.append(("start", config.hydra.job.num, config.seed, task_function.__name__))

    def on_job_end(self, config, job_return, **kwargs):
        heard.append(("end", config.hydra.job.num, job_return))


SWEEP = [
    "-m", "seed=3,4", "cell=rnn", "optimizer=sgd", "optimizer.clip_norm=0", "optimizer.learning_rate=0.01,1e30",
    "training.eval_every=4", f"+hydra.callbacks.ears._target_={__name__}.Ears",
]  # fmt: skip


def sweep(directory, *more):
    heard.clear()
    ran = command(*SWEEP, *overrides("adding"), f"hydra.sweep.dir={directory}", *more)
    return ran, list(heard)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same sweep by this launcher and by Hydra's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("sweeps"))
        here = tmp_path_factory.getbasetemp()
        population = sweep(here / "hydra_a" / "s")
        basic = sweep(here / "hydra_b" / "s", "hydra/launcher=basic")
    return (here / "hydra_a" / "s", *population), (here / "hydra_b" / "s", *basic)


def test_both_launchers_leave_the_same_files(both):
    (a, first, _), (b, second, _) = both
    assert (first.code, second.code) == (1, 1)
    files = [{path.relative_to(at) for path in at.rglob("*") if "checkpoints" not in path.parts} for at in (a, b)]
    assert files[0] == files[1]
    assert sum(path.name == "model.npz" for path in files[0]) == 2


@pytest.mark.parametrize("name", ["config.yaml", "overrides.yaml"])
def test_hydras_own_files_are_as_the_basic_launcher_writes_them(name, both):
    (a, _, _), (b, _, _) = both
    paths = sorted(path.relative_to(a) for path in a.glob(f"*/.hydra/{name}"))
    assert len(paths) == 4
    for path in paths:
        assert (a / path).read_text() == (b / path).read_text()


def test_hydras_settings_are_those_of_the_job(both):
    (a, _, _), (b, _, _) = both
    paths = sorted(path.relative_to(a) for path in a.glob("*/.hydra/hydra.yaml"))
    assert len(paths) == 4
    for path in paths:
        ours, theirs = (OmegaConf.load(where / path).hydra for where in (a, b))
        assert ours.runtime.output_dir == str(a / path.parts[0])
        assert ours.job.num == theirs.job.num
        assert ours.overrides.task == theirs.overrides.task
        assert ours.job.override_dirname == theirs.job.override_dirname
        assert ours.keys() == theirs.keys()
        assert ours.job.keys() == theirs.job.keys()
        assert ours.runtime.keys() == theirs.runtime.keys()


def test_callbacks_hear_of_every_jobs_start_and_end(both):
    for _, _, told in both:
        starts = [note for note in told if note[0] == "start"]
        assert sorted(starts) == [("start", n, 3 + n // 2, "run_job") for n in range(4)]
        assert sorted(note[1] for note in told if note[0] == "end") == [0, 1, 2, 3]
        for number in range(4):
            assert [note[0] for note in told if note[1] == number] == ["start", "end"]


def test_callbacks_are_given_what_became_of_the_job(both):
    ours, theirs = ({note[1]: note[2] for note in told if note[0] == "end"} for _, _, told in both)
    for number in range(4):
        a, b = ours[number], theirs[number]
        assert a.return_value == b.return_value
        assert a.overrides == b.overrides
        assert a.cfg == b.cfg
        assert a.working_dir == b.working_dir
        assert a.task_name == b.task_name
        assert a.hydra_cfg.hydra.job.num == number
        # Of a failed job, Hydra's own launcher hears the objective alone.
        assert a.status == (JobStatus.FAILED if number % 2 else JobStatus.COMPLETED)
        assert b.status == JobStatus.COMPLETED


def test_a_job_whose_values_do_not_fit_together_has_its_callbacks_too(folder):
    # Each value fits the first of the other key: only the job of the last two is faulty.
    heard.clear()
    settings = [setting for setting in overrides("adding") if "every" not in setting]
    keys = ["training.log_every=1,2", "training.eval_every=2,1", SWEEP[-1], "hydra.sweep.dir=sweep"]
    ran = command("-m", "cell=rnn", *settings, *keys)
    assert ran.code == 1
    (line,) = [line for line in ran.err.splitlines() if line.startswith("lstmlab: ")]
    assert line.startswith("lstmlab: job 3 failed: training.eval_every")
    assert len(list(folder.glob("sweep/*/model.npz"))) == 3
    assert [note[0] for note in heard if note[1] == 3] == ["start", "end"]
    result = heard[[note[:2] for note in heard].index(("end", 3))][2]
    assert result.status == JobStatus.FAILED
    assert len(list(folder.glob("sweep/3*/.hydra/*.yaml"))) == 3


def test_the_sweepers_get_the_results_in_the_order_of_the_jobs(folder, monkeypatch):
    results = []
    works = PopulationLauncher.launch
    monkeypatch.setattr(
        PopulationLauncher, "launch", lambda self, *args, **kw: results.extend(works(self, *args, **kw)) or results
    )
    sweep("sweep")
    assert [result.cfg.seed for result in results] == [3, 3, 4, 4]
    values = [result.return_value for result in results]
    assert values[1] == values[3] == float("inf")
    assert all(0 < values[index] < 1 for index in (0, 2))


def test_the_directory_of_a_job_may_be_named_by_its_keys(folder):
    subdir = "hydra.sweep.subdir=${hydra.job.override_dirname}/${seed}"
    plain = [*overrides("adding"), "cell=rnn", "hydra.job.config.override_dirname.exclude_keys=[seed]"]
    ran = command("-m", "seed=1,2", "task.length=5,6", *[o for o in plain if o != "task.length=6"],
                  "hydra.sweep.dir=sweep", subdir)  # fmt: skip
    assert ran.code == 0, ran.err
    found = sorted(path.parent.relative_to("sweep") for path in Path("sweep").rglob("model.npz"))
    assert [path.name for path in found] == ["1", "2", "1", "2"]
    assert len({path.parent for path in found}) == 2
    assert all(re.search(r"task\.length=[56]", str(path)) for path in found)


REFUSED = [
    (["hydra.job.chdir=true"], "hydra.job.chdir cannot be used by jobs of one process: add hydra/launcher=basic"),
    (["hydra.sweep.subdir=same"], "jobs 0 and 1 would share the directory sweep/same: hydra.sweep.subdir must"),
    (["hydra.launcher.strategy=pmap"], "hydra.launcher.strategy is 'pmap', but must be one of: auto, threads, vmap"),
    (["hydra.launcher.workers=0"], "hydra.launcher.workers is 0, but must be a number of at least 1, or null"),
    (["hydra.launcher.workers=many"], "hydra.launcher.workers is 'many', but must be a number of at least 1, or null"),
    (["hydra.launcher.max_members=1.5"], "hydra.launcher.max_members is 1.5, but must be a number of at least 1"),
    (["hydra.launcher.members_per_task=true"], "hydra.launcher.members_per_task is True, but must be a number"),
    (["+hydra.launcher.worker=2"], "unknown key 'hydra.launcher.worker'; did you mean 'workers'?"),
    (["hydra.launcher.engine=slurm"], "hydra.launcher.engine is 'slurm', but must be one of: local, submitit, ray"),
]


@pytest.mark.parametrize(("settings", "told"), REFUSED, ids=lambda value: value[0] if isinstance(value, list) else None)
def test_what_cannot_be_done_is_said_in_lines_of_ones_own(settings, told, folder):
    ran = command("-m", "seed=1,2", "cell=rnn", *overrides("adding"), "hydra.sweep.dir=sweep", *settings)
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert all(line.startswith("lstmlab: ") for line in lines), ran.err
    assert told in lines[0]
    # Once for the sweep, or once for each of its jobs.
    assert len(lines) in (1, 2)
    assert not list(folder.rglob("metrics.jsonl"))


def test_an_unknown_launcher_is_one_line_that_names_the_known_ones(folder):
    ran = command("-m", "seed=1,2", *overrides("adding"), "hydra/launcher=populatoin")
    assert ran.code == 1
    assert ran.err.startswith("lstmlab: unknown hydra 'launcher/populatoin'; did you mean 'population'? (known: basic")
    assert ran.err.count("\n") == 1
    assert not list(folder.iterdir())
