"""A variable or limit of the environment that lets nothing run is named in one line."""

import errno

import jax
import pytest
from processes import started
from small_runs import command

from lstmlab import environment_errors
from lstmlab.environment_errors import environment_line, too_little_memory, wrong_xla_flags


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--nonesuch=1", "Unknown flag"),
        ("nonesuch", "Could not open file"),
        ("--xla_force_host_platform_device_count=many", "Couldn't interpret value many"),
    ],
)
def test_wrong_xla_flags_are_named(flags, told, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", flags)
    line = wrong_xla_flags()
    assert line is not None
    assert line.startswith(f"XLA_FLAGS is '{flags}', which XLA refuses: {told}")
    assert "\n" not in line


@pytest.mark.parametrize("flags", ["", "--xla_force_host_platform_device_count=2"])
def test_right_xla_flags_are_not(flags, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", flags)
    assert wrong_xla_flags() is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("JAX_PLATFORMS", "cuda", "JAX finds no such device here (available: "),
        ("JAX_PLATFORMS", "nonesuch", "JAX finds no such device here (available: cpu); unset it to use these"),
        ("JAX_ENABLE_X64", "perhaps", "which JAX refuses: invalid truth value"),
        ("JAX_DEFAULT_MATMUL_PRECISION", "some", "which JAX refuses: Invalid value"),
    ],
)
def test_wrong_variables_of_jax_are_named(name, value, told):
    if value == "cuda" and jax.default_backend() == "gpu":
        pytest.skip("here it is right")
    script = (
        "from lstmlab.environment_errors import environment_line\n"
        "try:\n    import jax\n    jax.devices()\nexcept Exception as error:\n    print(environment_line(error))"
    )
    with started("-c", script, **{name: value}) as process:
        line = process.end().out
    assert line.startswith(f"{name} is '{value}'")
    assert told in line
    assert line.count("\n") == 1


def test_training_without_compilation_is_refused(tmp_path):
    with jax.disable_jit():
        refused = command("task=adding", f"hydra.run.dir={tmp_path}/run")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "lstmlab: JAX_DISABLE_JIT is set, but training runs compiled functions only: unset it\n"
    assert not (tmp_path / "run").exists()


@pytest.fixture
def limits(monkeypatch):
    found = {}
    monkeypatch.setattr(environment_errors, "_limit", found.get)
    return found


def test_limits_are_named(limits):
    limits |= {"RLIMIT_FSIZE": 8192, "RLIMIT_AS": 2**30}
    too_large = OSError(errno.EFBIG, "File too large", "model.npz")
    assert environment_line(too_large) == (
        "model.npz: file too large: the limit of this process (ulimit -f) is 8 KiB per file: raise it"
    )
    from_library = ValueError("OUT_OF_RANGE: Error writing: File too large")
    assert "ulimit -f" in (environment_line(from_library) or "")
    for error in (MemoryError(), ImportError("x.so: failed to map segment from shared object")):
        assert environment_line(error) == "out of memory: the limit of this process (ulimit -v) is 1024 MiB: raise it"
    assert too_little_memory() == (
        "out of memory: the limit of this process (ulimit -v) is 1024 MiB: raise it to at least 1792 MiB"
    )


def test_without_a_limit_nothing_is_blamed_on_one(limits):
    assert environment_line(MemoryError()) is None
    assert environment_line(OSError(errno.EFBIG, "File too large", "model.npz")) is None
    assert too_little_memory() is None
    limits["RLIMIT_AS"] = 2**40
    assert too_little_memory() is None


def test_other_errors_are_left_alone(monkeypatch):
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert environment_line(ValueError("JAX_ENABLE_X64 is mentioned by someone else")) is None
    assert environment_line(OSError(errno.ENOENT, "No such file or directory", "a")) is None
