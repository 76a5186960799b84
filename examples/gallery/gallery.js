// The URL of a directory is a stream of its listing.
const FOLDER = "photos/";
const IS_PICTURE = /\.(avif|gif|jpe?g|png|svg|webp)$/i;

const [gallery, number] = ["gallery", "number"].map((id) => document.getElementById(id));

/** What is shown, by name. */
const figures = new Map();

const source = new EventSource(FOLDER);
source.addEventListener("message", ({ data }) => show(JSON.parse(data)));
source.addEventListener("removed", () => show([])); // The whole folder.
source.addEventListener("end", () => source.close());

// A picture that was shown, is gone and comes back: as nothing shows it any more, savecast would load the page again.
addEventListener("savecast:change", (event) => {
  const folder = new URL(FOLDER, location.href).pathname;
  const { path } = event.detail;
  if (path.startsWith(folder) && !figures.has(path.slice(folder.length))) event.preventDefault();
});

function show(entries) {
  const pictures = entries.filter(({ type, name }) => type === "file" && IS_PICTURE.test(name));
  const names = new Set(pictures.map(({ name }) => name));
  for (const [name, figure] of figures) {
    if (names.has(name)) continue;
    figure.remove();
    figures.delete(name);
  }
  pictures.forEach((picture, index) => {
    const figure = figures.get(picture.name) ?? make(picture);
    figure.querySelector("small").textContent = bytes(picture.size);
    // The listing is sorted. Only what is not in its place is moved there, because moving is seen.
    if (gallery.children[index] !== figure) gallery.insertBefore(figure, gallery.children[index] ?? null);
  });
  number.textContent = pictures.length === 1 ? "one picture" : `${pictures.length} pictures`;
}

/** When a picture is saved again, savecast replaces it wherever it is shown, so it is loaded here only once. */
function make({ name, modified }) {
  const [figure, image, caption, text, size] = ["figure", "img", "figcaption", "span", "small"].map((name) =>
    document.createElement(name));
  // One that is gone may come back as another one: with the time in its URL, a browser does not show the old one.
  image.src = `${FOLDER}${encodeURIComponent(name)}?${modified}`;
  image.alt = name.replace(IS_PICTURE, "");
  text.textContent = name;
  caption.append(text, size);
  figure.append(image, caption);
  figures.set(name, figure);
  return figure;
}

function bytes(value) {
  const unit = value < 1e3 ? 0 : value < 1e6 ? 1 : 2;
  return `${unit === 0 ? value : (value / 1000 ** unit).toFixed(1)} ${["B", "kB", "MB"][unit]}`;
}
