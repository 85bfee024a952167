//! One room in Redis: loaded, changed, and saved unless somebody else saved it meanwhile.
//!
//! ```text
//! load: version, body, heartbeats, time ─▶ Room::take_heartbeats ─▶ Room::apply_input
//!   ▲                                                                      │
//!   └── conflict: once more, a little later ◀── save.lua, one step ◀───────┘
//! ```
//!
//! The body is JSON: an operator can read it, and a later version of the service reads fields by name.
//!
//! All heartbeats are handed in before anything is judged, so that whatever is saved knows the latest, and
//! is due when it truly is. The local time is the server's, so that all processes share one clock. A
//! heartbeat is judged by the same clock, so a sweep and a heartbeat agree on who was in time. A save makes
//! sure of it: if somebody who was found silent was heard of since, it is a conflict.

use std::collections::{BTreeMap, BTreeSet};

use room_registry::journal::{Answer, Command, Input};
use room_registry::page::RoomOrder;
use room_registry::{
    Change, Config, Error, Heartbeat, NewRoom, Outcome, Room, RoomId, RoomRef, Timestamp,
    UserConnection,
};

use super::keys::{Keys, beat_of, place, user_of};
use super::link::{Link, ServerTime, failed};
use super::scripts::Scripts;
use crate::rows;
use crate::store::StoreError;

/// A room as it is stored.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its version; none if nothing is stored.
    version: Option<String>,
    body: Option<Vec<u8>>,
    /// The last heartbeats of the connections of its members, as they are stored.
    beats: BTreeMap<String, u64>,
    /// All members count as heard of at this time.
    grace: u64,
    /// How long no process had reached the server.
    pub(super) unreached_ms: u64,
    /// The local time.
    pub(super) now: Timestamp,
}

/// What a load answers: version and body, heartbeats, grace and beacon, the time.
type Answers =
    ((Option<String>, Option<Vec<u8>>), Vec<(String, u64)>, (Option<u64>, Option<u64>), ServerTime);

/// What becomes of a save.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Done,
    /// Somebody else was faster.
    Conflict,
    TooManyRooms,
    TooManyRoomsOfHost,
}

/// A room with the work done, to be saved.
#[derive(Debug)]
pub(super) struct Worked {
    room: Room,
    changes: Vec<Change>,
    /// Who was found silent, with the heartbeat that this was judged by.
    judged: Vec<(String, u64)>,
    is_creation: bool,
    is_answer: bool,
}

