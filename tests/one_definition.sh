#!/bin/sh
# one_definition.sh SOURCE_DIR: no two files of the library define a type of the same name in the same namespace. The linker
# would take either's constructor for both, unless the compiler happened to inline them.
set -eu
cd "$1"
found=$(find graph polyopt microkernels runtime support -name '*.h' | sort | xargs awk '
  FNR == 1 { space = ""; inner = 0 }
  /^namespace [a-z_:]+ \{/ { space = $2 }
  /^namespace \{/ { inner = 1 }
  /^}  \/\/ namespace$/ { inner = 0 }
  !inner && /^(struct|class) [A-Za-z0-9_]+( final)?( :.*)? \{/ { print space "::" $2 }' | sort | uniq -d)
[ -z "$found" ] || { echo "defined in two headers: $found" >&2; exit 1; }
