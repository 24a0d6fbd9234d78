#!/bin/sh
# Installs Sluice beside the build, builds the examples and a program that catches errors with find_package
# alone, and runs them.
#   install_test.sh BUILD SOURCE
set -eu
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >/dev/null
cmake -S "$source/examples" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/build"

cmake -S "$source/tests/install" -B "$work/errors" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/errors"
"$work/errors/errors"

"$work/prefix/bin/sluice" --version
sed -e 's/^train_images.*/train_images = 200/' -e 's/^test_images.*/test_images = 50/' \
  -e 's/= 10$/= 1/' "$source/experiments/lab.toml" >"$work/tiny.toml"
"$work/build/lab" "$work/tiny.toml" builtin >"$work/out"
tail -n 1 "$work/out"
grep -q '^The mixture .* the baseline' "$work/out"
grep -q '^It has 5\.4.* times the parameters\.$' "$work/out"

"$work/build/train" "$work/tiny.toml" builtin "$work/run" >"$work/out"
grep -q '^5 of 5: mixture$' "$work/out"
tail -n 1 "$work/out"
test -s "$work/run/report.html"
"$work/prefix/bin/sluice" data sample --data builtin --count 1 --out "$work/samples" >/dev/null
"$work/build/predict" "$work/run" "$work"/samples/*/0.png >"$work/out"
tail -n 1 "$work/out"
[ "$(grep -c '%, by expert-' "$work/out")" -eq 10 ]
"$work/build/predict" "$work/run/gate/model.safetensors" "$work/samples/cat/0.png" |
  grep -q '%, by gate$'
