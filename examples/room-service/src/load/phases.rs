//! What one server is put through: it is filled, then each kind of request has its turn.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::client::Ask;
use super::drive::{Driven, Make, Until, pace, saturate};
use super::{Kind, LoadError, Measured, Options, Server};

/// How many users a room has.
const USERS_A_ROOM: u64 = 200;
/// How many rooms a page has.
const PAGE: u64 = 20;

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
        let full = saturate(self.address, connections, first, Until::Made(count), &make).await?;
        Ok(self.measured(kind, &full, None))
    }

    /// As fast as it goes, then at half that rate.
    async fn measure(&self, kind: Kind, make: Make) -> Result<Measured, LoadError> {
        let (connections, span) = (self.options.connections, self.options.span());
        let full = saturate(self.address, connections, 0, Until::Passed(span), &make).await?;
        let rate = full.rate() / 2.0;
        let half = pace(self.address, connections, full.made, rate.max(1.0), span, &make).await?;
        Ok(self.measured(kind, &full, Some(&half)))
    }

    fn measured(&self, kind: Kind, full: &Driven, half: Option<&Driven>) -> Measured {
        Measured {
            server: self.server,
            kind,
            saturated: full.rate(),
            full: full.latencies(),
            half: half.map(Driven::latencies),
            failures: full.failures + half.map_or(0, |half| half.failures),
        }
    }
}

fn create() -> Make {
    get(|number| {
        format!("/room/create_room?RoomID=room_{number:07}&RoomName=A%20room&HostID=host_{number}")
    })
}

/// One user after the other goes to another room: the usual first server would lose most of those
/// who join one room at once, and then have smaller rooms to read and write.
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
        let now = millis();
        let (event, time) =
            if is_login { ("room_login", "login_time") } else { ("room_logout", "logout_time") };
        let body = json!({
            "event": event,
            "appid": "1",
            "timestamp": now / 1_000,
            "nonce": number.to_string(),
            "signature": "",
            "room_id": format!("room_{room:07}"),
            "room_name": "A room",
            "room_seq": (1_000_000 + room).to_string(),
            "user_account": format!("user_{:08}", room + rooms * (life % USERS_A_ROOM)),
            "user_nickname": "User",
            "session_id": life.to_string(),
            time: now.to_string(),
            "user_update_seq": (counter.fetch_add(1, Ordering::Relaxed) + 1).to_string(),
            "user_role": 2,
        });
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

fn millis() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Spreads numbers, so that neighbours in time are not neighbours in memory.
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}
