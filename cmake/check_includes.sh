#!/usr/bin/env bash
# Folders read the way data flows: an #include never points back up, and each outside library has one home.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0

# forbid <folder> <regex of include paths> <reason>
forbid() {
  local hits
  hits=$(git grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" -- "$1" ':!*_test.cpp' || true)
  if [ -n "$hits" ]; then
    echo "$hits"
    echo "  ^ $3"
    bad=1
  fi
}

forbid support 'microkernels/|graph/|polyopt/|generators/|runtime/|bench/' 'support is below all'
forbid microkernels 'graph/|polyopt/|generators/|runtime/|bench/' 'microkernels know no folder but support'
forbid graph 'polyopt/|generators/|runtime/|bench/|microkernels/' 'graph says what to compute, not how'
forbid polyopt 'generators/|runtime/|bench/' 'polyopt writes and runs nothing'
forbid runtime 'generators/|bench/' 'the runtime knows no tool'
forbid generators 'runtime/|bench/' 'generators write for the runtime, through include/cortex only'

for folder in support microkernels graph runtime bench polyopt/machine polyopt/model polyopt/search polyopt/schedule; do
  forbid "$folder" 'isl/|ppl\.hh|gmp' 'isl, PPL and GMP stay in polyopt/isl, polyopt/ppl and generators/ast'
done
forbid polyopt/analysis 'isl/|ppl\.hh|gmp|polyopt/(isl|ppl|machine|model|search)/' 'closed forms know neither isl nor machines'
for folder in polyopt/machine polyopt/model polyopt/search polyopt/schedule; do
  forbid "$folder" 'polyopt/(analysis|isl|ppl)/' 'the runtime links this folder, but not the tools it includes'
done
forbid polyopt/isl 'ppl\.hh' 'only polyopt/ppl includes PPL'
forbid polyopt/ppl 'isl/' 'only polyopt/isl and generators/ast include isl'

[ "$bad" -eq 0 ] && echo "include direction: ok"
exit "$bad"
