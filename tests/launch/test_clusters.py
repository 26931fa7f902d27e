"""Sweeps as tasks of submitit and Ray: how jobs become tasks, and what is left of a task that is lost."""

import contextlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from population_runs import assert_ran_as
from small_runs import command, overrides, run, small

from lstmlab.launch import clusters
from lstmlab.launch.clusters import make_tasks, run_task
from lstmlab.tracking.files import read_summary

# Imported here, not first inside of a test: submitit sets up logging, which closes the stream of absl's handler unless
# that is the standard error of the moment.
pytest.importorskip("submitit")

ROOT = Path(__file__).parents[2]
SWEEP = ["hydra.sweep.dir=sweep", "hydra.sweep.subdir=${hydra.job.num}"]
SUBMITIT = ["hydra.launcher.engine=submitit", "hydra.launcher.submitit.cluster=local"]


@pytest.fixture
def workers(monkeypatch):
    """Processes of workers find the package, and compile as the tests do."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")


def errors(ran):
    return [line for line in ran.err.splitlines() if line.startswith("lstmlab: ")]


@pytest.mark.parametrize(
    ("limit", "tasks"),
    [(None, [[0, 2, 4], [1, 3]]), (2, [[0, 2], [4], [1, 3]]), (1, [[0], [2], [4], [1], [3]]), (9, [[0, 2, 4], [1, 3]])],
)
def test_a_task_is_jobs_of_one_program_and_at_most_the_limit(limit, tasks):
    cells = ["rnn", "gru", "rnn", "gru", "rnn"]
    jobs = [SimpleNamespace(number=n, config=small("adding", f"cell={c}", f"seed={n}")) for n, c in enumerate(cells)]
    assert [[job.number for job in task] for task in make_tasks(jobs, limit)] == tasks


class FakeExecutor:
    """Stands for ``submitit.AutoExecutor``: tasks run when they are asked for; ``lost`` ones end halfway."""

    lost = ()
    stopped = ()
    made = None

    def __init__(self, folder, cluster):
        self.folder, self.cluster, self.parameters, self.handles = folder, cluster, {}, []
        type(self).made = self

    def update_parameters(self, **parameters):
        self.parameters = parameters

    def batch(self):
        return contextlib.nullcontext()

    def submit(self, function, configs, directories, *more):
        number = len(self.handles)

        def result():
            if number in self.stopped:
                raise KeyboardInterrupt
            if number in self.lost:
                function(configs[:1], directories[:1], *more)
                raise RuntimeError("the node went away")
            return function(configs, directories, *more)

        cancelled = []
        handle = SimpleNamespace(
            done=lambda: True, result=result, size=len(configs), cancelled=cancelled, cancel=lambda: cancelled.append(1)
        )
        self.handles.append(handle)
        return handle


@pytest.fixture
def fake(monkeypatch):
    executor = type("Executor", (FakeExecutor,), {})
    monkeypatch.setattr(clusters, "import_engine", lambda name: SimpleNamespace(AutoExecutor=executor))
    return executor


def test_settings_of_submitit_reach_it(fake, folder):
    settings = ["+hydra.launcher.submitit.timeout_min=7", "+hydra.launcher.submitit.slurm_partition=null"]
    task_size = "hydra.launcher.members_per_task=2"
    assert (
        command("-m", "seed=0,1,2", "cell=rnn", *overrides("adding"), *SWEEP, *SUBMITIT, *settings, task_size).code == 0
    )
    assert fake.made.cluster == "local"
    assert fake.made.parameters == {"timeout_min": 7}
    assert fake.made.folder == Path("sweep/.submitit")
    assert [handle.size for handle in fake.made.handles] == [2, 1]


def test_runs_that_a_lost_task_had_finished_are_kept(fake, folder):
    fake.lost = (0,)
    tasks = "hydra.launcher.members_per_task=2"
    ran = command("-m", "seed=range(4)", "cell=rnn", *overrides("adding"), *SWEEP, *SUBMITIT, tasks)
    assert ran.code == 1
    assert errors(ran) == ["lstmlab: job 1 failed: its task was lost: RuntimeError: the node went away"]
    assert sorted(path.parent.name for path in folder.glob("sweep/*/summary.json")) == ["0", "2", "3"]
    # And what was lost can be run on its own.
    assert command("-m", "seed=range(4)", "cell=rnn", *overrides("adding"), *SWEEP, "resume=true").code == 0


def test_an_interrupt_cancels_every_task(fake, folder):
    fake.stopped = (0,)
    tasks = "hydra.launcher.members_per_task=1"
    ran = command("-m", "seed=range(3)", "cell=rnn", *overrides("adding"), *SWEEP, *SUBMITIT, tasks)
    assert ran.code == 130
    assert [handle.cancelled for handle in fake.made.handles] == [[1], [1], [1]]


def test_what_a_member_fails_by_comes_back_as_the_same_line(fake, folder):
    settings = ["optimizer=sgd", "optimizer.clip_norm=0", "optimizer.learning_rate=0.01,1e30", "cell=rnn"]
    ran = command("-m", *settings, *overrides("adding"), *SWEEP, *SUBMITIT)
    assert ran.code == 1
    (line,) = errors(ran)
    assert line.startswith("lstmlab: job 1 failed: the loss stopped being finite at step 2")
    assert line.endswith(str(folder / "sweep" / "1"))


def test_what_travels_back_from_a_task_is_plain(tmp_path):
    configs = [small("adding", "cell=rnn"), small("adding", "cell=rnn", "task.length=7", "seed=1")]
    (tmp_path / "1").touch()
    told = run_task(configs, [str(tmp_path / "0"), str(tmp_path / "1")], "sweep 1", {"strategy": "auto"})
    assert told[0] == (read_summary(tmp_path / "0"), None)
    assert told[1].summary is None
    assert str(tmp_path / "1") in told[1].error


@pytest.mark.parametrize("engine", ["submitit", "ray"])
def test_an_engine_that_is_not_installed_is_one_line(engine, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, engine, None)
    ran = command("-m", "seed=0,1", *overrides("adding"), *SWEEP, f"hydra.launcher.engine={engine}")
    assert ran.code == 1
    assert ran.err == f"lstmlab: hydra.launcher.engine={engine} needs the package: pip install 'lstmlab[{engine}]'\n"


def assert_ran_as_alone(folder, ran, seeds):
    assert ran.code == 0, ran.err
    for index, seed in enumerate(seeds):
        run(small("adding", "cell=rnn", f"seed={seed}"), folder / "alone" / str(seed))
        assert_ran_as(folder / "sweep" / str(index), folder / "alone" / str(seed))


def test_submitit_runs_a_sweep_in_processes_of_its_own(workers, folder):
    pytest.importorskip("submitit")
    tasks = "hydra.launcher.members_per_task=2"
    ran = command("-m", "seed=4,5,6", "cell=rnn", *overrides("adding"), *SWEEP, *SUBMITIT, tasks)
    assert_ran_as_alone(folder, ran, [4, 5, 6])
    assert len(list(folder.glob("sweep/.submitit/*_submitted.pkl"))) <= 2
    assert "Comparison of sweep" in ran.out


def test_ray_runs_a_sweep_on_a_cluster(workers, folder):
    ray = pytest.importorskip("ray")
    settings = ["hydra.launcher.engine=ray", "+hydra.launcher.ray.init.num_cpus=2", "hydra.launcher.members_per_task=2"]
    settings += ["+hydra.launcher.ray.init.include_dashboard=false"]
    ran = command("-m", "seed=4,5,6", "cell=rnn", *overrides("adding"), *SWEEP, *settings)
    assert_ran_as_alone(folder, ran, [4, 5, 6])
    assert not ray.is_initialized()
