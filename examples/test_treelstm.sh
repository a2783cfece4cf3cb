#!/usr/bin/env bash
# test_treelstm.sh PROGRAM DATA: one vector a tree, the same for any batch and thread count, clear refusals.
set -euo pipefail
program=$1 data=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

for file in treebank ids; do
  "$program" "$data/$file.txt" --hidden 24 -o "$work/$file"
  [ "$(wc -l <"$work/$file")" -eq 3 ] || fail "$file: not one line a tree"
  [ "$(awk '{print NF}' "$work/$file" | sort -u)" = 24 ] || fail "$file: not 24 numbers a line"
  [ "$(sort -u "$work/$file" | wc -l)" -eq 3 ] || fail "$file: trees of different words, equal vectors"
  "$program" "$data/$file.txt" --hidden 24 --batch 1 --threads 2 >"$work/again"
  cmp -s "$work/$file" "$work/again" || fail "$file: batch and threads change the result"
done

# Words in treebank form are the same trees as their ids in the order of appearance.
sed 's/([0-9] \([A-Za-z]*\))/\1/g; s/([0-9] /(/g' "$data/treebank.txt" |
  awk '{gsub(/[()]/, " & "); for (i = 1; i <= NF; i++) if ($i !~ /[()]/) { if (!($i in id)) id[$i] = n++; $i = id[$i] } print}' >"$work/as_ids"
"$program" "$work/as_ids" --hidden 24 -o "$work/same"
cmp -s "$work/treebank" "$work/same" || fail "labels and words differ from ids"

refused() {  # text, words of the message
  printf '%s\n' "$1" >"$work/bad"
  if "$program" "$work/bad" >"$work/out" 2>"$work/err"; then fail "accepted: $1"; fi
  grep -qF "$2" "$work/err" || fail "'$1': $(cat "$work/err")"
  [ "$(wc -l <"$work/err")" -eq 1 ] || fail "'$1': more than one line"
}
refused '((1 2)' ':1:1: this'
refused '(1 2))' ":1:6: ')' after the end"
refused '((1 x))' ":1:5: 'x' is no word id"
refused '(3 (2 The) works)' ':1:12: a label or word after nodes'
refused '' 'no tree in it'
# A table of a word more than the largest id: 1 TB.
refused '(1 999999999)' 'no memory for X, which has 256000000000 values'
echo "treelstm: ok"
