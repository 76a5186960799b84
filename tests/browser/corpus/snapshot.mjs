// What can be seen of a page, so that two of them can be compared. These functions run in the page, all in one call, because
// calls are what takes time.

/**
 * Every element, attribute and text of the document, a line each, with what scripts can see and markup does not say: the
 * values of fields, open shadow roots, rules of stylesheets, what is drawn on a canvas, and the documents of frames.
 * @param {boolean} hasLooks also how each element looks, for edits of stylesheets and pictures
 */
function snapshot(hasLooks) {
  const lines = [];
  const hash = (text) => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 0);
  // The client adds these, and a parameter that makes a browser load a file again.
  const isOurs = (node) => node.nodeType === 1 && node.matches('savecast-problems, script[src*="/_savecast/"]');
  // And writes URLs of this site in full.
  const folder = new URL(".", location.href).href;
  const plain = (text) => text.replace(/[?&]savecast=[\w-]+/g, "").replaceAll(folder, "");
  const isInline = (node) => node?.nodeType === 1 && /^inline/.test(getComputedStyle(node).display);
  const rules = (sheet) => {
    try {
      return plain([...sheet.cssRules].map((rule) => rule.cssText).join(" "));
    } catch {
      return "of another site";
    }
  };
  const pixels = (image) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 4 });
    if (image.complete && image.naturalWidth > 0) canvas.getContext("2d").drawImage(image, 0, 0, 4, 4);
    return hash(canvas.toDataURL());
  };
  const looks = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const { color, backgroundColor, backgroundImage, fontSize, display } = getComputedStyle(element);
    const box = [left + scrollX, top + scrollY, width, height].map((number) => Math.round(number * 10) / 10);
    const picture = element.localName === "img" ? `${element.naturalWidth} ${pixels(element)}` : "";
    return [...box, color, backgroundColor, plain(backgroundImage), fontSize, display, picture].join(" ");
  };

  const writeChildren = (parent, indent) => {
    const parts = [];
    for (const node of parent.childNodes) {
      if (isOurs(node)) continue;
      if (node.nodeType === 3 && typeof parts.at(-1) === "string") parts.push(parts.pop() + node.data);
      else parts.push(node.nodeType === 3 ? node.data : node);
    }
    const areBlanksShown = parent.nodeType === 1 && /^(?:pre|break)/.test(getComputedStyle(parent).whiteSpace);
    parts.forEach((part, index) => {
      if (part.nodeType === 8) lines.push(`${indent}<!--${part.data}-->`);
      else if (part.nodeType === 1) write(part, indent);
      // Blanks that have no width are no difference.
      else if (areBlanksShown) lines.push(`${indent}"${plain(part)}"`);
      else if (part.trim() || (isInline(parts[index - 1]) && isInline(parts[index + 1]))) lines.push(`${indent}"${plain(part.replace(/\s+/g, " "))}"`);
    });
  };
  const write = (element, indent) => {
    const attributes = [...element.attributes].map(({ name, value }) => `${name}="${plain(value)}"`).sort();
    const field = element.matches("input, textarea, select") ? [`value=${element.value}`, `checked=${element.checked}`] : [];
    const option = element.matches("option") ? [`selected=${element.selected}`] : [];
    const style = element.localName === "style" && element.sheet ? [`rules=${rules(element.sheet)}`] : [];
    const drawn = element.localName === "canvas" ? [`drawn=${hash(element.toDataURL())}`] : [];
    const media = element.matches("audio, video") ? [element.muted, element.volume, element.playbackRate, element.paused] : [];
    const look = hasLooks && document.body.contains(element) ? [looks(element)] : [];
    lines.push([`${indent}<${element.localName}`, ...attributes, ...field, ...option, ...drawn, ...media, ...look].join(" "));
    const inner = `${indent} `;
    if (element.shadowRoot) {
      lines.push(`${inner}#shadow ${element.shadowRoot.adoptedStyleSheets.map(rules).join(" ")}`);
      writeChildren(element.shadowRoot, `${inner} `);
    }
    if (style.length > 0) return lines.push(inner + style[0]);
    if (element.localName === "template") writeChildren(element.content, inner);
    if (element.localName === "iframe" && element.contentDocument) write(element.contentDocument.documentElement, inner);
    writeChildren(element, inner);
  };
  write(document.documentElement, "");
  lines.push(`${document.compatMode} ${document.adoptedStyleSheets.map(rules).join(" ")}`);
  return lines;
}

const frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
const until = async (check, patience) => {
  const end = performance.now() + patience;
  while (!check() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  return Boolean(check());
};

/**
 * What is seen when this edit has arrived, and the page is loaded and has done its own work.
 * @param {{ number: number, hasLooks: boolean, patience: number, isStill?: boolean }} wish with `isStill` only when it looks
 *   the same twice
 * @param {() => unknown} isReady whether its own work is done
 */
async function seen({ number, hasLooks, patience, isStill }, isReady) {
  const hasArrived = () => [...document.head.childNodes].some((node) => node.nodeType === 8 && node.data === `edit ${number}`);
  if (!(await until(() => hasArrived() && document.readyState === "complete" && isReady(), patience))) return { isLate: true };
  // What a reload brings back may come with the first frames.
  await frames();
  let lines = snapshot(hasLooks), before;
  do {
    if (!isStill) break;
    before = lines;
    await frames();
    lines = snapshot(hasLooks);
  } while (lines.join("\n") !== before.join("\n") && (patience -= 30) > 0);
  return { lines, isMarked: window.mark === true };
}

/**
 * Clicks everything of this kind, as a person would who wants to see what happens, and says what is seen a little later.
 * @param {string | null} clicks a selector
 * @param {boolean} hasLooks
 * @param {(() => unknown) | null} probe what else can be done with the page
 */
async function used(clicks, hasLooks, probe) {
  const answer = probe ? [JSON.stringify(await probe())] : [];
  // Without leaving the page.
  addEventListener("click", (event) => event.preventDefault());
  addEventListener("submit", (event) => event.preventDefault());
  for (const element of clicks ? document.querySelectorAll(clicks) : []) {
    element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
  }
  await frames();
  return { lines: [...answer, ...snapshot(hasLooks)], isMarked: window.mark === true };
}

/**
 * Leaves a mark that a reload takes away, when the page has done its work, and the client knows how it was written, or does
 * not want to.
 * @param {number} patience how long to wait for that
 * @param {() => unknown} isReady
 */
async function marked(patience, isReady) {
  const isOfSource = ({ name, responseEnd }) => name.includes("savecast-source") && responseEnd > 0;
  await until(isReady, 10_000);
  const hasLearnt = await until(() => performance.getEntriesByType("resource").some(isOfSource), patience);
  window.mark = true;
  return hasLearnt;
}

/** The source of a call of one of these functions, with functions of the page as its last arguments. */
const calling = (name, ...functions) => `async (...args) => {
  ${snapshot}
  const frames = ${frames}, until = ${until};
  ${seen} ${used} ${marked}
  return ${name}(...args, ${functions.map((code) => code ?? "null")});
}`;

export const see = ({ ready = () => true }) => calling("seen", ready);
export const use = ({ probe }) => calling("used", probe);
export const mark = ({ ready = () => true }) => calling("marked", ready);
