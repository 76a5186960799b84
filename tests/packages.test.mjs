// Every package is put into a clean place, as its users do, and what it brings is run there. Without `PACKAGES`, packages are made of the
// built server, which is quick, but without the wheel. To try those that are published:
//
//   packaging/build.sh && PACKAGES=target/packages node --test tests/packages.test.mjs
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { access, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { eventually, repository, SAVECAST, said, siteWith } from "./browser/support.mjs";

const run = promisify(execFile);
const metadata = JSON.parse(execFileSync("cargo", ["metadata", "--locked", "--no-deps", "--format-version", "1"], { cwd: repository }));
const { version, repository: address } = metadata.packages[0];
const isPublished = Boolean(process.env.PACKAGES);
const packages = path.resolve(process.env.PACKAGES ?? path.join(metadata.target_directory, "packages"));

const LINUX = "x86_64-unknown-linux-gnu";
const OTHERS = ["aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"];
/** What a published program may need of glibc: 2.17, of 2012. */
const OLDEST_GLIBC = 17;

const scratch = await mkdtemp(path.join(tmpdir(), "savecast-packages-")), bin = path.join(scratch, "bin");
after(() => rm(scratch, { recursive: true, force: true }));

before(async () => {
  // It checks files against the form that is published for them.
  await run("python3", ["-m", "venv", scratch]);
  await run(path.join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", "check-jsonschema==0.39.0"]);
  if (isPublished) return;
  await rm(packages, { recursive: true, force: true });
  const program = path.join(scratch, "savecast");
  await run("strip", ["-o", program, SAVECAST]);
  // What is made for other systems isn't run here, and any small program will do.
  const pairs = [[LINUX, program], ...OTHERS.map((target) => [target, "/bin/true"])];
  // A server that isn't optimized is large, and how small it becomes is of no interest.
  const env = { ...process.env, DPKG_DEB_COMPRESSOR_LEVEL: "0" };
  await run(path.join(repository, "packaging/build.sh"), pairs.flatMap((pair) => ["--binary", pair.join("=")]), { env });
});

/** A folder that goes away with the test. */
async function folder(test) {
  return (await siteWith(test, {})).root;
}

const fileNamed = async (pattern) => (await readdir(packages)).find((name) => pattern.test(name));
const at = (name) => path.join(packages, name);

/** What a program writes, and how it ends. */
async function ended(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const output of [child.stdout, child.stderr]) output.on("data", (data) => (text += data));
  const [code] = await once(child, "close");
  return { code, text };
}

/** Starts a server, in a process group of its own as a shell does, sees that it serves a file, and stops it in this way. `isSlow` is one
 * that may end a moment after what has started it. */
async function serves(test, command, { root, stop = (child) => child.kill("SIGTERM"), isSlow = false, ...options }) {
  const [program, ...args] = command;
  const child = spawn(program, [...args, "--port", "0"], { ...options, detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const end = once(child, "exit");
  test.after(() => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
  });
  await writeFile(path.join(root, "hello.txt"), "hello");
  const [url] = await said(child, /http:\/\/127\S+/);
  const answer = await fetch(new URL("hello.txt", url), { headers: { connection: "close" } });
  assert.equal(await answer.text(), "hello");
  await stop(child);
  const [code, signal] = await end;
  // Nobody is left behind.
  if (isSlow) await eventually(() => isFree(url));
  else assert.ok(await isFree(url), "the server is still there");
  return code ?? signal;
}

const isFree = (url) => fetch(url).then(() => false, () => true);

/** An empty project with these packages for npm. */
async function project(test, ...archives) {
  const root = await folder(test);
  await writeFile(path.join(root, "package.json"), `{ "private": true }`);
  const options = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  await run("npm", ["install", ...options, ...archives.map(at)], { cwd: root });
  return root;
}

const MAIN = `savecast-${version}.tgz`, PROGRAM = `savecast-linux-x64-${version}.tgz`;

test("npx runs the program that npm has installed", async (test) => {
  const root = await project(test, MAIN, PROGRAM);
  const npx = (...args) => ended("npx", ["--offline", "savecast", ...args], { cwd: root });

  assert.deepEqual(await npx("--version"), { code: 0, text: `savecast ${version}\n` });
  assert.equal((await npx("--no-such-option")).code, 2);
  await serves(test, ["npx", "--offline", "savecast"], { root, cwd: root, isSlow: true });
});

test("the launcher ends with the program, and the program with the launcher", async (test) => {
  const root = await project(test, MAIN, PROGRAM);
  const launcher = [path.join(root, "node_modules/.bin/savecast"), root];

  assert.equal(await serves(test, launcher, { root }), 0, "SIGTERM");
  assert.equal(await serves(test, launcher, { root, stop: (child) => child.kill("SIGINT") }), 0, "SIGINT to the launcher alone");
  assert.equal(await serves(test, launcher, { root, stop: (child) => process.kill(-child.pid, "SIGINT") }), 0, "Ctrl-C");
  assert.equal(await serves(test, launcher, { root, stop: (child) => child.kill("SIGHUP") }), 129, "SIGHUP");
  const killProgram = async (child) => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    process.kill(Number(children), "SIGKILL");
  };
  assert.equal(await serves(test, launcher, { root, stop: killProgram }), 137, "a program that is killed");
});

test("the launcher says what to do where the package of the platform is missing", async (test) => {
  const root = await project(test, MAIN);

  const { code, text } = await ended(path.join(root, "node_modules/.bin/savecast"), [], { cwd: root });

  assert.equal(code, 1);
  assert.match(text, /^savecast: there is no program for this platform \(linux-x64\)\n/);
  assert.match(text, /--omit=optional/);
});

test("packages for npm are of one version, and run nothing when they are installed", async (test) => {
  const root = await folder(test);
  const archives = (await readdir(packages)).filter((name) => name.endsWith(".tgz"));
  assert.equal(archives.length, isPublished ? archives.length : 6);
  for (const name of archives) {
    await run("tar", ["-xzf", at(name), "-C", root]);
    const manifest = JSON.parse(await readFile(path.join(root, "package/package.json"), "utf8"));
    assert.equal(manifest.version, version, name);
    assert.equal(manifest.repository.url, `git+${address}.git`, name);
    assert.equal(manifest.scripts, undefined, name);
    for (const other of Object.values(manifest.optionalDependencies ?? {})) assert.equal(other, version, name);
    await rm(path.join(root, "package"), { recursive: true });
  }
});

test("pip installs the wheel, and the program is no script", async (test) => {
  if (!isPublished) return test.skip("cargo has built the server with what tests need, and maturin would build it again");
  const wheel = await fileNamed(/manylinux.*x86_64\.whl$/);
  const root = await folder(test), program = path.join(root, "venv/bin/savecast");
  await run("python3", ["-m", "venv", path.join(root, "venv")]);
  await run(path.join(root, "venv/bin/pip"), ["install", "--quiet", "--no-index", at(wheel)]);

  assert.ok(wheel.startsWith(`savecast-${version}-py3-none-manylinux2014_x86_64`), wheel);
  assert.deepEqual(await ended(program, ["--version"]), { code: 0, text: `savecast ${version}\n` });
  assert.equal(await serves(test, [program, root], { root }), 0);
});

/** Which glibc a program needs: 17 for 2.17. */
async function glibcOf(program) {
  const { stdout } = await run("readelf", ["--wide", "--version-info", program], { maxBuffer: 1 << 26 });
  return Math.max(...[...stdout.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor)));
}

