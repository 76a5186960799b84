// What scripts of pages import. Its types are in `live.d.ts`.
// @ts-check

export { follow } from "./data/follow.js";
