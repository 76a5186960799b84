// Each user has a channel: what is posted there reaches the pages of this user, and nobody else.
const channelOf = (user) => `/_savecast/channels/users/${encodeURIComponent(user)}`;

const me = new URLSearchParams(location.search).get("user") || "42";
const [state, list, form, result] = ["state", "list", "form", "result"].map((id) => document.getElementById(id));

document.title = `Comments for user ${me}`;
document.getElementById("user").textContent = me;
form.elements.to.value = me;

const source = new EventSource(channelOf(me));
source.addEventListener("comment", ({ data }) => show(data));
// Told after a long time without a connection, or when the server was started again.
source.addEventListener("gap", () => show('{"text": "Some comments may be missing."}'));
source.addEventListener("end", () => {
  source.close();
  showState("closed", "the server has stopped");
});
source.addEventListener("open", () => showState("open", "listening"));
source.addEventListener("error", () => showState("closed", "connecting again"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const to = form.elements.to.value.trim();
  const text = form.elements.text.value.trim();
  if (!to || !text) return;
  result.textContent = "";
  try {
    const answer = await fetch(`${channelOf(to)}?event=comment`, {
      method: "POST",
      body: JSON.stringify({ from: me, text }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const { listeners } = await answer.json();
    const pages = listeners === 0 ? "no page" : listeners === 1 ? "one page" : `${listeners} pages`;
    result.textContent = `Reached ${pages} of user ${to}.`;
    form.elements.text.value = "";
  } catch (error) {
    result.textContent = `Not posted: ${error.message}`;
  }
});

function showState(name, words) {
  state.className = `state ${name}`;
  state.textContent = words;
}

function show(data) {
  const { from, text } = read(data);
  const item = document.createElement("li");
  const time = new Date();
  item.append(element("b", from), element("time", time.toLocaleTimeString()), element("p", text));
  item.querySelector("time").dateTime = time.toISOString();
  list.prepend(item);
}

/** Anybody on this machine may publish, and anything: what is not as agreed is shown as it is. */
function read(data) {
  try {
    const { from, text = data } = JSON.parse(data);
    return { from: from === undefined ? "" : `User ${from}`, text };
  } catch {
    return { from: "", text: data };
  }
}

/** What comes from others is text, and never HTML. */
function element(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
