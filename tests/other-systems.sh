#!/usr/bin/env bash
# Checks and lints the crate and its tests, benches and examples for Windows and macOS, on a Debian machine. Nothing is run.
#
# The standard libraries of these systems are checked from their source, for which compiler and source must be of one version. Debian's
# packages of them are, so these are downloaded and unpacked below target/, and stay there. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=(x86_64-pc-windows-gnu aarch64-apple-darwin)
place=$(realpath -m "${CARGO_TARGET_DIR:-target}")/other-systems
toolchain=$place/toolchain

if [ ! -e "$toolchain/usr/bin/clippy-driver" ]; then
  command -v apt-get >/dev/null || { echo "there is no apt-get here, and so no rustc-web" >&2; exit 1; }
  # From the security suite. It is kept new for Firefox and Chromium.
  wanted=(rustc-web rust-web-src rust-web-clippy)
  if ! apt-cache show "${wanted[@]}" >/dev/null 2>&1; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
  fi
  # With the libraries that this machine lacks.
  mapfile -t packages < <(apt-get install --simulate --no-install-recommends "${wanted[@]}" | awk '$1 == "Inst" { print $2 }')
  echo "downloading with apt-get, and unpacking into $toolchain: ${packages[*]}"
  rm -rf "$toolchain" "$place/new"
  mkdir -p "$place/new/packages"
  # apt has a user of its own for downloads. If that may not write here, root does, and apt warns of it.
  (cd "$place/new/packages" && apt-get download -qq "${packages[@]}")
  for package in "$place"/new/packages/*.deb; do
    dpkg-deb --extract "$package" "$place/new"
  done
  rm -r "$place/new/packages"
  mv "$place/new" "$toolchain"
fi

# Some crates bring C. Nobody links what is only checked, so a compiler that makes empty files will do.
mkdir -p "$place/sdk"
cat >"$place/cc" <<'END'
#!/bin/sh
# It is asked whether it is clang, and whether it takes the options of Microsoft's.
case $1 in
  -E) echo '#pragma message "clang"' ;;
  '-?') exit 1 ;;
esac
while [ $# -gt 0 ]; do
  if [ "$1" = -o ]; then : >"$2"; fi
  shift
done
END
chmod +x "$place/cc"
for target in "${targets[@]}"; do
  export "CC_${target//-/_}=$place/cc" "AR_${target//-/_}=ar"
done
# Otherwise, Xcode is asked for it.
export SDKROOT=$place/sdk

export LD_LIBRARY_PATH=$toolchain/usr/lib/x86_64-linux-gnu
export RUSTC=$toolchain/usr/bin/rustc
export CARGO_TARGET_DIR=$place
# `-Z build-std` is not stable. With this, a stable compiler allows it.
export RUSTC_BOOTSTRAP=1
"$RUSTC" --version
check() {
  "$toolchain/usr/bin/cargo-clippy" clippy --locked --keep-going -Z build-std "${targets[@]/#/--target=}" "$@" -- -D warnings
}
# All but the bench `live`, which measures beside epoll and inotify, and so on Linux alone.
check --lib --bins --tests --examples --bench instructions --bench pure
