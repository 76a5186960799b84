// Files and channels, as clients hear them that are not ours.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, stat } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { EventSource } from "eventsource";
import { createParser } from "eventsource-parser";
import jsonPatch from "fast-json-patch";
import WebSocket from "ws";

import { eventually, openBrowser, repository, serve, siteWith, streams } from "./support.mjs";

/** Exact versions, as in package.json. */
const PYTHON_PACKAGES = ["httpx==0.28.1", "httpx-sse==0.4.3", "requests==2.34.2", "sseclient-py==1.9.0"];

const timeout = 60_000;

// Clients. Each is a function that opens a URL and gives another one, which gives all events so far: {event, data, id}.

/** Hears all names with anything that is like the browsers' EventSource. Runs in Node and in pages. */
function hear(source, events) {
  for (const event of ["message", "problem", "removed", "end", "patch", "count", "gap"]) {
    source.addEventListener(event, ({ data, lastEventId }) => events.push({ event, data, id: lastEventId }));
  }
  return source;
}

/** Hears with anything that is like the browsers' WebSocket, which does not connect again by itself. Gives a function that
 * ends it. Runs in Node and in pages. */
function converse(Socket, url, events) {
  let socket, last, isOver = false;
  const connect = () => {
    if (isOver) return;
    const address = new URL(url.replace(/^http/, "ws"));
    if (last) address.searchParams.set("last-event-id", last);
    socket = new Socket(address.href);
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      last = event.id || last;
      events.push(event);
    };
    socket.onerror = () => {};
    socket.onclose = () => setTimeout(connect, 50);
  };
  connect();
  return () => ((isOver = true), socket.close());
}

function npmEventSource(test, url) {
  const events = [];
  const source = hear(new EventSource(url), events);
  test.after(() => source.close());
  return () => events;
}

function ws(test, url) {
  const events = [];
  test.after(converse(WebSocket, url, events));
  return () => events;
}

function curl(test, url) {
  const events = [];
  let child, last, isOver = false;
  const connect = () => {
    if (isOver) return;
    const id = last ? ["-H", `Last-Event-ID: ${last}`] : [];
    const args = ["-N", "--silent", "--noproxy", "*", "-H", "Accept: text/event-stream", ...id, url];
    child = spawn("curl", args, { stdio: ["ignore", "pipe", "inherit"] });
    const onEvent = ({ id, event = "message", data }) => events.push({ event, data, id: (last = id ?? last) });
    const parser = createParser({ onEvent });
    child.stdout.setEncoding("utf8").on("data", (text) => parser.feed(text));
    child.once("close", () => setTimeout(connect, 50));
  };
  connect();
  test.after(() => ((isOver = true), child.kill()));
  return () => events;
}

/** One of Python's, in a process of its own. */
const python = (program, client) => (test, url) => {
  const args = [path.join(repository, "tests/clients.py"), client, url];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  test.after(() => child.kill());
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more) => (text += more));
  return () => text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
};

/** One of those of the page below. */
const inPage = (page, client) => async (test, url) => {
  if ((await page.run(() => location.origin)) !== new URL(url).origin) await page.open(new URL("/page.html", url).href);
  const number = await page.run((client, url) => open[client](url), client, url);
  return () => page.run((number) => heard[number], number);
};

/** A page with clients. The packages are as they were published, and the map finds what they import. */
const PAGE = `<!doctype html>
<meta name="savecast" content="off">
<script type="importmap">{"imports": {"/fetch/fetch": "/fetch/fetch.js", "/fetch/parse": "/fetch/parse.js"}}</script>
<script type="module">
  import { fetchEventSource } from "/fetch/index.js";
  import ReconnectingEventSource from "/reconnecting/reconnecting-eventsource.js";
  ${hear}
  ${converse}
  const opened = (start) => (url) => {
    const events = [];
    start(url, events);
    return heard.push(events) - 1;
  };
  window.heard = [];
  window.open = {
    EventSource: opened((url, events) => hear(new EventSource(url), events)),
    ReconnectingEventSource: opened((url, events) => hear(new ReconnectingEventSource(url), events)),
    WebSocket: opened((url, events) => converse(WebSocket, url, events)),
    fetchEventSource: opened((url, events) => fetchEventSource(url, {
      // Which would publish to a channel.
      method: url.includes("/channels/") ? "GET" : "POST",
      openWhenHidden: true,
      // What isn't an event, such as the time to wait, comes as one without data.
      onmessage: ({ id, event, data }) => data && events.push({ event: event || "message", data, id }),
      // Connects again only if this is an error.
      onclose: () => { throw new Error("closed"); },
    })),
  };
</script>`;

