// The page: joins the list of rooms, the room that is open, and the service's events.
//
//   /events ─▶ events.js ─▶ what changed ─┬─▶ list.js   reads the list again, as far as it is shown
//                                         ├─▶ room.js   reads the open room again
//                                         └─▶ totals
//   the address (#room=…&order=…) ◀─▶ which room is open, and the order

import { ask, token, Unauthorized } from "./page/api.js";
import { byId, setText } from "./page/dom.js";
import { follow } from "./page/events.js";
import { RoomList } from "./page/list.js";
import { OpenRoom } from "./page/room.js";
import { count } from "./page/words.js";

const REPAINT_MS = 400;
// Heartbeats are no changes: their ages are read from time to time.
const HEARTBEATS_MS = 10_000;

const list = new RoomList(open, () => listReader.soon(0));
const room = new OpenRoom(close, () => roomReader.soon(0));
const listReader = reader(() => list.load());
const roomReader = reader(() => room.load());
const totalsReader = reader(loadTotals);

const events = follow({
  state: showConnection,
  change(change) {
    totalsReader.soon();
    if (list.concerns(change)) listReader.soon();
    if (change.room_id === room.roomId) roomReader.soon();
  },
  reset: readAll,
});

setInterval(() => {
  if (document.hidden) return;
  list.tick();
  room.tick();
}, 1_000);
setInterval(() => roomReader.soon(), HEARTBEATS_MS);

window.addEventListener("hashchange", readAddress);
window.addEventListener("online", events.again);
document.addEventListener("order", writeAddress);
document.addEventListener("keydown", pressed);
document.addEventListener("visibilitychange", () => !document.hidden && readAll());
byId("token-form").addEventListener("submit", useToken);
byId("forget").addEventListener("click", forgetToken);
byId("forget").hidden = !token.get();
readAddress();

/**
 * Calls a function that reads something, soon after it is asked to. It makes one call at a time, and none
 * while nobody looks. Calls are some time apart, the more the longer they take.
 */
function reader(read) {
  let timer = 0;
  let isRunning = false;
  let isWanted = false;
  let notBefore = 0;

  async function run() {
    timer = 0;
    isWanted = false;
    isRunning = true;
    const began = performance.now();
    try {
      await read();
      worked(read);
    } catch (error) {
      failed(read, error);
    }
    isRunning = false;
    const took = performance.now() - began;
    notBefore = performance.now() + Math.max(REPAINT_MS, 3 * took);
    if (isWanted) soon();
  }

  function soon(least = notBefore - performance.now()) {
    isWanted = true;
    if (isRunning || document.hidden) return;
    if (timer !== 0) {
      if (least > 0) return;
      clearTimeout(timer);
    }
    timer = setTimeout(run, Math.max(0, least));
  }

  return { soon };
}

function readAll() {
  totalsReader.soon(0);
  listReader.soon(0);
  roomReader.soon(0);
}

async function loadTotals() {
  const { data } = await ask("get_counts", {});
  setText(byId("total-rooms"), count(data.rooms));
  setText(byId("total-users"), count(data.users));
  setText(byId("total-streams"), count(data.streams));
}

const failures = new Set();

function worked(read) {
  failures.delete(read);
  if (failures.size === 0) showProblem("");
}

function failed(read, error) {
  if (error instanceof Unauthorized) {
    askForToken(error.message);
    return;
  }
  failures.add(read);
  const reason = error instanceof TypeError || error.name === "TimeoutError" ? "it cannot be reached" : error.message;
  showProblem(`The service does not answer (${reason}). What is shown may be old.`);
  setTimeout(readAll, 3_000);
}

function showProblem(text) {
  byId("problem").hidden = text === "";
  setText(byId("problem"), text);
}

function showConnection(state, detail) {
  const texts = { live: "Live", waiting: `Reconnecting in ${detail} s`, unauthorized: "Not allowed" };
  const connection = byId("connection");
  connection.dataset.state = state;
  setText(connection, texts[state]);
  if (state === "unauthorized") askForToken(detail);
}

function askForToken(problem) {
  const form = byId("token-form");
  setText(byId("token-problem"), problem);
  if (!form.hidden) return;
  form.hidden = false;
  byId("token").focus();
}

function useToken(event) {
  event.preventDefault();
  token.set(byId("token").value.trim());
  byId("token").value = "";
  byId("token-form").hidden = true;
  byId("forget").hidden = false;
  setText(byId("token-problem"), "");
  events.again();
  readAll();
}

function forgetToken() {
  token.forget();
  location.reload();
}

function open(roomId) {
  const parameters = address();
  parameters.set("room", roomId);
  location.hash = parameters;
}

function close() {
  const roomId = room.roomId;
  const parameters = address();
  parameters.delete("room");
  location.hash = parameters;
  readAddress();
  list.focus(roomId);
}

function address() {
  return new URLSearchParams(location.hash.slice(1));
}

function readAddress() {
  const parameters = address();
  list.setOrder(parameters.get("order") ?? list.order);
  const roomId = parameters.get("room") || null;
  list.setOpened(roomId);
  room.show(roomId);
  document.title = roomId === null ? "Rooms" : `${roomId} · Rooms`;
}

function writeAddress() {
  const parameters = address();
  if (parameters.get("order") === list.order) return;
  parameters.set("order", list.order);
  history.replaceState(null, "", `#${parameters}`);
}

function pressed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const isTyping = event.target.closest("input, select, textarea") !== null;
  if (event.key === "/" && !isTyping) {
    byId("search").focus();
    event.preventDefault();
  } else if (event.key === "Escape" && isTyping && byId("search").value !== "") {
    byId("search").value = "";
    byId("search").dispatchEvent(new Event("input"));
    event.preventDefault();
  } else if (event.key === "Escape" && room.roomId !== null) {
    close();
    event.preventDefault();
  }
}
