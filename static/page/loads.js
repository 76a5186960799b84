// Which versions were loaded of what another server answers. Our server knows that when all of it has passed.
// @ts-check

import { OURS } from "../paths.js";

/** How long loads are collected, in milliseconds. */
const COLLECT = 10;

/** How many are asked for at once. */
const LOADS = 1000;

/** @type {Map<string, ((version: string | null) => void)[]>} who waits for what */
let waiting = new Map();

/**
 * @param {string} load what our server calls it
 * @returns {Promise<string | null>} null if nobody knows
 */
export function versionOf(load) {
  return new Promise((resolve) => {
    if (waiting.size === 0) setTimeout(ask, COLLECT);
    waiting.set(load, [...(waiting.get(load) ?? []), resolve]);
    if (waiting.size >= LOADS) ask();
  });
}

async function ask() {
  const asked = waiting;
  if (asked.size === 0) return;
  waiting = new Map();
  /** @type {(string | null)[]} */
  let versions = [];
  try {
    const response = await fetch(new URL("loaded", OURS), { method: "POST", body: JSON.stringify([...asked.keys()]), cache: "no-store" });
    versions = response.ok ? await response.json() : [];
  } catch {
    // Our server is away, and will say what has changed when it is back.
  }
  [...asked.values()].forEach((resolves, at) => resolves.forEach((resolve) => resolve(versions[at] ?? null)));
}
