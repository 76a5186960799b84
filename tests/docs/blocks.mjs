// Markdown → its fenced blocks, each with what comments beside it say of how it is run.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { repository } from "../browser/support.mjs";

/**
 * A fenced block.
 * @typedef {object} Block
 * @property {string} name where it is: `docs/src/page.md:LINE (LANGUAGE)`
 * @property {string} language
 * @property {string} text
 * @property {Record<string, string>} files what is in the directory where it is run
 * @property {string | undefined} file under which name its own text is such a file
 * @property {string | undefined} notRun why it isn't run
 * @property {string} server the options of the server that is started for it
 * @property {string | undefined} ask what is asked of the server that it starts
 * @property {string} before what a page does before the block is run in it
 * @property {[string, string] | undefined} replace what is put in the place of what, to run it
 */

/** A comment, or a fence with what is in it, or a heading. */
const PARTS = /<!--(?<comment>[^]*?)-->|^(?<indent>[ \t]*)(?<fence>`{3,}|~{3,})(?<language>[^\n`]*)\n(?<text>[^]*?)^[ \t]*\k<fence>[ \t]*$|^(?<level>#{1,6})[ \t]+(?<heading>.*)$/gm;

/** The words with which such a comment begins. */
const WORDS = /^\s*(?<word>not-run|file|server|ask|before|replace):[ \t]*(?<rest>[^]*)$/;

/**
 * @param {string} name of the file, from the root of the repository
 * @param {string[]} [skipped] headings of which the blocks are passed over
 * @returns {Promise<Block[]>}
 */
export async function blocksOf(name, skipped = []) {
  const markdown = await readFile(path.join(repository, name), "utf8");
  const blocks = [];
  let [ofPage, ofSection, said] = [{}, {}, {}];
  let [depth, isIntroduction] = [0, true];
  for (const match of markdown.matchAll(PARTS)) {
    const { comment, indent, language, text, level, heading } = match.groups;
    if (comment !== undefined) {
      const { word, rest } = WORDS.exec(comment)?.groups ?? {};
      if (word === "file" && rest.includes("\n")) {
        const end = rest.indexOf("\n");
        Object.assign(isIntroduction ? ofPage : ofSection, { [rest.slice(0, end).trim()]: rest.slice(end + 1) });
      } else if (word) {
        said[word] = rest.trim();
      }
    } else if (level) {
      if (depth === 0 || level.length <= depth) depth = skipped.includes(heading.trim()) ? level.length : 0;
      // What stands before the first section is for all of them.
      if (level.length === 2) [ofSection, isIntroduction] = [{}, false];
      said = {};
    } else {
      const line = markdown.slice(0, match.index).split("\n").length;
      const plain = text.replaceAll(new RegExp(`^${indent}`, "gm"), "");
      const { "not-run": notRun, file, server = "", ask, before = "", replace } = said;
      const short = language.trim().split(/[\s,{]/)[0];
      if (depth === 0) {
        blocks.push({
          name: `${name}:${line} (${short || "no language"})`,
          language: short, text: plain, files: { ...ofPage, ...ofSection }, section: ofSection, file, notRun, server, ask, before,
          replace: replace?.split(/\s+/),
        });
      }
      if (file) Object.assign(isIntroduction ? ofPage : ofSection, { [file]: plain });
      said = {};
    }
  }
  // A page may show a file after the one that needs it.
  return blocks.map(({ section, files, ...block }) => ({ ...block, files: { ...ofPage, ...section, ...files } }));
}

/**
 * The commands of a block of a shell, each with the output that is expected; `undefined` if nothing is said of that.
 * @param {Block} block
 * @returns {{ command: string, output: string[] | undefined }[]}
 */
export function commandsOf({ language, text }) {
  const lines = text.replaceAll(/\\\n\s*(> )?/g, "").split("\n");
  if (language === "sh") {
    return lines.filter((line) => line.trim() && !line.startsWith("#")).map((command) => ({ command, output: undefined }));
  }
  const commands = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), output: [] });
    else if (commands.length) commands.at(-1).output.push(line);
    else if (line.trim()) throw new Error(`${line} comes before any command`);
  }
  return commands;
}
