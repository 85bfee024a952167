//! Makes a registry that takes commands, and a plain model of what a first server would make of them.

use std::collections::BTreeMap;

use room_registry::{Config, Heartbeat, Lifecycle, ManualClock, RoomRegistry, Timestamp};

/// The local time when a registry begins.
pub const START: u64 = 1_763_596_800_000;
/// How long a membership lasts without a heartbeat.
pub const TIMEOUT: u64 = 90_000;

/// Makes a registry on a clock that is moved by hand.
pub fn registry_with(config: Config) -> (RoomRegistry<ManualClock>, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    (RoomRegistry::with_clock(config, clock.clone()), clock)
}

/// Makes a registry with the default configuration.
pub fn registry() -> (RoomRegistry<ManualClock>, ManualClock) {
    registry_with(Config::default())
}

/// A room as a first server would keep it.
#[derive(Debug, Clone)]
pub struct ModelRoom {
    /// Whom it belongs to.
    pub host: String,
    /// What it is called.
    pub name: String,
    /// When it goes by itself.
    pub lifecycle: Lifecycle,
    /// How many users it may have; 0 is no limit of its own.
    pub max_users: u32,
    /// When it ends whatever its lifecycle is.
    pub ends_at: Option<u64>,
    /// How long it stays if nobody has come yet, if it says so itself.
    pub first_join_grace: Option<u64>,
    /// How long it stays after the last one left, if it says so itself.
    pub empty_grace: Option<u64>,
    /// Since when nobody who counts has been in it.
    pub empty_since: Option<u64>,
    /// Whether anybody who counts came yet.
    pub is_entered: bool,
    /// Who joined.
    pub members: BTreeMap<String, ModelMember>,
}

/// A member as a first server would keep it.
#[derive(Debug, Clone)]
pub struct ModelMember {
    /// When the user joined.
    pub joined_at: u64,
    /// The name to show.
    pub name: String,
    /// Whether users of that role count.
    pub counts: bool,
    /// The last heartbeat of each connection that did not leave. The unnamed one has an empty name.
    pub beats: BTreeMap<String, u64>,
}

impl ModelMember {
    /// Answers the last heartbeat of any connection.
    pub fn beat(&self) -> u64 {
        self.beats.values().copied().max().unwrap_or(0)
    }
}

impl ModelRoom {
    /// Answers how many users count, apart from one.
    fn others(&self, user: &str) -> usize {
        self.members.iter().filter(|(id, held)| held.counts && *id != user).count()
    }

    /// Answers whether it is over at a time: its own end has come, or it was empty for long enough.
    fn is_over(&self, now: u64) -> bool {
        let grace = if self.is_entered {
            self.empty_grace.unwrap_or(EMPTY_GRACE)
        } else {
            self.first_join_grace.unwrap_or(FIRST_JOIN_GRACE)
        };
        let is_left = self.empty_since.is_some_and(|since| now - since >= grace);
        self.lifecycle == Lifecycle::UntilEmpty && is_left
            || self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }
}

/// How many there may be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Rooms.
    pub rooms: Option<usize>,
    /// Rooms of one host.
    pub rooms_of_host: Option<usize>,
    /// Users in a room.
    pub users: Option<usize>,
}

/// How somebody went, or a connection.
#[derive(Debug, Clone, Copy)]
pub struct Gone {
    joined_at: u64,
    at: u64,
    how: Heartbeat,
}

/// Commands alone, as plainly as can be.
#[derive(Debug, Default)]
pub struct Model {
    /// The local time.
    pub now: u64,
    /// How many there may be.
    pub limits: Limits,
    /// The rooms, by id.
    pub rooms: BTreeMap<String, ModelRoom>,
    /// How somebody went last, by room and user.
    pub gone: BTreeMap<(String, String), Gone>,
    /// How a connection ended last, by room, user and connection.
    pub ended: BTreeMap<(String, String, String), (u64, Heartbeat)>,
    /// When each room last ended.
    pub ends: BTreeMap<String, u64>,
}

