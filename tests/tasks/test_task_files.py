"""Where the code of a task stands, and what its files may import."""

import ast
from pathlib import Path

import pytest

import lstmlab

ROOT = Path(lstmlab.__file__).parent
TASKS = ROOT / "tasks"
FAMILIES = sorted(path.parent for path in TASKS.glob("*/__init__.py"))
FOLDERS = sorted(path.parent for family in FAMILIES for path in family.glob("*/__init__.py"))
ABOVE = {  # of the files in a task's folder, those that each may not import
    "dataset": {"metrics", "baselines", "plots", "options", "task"},
    "metrics": {"baselines", "plots", "task"},
    "baselines": {"plots", "task"},
    "plots": {"baselines", "task"},
    "options": {"task"},
    "task": set(),
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def imported(path: Path) -> set[str]:
    """All modules that a file imports, for type checking too, with ``from a import b`` as ``a`` and ``a.b``."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the whole module"
            modules |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=[str(path.relative_to(TASKS)) for path in paths])


@named(FOLDERS)
def test_a_folder_holds_one_task_in_files_of_the_same_names_everywhere(path):
    names = {file.stem for file in path.glob("*.py")} - {"__init__"}
    assert "task" in names
    assert names <= ABOVE.keys()


@named([file for folder in FOLDERS for file in sorted(folder.glob("*.py")) if file.stem in ABOVE])
def test_files_of_a_task_import_only_those_below_them(path):
    above = {f"{name_of(path.parent)}.{name}" for name in ABOVE[path.stem]}
    assert not above & imported(path)


@named(sorted(TASKS.glob("*/*/dataset.py")))
def test_a_dataset_knows_no_jax(path):
    seen, waiting = set(), [path]
    while waiting:  # what it imports of the tasks counts as well
        modules = imported(waiting.pop())
        assert not {module for module in modules if within(module, "jax")}
        for module in modules - seen:
            seen.add(module)
            file = ROOT.parent / Path(*module.split(".")).with_suffix(".py")
            if within(module, "lstmlab.tasks") and file.exists():
                waiting.append(file)
    assert "lstmlab.tasks" not in seen


@named([file for folder in FOLDERS for file in sorted(folder.glob("*.py"))])
def test_tasks_do_not_import_each_other(path):
    others = [name_of(folder) for folder in FOLDERS if folder != path.parent]
    assert not {module for module in imported(path) for other in others if within(module, other)}


@named([file for family in FAMILIES for file in sorted(family.rglob("*.py"))])
def test_families_do_not_import_each_other(path):
    others = [name_of(family) for family in FAMILIES if family not in path.parents]
    assert not {module for module in imported(path) for other in others if within(module, other)}
