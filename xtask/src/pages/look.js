// What a reader sees of a page of thinnet: its charts, its tables, its data, its colours.
const cell = (element) => {
  const data = element.querySelector("data");
  return { text: (data ?? element.firstChild)?.textContent ?? "", value: data?.getAttribute("value") ?? null };
};
const table = (element) => ({
  caption: element.caption?.textContent ?? "",
  headers: [...element.tHead.rows[0].cells].map((header) => header.textContent),
  rows: [...element.tBodies[0].rows].map((row) => [...row.cells].map(cell)),
});
const count = (drawing, selector) => drawing.querySelectorAll(selector).length;
const runs = (drawing) =>
  [...drawing.querySelectorAll(".cells path")].flatMap((path) => [...path.getAttribute("d").matchAll(/h(\d+)/g)]);
const drawing = (element) => ({
  shown: element.getClientRects().length > 0,
  title: element.querySelector("title").textContent,
  description: element.querySelector("desc").textContent,
  points: [...element.querySelectorAll("path.line")].map((line) => (line.getAttribute("d").match(/[ML]/g) ?? []).length),
  markers: [...element.querySelectorAll("path.marker")].map((marker) => (marker.getAttribute("d").match(/M/g) ?? []).length),
  bars: count(element, "rect.bar"),
  shares: count(element, "rect.share"),
  circles: count(element, "circle"),
  cells: runs(element).reduce((sum, run) => sum + Number(run[1]), 0),
  areas: count(element, "path.area"),
  places: count(element, "path.place"),
});
// A mixed colour is told in parts of 1.
const channels = (text) => text.match(/[\d.]+/g).slice(0, 3).map((part) => Number(part) * (text.startsWith("color(") ? 255 : 1));
const opacity = (text) => (text.match(/^rgba\((?:[^,]+,){3}([^)]+)\)|\/ ([\d.]+)\)/) ?? []).slice(1).map(Number).find((part) => part >= 0) ?? 1;
// What a mark is drawn with: colours, and how opaque they are.
const mark = (element) => {
  const style = getComputedStyle(element);
  const paint = (colour, share) =>
    colour === "none" ? [] : [{ colour: channels(colour), opacity: opacity(colour) * Number(share) * Number(style.opacity) }];
  return {
    name: element.getAttribute("class") ?? element.parentNode.getAttribute("class"),
    paints: [...paint(style.fill, style.fillOpacity), ...paint(style.stroke, style.strokeOpacity)],
  };
};
const marks = [...document.querySelectorAll("svg :is(.line, .marker, .bar, .share, .points circle, .error, .diagonal, .axis, .place)")].map(mark);
const colour = (name) => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const found = channels(getComputedStyle(probe).color);
  probe.remove();
  return found;
};
const shaded = [...document.querySelectorAll("td.shade")].map((cell) => getComputedStyle(cell));
const names = ["paper", "raised", "ink", "soft", "link", "plus", "minus", "s0", "s1", "s2", "s3", "s4", "s5"];
return {
  data: document.getElementById("data").textContent,
  charts: [...document.querySelectorAll("figure.chart")].map((figure) => ({
    kind: figure.dataset.kind,
    title: figure.querySelector("h3").textContent,
    drawings: [...figure.querySelectorAll(".drawing")].map(drawing),
    table: table(figure.querySelector("details table")),
  })),
  tables: [...document.querySelectorAll(".items > .scroll table")].map(table),
  colours: Object.fromEntries(names.map((name) => [name, colour(name)])),
  marks: [...new Map(marks.map((mark) => [mark.name, mark])).values()],
  background: channels(getComputedStyle(document.body).backgroundColor),
  shades: shaded.map((style) => [channels(style.color), channels(style.backgroundColor)]),
  width: document.documentElement.scrollWidth,
  resources: performance.getEntriesByType("resource").map((entry) => entry.name),
};
