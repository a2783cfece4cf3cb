#!/usr/bin/env bash
# run.sh SOURCE BUILD WORK CMAKE CXX GENERATOR: runs every example of the repository's README.md, as it is written
# there. Only sizes are cut: the first two problems of a list, few samples, few random cases.
set -euo pipefail
source=$1 tree=$2 work=$3 cmake=$4 cxx=$5 generator=$6
readme=$source/README.md
rm -rf "$work"
mkdir -p "$work/bench/workloads"
cd "$work"
unset OPENBLAS_NUM_THREADS

fail() { echo "FAILED: $*" >&2; [ -e log ] && tail -n 30 log >&2; exit 1; }
# The fenced block of a language: fenced cpp
fenced() { awk -v open='```'"$1" '$0 == open {on = 1; next} /^```/ {on = 0} on' "$readme"; }
# The indented block that follows a line: after 'layers.txt. holds'
after() { awk -v start="$1" '$0 ~ start {on = 1; next} on && /^    / {print substr($0, 5); seen = 1; next} seen {exit}' "$readme"; }

after 'layers.txt. holds' >layers.txt
[ "$(wc -l <layers.txt)" -ge 2 ] || fail "README.md: no layers.txt"
for list in "$source"/bench/workloads/*.txt; do
  grep -v '^#' "$list" | head -n 2 >"bench/workloads/$(basename "$list")"
done

# The CMake and the C++ example make one project, against the installed package.
for component in library tools; do
  "$cmake" --install "$tree" --prefix "$work/prefix" --component $component >log 2>&1 || fail "installing"
done
{
  echo '#include <cortex/cortex.hpp>'
  echo '#include <vector>'
  echo 'int main() {'
  echo 'const std::vector<float> a(128 * 768, 0.25f), b(768 * 3072, 0.125f), bias(3072, -23.0f);'
  echo 'std::vector<float> c(128 * 3072);'
  fenced cpp
  echo 'return c[0] > 0.8411f && c[0] < 0.8413f ? 0 : 1;  // GELU(1)'
  echo '}'
} >main.cpp
{
  echo 'cmake_minimum_required(VERSION 3.25)'
  echo 'project(readme LANGUAGES CXX)'
  echo 'add_executable(my_app main.cpp)'
  fenced cmake
} >CMakeLists.txt
[ "$(fenced cpp | wc -l)" -gt 5 ] && [ "$(fenced cmake | wc -l)" -gt 1 ] || fail "README.md: no C++ or CMake example"
"$cmake" -S . -B app -G "$generator" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_STANDARD=17 \
  -DCMAKE_PREFIX_PATH="$work/prefix" >log 2>&1 || fail "configuring the CMake example"
"$cmake" --build app >log 2>&1 || fail "building the CMake and C++ examples"
app/my_app >log 2>&1 || fail "the C++ example computes the wrong thing"

# Commands: indented lines, and those in running text.
{ sed -nE 's/^    (cortex-(gen|bench) .*)$/\1/p' "$readme"; grep -oE '`cortex-gen [^`]* [^`]*`' "$readme" | tr -d '`'; } >commands
[ "$(wc -l <commands)" -ge 5 ] || fail "README.md: only $(wc -l <commands) commands found"
export PATH=$tree/generators:$tree/bench:$PATH
built_in=$(cortex-bench list | awk '/^backends/ {on = 1} on && /built in/ {print $1}' | paste -sd '|')
while IFS= read -r command; do
  command=${command%%  #*}
  run=${command//--count 10000/--count 20}
  run=${run//DIR/out}
  if [[ $run =~ --backend\ ([a-z,]+) ]]; then  # peers this build has
    here=$(tr , '\n' <<<"${BASH_REMATCH[1]}" | grep -xE "$built_in" | paste -sd ,)
    run=${run/--backend ${BASH_REMATCH[1]}/--backend $here}
  fi
  case $run in
    "cortex-bench run"*) run+=" --repeats 2" ;;
    "cortex-bench ablate"*) run+=" --min-time 0.001" ;;
    "cortex-bench machine"*) run+=" --seconds 0.5" ;;
    "cortex-bench rank"*) run+=" --time-limit 5" ;;
  esac
  eval "$run" >log 2>&1 </dev/null || fail "$command"
  echo "ok: $command"
done <commands

# ./dev's subcommands that it names.
for word in $(grep -oE '\./dev [a-z]+' "$readme" | awk '{print $2}' | sort -u); do
  grep -qE "^  $word\)|^  $word\||^    $word\)|^  \"\"\|.*$word" "$source/dev" || fail "./dev $word: no such command"
done
echo "README.md: ok"
