#!/bin/sh
# usage: check_exports.sh LIBRARY
# The shared library exports cortex_* alone and needs nothing of the compile-time tools.
set -eu
library=$1
others=$(nm -D --defined-only "$library" | awk '{ print $NF }' | grep -v '^cortex_' || true)
if [ -n "$others" ]; then
  echo "error: $library exports more than cortex_*:" >&2
  echo "$others" | head >&2
  exit 1
fi
for function in cortex_version cortex_plan_create cortex_plan_execute cortex_kernel_find; do
  nm -D --defined-only "$library" | grep -q " T $function\$" || { echo "error: $function is not exported" >&2; exit 1; }
done
needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; ldd "$library" | awk '{ print $1 }')
if echo "$needed" | grep -E '^lib(isl|ppl|gmp|gmpxx|protobuf|boost|fmt)[._-]'; then
  echo "error: $library must not need these" >&2
  exit 1
fi
