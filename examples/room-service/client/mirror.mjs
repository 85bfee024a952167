// Keeps a copy of what readers see, from the changes that the service tells. Start with an empty one
// and apply every change in order, or start from a copy of the Rust `Mirror` as JSON.
//
//   const mirror = new Mirror();
//   source.addEventListener("change", (event) => mirror.apply(JSON.parse(event.data)));
//   mirror.rooms.get("r1")?.users.get("ann")?.membership?.name;

/** A list of a room as a map, from the object that JSON has. */
const entries = (list) => new Map(Object.entries(list ?? {}));

export class Mirror {
  /** The listed rooms, by id. */
  rooms = new Map();

  constructor(copy = { rooms: {} }) {
    for (const [id, room] of entries(copy.rooms)) {
      this.rooms.set(id, { ...room, users: entries(room.users), streams: entries(room.streams) });
    }
  }

  /** Applies a change. A kind that is not known is passed over: a later service may have more. */
  apply({ room_id: id, kind, value }) {
    if (kind === "room_listed") {
      this.rooms.set(id, {
        room_id: id,
        ...value,
        users: new Map(),
        streams: new Map(),
        suspicions: [],
      });
    }
    const room = this.rooms.get(id);
    if (!room) return;
    switch (kind) {
      case "room_updated": room.info = value.info; break;
      case "room_unlisted": this.rooms.delete(id); break;
      case "session_opened":
      case "session_updated": room.session = value; break;
      case "session_closed": close(room); break;
      case "user_joined":
      case "user_updated": room.users.set(value.user_id, value); break;
      case "user_left": room.users.delete(value.user_id); break;
      case "stream_opened":
      case "stream_updated": room.streams.set(value.stream_id, value); break;
      case "stream_closed": room.streams.delete(value.stream_id); break;
      case "suspicion_raised": suspect(room, value, [value]); break;
      case "suspicion_withdrawn": suspect(room, value, []); break;
    }
  }
}

/** The session goes, with its streams and with all that it told of users. Members stay. */
function close(room) {
  room.session = null;
  room.streams.clear();
  for (const [id, user] of room.users) {
    if (user.membership) room.users.set(id, { ...user, login: null, presence: null, note: null });
    else room.users.delete(id);
  }
}

/** Puts others in the place of the suspicion about the same list with the same sign. */
function suspect(room, { list, sign }, others) {
  const kept = room.suspicions.filter((held) => held.list !== list || held.sign !== sign);
  room.suspicions = [...kept, ...others];
}