impl Loaded {
    /// Reads a room, its heartbeats and the time, at once.
    pub(super) async fn read(link: &Link, keys: &Keys, room_id: &str) -> Result<Self, StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("HMGET").arg(keys.room(room_id)).arg("version").arg("body");
        commands.cmd("ZRANGE").arg(keys.beats(room_id)).arg(0).arg(-1).arg("WITHSCORES");
        commands.cmd("MGET").arg(keys.named("grace")).arg(keys.named("alive"));
        commands.cmd("TIME"); // the last, so that no heartbeat is ahead of it
        let ((version, body), beats, (grace, reached), time): Answers =
            link.send(&commands).await?;
        let server = time.0 * 1_000 + time.1 / 1_000;
        Ok(Self {
            version,
            body,
            beats: beats.into_iter().collect(),
            grace: grace.unwrap_or(0),
            unreached_ms: reached.map_or(0, |reached| server.saturating_sub(reached)),
            now: link.time(time),
        })
    }

    /// The room, with the heartbeats that came since it was saved.
    pub(super) fn room(&self, room_id: &RoomId, config: &Config) -> Result<Room, StoreError> {
        let mut room = match &self.body {
            None => Room::new(room_id.clone(), config),
            Some(body) => serde_json::from_slice(body).map_err(|error| {
                failed(format!("room {:?} cannot be read: {error}", room_id.as_str()))
            })?,
        };
        if room.id() != room_id {
            return Err(failed(format!("room {:?} holds another", room_id.as_str())));
        }
        let beats = self.graced(config).map(|(user, at)| (user, Timestamp::from_millis(at)));
        room.take_heartbeats(beats, config, self.now).map_err(|error| failed(error.to_string()))?;
        Ok(room)
    }

    /// The heartbeats, with the grace for whoever held when the user was last heard of.
    fn graced(&self, config: &Config) -> impl Iterator<Item = (UserConnection<'_>, u64)> {
        let timeout_ms = super::millis(config.heartbeat_timeout());
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (beat, at) in &self.beats {
            let held = last.entry(user_of(beat).user_id).or_default();
            *held = (*at).max(*held);
        }
        self.beats.iter().map(move |(beat, at)| {
            let user = user_of(beat);
            let held = at + timeout_ms >= last[user.user_id];
            (user, if held { (*at).max(self.grace) } else { *at })
        })
    }

    /// Hands an input in; `Input::Expire` does what is due. `None` in place of what is to be saved if
    /// nothing is.
    pub(super) fn work(
        &self,
        room_id: &RoomId,
        input: &Input,
        config: &Config,
    ) -> Result<(Answer, Option<Worked>), StoreError> {
        let mut room = self.room(room_id, config)?;
        // If the local clock was set back, taking the heartbeats changed something.
        let mut changes: Vec<Change> = room.changes().collect();
        let judged = self.silent(&room, config);
        let is_answer = matches!(input, Input::Observation(_));
        let is_creation = matches!(
            input,
            Input::Command(
                Command::CreateRoom(_) | Command::JoinRoom { .. } | Command::UpdateRoom { .. }
            )
        );
        let is_sweep = matches!(input, Input::Expire);
        self.create_for_join(&mut room, input, config, &mut changes)?;
        let answer = room.apply_input(input, config, self.now)?;
        changes.extend(room.changes());
        let must_be_saved = !changes.is_empty() || is_sweep || is_answer;
        if !must_be_saved && self.is_as_before(&room, answer, config)? {
            return Ok((answer, None));
        }
        Ok((answer, Some(Worked { room, changes, judged, is_creation, is_answer })))
    }

    /// Where the settings say so, a join creates the room.
    fn create_for_join(
        &self,
        room: &mut Room,
        input: &Input,
        config: &Config,
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let Input::Command(Command::JoinRoom { room_id, user }) = input else {
            return Ok(());
        };
        if let Some(lifecycle) = config.auto_create_rooms()
            && room.view().is_none()
        {
            let created =
                NewRoom::new(room_id.as_str(), user.user_id.as_str()).lifecycle(lifecycle);
            room.create(created, config, self.now)?;
            changes.extend(room.changes());
        }
        Ok(())
    }

    /// Whose heartbeats stopped for too long, as far as was heard.
    fn silent(&self, room: &Room, config: &Config) -> Vec<(String, u64)> {
        let beats = room.view().into_iter().flat_map(RoomRef::heartbeats);
        let silent = beats.filter(|(_, at)| *at + config.heartbeat_timeout() < self.now);
        let silent = silent.map(|(user, _)| beat_of(user));
        silent.filter_map(|beat| self.beats.get(&beat).map(|at| (beat.clone(), *at))).collect()
    }

    /// Whether the work left everything as it was, but for the time at which it was done. Looks only if the
    /// answer says so: this reads the body once more.
    fn is_as_before(
        &self,
        room: &Room,
        answer: Answer,
        config: &Config,
    ) -> Result<bool, StoreError> {
        if self.body.is_none() {
            return Ok(room.is_forgotten());
        }
        let may_be = match answer {
            Answer::Done => true,
            Answer::Outcome(outcome) => !matches!(outcome, Outcome::Applied | Outcome::Held),
            Answer::Heartbeat(heartbeat) => heartbeat != Heartbeat::Alive,
            _ => false,
        };
        Ok(may_be && encode(&self.room(room.id(), config)?) == encode(room))
    }
}

