// Follows one file in four ways at once, for as long as a measurement takes, and counts what each of them costs.
const FILE = new URL("data.json", location.href);
const SECONDS = 30, POLL = 1000;
const WIDTH = 300, HEIGHT = 90;

const [state, cards, rows, again, copy, copied] = ["state", "cards", "rows", "again", "copy", "copied"].map((id) =>
  document.getElementById(id));

// This page fetches the file itself. Without a word, savecast would load the page again whenever that file is saved.
addEventListener("savecast:change", (event) => {
  if (event.detail.path === FILE.pathname) event.preventDefault();
});

const TRANSPORTS = [
  { name: "Short polling", how: "fetch(url) once a second", start: shortPolling },
  { name: "Long polling", how: "fetch(url) with If-None-Match and Prefer: wait=30", start: longPolling },
  { name: "Server-sent events", how: "new EventSource(url)", start: serverSentEvents },
  { name: "WebSocket", how: "new WebSocket(url)", start: webSocket },
];

async function shortPolling(meter, signal) {
  while (!signal.aborted) {
    meter.requests += 1;
    // With no-store, because a browser makes requests for the same place in its cache wait for each other.
    const response = await fetch(FILE, { cache: "no-store", signal });
    const text = await response.text();
    if (response.ok) meter.take(text);
    await pause(POLL);
  }
}

async function longPolling(meter, signal) {
  let version;
  while (!signal.aborted) {
    meter.requests += 1;
    // Held by the server until the file has another version, for 30 seconds at most.
    const headers = version ? { "If-None-Match": version, Prefer: "wait=30" } : {};
    const response = await fetch(FILE, { headers, cache: "no-store", signal });
    const text = await response.text();
    version = response.headers.get("ETag");
    if (response.ok) meter.take(text);
    else if (response.status !== 304) await pause(POLL);
  }
}

function serverSentEvents(meter, signal) {
  meter.requests += 1;
  const source = new EventSource(FILE);
  source.addEventListener("message", ({ data }) => meter.take(data));
  signal.addEventListener("abort", () => source.close());
  return new Promise((resolve, reject) => {
    source.addEventListener("end", () => reject(new Error("the server has stopped")));
  });
}

function webSocket(meter, signal) {
  meter.requests += 1;
  const socket = new WebSocket(FILE.href.replace(/^http/, "ws"));
  socket.addEventListener("message", ({ data: message }) => {
    const { event, data } = JSON.parse(message);
    if (event === "message") meter.take(data, message);
  });
  // Unlike an EventSource, it would not connect again by itself. Here, a measurement simply ends.
  signal.addEventListener("abort", () => socket.close());
}

/** What one transport has cost and brought. */
class Meter {
  requests = 0;
  bytes = 0;
  missed = 0;
  last = undefined;
  /** @type {{ at: number, delay: number }[]} */
  seen = [];

  constructor(begin) {
    this.begin = begin;
  }

  /** The document, and what was sent for it: a body or a message, without headers and frames. */
  take(text, sent = text) {
    const now = Date.now();
    this.bytes += new TextEncoder().encode(sent).length;
    const { n, sent: saved } = JSON.parse(text);
    if (n === this.last) return;
    // The first one was there before, so its age says nothing.
    if (this.last !== undefined) {
      this.missed += Math.max(0, n - this.last - 1);
      this.seen.push({ at: now - this.begin, delay: now - saved });
    }
    this.last = n;
  }

  get row() {
    const delays = this.seen.map(({ delay }) => delay).sort((a, b) => a - b);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    return [this.requests, this.bytes, delays.length, this.missed].map((count) => count.toLocaleString("en"))
      .concat(milliseconds(mean, 1), milliseconds(delays[delays.length >> 1]), milliseconds(delays.at(-1)));
  }
}

const views = TRANSPORTS.map(({ name, how }) => {
  const card = document.importNode(cards.querySelector("template").content, true).firstElementChild;
  card.querySelector("h2").textContent = name;
  card.querySelector(".how").textContent = how;
  card.querySelector("svg").setAttribute("aria-label", `Delay of each update by ${name}`);
  const rules = [10, 100, 1000].map((value) => `M0 ${y(value)}H${WIDTH}`);
  card.querySelector(".grid").setAttribute("d", rules.join(""));
  cards.append(card);
  const row = rows.insertRow();
  const head = row.appendChild(document.createElement("th"));
  head.scope = "row";
  head.textContent = name;
  const cells = Array.from({ length: 7 }, () => row.insertCell());
  return { card, cells };
});

function draw(meters) {
  meters.forEach((meter, index) => {
    const { card, cells } = views[index];
    meter.row.forEach((text, column) => (cells[column].textContent = text));
    card.querySelector("b").textContent = meter.row[4];
    const bars = meter.seen.map(({ at, delay }) => `M${x(at)} ${HEIGHT}V${y(delay)}`);
    card.querySelector(".bars").setAttribute("d", bars.join(""));
  });
}

function x(at) {
  return ((at / SECONDS / 1000) * WIDTH).toFixed(1);
}

/** From less than a millisecond, which still is to be seen, to two seconds. */
function y(delay) {
  const [least, most] = [0.3, 2000].map(Math.log10);
  const part = (Math.log10(Math.min(2000, Math.max(0.5, delay))) - least) / (most - least);
  return (HEIGHT * (1 - part)).toFixed(1);
}

async function measure() {
  again.disabled = true;
  copied.textContent = "";
  await fileIsWritten();
  const begin = Date.now();
  const meters = TRANSPORTS.map(() => new Meter(begin));
  const end = new AbortController();
  TRANSPORTS.forEach(async ({ start }, index) => {
    try {
      await start(meters[index], end.signal);
    } catch (error) {
      if (error.name !== "AbortError") end.abort(); // The server has gone, and so it is over for all.
    }
  });
  for (let left = SECONDS; left > 0 && !end.signal.aborted; left = SECONDS - (Date.now() - begin) / 1000) {
    showState("open", `measuring, ${Math.ceil(left)} s left`);
    draw(meters);
    await pause(Math.min(250, left * 1000));
  }
  const isComplete = !end.signal.aborted;
  end.abort();
  draw(meters);
  showState(isComplete ? "done" : "closed", isComplete ? `measured for ${SECONDS} s` : "the server has stopped");
  again.disabled = false;
}

/** Resolves when the file is saved for the second time: then there is somebody who writes it. */
function fileIsWritten() {
  showState("closed", "waiting for data.json: run producer.py");
  return new Promise((resolve) => {
    let saves = 0;
    const source = new EventSource(FILE);
    source.addEventListener("message", () => {
      saves += 1;
      if (saves < 2) return;
      source.close();
      resolve();
    });
  });
}

function showState(name, words) {
  if (state.textContent === words) return;
  state.className = `state ${name}`;
  state.textContent = words;
}

function milliseconds(value, digits = 0) {
  return value === undefined || Number.isNaN(value) ? "–" : `${value.toFixed(digits)} ms`;
}

function pause(time) {
  return new Promise((resolve) => setTimeout(resolve, time));
}

function markdown() {
  const table = [...document.querySelectorAll("tr")].map(({ cells }) => [...cells].map((cell) => cell.textContent));
  const [head, ...lines] = table;
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), `|---${"|--:".repeat(head.length - 1)}|`, ...lines.map(line)].join("\n") + "\n";
}

// Browsers give the clipboard to pages of this machine and to those over HTTPS.
copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(markdown());
    copied.textContent = "Copied";
  } catch (error) {
    copied.textContent = `Not copied: ${error.message}`;
  }
});
again.addEventListener("click", measure);
measure();
