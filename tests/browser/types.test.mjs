// The types that the browser's part promises, and those that it lives by.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const compiler = fileURLToPath(new URL("../node_modules/.bin/tsc", import.meta.url));
const options = [
  "--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2024", "--lib", "es2024,dom,dom.iterable,dom.asynciterable",
  "--module", "es2022", "--moduleResolution", "bundler", "--types", "",
];
const checked = (...names) => names.map((name) => fileURLToPath(new URL(name, import.meta.url)));

test("the modules keep their types", async () => {
  const files = await readdir(fileURLToPath(new URL("../../static", import.meta.url)), { recursive: true });
  const modules = files.filter((name) => name.endsWith(".js"));
  // Standard output has the errors, and is part of what is thrown.
  await promisify(execFile)(compiler, [...options, ...checked(...modules.map((name) => `../../static/${name}`))]);
});

test("live.d.ts is what those who follow need", async () => {
  await promisify(execFile)(compiler, [...options, ...checked("follow.ts")]);
});
