#!/usr/bin/env node
// Starts the program for this platform, which lies in a package of its own, and ends as it ends.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

/** How often it looks whether its parent is still there, in milliseconds. */
const LOOK_AROUND = 500;

/** Where this platform's program is, or `undefined` if its package is missing. */
function program() {
  const name = process.platform === "win32" ? "savecast.exe" : "savecast";
  try {
    return require.resolve(`@savecast/${process.platform}-${process.arch}/bin/${name}`);
  } catch {
    return undefined;
  }
}

function isMusl() {
  return process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
}

function missing() {
  const platform = `${process.platform}-${process.arch}`;
  return `savecast: there is no program for this platform (${platform}${isMusl() ? ", musl" : ""})
It would be in the package @savecast/${platform}. It is missing if
- npm was told to leave out optional packages (--omit=optional or --no-optional): install again without that;
- node_modules or the lock file come from another system: remove node_modules, and run npm install here;
- there is none, as for Alpine Linux: cargo install savecast builds one.
`;
}

function start(file) {
  const child = spawn(file, process.argv.slice(2), { stdio: "inherit" });
  // Ctrl-C at a terminal reaches the program by itself, too. It minds only the first one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // npm forwards signals only to the shell that it puts between itself and us, and that doesn't pass them on: it just ends.
  const parent = process.ppid;
  const endIfAlone = () => process.ppid !== parent && child.kill("SIGTERM");
  if (process.env.npm_lifecycle_event) setInterval(endIfAlone, LOOK_AROUND).unref();
  child.on("error", (error) => {
    const hint = isMusl() ? "it needs glibc, and this system has musl: cargo install savecast builds one that runs here\n" : "";
    fail(`savecast: cannot start ${file}: ${error.message}\n${hint}`);
  });
  // 128 and the signal's number is how shells say it.
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function fail(message) {
  process.stderr.write(message);
  process.exitCode = 1;
}

const file = program();
if (file) start(file);
else fail(missing());