/** Puts the libraries of glibc beside a program, so that it runs with nothing else, and gives the command for that. */
async function alone(root, program) {
  const { stdout } = await run("ldd", [path.join(root, program)]);
  for (const [library] of stdout.matchAll(/\/\S+/g)) {
    await mkdir(path.join(root, path.dirname(library)), { recursive: true });
    await copyFile(library, path.join(root, library));
  }
  const chroot = process.getuid() === 0 ? ["chroot"] : ["unshare", "--map-root-user", "chroot"];
  return [...chroot, root, program];
}

test("dpkg installs the package for Debian, which runs with nothing but what it depends on", async (test) => {
  const root = await folder(test), archive = at(`savecast_${version}_amd64.deb`);
  await mkdir(path.join(root, "var/lib/dpkg"), { recursive: true });
  await writeFile(path.join(root, "var/lib/dpkg/status"), "");
  // There is no glibc in that directory of packages yet.
  const options = [`--root=${root}`, "--force-depends", "--force-not-root", "--force-script-chrootless", "--log=/dev/null"];
  await run("dpkg", [...options, "--install", archive]);

  const program = await alone(root, "/usr/bin/savecast");
  assert.deepEqual(await ended(program[0], [...program.slice(1), "--version"]), { code: 0, text: `savecast ${version}\n` });
  await mkdir(path.join(root, "site"));
  assert.equal(await serves(test, [...program, "/site"], { root: path.join(root, "site") }), 0);

  const field = async (name) => (await run("dpkg-deb", ["--field", archive, name])).stdout.trim();
  assert.equal(await field("Version"), version);
  assert.match(await field("Depends"), new RegExp(`^libc6 \\(>= 2\\.${await glibcOf(path.join(root, "usr/bin/savecast"))}\\)`));
  const { stdout: list } = await run("dpkg-deb", ["--contents", archive]);
  for (const [, owner] of list.matchAll(/^\S+ (\S+)/gm)) assert.equal(owner, "root/root");
  const share = path.join(root, "usr/share");
  await access(path.join(share, "zsh/vendor-completions/_savecast"));
  await access(path.join(share, "fish/vendor_completions.d/savecast.fish"));
  const completion = path.join(share, "bash-completion/completions/savecast");
  assert.match((await run("bash", ["-c", `source ${completion}; complete -p savecast`])).stdout, /-F _savecast/);
  const { stdout: page } = await run("gzip", ["-dc", path.join(share, "man/man1/savecast.1.gz")]);
  assert.match(page, new RegExp(`"savecast ${version}"`));
  assert.match(await readFile(path.join(share, "doc/savecast/copyright"), "utf8"), /License: MIT or Apache-2.0/);
});

