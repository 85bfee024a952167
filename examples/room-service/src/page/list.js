// The table of rooms: the first so many of the service's list, read again when something changed.

import { ask, askPages } from "./api.js";
import { byId, element, keep, setText } from "./dom.js";
import { age, count, counted, instant, machineTime, session } from "./words.js";

const PAGE = 50;
const MOST = 2_000;
const ORDERS = { newest: "newest first", oldest: "oldest first", most_users: "most users first", id: "by id" };
const COLUMNS = ["Name", "Id", "Host", "Users", "Streams", "Since", "Session", "Signs"];

export class RoomList {
  #open;
  #reload;
  #order = "newest";
  #wanted = PAGE;
  #searchesFurther = false;
  #rooms = [];
  #next = null;
  #read = false;
  #opened = null;
  #current = null;

  /** `open(roomId)` opens a room, `reload()` asks for a call of `load` soon. */
  constructor(open, reload) {
    this.#open = open;
    this.#reload = reload;
    byId("order").addEventListener("change", (event) => this.setOrder(event.target.value));
    byId("search").addEventListener("input", () => this.#searched());
    byId("tools").addEventListener("submit", (event) => event.preventDefault());
    byId("more").addEventListener("click", () => this.#more(this.#wanted + PAGE));
    byId("search-further").addEventListener("click", () => this.#searchFurther());
    for (const head of document.querySelectorAll("th[data-orders] button")) {
      head.addEventListener("click", () => this.#orderBy(head.parentElement.dataset.orders.split(" ")));
    }
    const rows = byId("rows");
    rows.addEventListener("click", (event) => this.#clicked(event));
    rows.addEventListener("keydown", (event) => this.#pressed(event));
    rows.addEventListener("focusin", (event) => this.#focused(event));
  }

  get order() {
    return this.#order;
  }

  setOrder(order) {
    if (!(order in ORDERS) || order === this.#order) return;
    this.#order = order;
    this.#read = false;
    this.#rooms = [];
    this.#next = null;
    this.#wanted = PAGE;
    this.#paint();
    document.dispatchEvent(new Event("order"));
    this.#reload();
  }

  /** Marks the room that is open beside the list. */
  setOpened(roomId) {
    this.#opened = roomId;
    if (roomId !== null) this.#current = roomId;
    this.#paint();
  }

  /** Puts the focus on the row of a room, else on the list. */
  focus(roomId) {
    const row = byId("rows").known?.get(roomId);
    (row?.isConnected ? row : byId("rooms")).focus();
  }

  /** Whether what changed can make this list another one. */
  concerns({ room_id: roomId, kind }) {
    if (this.#order === "most_users" || this.#rooms.some((room) => room.room_id === roomId)) return true;
    return !/^(user|stream|suspicion)_/.test(kind);
  }

  /** Reads the list anew, as far as it is shown. */
  async load() {
    const order = this.#order;
    const wanted = this.#searchesFurther ? MOST : this.#wanted;
    const { entries, next } = await askPages(wanted, async (Limit, Cursor) => {
      const answer = await ask("get_room_list", { Order: order, Limit, Cursor });
      return { entries: answer.data, next: answer.next_cursor };
    });
    if (order !== this.#order) return;
    // A room that moved while the pages were read may be on two of them.
    this.#rooms = [...new Map(entries.map((room) => [room.room_id, room])).values()];
    this.#next = next;
    this.#read = true;
    this.#paint();
  }

  /** Time passed. */
  tick() {
    for (const [, row] of byId("rows").known ?? []) setText(row.parts.since, age(row.room.began_at));
  }

  #more(wanted) {
    this.#wanted = Math.min(MOST, wanted);
    this.#reload();
  }

  #searched() {
    if (byId("search").value.trim() === "") this.#searchesFurther = false;
    this.#paint();
  }

  #searchFurther() {
    this.#searchesFurther = true;
    byId("search").focus();
    this.#reload();
  }

  #orderBy([first, second]) {
    this.setOrder(this.#order === first && second ? second : first);
  }

  #clicked(event) {
    const row = event.target.closest("tr");
    if (row && document.getSelection().isCollapsed) this.#open(row.room.room_id);
  }

  #pressed(event) {
    const row = event.target.closest("tr");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = byId("rows");
    const towards = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: rows.firstElementChild,
      End: rows.lastElementChild,
    };
    if (event.key === "Enter" || event.key === " ") {
      this.#open(row.room.room_id);
    } else if (event.key in towards) {
      towards[event.key]?.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  // One row is in the order of tabs, the one that had the focus last.
  #focused(event) {
    const row = event.target.closest("tr");
    if (!row) return;
    const before = byId("rows").known.get(this.#current);
    if (before) before.tabIndex = -1;
    this.#current = row.room.room_id;
    row.tabIndex = 0;
  }

  #paint() {
    const search = byId("search").value.trim().toLowerCase();
    const found = search === "" ? this.#rooms : this.#rooms.filter((room) => matches(room, search));
    if (!found.some((room) => room.room_id === this.#current)) {
      this.#current = found[0]?.room_id ?? null;
    }
    keep(byId("rows"), found, (room) => room.room_id, makeRow, (row, room) => this.#fill(row, room));
    byId("rows").setAttribute("aria-busy", String(!this.#read));
    byId("rooms").setAttribute("aria-rowcount", this.#next ? "-1" : String(this.#rooms.length + 1));

    const atMost = this.#rooms.length >= MOST;
    setText(byId("shown"), this.#told(search, found.length, atMost));
    byId("more").hidden = search !== "" || !this.#next || atMost;
    byId("search-further").hidden = search === "" || !this.#next || atMost;
    this.#paintBlank(search, found.length);
    this.#paintOrder();
  }

  #told(search, found, atMost) {
    if (!this.#read) return "";
    const loaded = counted(this.#rooms.length, "room");
    if (search !== "") {
      const rest = this.#next ? "; rooms that are not loaded are not searched" : "";
      return `${count(found)} of ${loaded} ${found === 1 ? "matches" : "match"}${rest}`;
    }
    if (!this.#next) return `${loaded}, ${ORDERS[this.#order]}`;
    return `First ${loaded}, ${ORDERS[this.#order]}${atMost ? "; more are not shown here" : ""}`;
  }

  #paintBlank(search, found) {
    const blank = byId("blank");
    blank.hidden = found > 0;
    if (!this.#read) setText(blank, "Loading the rooms…");
    else if (search !== "" && this.#rooms.length > 0) setText(blank, "None of the rooms that are loaded matches.");
    else setText(blank, "There are no rooms. They appear here as soon as they begin.");
  }

  #paintOrder() {
    byId("order").value = this.#order;
    for (const head of document.querySelectorAll("th[data-orders]")) {
      const isSorted = head.dataset.orders.split(" ").includes(this.#order);
      const ascending = this.#order === "id" || this.#order === "oldest";
      if (isSorted) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }

  #fill(row, room) {
    row.room = room;
    const { name, id, host, users, streams, since, state, signs } = row.parts;
    setText(name, room.room_name || "no name");
    name.classList.toggle("none", !room.room_name);
    setText(id, room.room_id);
    setText(host, room.host_id || "–");
    setText(users, count(room.user_count));
    setText(streams, count(room.stream_count));
    setText(since, age(room.began_at));
    since.dateTime = machineTime(room.began_at);
    since.title = instant(room.began_at);
    setText(state, session(room));
    state.dataset.state = session(room);
    const suspicions = room.suspicions.length;
    setText(signs, suspicions > 0 ? count(suspicions) : "");
    signs.hidden = suspicions === 0;
    signs.setAttribute("aria-label", counted(suspicions, "suspicion"));
    row.tabIndex = room.room_id === this.#current ? 0 : -1;
    row.setAttribute("aria-selected", String(room.room_id === this.#opened));
  }
}

function matches(room, search) {
  return [room.room_id, room.room_name, room.host_id].some((text) => text.toLowerCase().includes(search));
}

function makeRow() {
  const row = element("tr");
  row.setAttribute("role", "row");
  row.parts = {
    name: element("span"),
    id: element("span", "id"),
    host: element("span", "id"),
    users: element("span"),
    streams: element("span"),
    since: element("time"),
    state: element("span", "session"),
    signs: element("span", "badge"),
  };
  row.parts.signs.setAttribute("role", "img");
  Object.values(row.parts).forEach((part, index) => {
    const cell = element("td", COLUMNS[index].toLowerCase(), part);
    cell.setAttribute("role", "gridcell");
    cell.dataset.label = COLUMNS[index];
    row.append(cell);
  });
  return row;
}
