// What all pages of the corpus have in common.

/** A page. */
export function html(head, body) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>A page</title>
<link rel="icon" href="data:,">
${head.trim()}
</head>
<body>
${body.trim()}
<footer>
<p class="note" title="One">A note.</p>
<p>Another note.</p>
</footer>
</body>
</html>
`;
}

/** Edits that no script of any page should care about, in the footer that all pages have. */
export const HARMLESS = {
  "a text in the corner": ["A note.", "A note, and more."],
  "a class in the corner": ['class="note"', 'class="note loud"'],
  "a new element in the corner": ["<p>Another note.</p>", "<p>Another note.</p>\n<p>One more.</p>"],
  "an attribute in the corner": ['title="One"', 'title="Two" lang="de"'],
  "a paragraph less in the corner": ["\n<p>Another note.</p>", ""],
  "the corner in another order": ["<p>Another note.</p>", "", '<p class="note"', '<p>Another note.</p>\n<p class="note"'],
};

/** A picture of one colour, which is `size` pixels wide and high. */
export function square(size, color) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="100%" height="100%" fill="${color}"/></svg>`;
}
