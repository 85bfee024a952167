//! Cursors: where a page of a list ended, as text.
//!
//! A cursor holds the place of the last item of a page, not the item, so it stays good when that
//! item goes. Other items may come and go between two pages: an item that kept its place is neither
//! repeated nor skipped.

use std::fmt;
use std::str::FromStr;

use crate::model::id::{IdError, RoomId, StreamId, UserId};
#[cfg(feature = "serde")]
use crate::model::named::serialize_error;
#[cfg(feature = "serde")]
use crate::model::text::Text;
use crate::model::time::Timestamp;

/// Why a text is no cursor, or a cursor does not fit the list.
///
/// ```
/// use room_registry::page::{CursorError, RoomCursor};
/// let error = "newest~17".parse::<RoomCursor>().unwrap_err();
/// assert_eq!(error, CursorError::Malformed);
/// assert_eq!(error.to_string(), "the cursor is malformed or truncated");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The text is no cursor, or only a part of one.
    #[error("the cursor is malformed or truncated")]
    Malformed,
    /// The cursor holds a text that is no id.
    #[error("the cursor is malformed: {0}")]
    Id(#[from] IdError),
    /// A list in another order made the cursor.
    #[error(
        "the cursor belongs to a list ordered by {found}, but this list is ordered by {expected}"
    )]
    OtherOrder {
        /// The order of the list that got the cursor.
        expected: RoomOrder,
        /// The order of the list that made the cursor.
        found: RoomOrder,
    },
}

impl CursorError {
    /// Returns the name of the error, without what it carries. Names stay as they are. The fault is the
    /// client's, so an HTTP server answers 400.
    ///
    /// ```
    /// use room_registry::page::RoomCursor;
    /// assert_eq!("newest~17".parse::<RoomCursor>().unwrap_err().name(), "malformed_cursor");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed | Self::Id(_) => "malformed_cursor",
            Self::OtherOrder { .. } => "cursor_of_other_order",
        }
    }
}

/// Serialises the [name](CursorError::name) and the text of the error, as `name` and `message`.
#[cfg(feature = "serde")]
impl serde::Serialize for CursorError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_error(self.name(), self, serializer)
    }
}

/// How a room list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RoomOrder {
    /// The newest room first. Rooms order by (`created_at`, or `opened_at` if no command created
    /// the room; id), descending.
    #[default]
    Newest,
    /// The oldest room first: the reverse of [`Newest`](Self::Newest).
    Oldest,
    /// The room with most users first. Rooms with equally many order by id.
    MostUsers,
    /// The lowest id first.
    Id,
    /// The room with the highest score first, of
    /// [`RoomQuery::by_score`](crate::RoomQuery::by_score). Rooms with equal scores order by id. A query
    /// of this order without a score lists by id.
    Score,
}

impl RoomOrder {
    fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::MostUsers => "users",
            Self::Id => "id",
            Self::Score => "score",
        }
    }
}

impl fmt::Display for RoomOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads the names that `Display` prints.
///
/// ```
/// use room_registry::page::RoomOrder;
/// assert_eq!("users".parse(), Ok(RoomOrder::MostUsers));
/// ```
impl FromStr for RoomOrder {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        [Self::Newest, Self::Oldest, Self::MostUsers, Self::Id, Self::Score]
            .into_iter()
            .find(|order| order.name() == text)
            .ok_or(CursorError::Malformed)
    }
}

