// Records animation.gif from the real thing: an editor that is drawn, files that are saved, and the page that savecast serves, in
// headless Chromium. Needs ffmpeg and gifsicle. Run it with `node docs/animation/record.mjs`, after `cargo build`.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { eventually, openBrowser, serve, siteWith } from "../../tests/browser/support.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
const closing = [];
const test = { after: (close) => closing.push(close) };

const FILES = {
  "index.html": `<!doctype html>
<link rel="stylesheet" href="style.css">
<h1>Coffee prices</h1>
<p>Kenya: <b data-live="/data.json#/kenya"></b> €</p>
<p>Brazil: <b data-live="/data.json#/brazil"></b> €</p>
<p><input placeholder="Your order"></p>
`,
  "style.css": `body {
  margin: 2rem;
  font: 18px/1.6 DejaVu Sans;
}
h1 {
  color: #1d2433;
}
b { color: #1f5fd0 }
input { font: inherit }
`,
  "data.json": `{
  "kenya": 8.25,
  "brazil": 6.25
}
`,
};

/** What is typed where, and what is said of it. */
const SCENES = [
  { file: "index.html", from: "Coffee prices", to: "Coffee of the day", caption: "Save a page: it changes in place, and keeps what you typed" },
  { file: "style.css", from: "#1d2433", to: "#b4532a", caption: "Save a stylesheet: it is swapped without a flash" },
  { file: "data.json", from: "8.25", to: "9.75", caption: "Save data: the page shows it, at once" },
  { file: "data.json", from: "9.75", to: "9.75,,", caption: "Save a broken file: you see where, and nothing is lost" },
  { file: "data.json", from: "9.75,,", to: "9.85", caption: "Save it again: all is well" },
];

const page = await openBrowser(test);
const site = await siteWith(test, FILES);
const server = await serve(test, site, 0, ["--mount", `/stage=${here}`, "--quiet"]);
const frames = await mkdtemp(path.join(tmpdir(), "savecast-frames-"));
test.after(() => rm(frames, { recursive: true, force: true }));
const shots = [];

/** Takes pictures for so long, in milliseconds. */
async function watch(time) {
  for (const end = Date.now() + time; Date.now() < end; ) {
    const at = Date.now();
    shots.push({ at, png: Buffer.from(await page.screenshot(), "base64") });
    await pause(Math.max(0, 60 - (Date.now() - at)));
  }
}

await page.resize(1000, 520);
await page.open(`${server.url}/stage/stage.html`);
await eventually(() => page.run(() => document.querySelector("iframe").contentDocument?.querySelector("b")?.textContent), (text) => text === "8.25");
await page.run(() => document.fonts.ready.then(() => true));
await page.run(() => {
  const input = document.querySelector("iframe").contentDocument.querySelector("input");
  input.value = "2 bags, please";
  input.dispatchEvent(new Event("input", { bubbles: true }));
});
for (const { file, from, to, caption } of SCENES) {
  const text = await readFile(path.join(site.root, file), "utf8");
  const [before, after] = [text.slice(0, text.indexOf(from)), text.slice(text.indexOf(from) + from.length)];
  const common = [...from].findIndex((letter, at) => letter !== to[at]);
  const kept = common < 0 ? from.length : common;
  await page.run((...what) => window.show(...what), file, before, from, after, caption);
  await watch(900);
  for (let length = kept; length <= to.length; length++) {
    await page.run((...what) => window.show(...what), file, before, to.slice(0, length), after, caption);
    await watch(70);
  }
  await watch(250);
  await site.write(file, before + to + after);
  await page.run(() => window.saved(true));
  await watch(2200);
  await page.run(() => window.saved(false));
}
// Each picture stays as long as it was there, and those that are the same are one.
const list = [];
for (const [number, { at, png }] of shots.entries()) {
  const next = shots[number + 1]?.at ?? at + 1000;
  const last = list.at(-1);
  if (last?.png.equals(png)) last.time += next - at;
  else list.push({ png, time: next - at, name: path.join(frames, `${number}.png`) });
}
for (const { name, png } of list) await writeFile(name, png);
const lines = list.flatMap(({ name, time }) => [`file '${name}'`, `duration ${(time / 1000).toFixed(3)}`]);
await writeFile(path.join(frames, "list"), [...lines, `file '${list.at(-1).name}'`].join("\n"));
const gif = path.join(here, "../animation.gif");
const colours = "[0:v]fps=12,split[a][b];[a]palettegen=max_colors=96:stats_mode=diff[p];[b][p]paletteuse=dither=none:diff_mode=rectangle";
await run("ffmpeg", ["-y", "-loglevel", "error", "-f", "concat", "-safe", "0", "-i", path.join(frames, "list"), "-filter_complex", colours, gif]);
await run("gifsicle", ["-O3", "--batch", gif]);
console.log(`${list.length} pictures, ${(await stat(gif)).size} bytes`);
for (const close of closing.reverse()) await close();
