//! Decodes what the server of the vendor answers about rooms.
//!
//! The application asks: this crate knows neither addresses nor secrets. An answer does not tell the
//! room and the moment of asking. The application adds them when it makes an [`Observation`].

mod item;
mod read;

use crate::model::id::{RoomId, UserId};
use crate::model::named::serialize_error;
use crate::model::observation::{Observation, ObservedStream, ObservedUser};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;
use crate::vendor::zego::scalar::Cut;

/// An answer of the server of the vendor: data, or why there are none.
///
/// Decode it from JSON as the answer to what you asked for: a [`UserPage`], [`UserStatuses`], a
/// [`StreamList`] or [`UserCounts`].
///
/// # Errors
///
/// Numbers may come as text, and unknown fields are skipped, as in callbacks. If a field that must
/// be there is missing or malformed, the error names the question and the field. A list that is
/// `null` is empty. Data beside a failure are not read.
///
/// # Example
///
/// ```
/// use room_registry::vendor::zego::{Answer, StreamList, UserPage};
///
/// let body = r#"{"Code":0,"Message":"success","RequestId":"7",
///                "Data":{"Marker":"","UserList":[{"UserId":"ann","UserName":"Ann","UserRole":2}]}}"#;
/// let page = serde_json::from_str::<Answer<UserPage>>(body)?.into_data()?;
/// assert_eq!(page.users[0].user_id, "ann");
///
/// let body = r#"{"Code":206,"Message":"too many requests","RequestId":"8"}"#;
/// let failure = serde_json::from_str::<Answer<StreamList>>(body)?.into_data().unwrap_err();
/// assert_eq!(failure.to_string(), r#"the server of the vendor answered with code 206: "too many requests""#);
///
/// let body = r#"{"Code":0,"Data":{"Marker":"","UserList":[{"UserName":"Ann"}]}}"#;
/// let error = serde_json::from_str::<Answer<UserPage>>(body).unwrap_err();
/// assert_eq!(error.to_string(), "DescribeUserList: field `UserId` is missing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// The id that the vendor gave to the request, for its support.
    pub request_id: Option<Text>,
    /// The data, or the failure.
    pub data: Result<T, Failure>,
}

impl<T> Answer<T> {
    /// Returns what was asked for.
    ///
    /// # Errors
    ///
    /// [`Failure`] has the code and message of the vendor, if it did not answer the question.
    ///
    /// ```
    /// # use room_registry::vendor::zego::{Answer, StreamList};
    /// let body = r#"{"Code":0,"Message":"success","RequestId":"7","Data":{"StreamList":[]}}"#;
    /// let list = serde_json::from_str::<Answer<StreamList>>(body)?.into_data()?;
    /// assert!(list.streams.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_data(self) -> Result<T, Failure> {
        self.data
    }
}

/// Why the server of the vendor did not answer the question.
///
/// ```
/// use room_registry::vendor::zego::{Answer, UserStatuses};
/// let body = r#"{"Code":50001,"Message":"room not exist"}"#;
/// let failure = serde_json::from_str::<Answer<UserStatuses>>(body)?.into_data().unwrap_err();
/// assert!(failure.is_no_such_room());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server of the vendor answered with code {code}: {}",
    Cut(message.as_deref().unwrap_or_default())
)]
#[non_exhaustive]
pub struct Failure {
    /// The code of the failure; never 0.
    pub code: i64,
    /// The words of the vendor. The error prints them escaped, and cuts long ones.
    pub message: Option<Text>,
}

impl Failure {
    /// The codes for a room that does not exist. The vendor documents all three as the same.
    const NO_SUCH_ROOM: [i64; 3] = [104, 5_024, 50_001];

    /// Returns whether the code says that there is no such room: 104, 5024 or 50001. This is an
    /// answer, too: the room is not open.
    ///
    /// ```
    /// # use room_registry::vendor::zego::{Answer, StreamList};
    /// let body = r#"{"Code":104,"Message":"room not exist"}"#;
    /// let failure = serde_json::from_str::<Answer<StreamList>>(body)?.into_data().unwrap_err();
    /// assert!(failure.is_no_such_room());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn is_no_such_room(&self) -> bool {
        Self::NO_SUCH_ROOM.contains(&self.code)
    }

    /// Returns the name of the error, without what it carries: for metrics, logs and answers. It is
    /// `no_such_room` if the code [says so](Self::is_no_such_room), and `vendor_failure` for every other
    /// code. Names stay as they are.
    ///
    /// ```
    /// # use room_registry::vendor::zego::{Answer, StreamList};
    /// let body = r#"{"Code":206,"Message":"too many requests"}"#;
    /// let failure = serde_json::from_str::<Answer<StreamList>>(body)?.into_data().unwrap_err();
    /// assert_eq!(failure.name(), "vendor_failure");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.is_no_such_room() { "no_such_room" } else { "vendor_failure" }
    }
}

/// Serialises the [name](Failure::name) and the text of the error, as `name` and `message`.
impl serde::Serialize for Failure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_error(self.name(), self, serializer)
    }
}

/// A page of the users in a room: the data of `DescribeUserList`.
///
/// [`RoomAnswers`](crate::vendor::zego::RoomAnswers) puts the pages together. A page also has users
/// whom the application does not show, such as administrators, as callbacks have.
///
/// ```
/// use room_registry::vendor::zego::{Answer, UserPage};
/// use room_registry::Role;
/// let body = r#"{"Code":0,"Data":{"Marker":"b7","UserList":[{"UserId":"rec","UserRole":4}]}}"#;
/// let page = serde_json::from_str::<Answer<UserPage>>(body)?.into_data()?;
/// assert_eq!(page.marker.as_deref(), Some("b7"));
/// assert_eq!(page.users[0].role, Some(Role::ADMINISTRATOR));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserPage {
    /// The users.
    pub users: Vec<ObservedUser>,
    /// The marker to ask for the next page with; `None` on the last page.
    pub marker: Option<Text>,
}

