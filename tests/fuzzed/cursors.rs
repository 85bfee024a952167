//! Cursors: any text, given to every list.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use room_registry::event::StreamCreated;
use room_registry::page::{
    CursorError, Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor,
};
use room_registry::{
    Callback, Config, ManualClock, NewRoom, NewUser, RoomId, RoomQuery, RoomRegistry, SessionId,
    StreamId, StreamSessionId, Timestamp,
};

use super::bytes::Bytes;

/// Reads a cursor of each kind, and pages from there on. The first byte says how large the pages
/// are.
pub fn cursor(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let limit = usize::from(bytes.byte() % 8);
    let Ok(text) = std::str::from_utf8(bytes.take(data.len())) else { return };
    let registry = registry();
    if let Some(cursor) = read::<RoomCursor>(text) {
        for order in [RoomOrder::Newest, RoomOrder::Oldest, RoomOrder::MostUsers, RoomOrder::Id] {
            rooms_from(&registry, &cursor, order, limit);
        }
    }
    let room = registry.room("a").expect("it was created");
    for direction in [Direction::OldestFirst, Direction::NewestFirst] {
        walk(read::<UserCursor>(text), room.user_count(), |after| {
            let page = room.user_page(limit, after, direction);
            (page.users.len(), page.next)
        });
        walk(read::<StreamCursor>(text), room.stream_count(), |after| {
            let page = room.stream_page(limit, after, direction);
            (page.streams.len(), page.next)
        });
    }
}

/// A text that is a cursor prints as itself.
fn read<T: FromStr<Err = CursorError> + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    match text.parse::<T>() {
        Ok(cursor) => {
            assert_eq!(cursor.to_string(), text);
            assert_eq!(cursor.to_string().parse::<T>().as_ref(), Ok(&cursor));
            Some(cursor)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

fn rooms_from(
    registry: &RoomRegistry<ManualClock>,
    cursor: &RoomCursor,
    order: RoomOrder,
    limit: usize,
) {
    let query = || RoomQuery::new(order).limit(limit);
    if cursor.order() != order {
        let error = registry.page(&query().after(cursor.clone())).err();
        assert!(matches!(error, Some(CursorError::OtherOrder { .. })), "{error:?}");
        return;
    }
    walk(Some(cursor.clone()), registry.room_count(), |after| {
        let query = after.cloned().into_iter().fold(query(), RoomQuery::after);
        let page = registry.page(&query).expect("a cursor of this order");
        (page.rooms.len(), page.next)
    });
}

/// Reads page after page to the end. They cannot hold more than there is.
fn walk<C: Display + FromStr<Err = CursorError> + Debug + PartialEq>(
    from: Option<C>,
    items: usize,
    page: impl Fn(Option<&C>) -> (usize, Option<C>),
) {
    let Some(mut after) = from else { return };
    let mut seen = 0;
    loop {
        let (len, next) = page(Some(&after));
        seen += len;
        assert!(seen <= items, "{after:?}");
        let Some(next) = next else { return };
        assert_ne!(len, 0, "{after:?}");
        assert_eq!(read::<C>(&next.to_string()).as_ref(), Some(&next));
        after = next;
    }
}

/// Rooms, and in one of them users and streams, some of them in the same millisecond.
fn registry() -> RoomRegistry<ManualClock> {
    let clock = ManualClock::at(Timestamp::from_millis(1_000));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
    for room_id in ["a", "b", "b~1", "~", "汤", "aa"] {
        registry.create_room(NewRoom::new(room_id, "tom")).expect("a new room");
        clock.advance(Duration::from_millis(u64::from(room_id.len() == 1)));
    }
    for user_id in ["ann", "bob", "a~n", "汤姆", "12"] {
        registry.join_room("a", NewUser::new(user_id)).expect("a new user");
        clock.advance(Duration::from_millis(u64::from(user_id.len() == 3)));
    }
    let id = "an id";
    for (stream_id, at) in [("camera", 900), ("screen", 900), ("c~", 901), ("0", 902)] {
        let stream_id = StreamId::new(stream_id).expect(id);
        let stream_session = StreamSessionId::new("s").expect(id);
        let at = Timestamp::from_millis(at);
        let created =
            StreamCreated::new(stream_id, at).stream_session_id(stream_session).order(1).counter(1);
        let (room, session) = (RoomId::new("a").expect(id), SessionId::new("7").expect(id));
        registry.apply_callback(&Callback::new(room, session, created));
    }
    registry
}
