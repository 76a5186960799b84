// What can be seen of a page, so that two of them can be compared. These functions run in the page.

/**
 * Every element, attribute and text of the document, a line each, with what scripts can see and markup does not say: the
 * values of fields, open shadow roots, rules of stylesheets, what is drawn on a canvas, and the documents of frames.
 * @param {boolean} hasLooks also how each element looks, for edits of stylesheets and pictures
 */
export function snapshot(hasLooks) {
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
  const looks = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const { color, backgroundColor, backgroundImage, fontSize, display } = getComputedStyle(element);
    const box = [left + scrollX, top + scrollY, width, height].map((number) => Math.round(number * 10) / 10);
    return [...box, color, backgroundColor, plain(backgroundImage), fontSize, display, element.naturalWidth].join(" ");
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
    const look = hasLooks && document.body.contains(element) ? [looks(element)] : [];
    lines.push([`${indent}<${element.localName}`, ...attributes, ...field, ...option, ...drawn, ...look].join(" "));
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

/**
 * Clicks everything of this kind, as a person would who wants to see what happens.
 * @param {string} selector
 */
export async function click(selector) {
  // Without leaving the page.
  addEventListener("click", (event) => event.preventDefault());
  addEventListener("submit", (event) => event.preventDefault());
  for (const element of document.querySelectorAll(selector)) {
    element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
  }
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/**
 * Waits until the page is loaded, has done its own work, and has painted what came of it.
 * @param {string} isReady the source of a function that says whether its work is done
 */
export async function ready(isReady) {
  const check = (0, eval)(`(${isReady})`);
  const end = performance.now() + 10_000;
  while (document.readyState !== "complete" || !check()) {
    if (performance.now() > end) throw new Error(`not ready: ${isReady}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}
