//! Creating rooms, and the limits that concern more than one room: `max_rooms` and `max_rooms_per_host`. No
//! limit refuses a callback, an observation or an import.

use crate::model::change::Cause;
use crate::model::command::{CheckedRoom, CheckedUser, Lifecycle};
use crate::model::error::{Error, id_text};
use crate::model::id::{RoomId, UserId};
use crate::model::text::Attributes;
use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::room::context::Context;
use crate::room::notes::ChangeLog;
use crate::room::work::Work;

impl<C: Clock> RoomRegistry<C> {
    /// Creates a room that a command names.
    pub(super) fn create(&mut self, room: CheckedRoom) -> Result<(), Error> {
        self.check_creation(&room)?;
        let room_id = room.room_id.clone();
        let number = self.rooms.number_of(&room_id);
        self.take_or_create(number, &room_id, &mut Work::Create(room), Cause::Command).map(|_| ())
    }

    /// Creates the room that a user joins, with the user as its host.
    ///
    /// A session that an end had hidden may show again, and its users may fill the room. Then the join is
    /// refused. A refused call changes nothing, so a copy of the room takes both first. A new room has nobody who
    /// could fill it. Cost: what is stored of the room.
    pub(super) fn create_for(
        &mut self,
        number: Option<usize>,
        room_id: &str,
        user: CheckedUser,
        lifecycle: Lifecycle,
    ) -> Result<(), Error> {
        let room_id = RoomId::new(room_id)?;
        let room = CheckedRoom {
            room_id: room_id.clone(),
            host_id: user.user_id.clone(),
            name: None,
            attributes: Attributes::default(),
            lifecycle,
            max_users: None,
            ends_at: None,
            first_join_grace_ms: None,
            empty_grace_ms: None,
        };
        self.check_creation(&room)?;
        if let Some(held) = number.and_then(|number| self.rooms.at(number)) {
            let (mut copy, mut discarded) = (held.clone(), ChangeLog::default());
            let mut cx = Context::new(&self.config, self.now, Cause::Command, &mut discarded);
            copy.take(&mut Work::Create(room.clone()), &mut cx)?;
            copy.take(&mut Work::Join(user.clone()), &mut cx)?;
        }
        self.take_or_create(number, &room_id, &mut Work::Create(room), Cause::Command)?;
        let number = self.rooms.number_of(&room_id);
        self.take(number, room_id.as_str(), &mut Work::Join(user)).map(|_| ())
    }

    /// Checks that the room may be created: there is none, and no limit forbids it.
    fn check_creation(&self, room: &CheckedRoom) -> Result<(), Error> {
        let known = self.rooms.get(room.room_id.as_str());
        if known.is_some_and(|known| known.info().is_some()) {
            return Err(Error::RoomAlreadyExists { room_id: id_text(room.room_id.as_str()) });
        }
        if let Some(limit) = self.config.max_rooms
            && known.is_none_or(|known| !known.is_listed())
            && self.room_count() >= limit
        {
            return Err(Error::TooManyRooms { limit });
        }
        self.check_rooms_of(&room.host_id)
    }

    /// Checks that a host may run one more room.
    pub(super) fn check_rooms_of(&self, host_id: &UserId) -> Result<(), Error> {
        match self.config.max_rooms_per_host {
            Some(limit) if self.has_created_rooms(host_id, limit) => {
                Err(Error::TooManyRoomsOfHost { host_id: id_text(host_id.as_str()), limit })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Returns whether a host has at least `limit` rooms that commands created. A room that only callbacks
    /// made known has a creator, but does not count.
    fn has_created_rooms(&self, host_id: &UserId, limit: usize) -> bool {
        let rooms = self.index.lookups().of_host(host_id.as_str());
        let infos = rooms.filter_map(|number| self.rooms.at(number)?.info());
        infos.take(limit).count() == limit
    }
}
