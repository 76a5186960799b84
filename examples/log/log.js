// Each line that is appended to the file is one event.
const KEEP = 1000;
const LINE = /^(\S+)\s+(INFO|WARN|ERROR)\s+(.*)$/;

const [log, filter, state] = ["log", "filter", "state"].map((id) => document.getElementById(id));

/** Lines that have come and are not shown yet. */
const waiting = [];

const source = new EventSource("app.log?as=lines&last=200");
source.addEventListener("message", ({ data }) => {
  showState("open", "following");
  add(lineOf(data));
});
// Emptied, or replaced by another file. What was read of the old one stays.
source.addEventListener("reset", () => add(noteOf("the file begins anew")));
source.addEventListener("removed", () => {
  showState("closed", "waiting for app.log: run producer.py");
  if (log.hasChildNodes() || waiting.length > 0) add(noteOf("the file is gone"));
});
source.addEventListener("open", () => showState("open", "following"));
source.addEventListener("error", () => showState("closed", "connecting again"));
source.addEventListener("end", () => {
  source.close();
  showState("closed", "the server has stopped");
});

filter.addEventListener("change", () => atEnd(() => (log.dataset.show = filter.elements.level.value)));

function showState(name, words) {
  if (state.textContent === words) return;
  state.className = `state ${name}`;
  state.textContent = words;
}

/** Everything that comes between two frames is shown at once: many lines are then no more work than one. */
function add(row) {
  if (waiting.push(row) === 1) requestAnimationFrame(() => atEnd(show));
  if (waiting.length > KEEP) waiting.shift(); // No frames come while the page is hidden.
}

function show() {
  log.append(...waiting.splice(0));
  while (log.childElementCount > KEEP) log.firstElementChild.remove();
}

/** Changes what is shown, and stays at the end if the reader is there. Who has scrolled up to read is left alone. */
function atEnd(change) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 4;
  change();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function lineOf(text) {
  const row = document.createElement("p");
  const [, time, level, words] = LINE.exec(text) ?? [];
  if (level) {
    row.dataset.level = level.toLowerCase();
    row.append(element("time", time), " ", element("b", level), " ", element("span", words));
  } else {
    row.textContent = text; // Not of our producer, and shown as it is.
  }
  return row;
}

function noteOf(words) {
  const row = element("p", words);
  row.className = "note";
  return row;
}

/** What is in a log may come from anybody: it is text, and never HTML. */
function element(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
