// Lays out the packages for npm: packages.mjs FOLDER TARGET=FILE…. It makes FOLDER/savecast, which starts the program, and for each
// target the package with its program. What they say of themselves comes from Cargo.toml.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Rust's name of a target → npm's words for it. */
const PLATFORMS = {
  "x86_64-unknown-linux-gnu": { os: "linux", cpu: "x64", libc: "glibc" },
  "aarch64-unknown-linux-gnu": { os: "linux", cpu: "arm64", libc: "glibc" },
  "x86_64-apple-darwin": { os: "darwin", cpu: "x64" },
  "aarch64-apple-darwin": { os: "darwin", cpu: "arm64" },
  "x86_64-pc-windows-msvc": { os: "win32", cpu: "x64" },
};
const [folder, ...binaries] = process.argv.slice(2);
const here = import.meta.dirname, repository = path.join(here, "../..");

const metadata = execFileSync("cargo", ["metadata", "--locked", "--no-deps", "--format-version", "1"], { cwd: repository });
const crate = JSON.parse(metadata).packages[0];
const common = {
  version: crate.version,
  description: crate.description,
  license: crate.license,
  repository: { type: "git", url: `git+${crate.repository}.git` },
  homepage: crate.repository,
};

const nameOf = ({ os, cpu }) => `@savecast/${os}-${cpu}`;

/** Writes a package, with the licences and these files: path in it → file. */
function lay(name, manifest, files) {
  const root = path.join(folder, name.replace("@savecast/", "savecast-"));
  mkdirSync(path.join(root, "bin"), { recursive: true });
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(path.join(repository, licence), path.join(root, licence));
  for (const [to, from] of Object.entries(files)) {
    copyFileSync(from, path.join(root, to));
    if (to.startsWith("bin/")) chmodSync(path.join(root, to), 0o755);
  }
  writeFileSync(path.join(root, "package.json"), `${JSON.stringify({ name, ...common, ...manifest }, null, 2)}\n`);
  return root;
}

for (const binary of binaries) {
  const [target, file] = binary.split("=");
  const platform = PLATFORMS[target];
  if (!platform) throw new Error(`there is no package for ${target}`);
  const [os, cpu, libc] = [platform.os, platform.cpu, platform.libc].map((word) => word && [word]);
  // Yarn leaves packages zipped, and a program must be a file.
  lay(nameOf(platform), { os, cpu, libc, preferUnplugged: true }, { [`bin/${os[0] === "win32" ? "savecast.exe" : "savecast"}`]: file });
}

// The same version of each, exactly. npm installs the one that fits.
const optionalDependencies = Object.fromEntries(Object.values(PLATFORMS).map((platform) => [nameOf(platform), crate.version]));
const main = lay(
  "savecast",
  { keywords: crate.keywords, bin: { savecast: "bin/savecast.js" }, engines: { node: ">=18" }, optionalDependencies },
  { "bin/savecast.js": path.join(here, "savecast.js") },
);
const readme = readFileSync(path.join(here, "README.md"), "utf8");
writeFileSync(path.join(main, "README.md"), readme.replace("@DESCRIPTION@", crate.description).replace("@REPOSITORY@", crate.repository));
