// Puts what the service tells into words.

import { now } from "./api.js";

const MOST_RANGES = 6;
const numbers = new Intl.NumberFormat("en");
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

const SIGNS = {
  no_create: "The session has users or streams, and nobody told of its creation.",
  logout_without_login: "A login ended that nobody told of.",
  two_logins: "A user has two logins at a time.",
  nobody_present: "The room is open, and nobody is in it.",
  close_without_opening: "A stream closed that nobody told of.",
  publisher_absent: "A stream is open, and its publisher is not in the room.",
};

const LISTS = {
  room: "which session it is",
  users: "the list of users",
  streams: "the list of streams",
  both: "the list of users or of streams",
};

const LIFECYCLES = {
  until_ended: "until it is ended",
  until_empty: "until it is empty",
  follows_session: "as long as its session",
  permanent: "permanent",
};

export const count = (number) => numbers.format(number);

/** "1 user", "2 users". */
export const counted = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

/** How long ago an instant was, as short as can be. */
export function age(at) {
  if (!isInstant(at)) return "–";
  const seconds = Math.max(0, Math.floor((now() - at) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return counted(Math.floor(hours / 24), "day");
}

/** The same, as a part of a sentence. */
export const ago = (at) => (isInstant(at) ? `${age(at)} ago` : "at an unknown time");

/** An instant in full, in the reader's time zone. */
export const instant = (at) => (isInstant(at) ? dayAndTime.format(at) : "unknown");

/** An instant for machines. */
export const machineTime = (at) => (isInstant(at) ? new Date(at).toISOString() : "");

export const lifecycle = (name) => LIFECYCLES[name] ?? String(name);

/** The state of a room's session in a word. */
export function session(room) {
  if (!room.session) return "none";
  return room.session.inferred ? "inferred" : "open";
}

/** What a suspicion says. */
export function suspicion({ sign, list, missing = [] }) {
  const said = sign === "hole" ? gap(list, missing) : (SIGNS[sign] ?? `Sign of a loss: ${sign}.`);
  return `${said} ${capital(LISTS[list] ?? String(list))} may be wrong.`;
}

function gap(list, missing) {
  const ranges = missing.slice(0, MOST_RANGES);
  const told = ranges.map(([from, to]) => (from === to ? count(from) : `${count(from)} to ${count(to)}`));
  const more = missing.length - ranges.length;
  if (more > 0) told.push(counted(more, "more gap"));
  const one = missing.length === 1 && missing[0][0] === missing[0][1];
  const counter = list === "streams" ? "streams'" : "users'";
  return `${one ? "Callback" : "Callbacks"} ${told.join(", ")} of the ${counter} counter ${one ? "is" : "are"} missing.`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// What a date can hold; a sender may claim any number.
function isInstant(at) {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15;
}
