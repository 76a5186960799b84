// The browser's part that decides, without a browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { effectOf, problemText } from "../../static/page/effects.js";
import { compare } from "../../static/page/varying.js";

const page = { path: "/index.html", stylesheets: new Set(["/style.css"]), pictures: new Set(["/a.png"]) };

for (const [event, path, expected] of [
  ["change", "/style.css", { run: "swapStyle", path: "/style.css", version: "v" }],
  ["change", "/other.css", { run: "reload" }],
  ["change", "/app.js", { run: "reload" }],
  ["change", "/index.html", { run: "morph" }],
  ["change", "/other.html", { run: "reload" }],
  ["change", "/a.png", { run: "showPictures", version: "v" }],
  ["change", "/b.png", { run: "reload" }],
  ["removed", "/a.png", { run: "nothing" }],
  ["removed", "/index.html", { run: "nothing" }],
  ["problem", "/data.json", { run: "report", message: "/data.json:1:2: no" }],
  ["of a newer server", "/style.css", { run: "reload" }],
]) {
  test(`${event} ${path} → ${expected.run}`, () => {
    assert.deepEqual(effectOf({ event, path, version: "v", message: "no", line: 1, column: 2 }, page), expected);
  });
}

test("a problem may have no place", () => {
  assert.equal(problemText({ path: "/a", message: "no", line: null, column: null }), "/a: no");
});

// The server compares what it has asked for in the same way.
for (const { before, now, again, outcome } of JSON.parse(readFileSync(new URL("../varying.json", import.meta.url)))) {
  test(`${before.slice(0, 60)} → ${now.slice(0, 60)}: ${outcome}`, () => {
    assert.equal(compare(before, now, again), outcome);
  });
}