/// The streams in a room: the data of `DescribeSimpleStreamList`.
///
/// ```
/// use room_registry::vendor::zego::{Answer, StreamList};
/// use room_registry::Timestamp;
/// let body = r#"{"Code":0,"Data":{"StreamList":[
///     {"StreamId":"camera","UserId":"tom","UserName":"Tom","CreateTime":1763596803742}]}}"#;
/// let list = serde_json::from_str::<Answer<StreamList>>(body)?.into_data()?;
/// let camera = &list.streams[0];
/// assert_eq!(camera.details.publisher_id.as_ref().unwrap(), "tom");
/// assert_eq!(camera.created_at, Some(Timestamp::from_millis(1_763_596_803_742)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamList {
    /// All streams.
    pub streams: Vec<ObservedStream>,
}

/// Whether some users are in a room: the data of `DescribeUsers`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserStatuses {
    /// The users that were asked about.
    pub users: Vec<UserStatus>,
}

/// Whether one user is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserStatus {
    /// The user.
    pub user_id: UserId,
    /// Whether the user is in the room. An unknown status counts as no.
    pub is_present: bool,
    /// When the login began.
    pub login_at: Option<Timestamp>,
    /// What the user is in the room.
    pub role: Option<Role>,
}

impl Answer<UserStatuses> {
    /// Makes an observation: users who are in the room are some of its users, and a room that does
    /// not exist is not open.
    ///
    /// The observation does not say that somebody is *absent*: only a complete list can. Ask for a
    /// [`UserPage`] if you suspect that a user is a ghost.
    ///
    /// `asked_at` is the moment before the question was sent. The clock must agree with the clock of
    /// the vendor.
    ///
    /// # Errors
    ///
    /// [`Failure`], unless its code [says that there is no such room](Failure::is_no_such_room).
    ///
    /// ```
    /// use room_registry::repair::ObservedUser;
    /// use room_registry::{Observation, RoomId, Timestamp, UserId};
    /// use room_registry::vendor::zego::{Answer, UserStatuses};
    /// let (room_id, asked_at) = (RoomId::new("r1")?, Timestamp::from_secs(1_763_596_800));
    ///
    /// let body = r#"{"Code":0,"Data":{"UserStatusList":[
    ///     {"UserId":"ann","Status":1},{"UserId":"bob","Status":0}]}}"#;
    /// let answer: Answer<UserStatuses> = serde_json::from_str(body)?;
    /// let expected = Observation::new(room_id.clone(), asked_at)
    ///     .some_users([ObservedUser::new(UserId::new("ann")?)]);
    /// assert_eq!(answer.observation(room_id.clone(), asked_at)?, expected);
    ///
    /// let body = r#"{"Code":50001,"Message":"room not exist"}"#;
    /// let answer: Answer<UserStatuses> = serde_json::from_str(body)?;
    /// assert_eq!(answer.observation(room_id, asked_at)?.open, Some(false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observation(self, room_id: RoomId, asked_at: Timestamp) -> Result<Observation, Failure> {
        let observation = Observation::new(room_id, asked_at);
        match self.data {
            Ok(UserStatuses { users }) => {
                let present = users.into_iter().filter(|user| user.is_present);
                Ok(observation.some_users(present.map(ObservedUser::from)))
            }
            Err(failure) if failure.is_no_such_room() => Ok(observation.open(false)),
            Err(failure) => Err(failure),
        }
    }
}

impl From<UserStatus> for ObservedUser {
    fn from(user: UserStatus) -> Self {
        let UserStatus { user_id, is_present: _, login_at, role } = user;
        Self { user_id, user_name: None, role, login_at }
    }
}

/// How many users some rooms have: the data of `DescribeUserNum`. One call asks about ten rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserCounts {
    /// The rooms that were asked about. A room that does not exist has no users.
    pub rooms: Vec<UserCount>,
}

/// How many users one room has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserCount {
    /// The room.
    pub room_id: RoomId,
    /// How many users are in the room.
    pub users: u64,
    /// How many administrators are in the room.
    pub administrators: u64,
}

impl UserCount {
    /// Makes an observation: the room is open, or nobody is in it.
    ///
    /// `asked_at` is the moment before the question was sent. The clock must agree with the clock of
    /// the vendor.
    ///
    /// ```
    /// use room_registry::repair::ObservedList;
    /// use room_registry::vendor::zego::{Answer, UserCounts};
    /// use room_registry::Timestamp;
    /// let body = r#"{"Code":0,"Data":{"UserCountList":[
    ///     {"RoomId":"r1","UserCount":2,"AdminUserCount":0},
    ///     {"RoomId":"r2","UserCount":0,"AdminUserCount":0}]}}"#;
    /// let counts = serde_json::from_str::<Answer<UserCounts>>(body)?.into_data()?;
    /// let asked_at = Timestamp::from_secs(1_763_596_800);
    /// let [r1, r2] = [0, 1].map(|room| counts.rooms[room].clone().observation(asked_at));
    /// assert_eq!(r1.open, Some(true));
    /// assert_eq!((r2.open, r2.users), (None, ObservedList::Complete(vec![])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observation(self, asked_at: Timestamp) -> Observation {
        let observation = Observation::new(self.room_id, asked_at);
        if self.users == 0 && self.administrators == 0 {
            observation.users([])
        } else {
            observation.open(true)
        }
    }
}
