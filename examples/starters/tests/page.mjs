// Runs the script of the lobby page without a browser. Each line of the input is an event: its name and its data.
// Prints what the page shows after each.
import { readFileSync } from "node:fs";

const page = readFileSync(process.argv[2], "utf8");
const script = page.match(/<script>(.*)<\/script>/s)[1];

const elements = new Map();
const document = {
  getElementById(id) {
    if (!page.includes(`id="${id}"`)) throw new Error(`the page has no ${id}`);
    if (!elements.has(id)) {
      elements.set(id, { textContent: "", rows: [], replaceChildren(...rows) { this.rows = rows; } });
    }
    return elements.get(id);
  },
  createElement() {
    const cells = [];
    return { cells, insertCell() { cells.push({}); return cells.at(-1); } };
  },
};

const sources = [];
class EventSource {
  static CLOSED = 2;
  readyState = 1;
  listeners = {};
  constructor(url) {
    this.url = url;
    sources.push(this);
  }
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
}
const setTimeout = (callback) => callback();

new Function("document", "EventSource", "setTimeout", script)(document, EventSource, setTimeout);

for (const line of readFileSync(0, "utf8").split("\n").filter((line) => line !== "")) {
  const { name, data, closed } = JSON.parse(line);
  const source = sources.at(-1);
  if (closed) source.readyState = EventSource.CLOSED;
  source.listeners[name]({ data: JSON.stringify(data) });
  const rows = (elements.get("rooms")?.rows ?? []).map(({ cells }) => cells.map(({ textContent }) => textContent));
  const urls = sources.map(({ url }) => url);
  console.log(JSON.stringify({ rows, state: elements.get("state").textContent, urls }));
}
