// One channel, one connection: the name of an event says what it is about.
const CHANNEL = "/_savecast/channels/notifications";
const KEEP = 20;

const [state, count, list, commands] = ["state", "count", "list", "commands"].map((id) => document.getElementById(id));

const source = new EventSource(CHANNEL);
source.addEventListener("count", ({ data }) => showCount(data.trim()));
source.addEventListener("push", ({ data }) => showPush(data));
// Told after a long time without a connection, or when the server was started again.
source.addEventListener("gap", () => showPush('{"title": "Some notifications may be missing"}'));
source.addEventListener("end", () => {
  source.close(); // Or the browser would knock at a closed door twice a second.
  showState("closed", "the server has stopped");
});
source.addEventListener("open", () => showState("open", "listening"));
source.addEventListener("error", () => showState("closed", "connecting again"));

function showState(name, words) {
  state.className = `state ${name}`;
  state.textContent = words;
}

function showCount(number) {
  const isAny = number !== "" && number !== "0";
  count.hidden = !isAny;
  count.textContent = number;
  count.setAttribute("aria-label", `${number} unread`);
  document.title = isAny ? `(${number}) Notifications` : "Notifications";
}

function showPush(data) {
  const { title, text } = read(data);
  const item = document.createElement("li");
  const time = new Date();
  item.append(element("b", title), element("time", time.toLocaleTimeString()), element("p", text));
  item.querySelector("time").dateTime = time.toISOString();
  list.prepend(item);
  while (list.children.length > KEEP) list.lastElementChild.remove();
}

/** Anybody on this machine may publish, and anything: what is not as agreed is shown as it is. */
function read(data) {
  try {
    const { title = "Notification", text = "" } = JSON.parse(data);
    return { title, text };
  } catch {
    return { title: "Notification", text: data };
  }
}

/** What comes from elsewhere is text, and never HTML. */
function element(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

const url = new URL(CHANNEL, location.origin);
commands.textContent = `channel=${url}
curl -d 3 "$channel?event=count"
curl -d '{"title": "Build", "text": "All tests pass"}' "$channel?event=push"`;
