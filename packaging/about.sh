# What the packages are told of themselves, for scripts to source. All of it comes from Cargo.toml.
# shellcheck shell=bash disable=SC2034  # They are used where this is sourced.

about() {
  cargo metadata --locked --no-deps --format-version 1 | node -e '
    const { packages: [crate], target_directory } = JSON.parse(require("node:fs").readFileSync(0));
    console.log({ ...crate, target_directory }[process.argv[1]]);' "$1"
}

version=$(about version)
description=$(about description)
repository=$(about repository)
license=$(about license)
target=$(about target_directory)
# Bash on Windows wants paths in its own form.
if command -v cygpath >/dev/null; then target=$(cygpath -u "$target"); fi
# Everything ends up here.
packages=$target/packages
# The time that is written into archives: that of the commit.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
