//! What one server is put through: it is filled, then each kind of request has its turn.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use room_registry::event::{CallbackEvent, UserLoggedIn, UserLoggedOut};
use room_registry::{
    Callback, Clock, Role, RoomId, SessionId, SystemClock, Text, UserId, UserSessionId,
};
use room_registry_world::zego::{Envelope, Style, encode};

use super::client::Ask;
use super::drive::{Driven, Make, Schedule, drive};
use super::{Half, Kind, Latencies, LoadError, Measured, Options, Server};

/// How many users a room has.
const USERS_A_ROOM: u64 = 200;
/// How many rooms a page has.
const PAGE: u64 = 20;
/// In how many rounds it is sent by the clock.
const ROUNDS: u32 = 15;

pub(super) async fn all(
    server: Server,
    address: SocketAddr,
    options: &Options,
) -> Result<Vec<Measured>, LoadError> {
    let users = options.users as u64;
    let rooms = users.div_ceil(USERS_A_ROOM);
    let filling = Filling { server, address, options };
    let mut measured = vec![filling.fill(Kind::Create, 0, rooms, create()).await?];
    measured.push(filling.fill(Kind::Join, 0, users, join(rooms)).await?);
    measured.push(filling.measure(Kind::Heartbeat, heartbeat(users, rooms)).await?);
    measured.push(filling.measure(Kind::Callback, callback(rooms)).await?);
    let more = (options.rooms as u64).saturating_sub(rooms);
    filling.fill(Kind::Create, rooms, more, create()).await?;
    measured.push(filling.measure(Kind::ListPage, list_page()).await?);
    Ok(measured)
}

/// A server under measurement.
struct Filling<'a> {
    server: Server,
    address: SocketAddr,
    options: &'a Options,
}

impl Filling<'_> {
    /// So many requests from the first on, as fast as it goes.
    async fn fill(
        &self,
        kind: Kind,
        first: u64,
        count: u64,
        make: Make,
    ) -> Result<Measured, LoadError> {
        let connections = self.options.connections;
        let full = drive(self.address, connections, first, Schedule::Count(count), &make).await?;
        Ok(self.measured(kind, &full))
    }

    /// As fast as it goes, then at half that rate.
    async fn measure(&self, kind: Kind, make: Make) -> Result<Measured, LoadError> {
        let (connections, span) = (self.options.connections, self.options.span());
        let full = drive(self.address, connections, 0, Schedule::Saturating(span), &make).await?;
        let per_second = (full.rate() / 2.0).max(1.0);
        let paced = Schedule::Paced { per_second, span: span / ROUNDS };
        let floor = ask_for_nothing();
        let (mut rounds, mut floors) = (Vec::new(), Vec::new());
        let (mut next, mut failures) = (full.made, 0);
        for _ in 0..ROUNDS {
            floors.push(drive(self.address, connections, 0, paced, &floor).await?.latencies());
            let round = drive(self.address, connections, next, paced, &make).await?;
            rounds.push(round.latencies());
            next = round.made;
            failures += round.failures;
        }
        let mut measured = self.measured(kind, &full);
        measured.half = Some(Half {
            median: by_p99(&mut rounds)[ROUNDS as usize / 2],
            worst: by_p99(&mut rounds)[ROUNDS as usize - 1],
            floor: by_p99(&mut floors)[ROUNDS as usize / 2],
        });
        measured.failures += failures;
        Ok(measured)
    }

    fn measured(&self, kind: Kind, full: &Driven) -> Measured {
        Measured {
            server: self.server,
            kind,
            saturated: full.rate(),
            full: full.latencies(),
            half: None,
            failures: full.failures,
        }
    }
}

fn by_p99(rounds: &mut [Latencies]) -> &[Latencies] {
    rounds.sort_unstable_by_key(|latencies| latencies.p99);
    rounds
}

fn ask_for_nothing() -> Make {
    get(|_| "/healthz".into())
}

fn create() -> Make {
    get(|number| {
        format!("/room/create_room?RoomID=room_{number:07}&RoomName=A%20room&HostID=host_{number}")
    })
}

/// One user after the other goes to another room. The usual first server would lose most of those who join
/// one room at once. It would then have smaller rooms to read and write.
fn join(rooms: u64) -> Make {
    get(move |number| {
        let room = number % rooms;
        format!(
            "/room/join_room?RoomID=room_{room:07}&UserID=user_{number:08}&UserName=User%20{number}"
        )
    })
}

fn heartbeat(users: u64, rooms: u64) -> Make {
    get(move |number| {
        let user = scattered(number) % users;
        let room = user % rooms;
        format!("/room/heartbeat?RoomID=room_{room:07}&UserID=user_{user:08}")
    })
}

/// The media server tells that users log in, and out again: each room numbers what it tells.
fn callback(rooms: u64) -> Make {
    let counters: Vec<_> = (0..rooms).map(|_| AtomicU64::new(0)).collect();
    Arc::new(move |number| {
        let (life, is_login) = (number / 2, number.is_multiple_of(2));
        let room = scattered(life) % rooms;
        let counter = &counters[usize::try_from(room).expect("rooms fit in memory")];
        let now = SystemClock.now();
        let user = format!("user_{:08}", room + rooms * (life % USERS_A_ROOM));
        let user_id = UserId::new(user).expect("letters and digits");
        let session = UserSessionId::new(life.to_string()).expect("a number is an id");
        let counter = counter.fetch_add(1, Ordering::Relaxed) + 1;
        let event: CallbackEvent = if is_login {
            let mut login =
                UserLoggedIn::new(user_id, now).user_session_id(session).counter(counter);
            login.room_name = Some(Text::from("A room"));
            login.details.user_name = Some(Text::from("User"));
            login.details.role = Some(Role::AUDIENCE);
            login.into()
        } else {
            UserLoggedOut::new(user_id, now).user_session_id(session).counter(counter).into()
        };
        let room_id = RoomId::new(format!("room_{room:07}")).expect("letters and digits");
        let room_session = (1_000_000 + room).to_string();
        let room_session = SessionId::new(room_session).expect("a number is an id");
        let callback = Callback::new(room_id, room_session, event);
        let envelope = Envelope::unsigned(now.as_millis() / 1_000, number);
        let body = encode(&callback, &envelope, Style::Vendor);
        Ask { path: "/callback".into(), body: Some(body.to_string()) }
    })
}

/// The first page: what every client asks for that is opened.
fn list_page() -> Make {
    get(|number| {
        let order = ["newest", "most_users"][usize::from(number.is_multiple_of(2))];
        format!("/room/get_room_list?Limit={PAGE}&Order={order}")
    })
}

fn get(path: impl Fn(u64) -> String + Send + Sync + 'static) -> Make {
    Arc::new(move |number| Ask { path: path(number), body: None })
}

/// Spreads numbers, so that neighbours in time are not neighbours in memory.
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}
