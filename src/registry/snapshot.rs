//! Whole registries, saved and restored in any serde format (laws 1.7 and 17.8).
//!
//! A snapshot is a header and then room after room, so neither side holds a second copy of everything. Writing
//! walks the registry, and reading checks and keeps one room at a time. The form of a room is in `stored.rs`.
//! A room that no input could have made is an error that names it, and then nothing is restored. The index is
//! not stored, because it follows from the rooms.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::change::Cause;
use crate::model::config::{Config, Rules};
use crate::model::outcome::Outcomes;
use crate::model::time::Timestamp;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::rooms::{HeldRoom, Rooms};
use crate::room::Room;
use crate::room::context::Context;
use crate::room::notes::ChangeLog;
use crate::room::state::RoomState;
use crate::stored::StoredRoom;

/// The version of the snapshot that this crate writes and reads.
const VERSION: u32 = 2;
const NAME: &str = "Snapshot";
const FIELDS: &[&str] = &["version", "settings", "taken_at", "outcomes", "rooms"];

/// The saved form of a registry: serialise it in any format. [`RoomRegistry::snapshot`] makes it, and
/// [`RoomRegistry::restore`] reads it back.
#[derive(Clone, Copy)]
pub struct Snapshot<'r> {
    /// The settings that decide what is stored. Under others, only `restore_carried_over` reads the snapshot.
    settings: &'r Rules,
    /// The local time of the last call.
    taken_at: Timestamp,
    /// How many callbacks had each outcome.
    outcomes: Outcomes,
    /// All rooms, listed or not.
    rooms: &'r Rooms,
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("taken_at", &self.taken_at)
            .field("rooms", &self.rooms.len())
            .finish()
    }
}

impl Snapshot<'_> {
    /// Returns when (local time) the registry got its last input, which is how far the snapshot reaches.
    /// Many inputs may come within one millisecond. So keep the place in the journal beside a snapshot, not
    /// only its time.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry, Timestamp};
    /// let clock = ManualClock::at(Timestamp::from_secs(9));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// assert_eq!(registry.snapshot().taken_at(), Timestamp::from_secs(9));
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn taken_at(&self) -> Timestamp {
        self.taken_at
    }
}

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut snapshot = serializer.serialize_struct(NAME, FIELDS.len())?;
        snapshot.serialize_field("version", &VERSION)?;
        snapshot.serialize_field("settings", self.settings)?;
        snapshot.serialize_field("taken_at", &self.taken_at)?;
        snapshot.serialize_field("outcomes", &self.outcomes)?;
        snapshot.serialize_field("rooms", &StoredRooms(self.rooms))?;
        snapshot.end()
    }
}

/// The rooms, by id. Each gets its stored form when the serialiser comes to it.
struct StoredRooms<'r>(&'r Rooms);

impl Serialize for StoredRooms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for number in self.0.numbers_by_id() {
            let room = self.0.at(number).expect("a room has this number");
            list.serialize_element(&StoredRoom::of(room))?;
        }
        list.end()
    }
}

