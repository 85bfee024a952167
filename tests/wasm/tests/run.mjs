// Plays a journal in WebAssembly: `node run.mjs MODULE JOURNAL SNAPSHOT`. A page follows the server, and shows after each
// line what the server shows. Prints the rooms at the end, the server's snapshot, and the snapshot of a server that was
// restored from the file SNAPSHOT.
import { readFileSync } from "node:fs";

const [module, journal, snapshot] = process.argv.slice(2).map((file) => readFileSync(file));

let now = 0;
const clock = { now: () => now };
const { exports: wasm } = (await WebAssembly.instantiate(module, { clock })).instance;

// Calls a function with bytes or a text, and returns a copy of the bytes of its answer.
function call(name, input = "") {
  const bytes = Buffer.from(input);
  const at = wasm.input_at(bytes.length);
  new Uint8Array(wasm.memory.buffer, at, bytes.length).set(bytes);
  const length = wasm[name]();
  return Buffer.from(new Uint8Array(wasm.memory.buffer, wasm.output_at(), length));
}

for (const line of journal.toString().trimEnd().split("\n")) {
  now = JSON.parse(line).at;
  call("apply", call("hand_in", line));
  const [server, page] = [call("server_rooms"), call("page_rooms")];
  if (!server.equals(page)) {
    throw new Error(`after ${line}\nthe server shows ${server}\nthe page shows   ${page}`);
  }
}
console.log(call("server_rooms").toString());
console.log(JSON.stringify([...call("snapshot")]));
call("restore", snapshot);
console.log(JSON.stringify([...call("snapshot")]));
