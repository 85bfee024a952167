//! Who keeps a copy of the lists.

use room_registry::journal::{Command, Input};
use room_registry::{
    Config, ManualClock, Mirror, Observation, Outcome, Room, RoomId, RoomRef, RoomRegistry,
    StreamId, Timestamp, UserId, UserRef, Visit, Visits,
};
use room_registry_world::recipe::Recipe;
use room_registry_world::truth::{Reader, Truth};

use super::names::{bit, index};
use super::server::{Lists, Told};

/// Keeps a copy of the lists by the callbacks that it gets.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are four, once")]
pub(crate) enum Contestant {
    /// Takes everything over just as it comes. Each room with what it shows.
    ArrivalOrder(Vec<(Reader, Lists)>),
    /// Follows the vendor's published flow charts. Each room with what it shows.
    PublishedRecipe(Vec<(Recipe, Lists)>),
    /// Uses this crate.
    ThisCrate(Ours),
}

impl Contestant {
    pub(crate) fn arrival_order(rooms: usize) -> Self {
        Self::ArrivalOrder((0..rooms).map(|_| Default::default()).collect())
    }

    pub(crate) fn published_recipe(rooms: usize) -> Self {
        Self::PublishedRecipe((0..rooms).map(|_| Default::default()).collect())
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::ArrivalOrder(_) => "arrival order",
            Self::PublishedRecipe(_) => "published recipe",
            Self::ThisCrate(ours) if ours.repairs => "this crate with repair",
            Self::ThisCrate(_) => "this crate",
        }
    }

    pub(crate) fn deliver(&mut self, told: &Told, now: Timestamp) {
        match self {
            Self::ArrivalOrder(rooms) => {
                let (room, shown) = &mut rooms[told.room];
                room.follow(&told.callback);
                *shown = lists_of(room.truth().as_ref());
            }
            Self::PublishedRecipe(rooms) => {
                let (room, shown) = &mut rooms[told.room];
                room.apply(&told.callback);
                *shown = lists_of(room.truth().as_ref());
            }
            Self::ThisCrate(ours) => ours.deliver(told, now),
        }
    }

    /// What it shows of a room.
    pub(crate) fn shown(&self, room: usize) -> Lists {
        match self {
            Self::ArrivalOrder(rooms) => rooms[room].1,
            Self::PublishedRecipe(rooms) => rooms[room].1,
            Self::ThisCrate(ours) => ours.shown[room],
        }
    }

    pub(crate) fn ours(&self) -> Option<&Ours> {
        match self {
            Self::ThisCrate(ours) => Some(ours),
            Self::ArrivalOrder(_) | Self::PublishedRecipe(_) => None,
        }
    }

    pub(crate) fn ours_mut(&mut self) -> Option<&mut Ours> {
        match self {
            Self::ThisCrate(ours) => Some(ours),
            Self::ArrivalOrder(_) | Self::PublishedRecipe(_) => None,
        }
    }
}

fn lists_of(truth: Option<&Truth>) -> Lists {
    truth.map_or_else(Lists::default, |truth| Lists {
        open: true,
        users: bits(truth.users.keys().map(UserId::as_str)),
        streams: bits(truth.streams.keys().map(StreamId::as_str)),
    })
}

/// What the media server's part of a room shows; memberships are the application's own.
fn lists_in(room: RoomRef<'_>) -> Lists {
    let is_live = |user: &UserRef<'_>| user.login().is_some() || user.presence().is_some();
    Lists {
        open: room.session().is_some(),
        users: bits(room.users().filter(is_live).map(|user| user.id().as_str())),
        streams: bits(room.streams().map(|stream| stream.id().as_str())),
    }
}

fn bits(ids: impl Iterator<Item = impl AsRef<str>>) -> u64 {
    ids.fold(0, |bits, id| bits | bit(id.as_ref()))
}

/// Visits, and what they told.
#[derive(Debug)]
pub(crate) struct Attendance {
    pub(crate) visits: Visits,
    pub(crate) told: Vec<Visit>,
}