test("the archive has a program for old Linux systems, with what belongs to it", async (test) => {
  const root = await folder(test), name = `savecast-${LINUX}`;
  await run("tar", ["-xzf", at(`${name}.tar.gz`), "-C", root]);

  const program = path.join(root, name, "savecast");
  const expected = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "completions", "man", "savecast"];
  assert.deepEqual((await readdir(path.join(root, name))).sort(), expected);
  assert.deepEqual(await ended(program, ["--version"]), { code: 0, text: `savecast ${version}\n` });
  if (!isPublished) return;
  assert.ok((await glibcOf(program)) <= OLDEST_GLIBC, "it needs a newer glibc");
  const text = await readFile(program, "latin1");
  for (const place of [repository, process.env.CARGO_HOME ?? path.join(process.env.HOME, ".cargo")]) {
    assert.ok(!text.includes(place), `it names ${place}`);
  }
});

test("checksums are those of all files", async () => {
  await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: packages });
  const named = (await readFile(at("SHA256SUMS"), "utf8")).match(/\S+$/gm);
  const files = (await readdir(packages, { withFileTypes: true })).filter((entry) => entry.isFile() && entry.name !== "SHA256SUMS");
  assert.deepEqual(named.sort(), files.map(({ name }) => name).sort());
});

test("the container has the program of each architecture", async () => {
  const text = await readFile(at("docker/Dockerfile"), "utf8");
  assert.match(text, /^COPY \$\{TARGETARCH\}\/savecast \/savecast$/m);
  assert.match(text, /^HEALTHCHECK .*\["\/savecast", "status"\]$/m);
  assert.deepEqual(await ended(at("docker/amd64/savecast"), ["--version"]), { code: 0, text: `savecast ${version}\n` });
});

test("Homebrew and Scoop are told the version, the addresses and the hashes", async (test) => {
  if (!(await fileNamed(/^savecast\.rb$/))) return test.skip("they need the programs of all systems");
  const hashes = new Map((await readFile(at("SHA256SUMS"), "utf8")).trim().split("\n").map((line) => line.split(/ +/).reverse()));
  const releases = `${address}/releases/download/v${version}/`;

  const formula = await readFile(at("savecast.rb"), "utf8");
  const pairs = [...formula.matchAll(/url "(.*)"\s+sha256 "(.*)"/g)];
  assert.equal(pairs.length, 4);
  for (const [, url, hash] of pairs) assert.equal(hash, hashes.get(url.replace(releases, "")), url);
  assert.match(formula, new RegExp(`^  version "${version}"$`, "m"));
  assert.doesNotMatch(formula, /@/);

  const scoop = JSON.parse(await readFile(at("savecast.json"), "utf8"));
  const { url, hash } = scoop.architecture["64bit"];
  assert.equal(hash, hashes.get(url.replace(releases, "")));
  assert.equal(scoop.version, version);
  assert.doesNotMatch(JSON.stringify(scoop), /@/);
});

test("the crate has all that it serves, and nothing that only its authors need", async () => {
  const { stdout } = await run("cargo", ["package", "--locked", "--list", "--allow-dirty"], { cwd: repository });
  const files = stdout.trim().split("\n");
  const { stdout: served } = await run("git", ["ls-files", "static"], { cwd: repository });
  for (const file of served.trim().split("\n")) assert.ok(files.includes(file), `${file} is missing`);
  assert.deepEqual(files.filter((file) => /^(\.ci|\.github|benches|packaging|tests|target)\//.test(file)), []);
});

test("the workflow of a release is of the form that GitHub reads, and runs no action that may change", async () => {
  const file = path.join(repository, ".github/workflows/release.yml");

  await run(path.join(bin, "check-jsonschema"), ["--builtin-schema", "vendor.github-workflows", file]);

  const actions = (await readFile(file, "utf8")).match(/uses: .*/g);
  for (const action of actions) assert.match(action, /^uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test("no file has the version of an older savecast", async () => {
  const { stdout } = await run("git", ["ls-files", "packaging", ".github", "docs", "examples", "README.md"], { cwd: repository });
  for (const file of stdout.trim().split("\n")) {
    const text = await readFile(path.join(repository, file), "latin1");
    for (const [words, found] of text.matchAll(/savecast["']?[ =:@/_-]+(?:version = )?["']?v?(\d+\.\d+\.\d+)/g)) {
      assert.equal(found, version, `${file}: ${words}`);
    }
  }
});
