#!/usr/bin/env bash
# All tests, with all that they need: what is missing on this machine is installed with apt-get.
set -euo pipefail
cd "$(dirname "$0")/.."

# The program that shows that it is there, and the Debian package that brings it.
needed="chromium:chromium chromedriver:chromium-driver firefox-esr:firefox-esr node:nodejs npm:npm vim:vim emacs:emacs-nox
  git:git perl:perl python3:python3 rsync:rsync valgrind:valgrind
  curl:curl nginx:nginx-light make:make cc:gcc certutil:libnss3-tools php:php-cli
  redis-server:redis-server redis-cli:redis-tools"
missing=()
for pair in $needed; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
# It makes environments for the clients of Python's, and is no program of its own.
python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing with apt-get: ${missing[*]}"
  command -v apt-get >/dev/null || { echo "there is no apt-get here: install these by hand" >&2; exit 1; }
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

cargo test --locked
# The instructions of the hot path, which are nearly the same every time, unlike times. Without the command, which has no part in them
# and takes long to build.
cargo bench --locked --no-default-features --bench instructions -- check
npm ci --prefix tests --silent --no-audit --no-fund
# Packages of the built server, in clean places. What is published is tried by hand: see the file.
node --test --test-reporter=spec tests/packages.test.mjs
# Each file has a browser of its own. What has failed is told once more at the end.
node --test --test-reporter=spec --test-concurrency=2 tests/browser/ tests/docs.test.mjs
# What a page does, in another browser, too.
(cd tests/browser && BROWSER=firefox node --test --test-reporter=spec --test-concurrency=2 page.test.mjs change.test.mjs morph.test.mjs tabs.test.mjs \
  reload.test.mjs view.test.mjs listing.test.mjs workers.test.mjs hosting.test.mjs https.test.mjs proxy.test.mjs edges.test.mjs status.test.mjs console.test.mjs)