impl Attendance {
    pub(crate) fn new(config: &Config) -> Self {
        Self { visits: Visits::new(config), told: Vec::new() }
    }

    fn take(&mut self, input: &Input, now: Timestamp) {
        self.told.extend(self.visits.apply(input, now));
    }
}

/// A registry on a clock of its own, and what it shows.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) registry: RoomRegistry<ManualClock>,
    pub(crate) clock: ManualClock,
    /// Whether it asks the media server what callbacks do not tell.
    pub(crate) repairs: bool,
    /// A copy that is kept by its changes, if that is checked.
    pub(crate) mirror: Option<Mirror>,
    /// Who was here, if that is checked.
    pub(crate) attendance: Option<Attendance>,
    shown: Vec<Lists>,
    /// Rooms that may look different for other reasons than a callback.
    touched: Vec<usize>,
}

impl Ours {
    pub(crate) fn new(rooms: usize, config: &Config, repairs: bool) -> Self {
        let clock = ManualClock::default();
        Self {
            registry: RoomRegistry::with_clock(config.clone(), clock.clone()),
            clock,
            repairs,
            mirror: None,
            attendance: None,
            shown: vec![Lists::default(); rooms],
            touched: Vec::new(),
        }
    }

    pub(crate) fn deliver(&mut self, told: &Told, now: Timestamp) {
        self.clock.set(now);
        if self.registry.apply_callback(&told.callback) == Outcome::Applied {
            self.look_at(told.room, &told.callback.room_id);
        }
        self.tell_mirror();
        if let Some(attendance) = &mut self.attendance {
            attendance.take(&Input::from(told.callback.clone()), now);
        }
    }

    /// Carries a command out, or refuses it.
    pub(crate) fn command(&mut self, command: &Command, now: Timestamp) {
        self.clock.set(now);
        // Refusals are part of the play.
        _ = self.registry.apply_command(command);
        if let Some(room_id) = command.room_id().and_then(|id| RoomId::new(id).ok()) {
            self.look_at(index(room_id.as_str()), &room_id);
        }
        self.tell_mirror();
        if let Some(attendance) = &mut self.attendance {
            attendance.take(&Input::from(command.clone()), now);
        }
    }

    /// Takes an answer of the media server in.
    pub(crate) fn observe(&mut self, observation: &Observation, now: Timestamp) {
        self.clock.set(now);
        let outcome = self.registry.apply_observation(observation);
        if outcome.expect("the media server's answers make sense") == Outcome::Applied {
            let room = index(observation.room_id.as_str());
            self.look_at(room, &observation.room_id);
            self.touched.push(room);
        }
        self.tell_mirror();
    }

    /// Merges a room that was exported.
    pub(crate) fn import(&mut self, room: Room, now: Timestamp) {
        self.clock.set(now);
        let room_id = room.id().clone();
        self.registry.import(room).expect("it was made under the same settings");
        self.look_at(index(room_id.as_str()), &room_id);
        self.tell_mirror();
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.clock.set(now);
        if let Some(attendance) = &mut self.attendance {
            attendance.take(&Input::Expire, now);
        }
        if self.registry.next_expiry().is_some_and(|at| at <= now) {
            self.registry.expire();
            let room_ids: Vec<_> = self.registry.changes().map(|change| change.room_id).collect();
            for room_id in room_ids {
                let room = index(room_id.as_str());
                self.look_at(room, &room_id);
                self.touched.push(room);
            }
            self.tell_mirror();
        }
    }

    /// Rooms that may look different for other reasons than a callback, since the last call.
    pub(crate) fn touched(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.touched)
    }

    /// Keeps the mirror up with the last call.
    pub(crate) fn tell_mirror(&mut self) {
        if let Some(mirror) = &mut self.mirror {
            self.registry.changes().for_each(|change| mirror.apply(&change));
        }
    }

    fn look_at(&mut self, room: usize, room_id: &RoomId) {
        let view = self.registry.room(room_id.as_str());
        self.shown[room] = view.map_or_else(Lists::default, lists_in);
    }
}
