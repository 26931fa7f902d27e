#!/usr/bin/env bash
# Everything about lstmlab that only a GPU can show, in at most eight minutes:
#
#     scripts/gpu_check.sh [OUT]            on a machine with a GPU; OUT is outputs/gpu_check if not given
#     scripts/gpu_check.sh --tiny [OUT]     tiny sizes, for CPUs: does every part run?
#
# Needs Python with JAX, Flax, Optax and jaxtyping; PyTorch is compared with if it is there, and the tests need pytest
# and what tests/conftest.py imports. Packages that a machine without network lacks may lie in .gpu_site, made elsewhere:
#
#     pip install --target .gpu_site --no-deps jaxtyping wadler-lindig pytest pytest-timeout iniconfig pluggy packaging \
#         beartype hydra-core omegaconf antlr4-python3-runtime
#
# Each part is a process of its own with a limit of its own, and writes OUT/<part>.json after every measurement: what a
# part has measured is kept if it fails or takes too long. At the end OUT/gpu_check.json and OUT/gpu_check.md hold all.
# Exit status: 0, or 1 if a part failed or was stopped.
set -u
cd "$(dirname "$0")/.."
tiny=""
if [ "${1:-}" = "--tiny" ]; then tiny="--tiny"; shift; fi
case "${1:-}" in -*) echo "unknown option '$1': only --tiny is known" >&2; exit 2;; esac
out="${1:-outputs/gpu_check}"
mkdir -p "$out" || exit 2
if [ -x .venv/bin/python ]; then python=.venv/bin/python; else python="${PYTHON:-python3}"; fi
export PYTHONPATH="$PWD:$PWD/scripts:$PWD/tests${PYTHONPATH:+:$PYTHONPATH}"
if [ -d .gpu_site ]; then export PYTHONPATH="$PYTHONPATH:$PWD/.gpu_site"; fi
export XLA_PYTHON_CLIENT_PREALLOCATE=false

# The most valuable first. Seconds; together at most 470.
parts="agreement:70 bench:90 members:90 precision:60 memory:30 tests:130"
failed=0
for entry in $parts; do
    part="${entry%%:*}" limit="${entry##*:}"
    rm -f "$out/$part.json"
    if [ -n "$tiny" ]; then limit=600; fi  # CPUs compile slowly
    echo "== $part (at most $limit s)"
    start=$(date +%s)
    timeout --kill-after=5 "$limit" "$python" scripts/gpu_check.py "$part" $tiny --output "$out" >"$out/$part.log" 2>&1
    status=$?
    echo "$status $(($(date +%s) - start))" >"$out/$part.status"
    tail -n 5 "$out/$part.log"
    if [ "$status" -ne 0 ]; then failed=1; fi
done
"$python" scripts/gpu_check_report.py "$out" || failed=1
exit "$failed"
