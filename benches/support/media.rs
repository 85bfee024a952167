//! The media server's side of a world: who is logged in since when, and the callbacks of what
//! happens next.

use room_registry::{Callback, Timestamp};

use super::filled::{LOGGED_IN, SESSION};
use super::world::{Callbacks, Place, World, at};

#[derive(Debug)]
pub struct Media {
    world: World,
    callbacks: Callbacks,
    rooms: Vec<Room>,
    /// The last login of each user.
    logins: Vec<Life>,
}

#[derive(Debug, Clone, Copy)]
struct Room {
    session: u64,
    is_open: bool,
    stream: Life,
}

/// The one that is, or the last one that was.
#[derive(Debug, Clone, Copy)]
struct Life {
    number: u64,
    since: Timestamp,
    is_on: bool,
}

impl Life {
    fn begin(&mut self, at: Timestamp) -> u64 {
        *self = Self { number: self.number + 1, since: at, is_on: true };
        self.number
    }

    fn end(&mut self) -> (u64, Timestamp) {
        self.is_on = false;
        (self.number, self.since)
    }
}

impl Media {
    /// Goes on where [`logged_in`](super::filled::logged_in) is.
    pub fn new(world: World, callbacks: Callbacks) -> Self {
        let stream = Life { number: 0, since: at(0), is_on: false };
        let login = Life { number: 1, since: at(LOGGED_IN), is_on: true };
        Self {
            world,
            callbacks,
            rooms: vec![Room { session: SESSION, is_open: true, stream }; world.room_count()],
            logins: vec![login; world.users()],
        }
    }

    pub fn is_in(&self, place: Place) -> bool {
        self.logins[place.user].is_on
    }

    pub fn is_open(&self, room: usize) -> bool {
        self.rooms[room].is_open
    }

    pub fn is_published(&self, room: usize) -> bool {
        self.rooms[room].stream.is_on
    }

    pub fn log_in(&mut self, place: Place, at: Timestamp) -> Callback {
        let login = self.logins[place.user].begin(at);
        self.callbacks.logged_in(place, self.rooms[place.room].session, login, at)
    }

    pub fn log_out(&mut self, place: Place, at: Timestamp) -> Callback {
        let login = self.logins[place.user].end();
        self.callbacks.logged_out(place, self.rooms[place.room].session, login, at)
    }

    /// Somebody who is not of the world comes and goes.
    pub fn visit(&mut self, place: Place, from: Timestamp, to: Timestamp) -> [Callback; 2] {
        let place = Place { user: place.user + self.world.users(), ..place };
        let (session, login) = (self.rooms[place.room].session, from.as_millis());
        let login_callback = self.callbacks.logged_in(place, session, login, from);
        [login_callback, self.callbacks.logged_out(place, session, (login, from), to)]
    }

    pub fn open(&mut self, room: usize, at: Timestamp) -> Callback {
        let state = &mut self.rooms[room];
        state.is_open = true;
        state.session += 1;
        Callbacks::created(room, state.session, at)
    }

    /// Closes a room, and with it all that is in it.
    pub fn close(&mut self, room: usize, at: Timestamp) -> Callback {
        let state = &mut self.rooms[room];
        state.is_open = false;
        state.stream.is_on = false;
        for user in self.world.users_of(room) {
            self.logins[user].is_on = false;
        }
        Callbacks::closed(room, state.session, at)
    }

    pub fn publish(&mut self, room: usize, at: Timestamp) -> Callback {
        let life = self.rooms[room].stream.begin(at);
        Callbacks::published(room, self.rooms[room].session, life, at)
    }

    pub fn unpublish(&mut self, room: usize, at: Timestamp) -> Callback {
        let life = self.rooms[room].stream.end();
        Callbacks::unpublished(room, self.rooms[room].session, life, at)
    }
}
