// What Markdown leads to, and which options it names.

/** Without what is code: that has no links. */
const withoutCode = (markdown) => markdown.replaceAll(/^[ \t]*(`{3,}|~{3,})[^]*?^[ \t]*\1[ \t]*$/gm, "").replaceAll(/<!--[^]*?-->/g, "");

/** The targets of all links and pictures. */
export function linksOf(markdown) {
  const text = withoutCode(markdown).replaceAll(/`[^`\n]*`/g, "x");
  const written = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g), ...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  const tags = text.matchAll(/<(?:a|img|source|video)\b[^>]*\b(?:href|src|srcset|poster)="([^"\s]+)/g);
  return [...written, ...tags].map(([, link]) => link);
}

/** The anchors of all headings, as GitHub and MkDocs make them, and those that are written as HTML. */
export function anchorsOf(markdown) {
  const text = withoutCode(markdown);
  const anchors = new Set([...text.matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, id]) => id));
  for (const [, heading] of text.matchAll(/^#{1,6}\s+(.+?)\s*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*]/g, "");
    const slug = plain.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");
    let name = slug;
    for (let count = 1; anchors.has(name); count++) name = `${slug}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

/** The options that `--help` lists, each in all of its forms, in order. */
export function optionsOfHelp(help) {
  const lines = help.matchAll(/^ {2,6}(?:(-\w), )?(--[\w-]+)/gm);
  return [...lines].flatMap(([, short, long]) => [short, long].filter(Boolean)).sort();
}

/** The options that tables list: of serving, and of each other command. */
export function optionsOfTables(markdown) {
  const [serving, others] = ["Options of `savecast [DIR]`", "Options of the other commands"].map((heading) => {
    const [, text] = markdown.split(`\n## ${heading}\n`);
    return text.split("\n## ")[0].split("\n").filter((line) => line.startsWith("|")).map((line) => line.split(/(?<!\\)\|/).slice(1));
  });
  const optionsIn = (cell) => [...cell.matchAll(/(?<=`)--?[\w-]+/g)].map(([option]) => option);
  const byCommand = {};
  for (const [commands, options] of others) {
    for (const [, command] of commands.matchAll(/`(\w+)`/g)) (byCommand[command] ??= []).push(...optionsIn(options));
  }
  for (const options of Object.values(byCommand)) options.sort();
  return { serving: serving.flatMap(([options]) => optionsIn(options)).sort(), others: byCommand };
}
