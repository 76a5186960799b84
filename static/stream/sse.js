// Server-sent events, as our server writes them: bytes → events.
// @ts-check

/** @typedef {import("../protocol.js").StreamEvent} StreamEvent */

/** A stream that is silent for this long is dead, in milliseconds: the server says something every 15 seconds. */
const SILENCE = 40_000;

/**
 * Only what our server sends needs to be understood: each event has at most one line of data.
 * @param {ReadableStream<Uint8Array>} body
 * @param {AbortController} stream is aborted when it is dead
 * @returns {AsyncGenerator<StreamEvent>}
 */
export async function* eventsIn(body, stream) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    // After a suspend, or when the network has changed, nobody says that the other end is gone.
    const watch = setTimeout(() => stream.abort(), SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(watch));
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      const frame = rest.slice(0, end).split("\n");
      const field = (/** @type {string} */ name) => frame.find((line) => line.startsWith(name))?.slice(name.length);
      const data = field("data: ");
      if (data?.startsWith("{")) yield parsed(field("event: ") ?? "message", data);
    }
  }
}

/**
 * @param {string} event
 * @param {string} data what our server has written; every browser has a depth that it does not parse
 * @returns {StreamEvent}
 */
function parsed(event, data) {
  try {
    return { event, ...JSON.parse(data) };
  } catch {
    const [, path = '""', version = ""] = /^\{"path":("(?:[^"\\]|\\.)*"),"version":"(\w+)"/.exec(data) ?? [];
    return tooDeep({ path: JSON.parse(path), version });
  }
}

/**
 * What is told of a document that a browser can't take, because it has a limit to how deep it may be.
 * @param {{ path: string, version: string }} update
 * @returns {import("../protocol.js").Update}
 */
export function tooDeep({ path, version }) {
  return { event: "problem", path, version, message: "nested too deep to be shown", line: null, column: null };
}
