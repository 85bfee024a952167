//! Moves single rooms out of a registry and into one, with all that is stored of them (section 7).

use crate::model::change::Cause;
use crate::model::config::Rules;
use crate::model::error::Error;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::rooms::HeldRoom;
use crate::room::Room;
use crate::room::context::Context;
use crate::room::notes::Note;
use crate::room::state::RoomState;

impl<C: Clock> RoomRegistry<C> {
    /// Copies a room with everything that is stored of it, even if it is not listed and only
    /// remembered. Store the copy, or hand it to another registry. Cost: what is stored of the room.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// registry.create_room(NewRoom::new("r1", "tom"))?;
    /// assert_eq!(registry.export("r1").unwrap().id(), "r1");
    /// assert!(registry.export("r2").is_none());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    #[must_use]
    pub fn export(&self, room_id: &str) -> Option<Room> {
        self.rooms.get(room_id).map(|room| Room::from_state(room.clone()))
    }

    /// Takes a room out, with everything that is stored of it, to hand it over to another registry.
    /// Readers see it no more. What comes for it later makes a new room here, which can be handed over
    /// and merged in the same way. Cost: what is stored of the room.
    ///
    /// ```
    /// use room_registry::{ChangeKind, Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut from = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// from.create_room(NewRoom::new("r1", "tom"))?;
    /// let mut to = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// to.import(from.remove("r1").unwrap())?;
    /// assert_eq!(from.changes().next().unwrap().kind, ChangeKind::RoomUnlisted);
    /// assert!(from.room("r1").is_none());
    /// assert!(to.room("r1").is_some());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn remove(&mut self, room_id: &str) -> Option<Room> {
        self.begin();
        let number = self.rooms.number_of(room_id)?;
        let held = self.rooms.at_mut(number)?;
        if held.room.is_listed() {
            self.log.note(&held.room.id, Cause::Import, Note::RoomUnlisted);
        }
        // An empty room takes its place. It is forgotten, so the update drops it from every index.
        let nothing = RoomState::new(held.room.id.clone(), held.room.settings.clone());
        let removed = std::mem::replace(&mut held.room, nothing);
        self.update(number);
        Some(Room::from_state(removed))
    }

    /// Merges a room into what is stored of it here already, as [`Room::merge`] does. Limits do not
    /// refuse it. Cost: what is stored of the room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`] if the room was made under other settings: [`Room::carry_over`] helps.
    ///
    /// ```
    /// use room_registry::{Config, ManualClock, NewRoom, RoomRegistry};
    /// let mut from = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// from.create_room(NewRoom::new("r1", "tom"))?;
    /// let mut to = RoomRegistry::with_clock(Config::default(), ManualClock::default());
    /// to.import(from.export("r1").unwrap())?;
    /// assert!(to.room("r1").is_some());
    /// # Ok::<(), room_registry::Error>(())
    /// ```
    pub fn import(&mut self, room: Room) -> Result<(), Error> {
        self.begin();
        let state = room.into_state();
        if state.settings != self.config.rules {
            let (expected, found) =
                (Box::new(self.config.rules()), Box::new(Rules::clone(&state.settings)));
            return Err(Error::OtherSettings { expected, found });
        }
        let room_id = state.id.clone();
        let number = self.rooms.number_of(&room_id);
        let number = number.or_else(|| {
            self.rooms.insert(HeldRoom::new(RoomState::new(room_id, self.config.rules.clone())))
        });
        let Some(number) = number else { return Ok(()) };
        let Some(held) = self.rooms.at_mut(number) else { return Ok(()) };
        let mut cx = Context::new(&self.config, self.now, Cause::Import, &mut self.log);
        let merged = held.room.merge(state, &mut cx);
        self.update(number);
        merged
    }
}