impl<C: Clock> RoomRegistry<C> {
    /// Returns everything that is stored, to be serialised. Cost: nothing yet. Serialising costs what
    /// is stored, and the memory of one room.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let saved = serde_json::to_vec(&registry.snapshot()).unwrap();
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            settings: &self.config.rules,
            taken_at: self.now,
            outcomes: self.outcomes,
            rooms: &self.rooms,
        }
    }

    /// Restores a registry. Memberships get one fresh timeout, because their heartbeats could not arrive
    /// meanwhile. Everything else is as it was saved. To replay a journal on top, use
    /// [`restore_exactly`](Self::restore_exactly).
    ///
    /// Cost: what was saved, and no second copy of it.
    ///
    /// # Errors
    ///
    /// The format's own error, with a text that names what is wrong. The snapshot may be damaged, of
    /// another version, or of other settings. A room may be in it twice, or in a state that no callbacks
    /// and commands could have made. [`restore_carried_over`](Self::restore_carried_over) takes a snapshot
    /// of other settings.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let saved = serde_json::to_string(&registry.snapshot()).unwrap();
    ///
    /// let mut reader = serde_json::Deserializer::from_str(&saved);
    /// let restored = RoomRegistry::restore(Config::default(), ManualClock::default(), &mut reader).unwrap();
    /// assert!(restored.room("r1").is_some());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn restore<'de, D: Deserializer<'de>>(
        config: Config,
        clock: C,
        saved: D,
    ) -> Result<Self, D::Error> {
        Ok(Self::read(config, clock, saved, Settings::Same)?.with_grace())
    }

    /// Restores a registry as [`restore`](Self::restore) does, even if its snapshot was taken under other
    /// settings. Each room is carried over as [`Room::carry_over`] does, at the time of its last input.
    ///
    /// A longer retention costs nothing. What other settings can cost is in
    /// [`guide::settings`](crate::guide::settings).
    ///
    /// Cost: what was saved, and no second copy of it.
    ///
    /// # Errors
    ///
    /// Those of [`restore`](Self::restore), except for other settings.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let saved = serde_json::to_string(&registry.snapshot()).unwrap();
    ///
    /// let config = Config::builder().retention(None).build().unwrap();
    /// let read = || serde_json::Deserializer::from_str(&saved);
    /// let clock = ManualClock::default();
    /// assert!(RoomRegistry::restore(config.clone(), clock.clone(), &mut read()).is_err());
    /// let restored = RoomRegistry::restore_carried_over(config, clock, &mut read()).unwrap();
    /// assert!(restored.room("r1").is_some());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn restore_carried_over<'de, D: Deserializer<'de>>(
        config: Config,
        clock: C,
        saved: D,
    ) -> Result<Self, D::Error> {
        Ok(Self::read(config, clock, saved, Settings::Any)?.with_grace())
    }

    /// Grants all memberships a fresh timeout. That updates every room in the indexes, and so fills them.
    fn with_grace(mut self) -> Self {
        self.begin();
        self.grant_grace_because(Cause::Import);
        self.log.clear();
        self.dirty.clear();
        self
    }

    /// Restores a registry exactly as it was saved, without any grace and at the time at which it was
    /// saved. [Replay](Self::replay) a journal on top, and the state is that of the whole journal from
    /// the beginning.
    ///
    /// No heartbeat could arrive while the process was down. So call [`grant_grace`](Self::grant_grace) at
    /// the end of the journal, before the first [`expire`](Self::expire). Without a journal,
    /// [`restore`](Self::restore) does both.
    ///
    /// Cost: what was saved, and no second copy of it.
    ///
    /// # Errors
    ///
    /// Those of [`restore`](Self::restore).
    ///
    /// ```
    /// use room_registry::journal::{Command, JournalEntry};
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry, Timestamp};
    ///
    /// let clock = ManualClock::at(Timestamp::from_secs(100));
    /// let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// let saved = serde_json::to_string(&registry.snapshot()).unwrap();
    /// // What came since:
    /// let created = Command::CreateRoom(NewRoom::new("r2", "ann"));
    /// let journal = [JournalEntry::new(Timestamp::from_secs(101), created)];
    ///
    /// let mut reader = serde_json::Deserializer::from_str(&saved);
    /// let mut restored = RoomRegistry::restore_exactly(Config::default(), clock, &mut reader).unwrap();
    /// for entry in journal {
    ///     let _refused_as_it_was_then = restored.replay(&entry);
    /// }
    /// restored.grant_grace();
    /// assert_eq!(restored.room_count(), 2);
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn restore_exactly<'de, D: Deserializer<'de>>(
        config: Config,
        clock: C,
        saved: D,
    ) -> Result<Self, D::Error> {
        let mut registry = Self::read(config, clock, saved, Settings::Same)?;
        for number in 0..registry.rooms.len() {
            let Some(held) = registry.rooms.at_mut(number) else { continue };
            let HeldRoom { room, keys } = held;
            registry.index.update(number, room, keys, &registry.config, registry.now);
        }
        Ok(registry)
    }

    /// Reads the rooms and all but the index of rooms, which the caller fills.
    fn read<'de, D: Deserializer<'de>>(
        config: Config,
        clock: C,
        saved: D,
        settings: Settings,
    ) -> Result<Self, D::Error> {
        let mut registry = Self::with_clock(config, clock);
        let read = Reading { config: &registry.config, settings };
        let restored = saved.deserialize_struct(NAME, FIELDS, read)?;
        registry.now = restored.taken_at;
        registry.outcomes = restored.outcomes;
        registry.rooms = restored.rooms;
        registry.index_all_users();
        Ok(registry)
    }
}

/// A snapshot that was read.
struct Restored {
    taken_at: Timestamp,
    outcomes: Outcomes,
    rooms: Rooms,
}

