#!/bin/sh
# isa_objects_test.sh NM OBJDUMP OBJECT...
# An ISA object exports its kernels and nothing else, and its main loops leave the stack alone.
set -u
nm=$1 objdump=$2
shift 2
failures=0
fail() {
  echo "FAIL: $1"
  failures=$((failures + 1))
}

for object in "$@"; do
  name=$(basename "$object")
  case $name in *_baseline.*|*_avx*|*_amx.*) ;; *) continue ;; esac
  # A weak symbol compiled for this ISA could replace the baseline copy of another file at link time.
  other=$("$nm" "$object" | awk '$(NF-1) ~ /^[A-Zu-w]$/ && $(NF-1) != "U" && $NF !~ /^cortex_/ { print $(NF-1), $NF }')
  [ -z "$other" ] || fail "$name defines symbols besides cortex_*: $other"

  # The baseline has no masks: its partial vectors pass through memory.
  case $name in *_baseline.*) echo "$name: exports checked"; continue ;; esac

  # Innermost loops that multiply and add: no vector, and in brgemm no pointer, may pass through the stack.
  report=$("$objdump" -d --no-show-raw-insn "$object" | awk '
    function loops(   i, j, from, inner, fma, bad) {
      for (i = 1; i <= n; i++) {
        if (!(i in jump) || !(jump[i] in line) || line[jump[i]] > i) continue
        from = line[jump[i]]; inner = 1; fma = 0; bad = ""
        for (j = from; j < i; j++) {
          if (j in jump && jump[j] in line && line[jump[j]] >= from && line[jump[j]] <= j) inner = 0
          if (op[j] ~ /^(ret|call|jmp)/) inner = 0  # a jump back from a block placed out of line
          if (op[j] ~ /fmadd|mulps|dpbf16|dpbusd|pmaddwd/) fma = 1
          if (text[j] ~ /\(%rsp/ || (frame && text[j] ~ /-0x[0-9a-f]+\(%rbp/)) {
            if (text[j] ~ /%[xyz]mm/ || pointers) bad = bad "\n    " text[j]
          }
          if (pointers && text[j] ~ /vmovq .*%xmm[0-9]+,%r|vmovq .*%r[a-z0-9]+,%xmm/) bad = bad "\n    " text[j]
        }
        if (inner && fma && main) { checked++; if (bad != "") printf "%s: loop at %s:%s\n", name, jump[i], bad }
      }
    }
    function start() { n = 0; frame = 0; split("", jump); split("", line); split("", text); split("", op) }
    /^[0-9a-f]+ <.*>:$/ { loops(); start(); name = $2; pointers = name ~ /brgemm_body|strip_body/; main = pointers || name ~ /block|tiles_body/ }
    /^ *[0-9a-f]+:\t/ {
      sub(/\{vex\} +/, "")  # a prefix that is no part of the instruction
      address = $1; sub(/:$/, "", address)
      n++; line[address] = n; text[n] = $0; op[n] = $2
      if ($0 ~ /mov +%rsp,%rbp/) frame = 1
      if ($2 ~ /^j/) jump[n] = $3
    }
    END { loops(); print "checked " checked + 0 " loops" }')
  echo "$name: $(echo "$report" | tail -n 1)"
  spills=$(echo "$report" | sed '$d')
  [ -z "$spills" ] || fail "$name: main loops use the stack
$spills"
  case $name in
    brgemm_*|dwconv_*) case $report in *"checked 0 loops") fail "$name: no main loop found" ;; esac ;;
  esac
done
[ "$failures" -eq 0 ]
