//! Commands: a registry that takes them, and what a first server would make of them.

use std::collections::BTreeMap;

use room_registry::{Config, Heartbeat, Lifecycle, ManualClock, RoomRegistry, Timestamp};

/// Our time when a registry begins.
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
    /// Since when nobody has been in it.
    pub empty_since: Option<u64>,
    /// Users with the time of joining, the last heartbeat, and the name.
    pub members: BTreeMap<String, (u64, u64, String)>,
}

/// Commands alone, as plainly as can be.
#[derive(Debug, Default)]
pub struct Model {
    /// Our time.
    pub now: u64,
    /// The rooms, by id.
    pub rooms: BTreeMap<String, ModelRoom>,
    /// How and when somebody went last, by room and user.
    pub gone: BTreeMap<(String, String), (u64, Heartbeat)>,
}

/// How long it is remembered how somebody went.
const RETENTION: u64 = 600_000;

impl Model {
    /// Finds a room.
    pub fn room(&mut self, id: &str) -> Result<&mut ModelRoom, String> {
        self.rooms.get_mut(id).ok_or_else(|| format!("room {id:?} not found"))
    }

    fn note_empty(&mut self, id: &str) {
        let now = self.now;
        if let Some(room) = self.rooms.get_mut(id) {
            room.empty_since =
                if room.members.is_empty() { room.empty_since.or(Some(now)) } else { None };
        }
    }

    /// Lets a user join.
    pub fn join(&mut self, id: &str, user: &str) -> Result<(), String> {
        let now = self.now;
        let room = self.room(id)?;
        if room.members.get(user).is_some_and(|(_, beat, _)| now <= beat + TIMEOUT) {
            return Err(format!("user {user:?} already joined room {id:?}"));
        }
        room.members.insert(user.to_owned(), (now, now, user.to_owned()));
        self.gone.remove(&(id.to_owned(), user.to_owned()));
        self.note_empty(id);
        Ok(())
    }

    /// Lets a user leave, or removes one.
    pub fn leave(&mut self, id: &str, user: &str, how: Heartbeat) -> Result<(), String> {
        let room = self.room(id)?;
        room.members.remove(user).ok_or_else(|| format!("user {user:?} is not in room {id:?}"))?;
        self.note_empty(id);
        self.gone.insert((id.to_owned(), user.to_owned()), (self.now, how));
        Ok(())
    }

    /// Ends a room: everybody has left it.
    pub fn end(&mut self, id: &str) {
        let Some(room) = self.rooms.remove(id) else { return };
        for user in room.members.into_keys() {
            self.gone.insert((id.to_owned(), user), (self.now, Heartbeat::Left));
        }
        let of_room = self.gone.iter_mut().filter(|((room, _), _)| room == id);
        of_room.for_each(|(_, (_, how))| *how = Heartbeat::Left);
    }

    /// Takes a heartbeat.
    pub fn heartbeat(&mut self, id: &str, user: &str) -> Result<Heartbeat, String> {
        let now = self.now;
        let room = self.room(id)?;
        let Some((_, beat, _)) = room.members.get_mut(user) else {
            return match self.gone.get(&(id.to_owned(), user.to_owned())) {
                Some((at, how)) if now <= at + RETENTION => Ok(*how),
                _ => Err(format!("user {user:?} is not in room {id:?}")),
            };
        };
        if now > *beat + TIMEOUT {
            self.leave(id, user, Heartbeat::TimedOut)?;
            return Ok(Heartbeat::TimedOut);
        }
        *beat = now;
        Ok(Heartbeat::Alive)
    }

    /// Lets go what timed out.
    pub fn expire(&mut self) {
        let now = self.now;
        for id in self.rooms.keys().cloned().collect::<Vec<_>>() {
            let is_overdue = |(_, beat, _): &&(u64, u64, String)| now > beat + TIMEOUT;
            let members = self.rooms[&id].members.iter().filter(|(_, held)| is_overdue(held));
            let overdue: Vec<_> = members.map(|(user, _)| user.clone()).collect();
            for user in overdue {
                self.leave(&id, &user, Heartbeat::TimedOut).expect("a member");
            }
            self.note_empty(&id);
            let room = &self.rooms[&id];
            let empty_for = room.empty_since.map(|since| now - since);
            if room.lifecycle == Lifecycle::UntilEmpty
                && empty_for.is_some_and(|span| span >= 60_000)
            {
                self.end(&id);
            }
        }
    }
}
