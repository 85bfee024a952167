//! Where a page of a list ended, as text.
//!
//! A cursor holds the place of the last item of a page, not the item: so it stays good when that
//! item goes, and items that kept their place are neither repeated nor skipped by what comes and
//! goes between two pages.

use std::fmt;
use std::str::FromStr;

use crate::model::id::{IdError, RoomId, StreamId, UserId};
use crate::model::time::Timestamp;

/// Why a text is no cursor, or not one of the list that it was given to.
///
/// ```
/// use room_registry::{CursorError, RoomCursor};
/// let error = "newest~17".parse::<RoomCursor>().unwrap_err();
/// assert_eq!(error, CursorError::Malformed);
/// assert_eq!(error.to_string(), "the cursor is malformed or truncated");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The text is no cursor, or a part of one.
    #[error("the cursor is malformed or truncated")]
    Malformed,
    /// The id in it is none.
    #[error("the cursor is malformed: {0}")]
    Id(#[from] IdError),
    /// The cursor was made by a list in another order.
    #[error("the cursor is of a list by {found}, and this one is by {expected}")]
    OtherOrder {
        /// The order of the list that was asked.
        expected: RoomOrder,
        /// The order of the list that made the cursor.
        found: RoomOrder,
    },
}

/// How a room list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RoomOrder {
    /// The newest first: by (created at, else opened at; id), descending.
    #[default]
    Newest,
    /// The oldest first: the reverse.
    Oldest,
    /// Most users first; of equally many the lower id first.
    MostUsers,
    /// By id.
    Id,
}

impl RoomOrder {
    fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::MostUsers => "users",
            Self::Id => "id",
        }
    }
}

impl fmt::Display for RoomOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// ```
/// use room_registry::RoomOrder;
/// assert_eq!("users".parse(), Ok(RoomOrder::MostUsers));
/// ```
impl FromStr for RoomOrder {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        [Self::Newest, Self::Oldest, Self::MostUsers, Self::Id]
            .into_iter()
            .find(|order| order.name() == text)
            .ok_or(CursorError::Malformed)
    }
}

/// Which way a page of users or streams goes.
///
/// ```
/// use room_registry::{Config, Direction, ManualClock, NewRoom, NewUser, RoomRegistry};
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// registry.create_room(NewRoom::new("r1", "tom"))?;
/// registry.join_room("r1", NewUser::new("ann"))?;
/// registry.join_room("r1", NewUser::new("bob"))?;
/// let page = registry.room("r1").unwrap().user_page(1, None, Direction::NewestFirst);
/// assert_eq!(page.users[0].id(), "bob");
/// # Ok::<(), room_registry::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Who or what came first is the first.
    #[default]
    OldestFirst,
    /// Who or what came last is the first.
    NewestFirst,
}

/// Where a page of a room list ended.
///
/// Prints as text and is read back from it; a client may keep it as long as it likes.
///
/// # Example
///
/// ```
/// use room_registry::{Config, ManualClock, NewRoom, RoomCursor, RoomQuery, RoomRegistry};
///
/// let mut registry = RoomRegistry::with_clock(Config::default(), ManualClock::default());
/// for room in ["a", "b", "c"] {
///     registry.create_room(NewRoom::new(room, "tom"))?;
/// }
/// let page = registry.page(&RoomQuery::by_id().limit(2))?;
/// let text = page.next.unwrap().to_string(); // goes to the client, and comes back
/// let page = registry.page(&RoomQuery::by_id().limit(2).after(text.parse()?))?;
/// assert_eq!(page.rooms[0].id(), "c");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomCursor {
    pub(crate) order: RoomOrder,
    /// When the room began in milliseconds, or how many users it had; 0 in a list by id.
    pub(crate) key: u64,
    pub(crate) room_id: RoomId,
}

impl RoomCursor {
    /// The cursor of a place, for lists that an application keeps itself, as the index of a store:
    /// the same texts then serve both. `key` is what the list orders by: when the room began in
    /// milliseconds, or how many users it has; 0 in a list by id.
    ///
    /// ```
    /// use room_registry::{RoomCursor, RoomId, RoomOrder};
    /// let cursor = RoomCursor::new(RoomOrder::MostUsers, 12, RoomId::new("r1")?);
    /// assert_eq!(cursor.to_string(), "users~12~2~r1");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(order: RoomOrder, key: u64, room_id: RoomId) -> Self {
        Self { order, key, room_id }
    }

    /// The order of the list that made it.
    ///
    /// ```
    /// use room_registry::{RoomCursor, RoomOrder};
    /// let cursor: RoomCursor = "users~12~2~r1".parse()?;
    /// assert_eq!(cursor.order(), RoomOrder::MostUsers);
    /// # Ok::<(), room_registry::CursorError>(())
    /// ```
    #[must_use]
    pub fn order(&self) -> RoomOrder {
        self.order
    }

    /// What the list orders by, of the room that the page ended with: when it began in milliseconds,
    /// or how many users it had; 0 in a list by id. A forged cursor may have any.
    ///
    /// ```
    /// use room_registry::RoomCursor;
    /// let cursor: RoomCursor = "users~12~2~r1".parse()?;
    /// assert_eq!(cursor.key(), 12);
    /// # Ok::<(), room_registry::CursorError>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> u64 {
        self.key
    }

    /// The room that the page ended with.
    ///
    /// ```
    /// use room_registry::RoomCursor;
    /// let cursor: RoomCursor = "users~12~2~r1".parse()?;
    /// assert_eq!(cursor.room_id(), "r1");
    /// # Ok::<(), room_registry::CursorError>(())
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

/// Where a page of a user list ended; see [`RoomRef::user_page`](crate::RoomRef::user_page).
///
/// ```
/// use room_registry::UserCursor;
/// let cursor: UserCursor = "1763596800027~3~tom".parse()?;
/// assert_eq!(cursor.to_string(), "1763596800027~3~tom");
/// assert!("1763596800027~3~to".parse::<UserCursor>().is_err());
/// # Ok::<(), room_registry::CursorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserCursor {
    pub(crate) since: Timestamp,
    pub(crate) user_id: UserId,
}

impl fmt::Display for UserCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.since.as_millis(), self.user_id.as_str())
    }
}

impl FromStr for UserCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (since, user_id) = read_place(text)?;
        Ok(Self { since: time(since)?, user_id: UserId::new(user_id)? })
    }
}

/// Where a page of a stream list ended; see [`RoomRef::stream_page`](crate::RoomRef::stream_page).
///
/// ```
/// use room_registry::StreamCursor;
/// let cursor: StreamCursor = "1763596800027~6~camera".parse()?;
/// assert_eq!(cursor.to_string(), "1763596800027~6~camera");
/// # Ok::<(), room_registry::CursorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamCursor {
    pub(crate) created_at: Timestamp,
    pub(crate) stream_id: StreamId,
}

impl fmt::Display for StreamCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.created_at.as_millis(), self.stream_id.as_str())
    }
}

impl FromStr for StreamCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (created_at, stream_id) = read_place(text)?;
        Ok(Self { created_at: time(created_at)?, stream_id: StreamId::new(stream_id)? })
    }
}

/// A place is a number and an id; the id's length tells a cursor that lost its end.
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

/// A time that is no later than the last there is: no cursor of ours has a later one.
fn time(millis: u64) -> Result<Timestamp, CursorError> {
    let time = Timestamp::from_millis(millis);
    if time.as_millis() == millis { Ok(time) } else { Err(CursorError::Malformed) }
}

/// A number as it is printed: digits, without a sign or leading zeros.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
