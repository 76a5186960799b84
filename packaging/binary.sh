#!/usr/bin/env bash
# Builds the program for one target, and the wheel with it: binary.sh TARGET. It writes target/packages/binaries/TARGET/savecast and
# target/packages/*.whl. For Linux, it runs with any glibc since 2.17 (2012). The same commit gives the same bytes, wherever it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
triple=${1:?"usage: packaging/binary.sh TARGET, such as x86_64-unknown-linux-gnu"}
# shellcheck source=packaging/about.sh
source packaging/about.sh

python3 -m venv "$target/packaging-tools"
# The second one is where it is on Windows.
PATH=$target/packaging-tools/bin:$target/packaging-tools/Scripts:$PATH
python -m pip install --quiet --disable-pip-version-check --requirement packaging/tools.txt

options=(--release --locked --target "$triple" --out "$packages")
case $triple in
  *-linux-gnu) options+=(--zig --compatibility manylinux2014) ;;
esac
# Nothing of this machine stays in the program: no path, no names of functions.
export CARGO_PROFILE_RELEASE_STRIP=symbols
export CARGO_ENCODED_RUSTFLAGS
# shellcheck disable=SC2016  # It is JavaScript.
CARGO_ENCODED_RUSTFLAGS=$(node -e '
  const [cargo, target] = process.argv.slice(1).map((path) => require("node:path").resolve(path));
  const places = { [process.cwd()]: "/savecast", [cargo]: "/cargo", [target]: "/target" };
  process.stdout.write(Object.entries(places).map(([from, to]) => `--remap-path-prefix=${from}=${to}`).join("\x1f"));
  ' "${CARGO_HOME:-$HOME/.cargo}" "$target")
case $triple in
  # Linux on arm64 has pages of up to 64 KiB, and jemalloc must know.
  aarch64-*-linux-*) export JEMALLOC_SYS_WITH_LG_PAGE=16 ;;
esac

mkdir -p "$packages/binaries/$triple"
maturin build "${options[@]}"
for name in savecast savecast.exe; do
  built=$target/$triple/release/$name
  if [ -f "$built" ]; then cp "$built" "$packages/binaries/$triple/"; fi
done
