"""The scripts of experiments/interop run, and agree to float32 rounding."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import pytest

# Keras 3.15 converts its variables in a way that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FOLDER = Path(__file__).parents[2] / "experiments" / "interop"


def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_keras_stock_lstm(capsys):
    pytest.importorskip("keras")
    difference = script("keras_stock_lstm").main(train_on=32, compare_on=16, hidden=8)
    assert 0 <= difference < 1e-5
    assert "Keras → lstmlab" in capsys.readouterr().out


def test_torch_last_step_lstm(capsys):
    pytest.importorskip("torch")
    difference = script("torch_last_step_lstm").main(compare_on=16, hidden=8)
    assert 0 <= difference < 1e-5
    assert "lstmlab → PyTorch" in capsys.readouterr().out


@pytest.mark.parametrize("name, package", [("keras_stock_lstm", "keras"), ("torch_last_step_lstm", "torch")])
def test_scripts_say_what_is_missing(name, package):
    # An entry of None in sys.modules would do for the script, but SciPy takes the key alone for an imported package.
    code = f"""
import runpy, sys
class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing)
runpy.run_path({str(FOLDER / name) + ".py"!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'lstmlab[interop]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_interop_imports_neither_torch_nor_keras():
    code = (
        "import sys, lstmlab.interop\nsys.exit(', '.join({'torch', 'keras', 'tensorflow'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