/// Which settings a snapshot may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settings {
    /// Only these.
    Same,
    /// Any: rooms of other settings are carried over.
    Any,
}

/// How a snapshot is read: under which settings, and which it may have.
#[derive(Clone, Copy)]
struct Reading<'c> {
    config: &'c Config,
    settings: Settings,
}

impl Reading<'_> {
    /// Checks the settings of a snapshot or of a room.
    fn check<E: de::Error>(self, found: &Rules) -> Result<(), E> {
        let expected: &Rules = &self.config.rules;
        if found == expected || self.settings == Settings::Any {
            return Ok(());
        }
        Err(E::custom(format_args!(
            "the snapshot was taken under other settings ({found}) than these ({expected})"
        )))
    }

    /// Checks the settings of a room, or carries it over to these. A shorter retention may leave nothing.
    fn room<E: de::Error>(self, room: Room) -> Result<Option<RoomState>, E> {
        let mut room = room.into_state();
        self.check(&room.settings)?;
        if room.settings == self.config.rules {
            room.settings = self.config.rules.clone(); // which all rooms share
            return Ok(Some(room));
        }
        let mut discarded = ChangeLog::default(); // a restored registry has no changes to follow
        room.carry_over(&mut Context::new(self.config, room.clock, Cause::Import, &mut discarded));
        Ok(Some(room).filter(|room| !room.is_forgotten()))
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Restored;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a snapshot of version {VERSION}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Restored, A::Error> {
        let missing = |field: usize| de::Error::invalid_length(field, &"a snapshot");
        check_version(fields.next_element()?.ok_or_else(|| missing(0))?)?;
        self.check(&fields.next_element()?.ok_or_else(|| missing(1))?)?;
        let taken_at = fields.next_element()?.ok_or_else(|| missing(2))?;
        let outcomes = fields.next_element()?.ok_or_else(|| missing(3))?;
        let rooms = fields.next_element_seed(RoomsSeed(self))?.ok_or_else(|| missing(4))?;
        Ok(Restored { taken_at, outcomes, rooms })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Restored, A::Error> {
        let (mut version, mut settings, mut taken_at) = (None, None, None);
        let (mut outcomes, mut rooms) = (None, None);
        while let Some(field) = fields.next_key::<Field>()? {
            match field {
                Field::Version => version = Some(check_version(fields.next_value()?)?),
                Field::Settings => {
                    settings = Some(self.check(&fields.next_value()?)?);
                }
                Field::TakenAt => taken_at = Some(fields.next_value()?),
                Field::Outcomes => outcomes = Some(fields.next_value()?),
                Field::Rooms if rooms.is_some() => return Err(de::Error::duplicate_field("rooms")),
                Field::Rooms => rooms = Some(fields.next_value_seed(RoomsSeed(self))?),
            }
        }
        // Fields may come in any order, so rooms may be read before the header. Each room carries its own
        // version and settings, and is checked by those.
        version.ok_or_else(|| de::Error::missing_field("version"))?;
        settings.ok_or_else(|| de::Error::missing_field("settings"))?;
        Ok(Restored {
            taken_at: taken_at.ok_or_else(|| de::Error::missing_field("taken_at"))?,
            outcomes: outcomes.ok_or_else(|| de::Error::missing_field("outcomes"))?,
            rooms: rooms.ok_or_else(|| de::Error::missing_field("rooms"))?,
        })
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Version,
    Settings,
    TakenAt,
    Outcomes,
    Rooms,
}

fn check_version<E: de::Error>(found: u32) -> Result<(), E> {
    if found == VERSION {
        return Ok(());
    }
    Err(E::custom(format_args!(
        "a snapshot of version {found} cannot be read: this is version {VERSION}"
    )))
}

/// Reads one room after the other, so that nobody holds the stored forms of all of them.
struct RoomsSeed<'c>(Reading<'c>);

impl<'de> DeserializeSeed<'de> for RoomsSeed<'_> {
    type Value = Rooms;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RoomsSeed<'_> {
    type Value = Rooms;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rooms")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut rooms = Rooms::default();
        while let Some(room) = list.next_element::<Room>()? {
            let Some(room) = self.0.room(room)? else { continue };
            let room_id = room.id.clone();
            if rooms.insert(HeldRoom::new(room)).is_none() {
                return Err(de::Error::custom(format_args!(
                    "room {room_id} is in the snapshot twice"
                )));
            }
        }
        Ok(rooms)
    }
}
