// Draws data.json: what needs words and lines. The plain values are in the page, as data-live.
import { follow } from "/_savecast/live.js";

const WIDTH = 240, HEIGHT = 72, SAMPLES = 120;

follow("data.json", (data) => {
  const { memory, disk, network } = data;
  write("uptime", duration(data.uptime));
  write("memory", percent(memory.used, memory.total));
  write("memory-used", bytes(memory.used));
  write("memory-total", bytes(memory.total));
  write("disk", percent(disk.used, disk.total));
  write("disk-used", bytes(disk.used));
  write("disk-total", bytes(disk.total));
  write("read", `${bytes(disk.read)}/s`);
  write("written", `${bytes(disk.written)}/s`);
  write("network", `${bytes(network.received + network.sent)}/s`);
  write("received", `${bytes(network.received)}/s`);
  write("sent", `${bytes(network.sent)}/s`);
  write("pulse", `saved at ${new Date(data.time).toLocaleTimeString()}`);
  beat();
  for (const svg of document.querySelectorAll("[data-chart]")) draw(svg, data);
});

/** One line for each series, the first one filled, on a scale from 0 to the limit or a round number above the peak. */
function draw(svg, data) {
  const series = svg.dataset.chart.split(" ").map((name) => data.history[name]);
  const limit = svg.dataset.limit?.split("/").slice(1).reduce((value, key) => value[key], data);
  const top = limit ?? roundUp(Math.max(...series.flat()), svg.dataset.unit === "number" ? 1 : 1000);
  const x = (index, length) => ((index + SAMPLES - length) / (SAMPLES - 1)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * (HEIGHT - 2) - 1;
  const label = svg.dataset.unit === "number" ? `${top}` : limit ? "" : `${bytes(top)}/s`;
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.innerHTML = [0, 0.5, 1]
    .map((part) => `<line x1="0" x2="${WIDTH}" y1="${y(top * part)}" y2="${y(top * part)}"/>`)
    .concat(series.map((values) => {
      const points = values.map((value, index) => `${x(index, values.length).toFixed(1)},${y(value ?? 0).toFixed(1)}`);
      const start = `${x(0, values.length).toFixed(1)},${HEIGHT}`;
      return `<path class="area" d="M${start}L${points.join("L")}L${WIDTH},${HEIGHT}Z"/>
        <polyline points="${points.join(" ")}"/>`;
    }))
    .join("");
  svg.dataset.top = label;
  svg.parentElement.style.setProperty("--top", `"${label}"`);
}

function write(id, text) {
  document.getElementById(id).textContent = text;
}

/** A short flash that shows that something has arrived. */
function beat() {
  const animation = [{ opacity: 1 }, { opacity: 0.35 }];
  document.getElementById("pulse").animate(animation, { duration: 900, easing: "ease-out", pseudoElement: "::before" });
}

/** 1, 2 or 5 times a power of ten, at or above the value and the least. */
function roundUp(value, least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, least)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value && step >= least);
}

function bytes(value) {
  if (value === null || Number.isNaN(value)) return "–";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

function percent(part, whole) {
  return whole ? `${Math.round((part / whole) * 100)} %` : "–";
}

function duration(seconds) {
  if (seconds === null) return "–";
  const [days, hours, minutes] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}
