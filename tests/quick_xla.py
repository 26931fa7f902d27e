"""How XLA compiles in tests."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

NOT_OPTIMISED = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)


def quick_flags() -> str:
    """Flags with which XLA makes machine code without optimising it, in half the time, for a process and its children.

    An XLA that does not know one of them would end the process, so that another one asks; then there are none.
    """
    asked = {**os.environ, "XLA_FLAGS": NOT_OPTIMISED, "JAX_PLATFORMS": "cpu"}
    probe = [sys.executable, "-c", "import jax; jax.jit(abs)(1.0)"]
    known = subprocess.run(probe, env=asked, capture_output=True, check=False).returncode == 0
    return NOT_OPTIMISED if known else ""


def programs_folder(folders: Any) -> Path:
    """Where all workers of one run of the tests keep compiled programs, from pytest's ``tmp_path_factory``."""
    base = folders.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "programs"