/// How long it is remembered how somebody went.
const RETENTION: u64 = 600_000;
/// How long a room stays if nobody has come yet.
const FIRST_JOIN_GRACE: u64 = 300_000;
/// How long a room stays after the last one left.
const EMPTY_GRACE: u64 = 60_000;

impl Model {
    /// Finds a room.
    pub fn room(&mut self, id: &str) -> Result<&mut ModelRoom, String> {
        self.rooms.get_mut(id).ok_or_else(|| format!("room {id:?} not found"))
    }

    fn note_empty(&mut self, id: &str) {
        let now = self.now;
        if let Some(room) = self.rooms.get_mut(id) {
            let is_empty = !room.members.values().any(|held| held.counts);
            room.is_entered |= !is_empty;
            room.empty_since = if is_empty { room.empty_since.or(Some(now)) } else { None };
        }
    }

    /// Creates a room in which nobody is.
    pub fn create(&mut self, id: &str, new: ModelRoom) -> Result<(), String> {
        if self.rooms.contains_key(id) {
            return Err(format!("room {id:?} already exists"));
        }
        if let Some(limit) = self.limits.rooms.filter(|limit| self.rooms.len() >= *limit) {
            return Err(format!("too many rooms: at most {limit} may be listed"));
        }
        let of_host = self.rooms.values().filter(|room| room.host == new.host).count();
        if let Some(limit) = self.limits.rooms_of_host.filter(|limit| of_host >= *limit) {
            let host = &new.host;
            return Err(format!("host {host:?} has too many rooms: one host may have {limit}"));
        }
        self.rooms.insert(id.to_owned(), new);
        Ok(())
    }

    /// Lets a user join, by a connection, in a role that counts or in one that does not.
    pub fn join(
        &mut self,
        id: &str,
        user: &str,
        connection: &str,
        counts: bool,
    ) -> Result<(), String> {
        let (now, limit) = (self.now, self.limits.users);
        let room = self.room(id)?;
        let own_limit = usize::try_from(room.max_users).ok().filter(|limit| *limit > 0);
        let limit = limit.into_iter().chain(own_limit).min();
        let is_there = room.members.get(user).is_some_and(|held| now <= held.beat() + TIMEOUT);
        if let Some(limit) = limit
            && counts
            && !is_there
            && room.others(user) >= limit
        {
            return Err(format!("room {id:?} is full: it may have {limit} users"));
        }
        if room.members.get(user).is_some_and(|held| now > held.beat() + TIMEOUT) {
            self.leave(id, user, Heartbeat::TimedOut)?;
        }
        let room = self.room(id)?;
        let name = user.to_owned();
        let new = || ModelMember { joined_at: now, name, counts, beats: BTreeMap::new() };
        let held = room.members.entry(user.to_owned()).or_insert_with(new);
        if held.beats.get(connection).is_some_and(|beat| now <= beat + TIMEOUT) {
            return Err(format!("user {user:?} already joined room {id:?}"));
        }
        held.beats.insert(connection.to_owned(), now);
        self.gone.remove(&(id.to_owned(), user.to_owned()));
        self.ended.remove(&(id.to_owned(), user.to_owned(), connection.to_owned()));
        self.note_empty(id);
        Ok(())
    }

    /// Lets a user leave, or removes one.
    pub fn leave(&mut self, id: &str, user: &str, how: Heartbeat) -> Result<(), String> {
        let at = self.now;
        let room = self.room(id)?;
        let held = room.members.remove(user);
        let held = held.ok_or_else(|| format!("user {user:?} is not in room {id:?}"))?;
        self.note_empty(id);
        let gone = Gone { joined_at: held.joined_at, at, how };
        self.gone.insert((id.to_owned(), user.to_owned()), gone);
        for connection in held.beats.into_keys() {
            self.ended.insert((id.to_owned(), user.to_owned(), connection), (at, how));
        }
        Ok(())
    }

