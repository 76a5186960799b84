#!/usr/bin/env bash
# Makes all packages, in target/packages:
#
#   packaging/build.sh                             builds the program for Linux first, and its wheel
#   packaging/build.sh --binary [TARGET=]FILE …    takes programs that are built (wheels are made by binary.sh)
#
# Each kind of package is made for the programs that are there.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/about.sh
source packaging/about.sh
umask 022

linux=x86_64-unknown-linux-gnu
declare -A binaries=()
while [ $# -gt 0 ]; do
  if [ "$1" != --binary ] || [ $# -lt 2 ]; then
    echo "usage: packaging/build.sh [--binary [TARGET=]FILE]..." >&2
    exit 2
  fi
  case $2 in
    *=*) binaries[${2%%=*}]=${2#*=} ;;
    *) binaries[$linux]=$2 ;;
  esac
  shift 2
done
if [ ${#binaries[@]} = 0 ]; then
  rm -rf "$packages"
  packaging/binary.sh "$linux"
  binaries[$linux]=$packages/binaries/$linux/savecast
fi
mkdir -p "$packages"
# Nothing of an older version stays, but wheels come from elsewhere.
find "$packages" -maxdepth 1 -type f ! -name '*.whl' -delete
authors=$(sed -n 's/^Copyright (c) //p' LICENSE-MIT)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# $1.tar.gz or $1.zip of the folder $1 in $work, the same each time.
archive() {
  find "$work/$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  case $1 in
    *-windows-*) (cd "$work" && TZ=UTC python3 -m zipfile --create "$packages/$1.zip" "$1") ;;
    *) tar --create --directory "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$1" |
      gzip -n >"$packages/$1.tar.gz" ;;
  esac
}

for triple in "${!binaries[@]}"; do
  name=savecast-$triple
  suffix=$(case $triple in *-windows-*) echo .exe ;; esac)
  mkdir "$work/$name"
  install -m 755 "${binaries[$triple]}" "$work/$name/savecast$suffix"
  install -m 644 README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$work/$name/"
  cp -r packaging/man packaging/completions "$work/$name/"
  archive "$name"
done

pairs=()
for triple in "${!binaries[@]}"; do pairs+=("$triple=${binaries[$triple]}"); done
node packaging/npm/packages.mjs "$work/npm" "${pairs[@]}"
for folder in "$work"/npm/*; do npm pack --silent --pack-destination "$packages" "$folder" >/dev/null; done

# debian TRIPLE ARCHITECTURE: a package for Debian and Ubuntu.
debian() {
  local root=$work/deb-$2 binary=${binaries[$1]} doc=usr/share/doc/savecast
  install -D -m 755 "$binary" "$root/usr/bin/savecast"
  install -D -m 644 packaging/completions/savecast.bash "$root/usr/share/bash-completion/completions/savecast"
  install -D -m 644 packaging/completions/_savecast "$root/usr/share/zsh/vendor-completions/_savecast"
  install -D -m 644 packaging/completions/savecast.fish "$root/usr/share/fish/vendor_completions.d/savecast.fish"
  mkdir -p "$root/usr/share/man/man1" "$root/$doc" "$root/DEBIAN"
  for page in packaging/man/*.1; do gzip -n -9 <"$page" >"$root/usr/share/man/man1/${page##*/}.gz"; done
  gzip -n -9 <CHANGELOG.md >"$root/$doc/CHANGELOG.md.gz"
  {
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: %s\n\n' "$repository"
    printf 'Files: *\nCopyright: %s\nLicense: %s\n' "$authors" "${license//OR/or}"
    sed 's/^$/./; s/^/ /' LICENSE-MIT
    printf ' .\n On Debian, the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n'
  } >"$root/$doc/copyright"
  # The newest symbol that it uses says which glibc it needs. libgcc_s is the only other library that it may name.
  local glibc depends
  glibc=$(readelf --wide --version-info "$binary" | grep -o 'GLIBC_[0-9][0-9.]*' | sort -Vu | tail -n 1)
  depends="libc6 (>= ${glibc#GLIBC_})"
  if readelf --wide --dynamic "$binary" | grep -q 'NEEDED.*libgcc_s'; then depends+=", libgcc-s1"; fi
  cat >"$root/DEBIAN/control" <<END
Package: savecast
Version: $version
Architecture: $2
Maintainer: ${authors#* }
Section: web
Priority: optional
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: $depends
Recommends: ca-certificates
Homepage: $repository
Description: web server in which every file is a live stream
$(fold --spaces --width=78 <<<"$description." | sed 's/^/ /; s/ *$//')
END
  dpkg-deb --build --root-owner-group -Zxz "$root" "$packages/savecast_${version}_$2.deb" >/dev/null
}

# container TRIPLE ARCHITECTURE: what the Dockerfile copies.
container() {
  install -D -m 755 "${binaries[$1]}" "$packages/docker/$2/savecast"
  cp packaging/Dockerfile "$packages/docker/"
}

rm -rf "$packages/docker"
for pair in x86_64:amd64 aarch64:arm64; do
  triple=${pair%:*}-unknown-linux-gnu
  if [ -n "${binaries[$triple]:-}" ]; then
    debian "$triple" "${pair#*:}"
    container "$triple" "${pair#*:}"
  fi
done

# fill TEMPLATE: with the version, and with the hash of each archive for @SHA256 ARCHIVE@. Not if one of them is missing.
fill() {
  local text archive hash
  text=$(cat "packaging/templates/$1")
  while [[ $text =~ @SHA256\ ([^@]*)@ ]]; do
    archive=${BASH_REMATCH[1]}
    if [ ! -f "$packages/$archive" ]; then echo "left out: $1, because there is no $archive"; return; fi
    hash=$(sha256sum "$packages/$archive" | cut -d' ' -f1)
    text=${text//"@SHA256 $archive@"/$hash}
  done
  text=${text//@VERSION@/"$version"}
  text=${text//@REPOSITORY@/"$repository"}
  text=${text//@DESCRIPTION@/"$description"}
  echo "$text" >"$packages/$1"
}

for template in packaging/templates/*; do fill "${template##*/}"; done

cd "$packages"
sums=$(find . -maxdepth 1 -type f -printf '%f\n' | LC_ALL=C sort | xargs sha256sum)
echo "$sums" | tee SHA256SUMS