/// Serialises a type as the text that it prints, and reads it back from that.
macro_rules! stored_as_text {
    ($($name:ident),+) => {$(
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Text::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

stored_as_text!(RoomOrder, RoomCursor, UserCursor, StreamCursor);

/// The direction in which a page of users or streams goes.
///
/// ```
/// use room_registry::page::Direction;
/// use room_registry::{Config, ManualClock, NewRoom, NewUser, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("ann"))?;
/// registry.join_room("r1", NewUser::new("bob"))?;
/// let page = registry.room("r1").unwrap().user_page(1, None, Direction::NewestFirst);
/// assert_eq!(page.users[0].id(), "bob");
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Direction {
    /// The user or stream that came first is first.
    #[default]
    OldestFirst,
    /// The user or stream that came last is first.
    NewestFirst,
}

/// Where a page of a room list ended.
///
/// A cursor prints as text, and reads back from it. It serialises as that text, so the query string of a
/// request may have an `Option<RoomCursor>`. A client may keep it as long as it likes.
///
/// # Example
///
/// ```
/// use room_registry::page::RoomCursor;
/// use room_registry::{Config, ManualClock, NewRoom, RoomQuery, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// for room in ["a", "b", "c"] {
///     registry.create_room(NewRoom::new(room, "tom"))?;
/// }
/// let page = registry.page(&RoomQuery::by_id().limit(2))?;
/// let text = page.next.unwrap().to_string(); // goes to the client, and comes back
/// let page = registry.page(&RoomQuery::by_id().limit(2).after(text.parse::<RoomCursor>()?))?;
/// assert_eq!(page.rooms[0].id(), "c");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomCursor {
    pub(crate) order: RoomOrder,
    /// The creation or opening time in milliseconds, the count of users, or the score; 0 in a list by id.
    pub(crate) key: u64,
    pub(crate) room_id: RoomId,
}

impl RoomCursor {
    /// Makes the cursor of a place, for a list that an application keeps itself, such as the index
    /// of a store. Its cursors are then the same texts.
    ///
    /// `key` is what the list orders by: a time in milliseconds, a count of users, or a score. It is 0 in a
    /// list by id.
    ///
    /// ```
    /// use room_registry::page::{RoomCursor, RoomOrder};
    /// use room_registry::RoomId;
    /// let cursor = RoomCursor::new(RoomOrder::MostUsers, 12, RoomId::new("r1")?);
    /// assert_eq!(cursor.to_string(), "users~12~2~r1");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(order: RoomOrder, key: u64, room_id: RoomId) -> Self {
        Self { order, key, room_id }
    }

    /// Returns the order of the list that made the cursor.
    ///
    /// ```
    /// use room_registry::page::{RoomCursor, RoomOrder};
    /// let cursor: RoomCursor = "users~12~2~r1".parse()?;
    /// assert_eq!(cursor.order(), RoomOrder::MostUsers);
    /// # Ok::<(), room_registry::page::CursorError>(())
    /// ```
    #[must_use]
    pub fn order(&self) -> RoomOrder {
        self.order
    }

    /// Returns what the list orders by, as the last room of the page had it. That is the creation or
    /// opening time in milliseconds, the count of users, or the score, and 0 in a list by id. A forged
    /// cursor may have any key.
    ///
    /// ```
    /// use room_registry::page::RoomCursor;
    /// let cursor: RoomCursor = "users~12~2~r1".parse()?;
    /// assert_eq!(cursor.key(), 12);
    /// # Ok::<(), room_registry::page::CursorError>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Returns the last room of the page.
    ///
    /// ```
    /// use room_registry::page::RoomCursor;
    /// let cursor: RoomCursor = "users~12~2~r1".parse()?;
    /// assert_eq!(cursor.room_id(), "r1");
    /// # Ok::<(), room_registry::page::CursorError>(())
    /// ```
    #[must_use]
    pub fn room_id(&self) -> &RoomId {
        &self.room_id
    }
}

impl fmt::Display for RoomCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~", self.order)?;
        write_place(f, self.key, self.room_id.as_str())
    }
}

impl FromStr for RoomCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (order, place) = text.split_once('~').ok_or(CursorError::Malformed)?;
        let (key, room_id) = read_place(place)?;
        Ok(Self { order: order.parse()?, key, room_id: RoomId::new(room_id)? })
    }
}

/// Declares the cursor of a list that orders by a time and an id.
macro_rules! time_cursor {
    ($(#[$about:meta])* $name:ident { $at:ident, $id:ident: $id_type:ident }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name {
            pub(crate) $at: Timestamp,
            pub(crate) $id: $id_type,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_place(f, self.$at.as_millis(), self.$id.as_str())
            }
        }

        impl FromStr for $name {
            type Err = CursorError;

            fn from_str(text: &str) -> Result<Self, CursorError> {
                let (at, id) = read_place(text)?;
                Ok(Self { $at: time(at)?, $id: $id_type::new(id)? })
            }
        }
    };
}

time_cursor! {
    /// Where a page of a user list ended; see [`RoomRef::user_page`](crate::RoomRef::user_page).
    ///
    /// ```
    /// use room_registry::page::UserCursor;
    /// let cursor: UserCursor = "1763596800027~3~tom".parse()?;
    /// assert_eq!(cursor.to_string(), "1763596800027~3~tom");
    /// assert!("1763596800027~3~to".parse::<UserCursor>().is_err());
    /// # Ok::<(), room_registry::page::CursorError>(())
    /// ```
    UserCursor { since, user_id: UserId }
}

time_cursor! {
    /// Where a page of a stream list ended; see [`RoomRef::stream_page`](crate::RoomRef::stream_page).
    ///
    /// ```
    /// use room_registry::page::StreamCursor;
    /// let cursor: StreamCursor = "1763596800027~6~camera".parse()?;
    /// assert_eq!(cursor.to_string(), "1763596800027~6~camera");
    /// # Ok::<(), room_registry::page::CursorError>(())
    /// ```
    StreamCursor { created_at, stream_id: StreamId }
}

/// Writes a place: a number and an id. The length of the id shows if a cursor lost its end.
fn write_place(f: &mut fmt::Formatter<'_>, key: u64, id: &str) -> fmt::Result {
    write!(f, "{key}~{}~{id}", id.len())
}

fn read_place(text: &str) -> Result<(u64, &str), CursorError> {
    let mut parts = text.splitn(3, '~');
    let mut part = || parts.next().ok_or(CursorError::Malformed);
    let (key, len, id) = (part()?, part()?, part()?);
    let key = number(key).ok_or(CursorError::Malformed)?;
    if number(len) != u64::try_from(id.len()).ok() {
        return Err(CursorError::Malformed);
    }
    Ok((key, id))
}

/// Reads a time. No list makes a cursor beyond the latest one, so such a number is malformed.
fn time(millis: u64) -> Result<Timestamp, CursorError> {
    let time = Timestamp::from_millis(millis);
    if time.as_millis() == millis { Ok(time) } else { Err(CursorError::Malformed) }
}

/// Reads a number as it is printed: digits, without a sign or leading zeros.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