    /// Ends a connection, and the membership with the last that holds.
    pub fn leave_by(&mut self, id: &str, user: &str, connection: &str) -> Result<(), String> {
        let now = self.now;
        let held = self.room(id)?.members.get_mut(user);
        let is_alive = |beat: &u64| now <= beat + TIMEOUT;
        let held = held.filter(|held| held.beats.get(connection).is_some_and(is_alive));
        let held = held.ok_or_else(|| format!("user {user:?} is not in room {id:?}"))?;
        if held.beats.values().filter(|beat| is_alive(beat)).count() == 1 {
            return self.leave(id, user, Heartbeat::Left);
        }
        held.beats.remove(connection);
        let ended = (id.to_owned(), user.to_owned(), connection.to_owned());
        self.ended.insert(ended, (now, Heartbeat::Left));
        Ok(())
    }

    /// Ends a room: everybody has left it. Who joined before it ended the time before is forgotten.
    pub fn end(&mut self, id: &str) {
        let Some(room) = self.rooms.get(id) else { return };
        for user in room.members.keys().cloned().collect::<Vec<_>>() {
            self.leave(id, &user, Heartbeat::Left).expect("a member");
        }
        self.rooms.remove(id);
        let now = self.now;
        let before = self.ends.insert(id.to_owned(), now);
        let before = before.filter(|before| now <= before + RETENTION);
        let is_kept = |gone: &Gone| Some(gone.joined_at) > before && now <= gone.at + RETENTION;
        self.gone.retain(|(room, _), gone| room != id || is_kept(gone));
        for ((room, _), gone) in &mut self.gone {
            if room == id {
                *gone = Gone { at: now, how: Heartbeat::Left, ..*gone };
            }
        }
        for ((room, user, _), ended) in &mut self.ended {
            // Of somebody without a named connection, that is how the membership ended.
            let is_gone = self.gone.contains_key(&(room.clone(), user.clone()));
            if room == id && is_gone {
                *ended = (now, Heartbeat::Left);
            }
        }
    }

    /// Takes a heartbeat of a connection.
    pub fn heartbeat(&mut self, id: &str, user: &str, by: &str) -> Result<Heartbeat, String> {
        let now = self.now;
        let missing = format!("user {user:?} is not in room {id:?}");
        let told =
            |at: u64, how| if now <= at + RETENTION { Ok(how) } else { Err(missing.clone()) };
        let room = self.room(id)?;
        let Some(held) = room.members.get_mut(user) else {
            return match self.gone.get(&(id.to_owned(), user.to_owned())) {
                Some(gone) => told(gone.at, gone.how),
                None => Err(missing),
            };
        };
        if now > held.beat() + TIMEOUT {
            self.leave(id, user, Heartbeat::TimedOut)?;
            return Ok(Heartbeat::TimedOut);
        }
        match held.beats.get_mut(by) {
            Some(beat) if now <= *beat + TIMEOUT => {
                *beat = now;
                Ok(Heartbeat::Alive)
            }
            Some(beat) => told(*beat + TIMEOUT, Heartbeat::TimedOut),
            None => match self.ended.get(&(id.to_owned(), user.to_owned(), by.to_owned())) {
                Some((at, how)) => told(*at, *how),
                None => Err(missing),
            },
        }
    }

    /// Gives everybody a fresh timeout, and those connections that held when the user was last heard of.
    pub fn grant_grace(&mut self) {
        let now = self.now;
        for held in self.rooms.values_mut().flat_map(|room| room.members.values_mut()) {
            let last = held.beat();
            held.beats
                .values_mut()
                .filter(|beat| last <= **beat + TIMEOUT)
                .for_each(|beat| *beat = now);
        }
    }

    /// Lets go what timed out.
    pub fn expire(&mut self) {
        let now = self.now;
        for id in self.rooms.keys().cloned().collect::<Vec<_>>() {
            let members = self.rooms[&id].members.iter();
            let overdue = members.filter(|(_, held)| now > held.beat() + TIMEOUT);
            for user in overdue.map(|(user, _)| user.clone()).collect::<Vec<_>>() {
                self.leave(&id, &user, Heartbeat::TimedOut).expect("a member");
            }
            self.note_empty(&id);
            if self.rooms[&id].is_over(now) {
                self.end(&id);
            }
        }
    }
}
