// Runs the commands of a block as somebody would who types them, each in a terminal of its own if it goes on.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { repository, SAVECAST } from "../browser/support.mjs";
import { commandsOf } from "./blocks.mjs";

/** How long a command may take to say what is expected, in milliseconds. */
const PATIENCE = 10_000;

/** After this time, in milliseconds, a command of which nothing is expected goes on, and that is right. */
const BESIDE = 1000;

/** The ports of the examples. Each of them is another one when they are run: somebody else may have it. */
const PORTS = ["3000", "3001", "3002", "5000", "6379"];

/** Commands of savecast that end by themselves. */
const ENDS = /^savecast (status|reload|publish|trust|(\S+ )*(--help|--version|-h|-V)\b)/;

/**
 * A directory with files, and programs that are found there.
 * @returns what ends all that is started in it, and takes it away
 */
export async function workshop(files, withExamples = false) {
  const home = await mkdtemp(path.join(tmpdir(), "savecast-docs-"));
  const root = path.join(home, "my-project");
  const bin = path.join(home, "bin");
  await Promise.all([root, bin].map((directory) => mkdir(directory)));
  await symlink(path.resolve(SAVECAST), path.join(bin, "savecast"));
  // Nobody wants a browser here.
  await writeFile(path.join(bin, "xdg-open"), "#!/bin/sh\n");
  await chmod(path.join(bin, "xdg-open"), 0o755);
  // In a terminal, curl shows how far it is only if its output goes elsewhere.
  await writeFile(path.join(home, ".curlrc"), "silent\nshow-error\n");
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  if (withExamples) await cp(path.join(repository, "examples"), path.join(root, "examples"), { recursive: true });
  const { XDG_DATA_HOME, XDG_CONFIG_HOME, CAROOT, FORCE_COLOR, ...env } = process.env;
  Object.assign(env, { HOME: home, CURL_HOME: home, PATH: `${bin}:${env.PATH}`, NO_COLOR: "1", BROWSER: "true" });
  const running = [];
  /** Starts a command, and gathers what it says. */
  const start = (command, cwd = root, more = {}) => {
    // A group of its own, so that what the command starts ends with it.
    const child = spawn("bash", ["-c", `exec 2>&1\n${command}`], { cwd, env: { ...env, ...more }, detached: true, stdio: ["ignore", "pipe", "inherit"] });
    const state = { command, output: "", status: undefined, child };
    child.stdout.setEncoding("utf8").on("data", (text) => (state.output += text));
    state.end = once(child, "close").then(([status]) => (state.status = status));
    running.push(state);
    return state;
  };
  const clear = async () => {
    for (const { child } of running) {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await Promise.all(running.map(({ end }) => end));
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  return { root, start, clear };
}

/** Runs a block of a shell. */
export async function runShell(block) {
  const ports = await freePorts();
  const moved = (text) => text.replaceAll(/\b\d{4}\b/g, (port) => ports[port] ?? port);
  const shop = await workshop(block.files, block.text.includes("examples/"));
  try {
    const commands = commandsOf(block).map(({ command, output }) => ({
      command: moved(command.replaceAll("cargo run --release --", "savecast")),
      output: output?.map(moved),
    }));
    if (/\b6379\b|redis-cli/.test(block.text)) {
      const redis = shop.start(`exec redis-server --port ${ports[6379]} --bind 127.0.0.1 --save '' --dir "$HOME"`);
      await listening(ports[6379], redis);
    }
    const isServed = commands.some(({ command }) => serves(command));
    const asks = commands.some(({ command }) => ENDS.test(command) || command.includes(`:${ports[3000]}`));
    if (asks && !isServed) {
      const server = shop.start(`exec savecast ${block.server}`, shop.root, { PORT: ports[3000] });
      await until(server, () => /https?:\/\//.test(server.output));
    }
    let cwd = shop.root;
    const all = [];
    for (const { command, output } of commands) {
      const [, directory] = /^cd (\S+)$/.exec(command) ?? [];
      if (directory) {
        cwd = path.join(cwd, directory);
        await mkdir(cwd, { recursive: true });
        continue;
      }
      all.push(await run(shop, command, output, cwd, ports));
    }
    const asked = block.ask && fetch(`http://127.0.0.1:${ports[3000]}${block.ask}`, { headers: { Accept: "text/event-stream" } });
    // What goes on may say more later.
    for (const check of all) await check();
    if (asked) await (await asked).body.cancel();
  } finally {
    await shop.clear();
  }
}

/** Whether a command is a server of ours, which goes on. */
function serves(command) {
  return /(^|& )savecast\b/.test(command) && !ENDS.test(command);
}

/**
 * Runs a command until it has said the first of what is expected, or is there.
 * @returns what waits for the rest
 */
async function run(shop, command, output, cwd, ports) {
  const start = Date.now();
  const begin = () => shop.start(command, cwd, { PORT: ports[3000] });
  let state = begin();
  const isSilent = !output || output.join("").trim() === "";
  const form = isSilent ? undefined : formOf(output);
  // Reading once more does no harm, and what is read may not be there yet.
  const mayRepeat = /^curl /.test(command) && !/ -(d|X|N|F)\b/.test(command);
  const isRight = () => {
    // What is silent, and goes on, is a program beside the others.
    if (state.status === undefined) return form ? form.begins.test(state.output) : Date.now() > start + BESIDE;
    return form ? form.all.test(state.output) : state.status === 0;
  };
  const check = async () => {
    const end = Date.now() + PATIENCE;
    while (!isRight()) {
      const isOver = state.status !== undefined;
      if (Date.now() > end || (isOver && !mayRepeat)) throw new Error(complaint(state, output));
      if (isOver) state = begin();
      await pause(isOver ? 100 : 5);
    }
  };
  if (serves(command)) {
    await until(state, () => /https?:\/\//.test(state.output) || (state.status !== undefined && form?.all.test(state.output)), output);
    return form ? check : async () => {};
  }
  const port = Object.values(ports).find((port) => command.includes(port));
  if (isSilent && port && /\b(http\.server|run|serve)\b/.test(command)) {
    await listening(port, state);
    return async () => {};
  }
  await check();
  return async () => {};
}

/** What is expected, as the whole output, and as its beginning. `…` stands for anything in a line, or for any lines. */
function formOf(output) {
  const lines = output.join("\n").trimEnd().split("\n");
  const parts = lines.map((line, index) => {
    const end = index === lines.length - 1 ? "" : "\\n";
    if (line.trim() === "…") return index === lines.length - 1 ? "[^]*" : "(?:.*\\n)*?";
    return line.split("…").map((text) => RegExp.escape?.(text) ?? text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join(".*") + end;
  });
  const form = parts.join("");
  return { all: new RegExp(`^${form}\\s*$`), begins: new RegExp(`^${form}(\\n|$)`) };
}

async function until(state, isSo, output) {
  const end = Date.now() + PATIENCE;
  while (!isSo()) {
    if (state.status !== undefined || Date.now() > end) throw new Error(complaint(state, output));
    await pause(5);
  }
}

function complaint({ command, output, status }, expected) {
  const state = status === undefined ? "goes on" : `ended with ${status}`;
  const wish = expected ? `\n--- expected:\n${expected.join("\n")}` : "";
  return `$ ${command}\n--- ${state}, and said:\n${output}${wish}`;
}

async function listening(port, state) {
  let isOpen = false;
  const look = async () => {
    while (!isOpen && state.status === undefined) {
      const socket = connect(Number(port), "127.0.0.1");
      isOpen = await once(socket, "connect").then(() => true, () => false);
      socket.destroy();
      await pause(10);
    }
  };
  await Promise.race([look(), pause(PATIENCE)]);
  if (!isOpen) throw new Error(complaint(state));
}

/** A free port for each of those of the examples. */
async function freePorts() {
  const servers = PORTS.map(() => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return Object.fromEntries(PORTS.map((port, index) => [port, ports[index]]));
}
