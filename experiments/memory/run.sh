#!/usr/bin/env bash
# The runs of this study, below the given directory (default: outputs/memory). Run it again to continue after a stop.
set -euo pipefail
out=${1:-outputs/memory}
sweep() { # name of the sweep, then its overrides
  lstmlab -m --config-dir "$(dirname "$0")" experiment=memory seed=0,1,2,3,4 "hydra.sweep.dir=$out/$1" resume=true "${@:2}"
}
for task in adding copy_memory; do
  case $task in
    adding) length=task.length values=25,50,100 ;;
    copy_memory) length=task.delay values=10,20,50 ;;
  esac
  sweep "$task-bias-1" "task=$task" "$length=$values" cell=rnn,lstm,peephole_lstm,gru
  sweep "$task-bias-0" "task=$task" "$length=$values" cell=lstm,peephole_lstm init.forget_bias=0
  sweep "$task-chrono" "task=$task" "$length=$values" cell=lstm,peephole_lstm,gru "init.chrono_horizon=\${$length}"
done