impl Worked {
    /// Saves the room and all that follows from it, in one step.
    pub(super) async fn save(
        &self,
        loaded: &Loaded,
        link: &Link,
        keys: &Keys,
        scripts: &Scripts,
        config: &Config,
    ) -> Result<Saved, StoreError> {
        let (room, view) = (&self.room, self.room.view());
        let room_id = room.id().as_str();
        let is_forgotten = room.is_forgotten();
        let place_in = |order| view.map(|view| place(&view.cursor(order))).unwrap_or_default();
        let info = view.and_then(RoomRef::info);
        let (set, gone) = loaded.turned(view);
        let limit = |limit: Option<usize>| {
            limit.filter(|_| self.is_creation).map(|limit| limit.to_string()).unwrap_or_default()
        };

        let mut call = scripts.save.prepare_invoke();
        call.key(keys.room(room_id)).key(keys.beats(room_id));
        for name in [
            "by-time",
            "by-users",
            "by-id",
            "held",
            "due",
            "totals",
            "hosts",
            "events",
            "standings",
            "versions",
        ] {
            call.key(keys.named(name));
        }
        call.arg(room_id).arg(loaded.version.as_deref().unwrap_or_default());
        call.arg(if is_forgotten { Vec::new() } else { encode(room) });
        call.arg(view.map(|view| encode(&rows::Room::from(view))).unwrap_or_default());
        call.arg(place_in(RoomOrder::Newest)).arg(place_in(RoomOrder::MostUsers));
        call.arg(view.map_or(0, RoomRef::user_count)).arg(view.map_or(0, RoomRef::stream_count));
        call.arg(info.map(|info| info.host_id.as_str()).unwrap_or_default());
        let due = room.next_expiry(config).filter(|_| !is_forgotten);
        call.arg(due.map(|at| at.as_millis().to_string()).unwrap_or_default());
        call.arg(if is_forgotten { Vec::new() } else { encode(&room.repair_status(config)) });
        call.arg(u8::from(self.is_answer));
        call.arg(limit(config.max_rooms())).arg(limit(config.max_rooms_per_host()));
        call.arg(super::EVENTS_KEPT);

        call.arg(self.judged.len() * 2);
        for (user_id, at) in &self.judged {
            call.arg(user_id).arg(at);
        }
        call.arg(set.len() * 3);
        for (user_id, at, before) in set {
            call.arg(user_id).arg(at.as_millis());
            call.arg(before.map(|at| at.to_string()).unwrap_or_default());
        }
        call.arg(gone.len());
        for user_id in gone {
            call.arg(user_id);
        }
        call.arg(self.changes.len());
        for change in &self.changes {
            call.arg(crate::feed::json(change));
        }
        let answer: String = link.call(&call).await?;
        Ok(match answer.as_str() {
            "conflict" => Saved::Conflict,
            "rooms" => Saved::TooManyRooms,
            "host" => Saved::TooManyRoomsOfHost,
            _version => Saved::Done,
        })
    }

    /// Why it may not be saved.
    pub(super) fn refusal(&self, saved: &Saved, config: &Config) -> Option<Error> {
        let host_id = || {
            let info = self.room.view().and_then(RoomRef::info);
            info.map(|info| info.host_id.to_string()).unwrap_or_default()
        };
        match saved {
            Saved::Done | Saved::Conflict => None,
            Saved::TooManyRooms => {
                Some(Error::TooManyRooms { limit: config.max_rooms().unwrap_or_default() })
            }
            Saved::TooManyRoomsOfHost => Some(Error::TooManyRoomsOfHost {
                host_id: host_id(),
                limit: config.max_rooms_per_host().unwrap_or_default(),
            }),
        }
    }
}

/// A heartbeat to store: whose, when, and what is stored now.
type Beat = (String, Timestamp, Option<u64>);

impl Loaded {
    /// Which heartbeats are others than those stored, and who has none any more.
    fn turned<'a>(&'a self, view: Option<RoomRef<'a>>) -> (Vec<Beat>, Vec<&'a str>) {
        let mut gone: BTreeSet<&str> = self.beats.keys().map(String::as_str).collect();
        let mut set = Vec::new();
        for (user, at) in view.into_iter().flat_map(RoomRef::heartbeats) {
            let beat = beat_of(user);
            gone.remove(beat.as_str());
            let stored = self.beats.get(&beat).copied();
            if stored != Some(at.as_millis()) {
                set.push((beat, at, stored));
            }
        }
        (set, gone.into_iter().collect())
    }
}

fn encode(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("what is kept has no key that is no text")
}
