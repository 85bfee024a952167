//! The media server's side of a world: who is logged in since when, and the callbacks of what
//! happens next.

use room_registry::event::{RoomClosed, RoomCreated};
use room_registry::{Callback, RoomId, Text, Timestamp, UserId};
use room_registry_world::room::MediaRoom;

use super::filled::{LOGGED_IN, OPENED, SESSION};
use super::world::{
    Place, World, at, room_id, session_id, stream_ids, user_id, user_name, user_session,
};

#[derive(Debug)]
pub struct Media {
    world: World,
    rooms: Vec<Room>,
    /// How often each user has logged in.
    logins: Vec<u64>,
}

#[derive(Debug)]
struct Room {
    media: MediaRoom,
    /// The number of its session.
    session: u64,
    /// How often its stream was published.
    streams: u64,
}

impl Media {
    /// Goes on where [`logged_in`](super::filled::logged_in) is.
    pub fn new(world: World) -> Self {
        let room = |room| Room {
            media: MediaRoom::new(RoomId::new(room_id(room)).expect("a valid id")),
            session: SESSION - 1,
            streams: 0,
        };
        let rooms = (0..world.room_count()).map(room).collect();
        let mut media = Self { world, rooms, logins: vec![0; world.users()] };
        for room in 0..world.room_count() {
            media.open(room, at(OPENED));
        }
        for place in world.places() {
            media.log_in(place, at(LOGGED_IN));
        }
        media
    }

    pub fn is_in(&self, place: Place) -> bool {
        self.rooms[place.room].media.login(&known(place)).is_some()
    }

    pub fn is_open(&self, room: usize) -> bool {
        self.rooms[room].media.is_open()
    }

    pub fn is_published(&self, room: usize) -> bool {
        self.rooms[room].media.streams().next().is_some()
    }

    pub fn log_in(&mut self, place: Place, at: Timestamp) -> Callback {
        self.logins[place.user] += 1;
        self.log_in_as(place, self.logins[place.user], at)
    }

    fn log_in_as(&mut self, place: Place, login: u64, at: Timestamp) -> Callback {
        let media = &mut self.rooms[place.room].media;
        let mut login = media.log_in(known(place), user_session(place, login), at);
        login.details.user_name = Some(Text::from(user_name(place.user).as_str()));
        media.tell(login)
    }

    pub fn log_out(&mut self, place: Place, at: Timestamp) -> Callback {
        let media = &mut self.rooms[place.room].media;
        let logout = media.log_out(&known(place), at);
        media.tell(logout)
    }

    /// Somebody who is not of the world comes and goes.
    pub fn visit(&mut self, place: Place, from: Timestamp, to: Timestamp) -> [Callback; 2] {
        let place = Place { user: place.user + self.world.users(), ..place };
        [self.log_in_as(place, from.as_millis(), from), self.log_out(place, to)]
    }

    pub fn open(&mut self, room: usize, at: Timestamp) -> Callback {
        let state = &mut self.rooms[room];
        state.session += 1;
        state.media.open(session_id(room, state.session), RoomCreated::new(at))
    }

    /// Closes a room, and with it all that is in it.
    pub fn close(&mut self, room: usize, at: Timestamp) -> Callback {
        self.rooms[room].media.close(RoomClosed::new(at))
    }

    pub fn publish(&mut self, room: usize, at: Timestamp) -> Callback {
        let state = &mut self.rooms[room];
        state.streams += 1;
        let (stream_id, life) = stream_ids(room, state.streams);
        let publisher_id = known(Place { room, user: self.world.users_of(room).start });
        let mut created = state.media.publish(stream_id, publisher_id, life, at);
        created.details.title = Some(Text::from("The evening"));
        state.media.tell(created)
    }

    pub fn unpublish(&mut self, room: usize, at: Timestamp) -> Callback {
        let state = &mut self.rooms[room];
        let (stream_id, _) = stream_ids(room, state.streams);
        let closed = state.media.unpublish(&stream_id, at);
        state.media.tell(closed)
    }
}

fn known(place: Place) -> UserId {
    UserId::new(user_id(place.user)).expect("a valid id")
}
