#!/usr/bin/env bash
# run.sh SOURCE BUILD CORTEX_GEN LIBCORTEX_KERNELS WORK CMAKE CXX GENERATOR
set -euo pipefail
source=$1 tree=$2 gen=$3 kernels=$4 work=$5 cmake=$6 cxx=$7 generator=$8
rm -rf "$work"
mkdir -p "$work"
list=$work/layers.txt

fail() { echo "FAILED: $*" >&2; cat "$work/log" >&2; exit 1; }
build() { "$cmake" --build "$work" --verbose >"$work/log" 2>&1 || fail "the build: $1"; }
# Sources of the library compiled by the last build.
compiled() { grep -oE '\-c [^ ]*my_kernels/my_kernels[^ ]*\.cpp' "$work/log" | sed 's/.*my_kernels\///' | sort -u | tr '\n' ' '; }
generated() { grep -c 'cortex-gen generate\|cortex-gen. generate' "$work/log" || true; }
counts() { local n; n=$("$work/count"); [ "$n" = "$1" ] || fail "$n kernels, expected $1: $2"; }
parts() { find "$work/my_kernels" -name 'my_kernels_part*.cpp' | wc -l; }

layers() { for ((i = 1; i <= $1; ++i)); do echo "mb1ic8ih$((i + 2))oc8oh$((i + 2))kh3ph1"; done; }
layers 3 >"$list"
"$cmake" -S "$source/tests/kernel_library" -B "$work" -G "$generator" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCORTEX_SOURCE="$source" -DCORTEX_KERNELS="$kernels" -DCORTEX_GEN_EXECUTABLE="$gen" >"$work/log" 2>&1 ||
  fail "configuring"

build "the first"
[ "$(generated)" = 1 ] || fail "cortex-gen ran $(generated) times in the first build"
[ "$(compiled)" = "my_kernels.cpp my_kernels_part0.cpp " ] || fail "the first build compiled $(compiled)"
counts 20 "3 layers and 2 inline, 2 ISAs, 2 thread counts"
[ "$(parts)" = 1 ] || fail "$(parts) parts, expected 1"

build "nothing changed"
[ "$(generated)" = 0 ] || fail "cortex-gen ran though nothing changed"
[ -z "$(compiled)" ] || fail "compiled $(compiled)though nothing changed"

sleep 1.1
touch "$list"
build "the list touched"
[ -z "$(compiled)" ] || fail "compiled $(compiled)though no problem changed"
build "after touching"
[ "$(generated)" = 0 ] || fail "cortex-gen runs at every build after the list was touched"

sleep 1.1
layers 12 >"$list"
build "the list grown"
counts 56 "12 layers and 2 inline"
[ "$(parts)" = 3 ] || fail "$(parts) parts, expected 3"

sleep 1.1
layers 13 | sed 's/kh3ph1$/kh3ph1n"renamed"/' >"$list"
sed -i '13d' "$list"
build "layers renamed"
counts 56 "names are no part of a kernel's identity"

sleep 1.1
layers 2 >"$list"
build "the list shrunk"
counts 16 "2 layers and 2 inline"
[ "$(parts)" = 1 ] || fail "$(parts) parts after shrinking, expected 1"

sleep 1.1
echo "nonsense" >"$list"
if "$cmake" --build "$work" >"$work/log" 2>&1; then fail "a broken list went through"; fi
grep -q 'layers.txt:1' "$work/log" || fail "the message does not name the line"
layers 2 >"$list"
build "the list repaired"
counts 16 "after repair"

# Bad arguments end the configuring with one message that names them; what cortex-gen alone can tell, the build.
configure() {
  "$cmake" -S "$source/tests/kernel_library" -B "$work/refused" -G "$generator" -DCMAKE_CXX_COMPILER="$cxx" \
    -DCORTEX_SOURCE="$source" -DCORTEX_KERNELS="$kernels" -DCORTEX_GEN_EXECUTABLE="$gen" -DREFUSED="$1" \
    >"$work/log" 2>&1
}
refused() {
  if configure "$1"; then fail "accepted: $1"; fi
  tr -s ' \n' ' ' <"$work/log" | grep -qF -- "$2" || fail "no \"$2\" about: $1"
}
refused "my-kernels INLINE 8x8:8x8" "the name becomes a C function"
refused "my_kernels" "name files with PROBLEMS"
refused "my_kernels INLINE 8x8:8x8 ISA" "no value after ISA"
refused "my_kernels INLINE 8x8:8x8 MACHINE" "no value after MACHINE"
refused "my_kernels INLINE 8x8:8x8 MACHINE nowhere.json" "nowhere.json"
refused "my_kernels PROBLEMS nowhere.txt" "nowhere.txt"
refused "my_kernels PROBLEMS ." "no such file"
refused "my_kernels STATIC SHARED INLINE 8x8:8x8" "choose one"
refused "my_kernels NONSENSE INLINE 8x8:8x8" "unexpected \"NONSENSE\""
refused_by_build() {
  configure "$1" || fail "configuring: $1"
  if "$cmake" --build "$work/refused" >"$work/log" 2>&1; then fail "accepted: $1"; fi
  grep -qF -- "$2" "$work/log" || fail "no \"$2\" about: $1"
}
refused_by_build "class INLINE 8x8:8x8" "--name class"
refused_by_build "my_kernels INLINE 8x8:8x8 ISA sse9" "--isa sse9"
refused_by_build "my_kernels INLINE 8x8:8x8 THREADS 0" "--threads 0"
refused_by_build "my_kernels INLINE 8x9:8x8" "my_kernels.inline.txt:1"

# The installed package, which may have moved.
for component in library tools; do
  "$cmake" --install "$tree" --prefix "$work/first" --component $component >"$work/log" || fail "installing"
done
mv "$work/first" "$work/prefix"
mkdir "$work/installed"
layers 3 >"$work/installed/layers.txt"
"$cmake" -S "$source/tests/kernel_library" -B "$work/installed" -G "$generator" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" 2>&1 || fail "configuring with find_package"
"$cmake" --build "$work/installed" >"$work/log" 2>&1 || fail "building with find_package"
[ "$("$work/installed/count")" = 20 ] || fail "the installed package's kernels"
[ "$("$work/installed/count_static")" = 2 ] || fail "the static libraries"
echo "kernel libraries: ok"
