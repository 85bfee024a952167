// One room, opened: what is known of it, who is in it, and what is published.

import { ask, askPages, NotListed } from "./api.js";
import { byId, element, keep, setText } from "./dom.js";
import { age, ago, count, counted, instant, lifecycle, suspicion } from "./words.js";

const PAGE = 100;
const MOST = 1_000;

export class OpenRoom {
  #reload;
  #roomId = null;
  #wanted = { users: PAGE, streams: PAGE };

  /** `close()` closes it, `reload()` asks for a call of `load` soon. */
  constructor(close, reload) {
    this.#reload = reload;
    byId("close").addEventListener("click", close);
    byId("more-users").addEventListener("click", () => this.#more("users"));
    byId("more-streams").addEventListener("click", () => this.#more("streams"));
  }

  get roomId() {
    return this.#roomId;
  }

  /** Shows another room, or with null none. */
  show(roomId) {
    if (roomId === this.#roomId) return;
    this.#roomId = roomId;
    this.#wanted = { users: PAGE, streams: PAGE };
    document.body.classList.toggle("opened", roomId !== null);
    byId("room").hidden = roomId === null;
    byId("room-body").hidden = true;
    if (roomId === null) return;
    setText(byId("room-name"), roomId);
    setText(byId("room-id"), "");
    this.#note("Loading…");
    byId("room").scrollTop = 0;
    byId("room-name").focus();
    this.#reload();
  }

  /** Reads the room anew. */
  async load() {
    const RoomID = this.#roomId;
    if (RoomID === null) return;
    let room, users, streams;
    try {
      const streamPage = async (Limit, Cursor) => {
        const { data } = await ask("get_room", { RoomID, Limit, Cursor });
        room = data;
        return { entries: data.streams, next: data.streams_next_cursor };
      };
      const userPage = async (Limit, Cursor) => {
        const answer = await ask("get_room_user_list", { RoomID, Limit, Cursor });
        return { entries: answer.data, next: answer.next_cursor };
      };
      [streams, users] = await Promise.all([
        askPages(this.#wanted.streams, streamPage),
        askPages(this.#wanted.users, userPage),
      ]);
    } catch (error) {
      if (!(error instanceof NotListed)) throw error;
      if (RoomID === this.#roomId) this.#gone();
      return;
    }
    if (RoomID === this.#roomId) this.#paint(room, users, streams);
  }

  /** Time passed. */
  tick() {
    for (const [, person] of byId("users").known ?? []) paintAges(person);
    for (const [, stream] of byId("streams").known ?? []) paintAges(stream);
  }

  #more(list) {
    this.#wanted[list] = Math.min(MOST, this.#wanted[list] + PAGE);
    this.#reload();
  }

  #gone() {
    byId("room-body").hidden = true;
    this.#note("No room of this id is listed. It may have ended.");
  }

  #note(text) {
    byId("room-note").hidden = text === "";
    setText(byId("room-note"), text);
  }

  #paint(room, users, streams) {
    this.#note("");
    byId("room-body").hidden = false;
    setText(byId("room-name"), room.room_name || room.room_id);
    setText(byId("room-id"), room.room_id);

    const text = (item) => item;
    const suspicions = room.suspicions.map((it) => `${suspicion(it)} Suspected for ${age(it.suspected_since)}.`);
    keep(byId("suspicions"), suspicions, text, (it) => element("li", "", it), () => {});
    byId("suspicions").hidden = suspicions.length === 0;

    pairs(byId("facts"), factsOf(room));
    pairs(byId("attributes"), Object.entries(room.attributes));
    byId("attributes").hidden = Object.keys(room.attributes).length === 0;

    setText(byId("users-head"), counted(room.user_count, "user"));
    keep(byId("users"), users.entries, (user) => user.user_id, makeEntry, fillUser);
    byId("more-users").hidden = !users.next || users.entries.length >= MOST;
    setText(byId("streams-head"), counted(room.stream_count, "stream"));
    keep(byId("streams"), streams.entries, (stream) => stream.stream_id, makeEntry, fillStream);
    byId("more-streams").hidden = !streams.next || streams.entries.length >= MOST;
  }
}

function factsOf(room) {
  const facts = [
    ["Host", room.host_id || "nobody named one"],
    ["Since", `${instant(room.began_at)}`],
    ["Stays", lifecycle(room.lifecycle)],
  ];
  const { session } = room;
  if (session) {
    facts.push(["Session", session.session_id ?? "its id is not known"]);
    facts.push(["Opened", instant(session.opened_at)]);
    if (session.inferred) facts.push(["Inferred", "its creation was not told; it is known by who is in it"]);
  } else {
    facts.push(["Session", "none at the media server"]);
  }
  const confirmed = room.confirmed_at === null ? "not yet by the media server" : instant(room.confirmed_at);
  facts.push(["Confirmed", confirmed]);
  return facts;
}

/** Names and values, as a list of definitions. */
function pairs(list, entries) {
  const make = () => element("div", "", element("dt"), element("dd"));
  keep(list, entries, ([name]) => name, make, (pair, [name, value]) => {
    setText(pair.firstElementChild, name);
    setText(pair.lastElementChild, value);
  });
}

function makeEntry() {
  const entry = element("li");
  entry.head = element("strong");
  entry.marks = element("span", "marks");
  entry.ages = element("p", "ages");
  entry.pairs = element("dl", "attributes");
  entry.append(element("p", "who", entry.head, " ", entry.marks), entry.ages, entry.pairs);
  return entry;
}

function fillUser(entry, user) {
  setText(entry.head, user.user_name || user.user_id);
  const marks = [];
  if (user.user_name) marks.push(["id", user.user_id]);
  if (user.role) marks.push(["role", user.role]);
  marks.push(user.joined ? ["joined", "joined"] : ["missing", "not joined"]);
  marks.push(user.logged_in ? ["logged-in", "logged in"] : ["missing", "not logged in"]);
  fillMarks(entry, marks);
  entry.told = () => {
    const since = user.joined ? `joined ${ago(user.join_time)}` : `logged in ${ago(user.login_time)}`;
    return user.heartbeat_time === null ? since : `${since} · heartbeat ${ago(user.heartbeat_time)}`;
  };
  paintAges(entry);
  fillPairs(entry, Object.entries(user.attributes));
}

function fillStream(entry, stream) {
  setText(entry.head, stream.title || stream.stream_id);
  const marks = [];
  if (stream.title) marks.push(["id", stream.stream_id]);
  marks.push(["role", stream.publisher_id ? `by ${stream.publisher_id}` : "by nobody known"]);
  fillMarks(entry, marks);
  entry.told = () => `published ${ago(stream.created_at)}`;
  paintAges(entry);
  const urls = Object.entries(stream.playback).flatMap(([name, list]) =>
    list.map((url, index) => [list.length > 1 ? `${name} ${count(index + 1)}` : name, url]));
  fillPairs(entry, [...urls, ...Object.entries(stream.attributes)]);
}

function fillMarks(entry, marks) {
  const make = ([kind]) => element("span", kind === "id" ? "id" : `mark ${kind}`);
  keep(entry.marks, marks, ([kind, text]) => `${kind} ${text}`, make, (mark, [, text]) => setText(mark, text));
}

function fillPairs(entry, entries) {
  pairs(entry.pairs, entries);
  entry.pairs.hidden = entries.length === 0;
}

function paintAges(entry) {
  setText(entry.ages, entry.told());
}
