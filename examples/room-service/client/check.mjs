// Reads changes, a JSON object a line, and copies of the Rust `Mirror` among them. Fails if the
// client's mirror is ever another one.
import { createInterface } from "node:readline";
import { Mirror } from "./mirror.mjs";

/** The same value for the same content: keys and suspicions in order, maps as objects. */
function plain(value) {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain).sort((a, b) => (text(a) < text(b) ? -1 : 1));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, plain(value[key])]));
}

const text = (value) => JSON.stringify(value);

let mirror = new Mirror();
let copies = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { change, copy } = JSON.parse(line);
  if (change) mirror.apply(change);
  if (!copy) continue;
  const [held, expected] = [plain({ rooms: mirror.rooms }), plain(copy)].map(text);
  if (held !== expected) {
    console.error(`after ${copies} copies\nheld      ${held}\nexpected  ${expected}`);
    process.exit(1);
  }
  copies += 1;
  // A client may also start from a copy.
  if (copies % 7 === 0) mirror = new Mirror(copy);
}
console.log(copies);
