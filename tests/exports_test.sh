#!/bin/sh
# Checks what a shared library exports: functions, types and constants of namespace sluice that a public
# header declares, whose arguments are declared too, and nothing else. libsluice links nothing that only
# the exchange with other programs and the network needs.
#   exports_test.sh SOURCE LIBRARY...
set -eu
source=$1
shift
declared=$(mktemp)
trap 'rm -f "$declared"' EXIT
find "$source/include" -name '*.h' -exec cat {} + | sed 's,//.*,,' | grep -oE '[A-Za-z_]\w*' |
  sort -u >"$declared"

failed=0
for library; do
  symbols=$(nm -DC --defined-only "$library" | sed -E 's/^[0-9a-f]* . //')
  echo "$(basename "$library") exports $(echo "$symbols" | wc -l) symbols"
  outside=$(echo "$symbols" | grep -vE '^(typeinfo for |typeinfo name for |vtable for )?sluice::' || true)
  hidden=$(echo "$symbols" | grep -oE 'sluice(::~?[A-Za-z_]\w*)+' | sed 's/^sluice:://' | tr -s ':~' '\n' |
    sort -u | comm -23 - "$declared")
  for fault in "outside of namespace sluice: $outside" "in no public header: $hidden"; do
    case $fault in *": ") continue ;; esac
    echo "$fault" | head -n 20 >&2
    failed=1
  done
  case $library in *libsluice.so*)
    ! ldd "$library" | grep -E 'curl|archive|hdf5|protobuf|onnx' >&2 || failed=1
    ;;
  esac
done
exit $failed