async function siteWithPage(test, files) {
  const site = await siteWith(test, { ...files, "page.html": PAGE });
  const copy = (from, to) =>
    cp(path.join(repository, "tests/node_modules", from), path.join(site.root, to), { recursive: true });
  await copy("@microsoft/fetch-event-source/lib/esm", "fetch");
  await copy("reconnecting-eventsource/build/esm", "reconnecting");
  return site;
}

/** Python with its clients, or why there is none. It is made while the other tests run. */
const environment = (async () => {
  const root = await mkdtemp(path.join(tmpdir(), "savecast-python-"));
  after(() => rm(root, { recursive: true, force: true }));
  const run = promisify(execFile), program = path.join(root, "bin/python");
  try {
    await run("python3", ["-m", "venv", root]);
    await run(program, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PYTHON_PACKAGES], { timeout });
    return { program };
  } catch (error) {
    return { missing: `no virtual environment (python3-venv) with ${PYTHON_PACKAGES.join(", ")}: ${error.message}` };
  }
})();

// Ways to the server.

/** One that can be cut, as networks do it, and that carries what the server says in crumbs, so that frames and characters
 * come apart. */
async function wayTo(test, to) {
  const sockets = new Set();
  let isCut = false;
  const crumbs = async function* (source) {
    for await (const chunk of source) {
      const size = Math.ceil(chunk.length / 500);
      for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
    }
  };
  const way = net.createServer({ noDelay: true }, (client) => {
    if (isCut) return client.destroy();
    const server = net.connect(to);
    for (const socket of [client, server]) sockets.add(socket.once("close", () => sockets.delete(socket)));
    pipeline(client, server, crumbs, client, () => {});
  });
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  test.after(() => (cut(), way.close()));
  await once(way.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${way.address().port}`, cut, mend: () => (isCut = false) };
}

const toServer = (server) => ({ host: "127.0.0.1", port: server.port });

const isHeard = (server, listeners = 1) => eventually(() => streams(server), (count) => count === listeners, "streams");

async function publish(server, name, data, event) {
  const url = `${server.url}/_savecast/channels/${name}${event ? `?event=${encodeURIComponent(event)}` : ""}`;
  const response = await fetch(url, { method: "POST", body: data, duplex: "half" });
  assert.equal(response.status, 200);
  return response.json();
}

/** Waits for as many events as are expected, and compares all since the start, so that one too many is seen, too. */
function expectOf(client) {
  const all = [];
  return async (...expected) => {
    all.push(...expected);
    const events = await eventually(client, (events) => events.length >= all.length);
    assert.deepEqual(events.map(words), all);
    return events.at(-1);
  };
}

function words({ event, data }) {
  if (!["problem", "removed"].includes(event)) return `${event} ${data}`;
  const { path, message, line, column, ...rest } = JSON.parse(data);
  assert.deepEqual([rest, typeof message], [{}, event === "problem" ? "string" : "undefined"]);
  return event === "problem" ? `${event} ${path} ${line}:${column}` : `${event} ${path}`;
}

// What every client is told.

async function ofAFile(test, open) {
  const site = await siteWithPage(test, { "data.json": '{\n  "a": 1.0\n}\n' });
  let server = await serve(test, site);
  const url = `${server.url}/data.json`;
  const expect = expectOf(await open(test, url));
  const { id } = await expect('message {"a":1.0}');
  assert.equal(`"${id}"`, (await fetch(url, { method: "HEAD" })).headers.get("etag"));
  await site.write("data.json", "[1]");
  await expect("message [1]");
  await site.write("data.json", '{"a":1');
  await expect("problem /data.json 1:1");
  await site.remove("data.json");
  await expect("removed /data.json");
  await site.replace("data.json", '"ä\u2028😀"');
  await expect('message "ä\u2028😀"');

  await server.stop();
  await expect("end Connection closed");
  server = await serve(test, site, server.port);
  await isHeard(server);
  // The one before is not told again.
  await site.replace("data.json", "[2]");
  await expect("message [2]");

  await server.stop();
  await expect("end Connection closed");
  await site.replace("data.json", "[3]");
  await serve(test, site, server.port);
  await expect("message [3]");
}

async function ofAChannel(test, open) {
  const site = await siteWithPage(test, {});
  let server = await serve(test, site);
  const way = await wayTo(test, toServer(server));
  const expect = expectOf(await open(test, `${way.url}/_savecast/channels/users/42`));
  await isHeard(server);
  const say = (data, event) => publish(server, "users/42", data, event);
  const { id, listeners } = await say("1", "count");
  assert.deepEqual([(await expect("count 1")).id, 1], [id, listeners]);
  await say("2\n\n two\n", "count");
  await say("hello");
  await expect("count 2\n\n two\n", "message hello");

  // What was said while the line was dead is told later, and once.
  way.cut();
  await isHeard(server, 0);
  await say("3", "count");
  const last = await say("4\n5");
  way.mend();
  assert.equal((await expect("count 3", "message 4\n5")).id, last.id);

  // A server that is new has forgotten, and says so.
  await server.stop();
  await expect("end Connection closed");
  server = await serve(test, site, server.port);
  await expect("gap Some events are forgotten");
  await say("6", "count");
  await expect("count 6");
}

async function both(test, name, open) {
  await test.test(`${name}: a file`, { timeout }, (test) => ofAFile(test, open));
  await test.test(`${name}: a channel`, { timeout }, (test) => ofAChannel(test, open));
}

test("clients of Node, and curl", { concurrency: true }, async (test) => {
  const clients = { eventsource: npmEventSource, ws, curl };
  await Promise.all(Object.entries(clients).map(([name, open]) => both(test, name, open)));
});

test("clients in Chromium", async (test) => {
  const page = await openBrowser(test);
  for (const name of ["EventSource", "WebSocket", "ReconnectingEventSource", "fetchEventSource"]) {
    await both(test, name, inPage(page, name));
  }
});

test("clients of Python", async (test) => {
  const { program, missing } = await environment;
  if (missing) return test.skip(missing);
  for (const name of ["sseclient-py", "httpx-sse"]) await both(test, name, python(program, name));
});

test("a WebSocket is told that the server goes away", { timeout }, async (test) => {
  const server = await serve(test, await siteWith(test, { "a.txt": "a" }));
  const places = ["/a.txt", "/_savecast/channels/a"];
  const ends = places.map((place) => once(new WebSocket(server.url.replace("http", "ws") + place), "close"));
  await isHeard(server, 2);
  await server.stop();
  for (const [code] of await Promise.all(ends)) assert.equal(code, 1001);
});

/** What has confused parsers or writers of streams before. */
const TEXTS = Object.entries({
  "one line": "a",
  "a line end at the end": "a\n",
  "nothing": "",
  "a line end": "\n",
  "only line ends": "\n\n\n",
  "CR": "a\rb",
  "CRLF": "a\r\nb\r\n",
  "line ends of all kinds": "\ra\r\n\rb\n\r\nc\n\n\r\rd\r",
  "a byte order mark": "\ufeffa",
  "two byte order marks, and one inside": "\ufeff\ufeffa\n\ufeffb",
  "spaces at the start": " a\n  b\n\tc\n \nd",
  "only a space": " ",
  "fields": "data\ndata:\ndata: a\nid: 1\nid\nevent: x\nretry: 1\nretry: x\n\ndata: b\n\n",
  "colons": ":\n::\n: comment\na: b:c\n:data: d",
  "NUL": "a\0b\n\0\nid: \0",
  "control characters": "\x01\x0b\x0c\x1b\x7f\x85",
  "separators that are no line ends": "a\u2028b\u2029c\x1cd\x1ee",
  "all lengths of UTF-8": "aé\u07ff\u0800ह\uffff😀\u{10ffff}",
  "families": "👨‍👩‍👧‍👦🏳️‍🌈e\u0301".repeat(20),
  "a long line": "é".repeat(100_000),
  "many lines": "a\n".repeat(20_000),
  "what looks like the end of a body": "0\r\n\r\n",
});

test("any text arrives as it is, with LF for each line end", { timeout }, async (test) => {
  const site = await siteWithPage(test, { "a.txt": "start" });
  const server = await serve(test, site);
  const way = await wayTo(test, toServer(server));
  const { program } = await environment;
  // Not fetchEventSource, which loses an empty line at the start, and byte order marks.
  const clients = {
    eventsource: npmEventSource, ws, curl, Chromium: inPage(await openBrowser(test), "EventSource"),
    ...(program && { "sseclient-py": python(program, "sseclient-py"), "httpx-sse": python(program, "httpx-sse") }),
  };
  const open = (url) =>
    Promise.all(Object.entries(clients).map(async ([name, open]) => [name, await open(test, way.url + url)]));
  const [ofFile, ofChannel] = [await open("/a.txt"), await open("/_savecast/channels/a")];
  await isHeard(server, 2 * ofFile.length);
  const withLineFeeds = (text) => text.replace(/\r\n?/g, "\n");
  const wrong = [];
  const compare = async (listeners, number, what, expected) => {
    for (const [client, events] of listeners) {
      const { data } = (await eventually(events, (events) => events.length > number)).at(number);
      if (data !== expected) wrong.push({ what, client, data: data.slice(0, 100), expected: expected.slice(0, 100) });
    }
  };
  for (const [number, [what, text]] of TEXTS.entries()) {
    await publish(server, "a", text);
    await compare(ofChannel, number, `channel: ${what}`, withLineFeeds(text));
    await site.replace("a.txt", text);
    // The contents at the start were the first event.
    await compare(ofFile, number + 1, `file: ${what}`, withLineFeeds(text.replace(/^\ufeff/, "")));
  }
  // A body in pieces, with the characters apart.
  const body = ReadableStream.from((async function* () {
    for (const byte of Buffer.from("é😀")) yield Uint8Array.of(byte);
  })());
  await publish(server, "a", body);
  await compare(ofChannel, TEXTS.length, "channel: a body in pieces", "é😀");
  assert.deepEqual(wrong.filter(({ client }) => client !== "ws"), []);
  await test.test("a WebSocket has the text of a stream", () => assert.deepEqual(wrong, []));
});

test("events may have any name", { timeout }, async (test) => {
  const server = await serve(test, await siteWith(test, {}));
  const source = new EventSource(`${server.url}/_savecast/channels/a`);
  test.after(() => source.close());
  const names = [" a b ", ":", "data: a", "é\u2028😀", "message", "x".repeat(100)];
  const heard = [];
  for (const name of names) source.addEventListener(name, ({ type, data }) => heard.push([type, data]));
  await isHeard(server);
  for (const name of names) await publish(server, "a", name, name);
  await eventually(() => heard, (heard) => heard.length === names.length);
  assert.deepEqual(heard, names.map((name) => [name, name]));
});

test("one value is followed alone", { timeout }, async (test) => {
  const site = await siteWith(test, { "data.json": '{"a":{"/":[1]}}' });
  const server = await serve(test, site);
  for (const open of [npmEventSource, ws]) {
    await site.replace("data.json", '{"a":{"/":[1]}}');
    const expect = expectOf(open(test, `${server.url}/data.json?at=/a/~1/0`));
    await expect("message 1");
    await site.replace("data.json", '{"a":{"/":[1,2]}}');
    await site.replace("data.json", '{"a":{"/":[{ "b": 2.0 }]}}');
    await expect('message {"b":2.0}');
    await site.replace("data.json", '{"a":{}}');
    await expect("removed /data.json");
    await site.replace("data.json", '{"a":{"/":[3]}}');
    await expect("message 3");
  }
});

/** The same numbers between 0 and 1 every time (mulberry32). */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("patches make the document", { timeout }, async (test) => {
  const random = numbers(42);
  const below = (limit) => Math.floor(random() * limit);
  const oneOf = (list) => list[below(list.length)];
  const key = () => oneOf(["a", "b", "", "0", "-", "a/b", "~", "~1", "é😀", '"\\', "a b%20"]);
  const value = (depth) => {
    const kind = below(depth > 0 ? 8 : 5);
    if (kind < 5) return [null, random() < 0.5, below(100) - 50, random() * 1e6, key()][kind];
    const list = Array.from({ length: below(6) }, () => value(depth - 1));
    return kind < 7 ? Object.fromEntries(list.map((value) => [key(), value])) : list;
  };
  /** Another value, which is the old one for the most part. */
  const edit = (old, chance = 0.1) => {
    if (old === null || typeof old !== "object" || random() < chance) return value(2);
    if (Array.isArray(old)) {
      const list = [...old];
      const at = below(list.length + 1), isIn = at < list.length;
      [() => list.splice(at, 0, value(2)), () => list.splice(at, 1), () => isIn && (list[at] = edit(list[at])),
        () => list.reverse()][below(4)]();
      return list;
    }
    const at = oneOf(Object.keys(old)) ?? key();
    if (random() < 0.2) return Object.fromEntries(Object.entries(old).filter(([key]) => key !== at));
    return random() < 0.3 ? { ...old, [key()]: value(2) } : { ...old, [at]: edit(old[at] ?? null) };
  };

  const another = () => Array.from({ length: 12 }, () => value(3));

  let document = another();
  const site = await siteWith(test, { "data.json": JSON.stringify(document) });
  const server = await serve(test, site);
  const way = await wayTo(test, toServer(server));
  const clients = [npmEventSource, ws].map((open) => ({ events: open(test, `${way.url}/data.json?as=patch`) }));
  const count = { message: 0, patch: 0 };
  for (let round = 0; round < 200; round++) {
    const text = JSON.stringify(document);
    for (const client of clients) {
      const all = await eventually(client.events, (events) => events.length > round, `the events before round ${round}`);
      assert.equal(all.length, round + 1);
      const { event, data } = all[round];
      count[event]++;
      if (event === "patch") assert.ok(Buffer.byteLength(data) < Buffer.byteLength(text), `${data} is longer than ${text}`);
      const patched = (before, patch) => jsonPatch.applyPatch(structuredClone(before), patch, true).newDocument;
      client.has = event === "patch" ? patched(client.has, JSON.parse(data)) : JSON.parse(data);
      assert.deepEqual(client.has, document, `round ${round}: ${event} ${data}`);
    }
    do document = random() < 0.03 ? another() : edit(document, 0.01); while (JSON.stringify(document) === text);
    // Who comes back is told how it is now.
    if (round % 60 === 59) way.cut();
    await site.replace("data.json", JSON.stringify(document, null, below(3)));
    way.mend();
  }
  assert.ok(count.message > 20 && count.patch > 200, JSON.stringify(count));
});

test("events are not held back by nginx", { timeout }, async (test) => {
  const site = await siteWith(test, { "data.json": "[0]" });
  const server = await serve(test, site);
  // Ends before its folder goes.
  let stop;
  test.after(() => stop?.());
  const { root, write } = await siteWith(test, {});
  // Sockets that are files, because nginx can't look for a free port. It speaks HTTP/1.0 to servers unless told otherwise.
  const ways = [
    { path: path.join(root, "default"), set: "" },
    { path: path.join(root, "1.1"), set: "proxy_http_version 1.1;" },
  ];
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = kinds.map((kind) => `${kind}_temp_path ${root}/${kind};`);
  const servers = ways.map(({ path, set }) => `
    server { listen unix:${path}; location / { proxy_pass ${server.url}; ${set} } }`);
  await write("nginx.conf", `
    daemon off; master_process off; pid ${root}/pid;
    events {}
    http { access_log off; ${temporary.join(" ")} ${servers.join(" ")} }
  `);
  // Debian has it where only root looks.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const args = ["-e", "stderr", "-c", path.join(root, "nginx.conf")];
  const nginx = spawn("nginx", args, { env, stdio: ["ignore", "ignore", "inherit"] });
  try {
    await once(nginx, "spawn");
  } catch (error) {
    return test.skip(`no nginx: ${error.message}`);
  }
  const end = once(nginx, "exit");
  stop = () => (nginx.kill(), end);
  await eventually(() => Promise.all(ways.map(({ path }) => stat(path).catch(() => null))), (found) => found.every(Boolean));
  for (const to of ways) {
    const way = await wayTo(test, to);
    await site.replace("data.json", "[0]");
    const ofFile = expectOf(npmEventSource(test, `${way.url}/data.json`));
    const ofChannel = expectOf(npmEventSource(test, `${way.url}/_savecast/channels/a`));
    await ofFile("message [0]");
    await isHeard(server, 2);
    for (const number of [1, 2, 3]) {
      await site.replace("data.json", `[${number}]`);
      await ofFile(`message [${number}]`);
      await publish(server, "a", `${number}`, "count");
      await ofChannel(`count ${number}`);
    }
    way.cut();
    await isHeard(server, 0);
  }
});
