#!/bin/sh
# usage: run.sh BUILD_DIR WORK_DIR CMAKE CC CXX
set -eu
build=$1 work=$2 cmake=$3 CC=$4 CXX=$5
export CC CXX
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$work/first" --component library >/dev/null
mv "$work/first" "$work/prefix" # an installed tree may move

"$cmake" -S "$here" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
"$cmake" --build "$work/build" >/dev/null
for program in consumer_c consumer_cpp consumer_c_static consumer_cpp_static; do
  echo "find_package: $program"
  "$work/build/$program"
done

pc=$(dirname "$(find "$work/prefix" -name cortex.pc)")
export PKG_CONFIG_PATH="$pc"
libdir=$(pkg-config --variable=libdir cortex)
$CC -std=c99 -Wall -Wextra -Wpedantic -Werror "$here/main.c" $(pkg-config --cflags --libs cortex) -o "$work/pc_c"
$CXX -std=c++17 "$here/main.cpp" $(pkg-config --cflags --libs cortex) -o "$work/pc_cpp"
$CC -std=c99 "$here/main.c" $(pkg-config --cflags cortex) "$libdir/libcortex_kernels.a" \
  $(pkg-config --static --libs-only-l cortex | sed 's/-lcortex_kernels//') -o "$work/pc_c_static"
for program in pc_c pc_cpp pc_c_static; do
  echo "pkg-config: $program"
  LD_LIBRARY_PATH="$libdir" "$work/$program"
done
