//! Events of users.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::model::callback::stay::{closing_setters, stay_setters};
use crate::model::id::{UserId, UserSessionId};
use crate::model::text::{Role, Text};
use crate::model::time::Timestamp;

/// A user logged in. A change of role is another login with that role.
///
/// # Example
///
/// ```
/// use room_registry::event::UserLoggedIn;
/// use room_registry::{Role, Timestamp, UserId, UserSessionId};
/// let login = UserLoggedIn::new(UserId::new("ann")?, Timestamp::from_secs(9))
///     .user_session_id(UserSessionId::new("71")?)
///     .role(Role::HOST);
/// assert_eq!(login.details.role, Some(Role::HOST));
/// # Ok::<(), room_registry::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserLoggedIn {
    /// The user.
    pub user_id: UserId,
    /// The id of this login, if the vendor names logins.
    pub user_session_id: Option<UserSessionId>,
    /// The event time of the login.
    pub login_at: Timestamp,
    /// The counter of logins and logouts in the session of the room, if the vendor counts them. Its gaps tell
    /// of losses.
    pub counter: Option<u64>,
    /// What orders all events of the user, if the vendor gives it. The highest is the last.
    pub order: Option<u64>,
    /// Whether the stay excludes others of the user.
    pub exclusive: bool,
    /// What the login tells of the user beside its id.
    pub details: UserDetails,
    /// The name of the room to show, if no command gave it one.
    pub room_name: Option<Text>,
}

/// What a login tells of its user.
///
/// # Example
///
/// ```
/// use room_registry::Role;
/// use room_registry::event::UserDetails;
/// let mut details = UserDetails::default();
/// details.role = Some(Role::HOST);
/// assert_eq!(details.user_name, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserDetails {
    /// The name to show.
    pub user_name: Option<Text>,
    /// What the user is in the room.
    pub role: Option<Role>,
}

impl UserLoggedIn {
    /// Makes a login. Without an id and an order, the event time tells which event of the user is the
    /// last.
    ///
    /// ```
    /// use room_registry::event::UserLoggedIn;
    /// use room_registry::{Timestamp, UserId};
    /// let login = UserLoggedIn::new(UserId::new("ann")?, Timestamp::from_secs(9));
    /// assert_eq!(login.user_session_id, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(user_id: UserId, login_at: Timestamp) -> Self {
        Self {
            user_id,
            user_session_id: None,
            login_at,
            counter: None,
            order: None,
            exclusive: true,
            details: UserDetails::default(),
            room_name: None,
        }
    }

    /// Sets the name of the user to show.
    ///
    /// ```
    /// use room_registry::event::UserLoggedIn;
    /// use room_registry::{Text, Timestamp, UserId};
    /// let login = UserLoggedIn::new(UserId::new("ann")?, Timestamp::from_secs(9));
    /// assert_eq!(login.user_name(Text::from("Ann")).details.user_name.unwrap(), "Ann");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn user_name(mut self, name: impl Into<Option<Text>>) -> Self {
        self.details.user_name = name.into();
        self
    }

    /// Sets what the user is in the room.
    ///
    /// ```
    /// use room_registry::event::UserLoggedIn;
    /// use room_registry::{Role, Timestamp, UserId};
    /// let login = UserLoggedIn::new(UserId::new("ann")?, Timestamp::from_secs(9));
    /// assert_eq!(login.role(Role::HOST).details.role, Some(Role::HOST));
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn role(mut self, role: impl Into<Option<Role>>) -> Self {
        self.details.role = role.into();
        self
    }

    /// Sets the name of the room to show, if no command gives it one.
    ///
    /// ```
    /// use room_registry::event::UserLoggedIn;
    /// use room_registry::{Text, Timestamp, UserId};
    /// let login = UserLoggedIn::new(UserId::new("ann")?, Timestamp::from_secs(9));
    /// assert_eq!(login.room_name(Text::from("Quiz")).room_name.unwrap(), "Quiz");
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn room_name(mut self, name: impl Into<Option<Text>>) -> Self {
        self.room_name = name.into();
        self
    }
}

/// A user logged out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UserLoggedOut {
    /// The user.
    pub user_id: UserId,
    /// The id of the login that ended, if the vendor names logins.
    pub user_session_id: Option<UserSessionId>,
    /// When that login began, if the vendor gives it.
    pub login_at: Option<Timestamp>,
    /// The event time of the logout.
    pub logout_at: Timestamp,
    /// The counter of logins and logouts in the session of the room, if the vendor counts them. Its gaps tell
    /// of losses.
    pub counter: Option<u64>,
    /// What orders all events of the user, if the vendor gives it. The highest is the last.
    pub order: Option<u64>,
    /// Whether the stay excludes others of the user.
    pub exclusive: bool,
    /// Why, for the application. It decides nothing.
    pub reason: Option<LogoutReason>,
    /// Whether it may come without a login. Then a missing login is no sign of loss.
    pub opening_optional: bool,
}

impl UserLoggedOut {
    /// Makes a logout. It has to tell the user session and the order as the login does.
    ///
    /// ```
    /// use room_registry::event::UserLoggedOut;
    /// use room_registry::{Timestamp, UserId};
    /// let logout = UserLoggedOut::new(UserId::new("ann")?, Timestamp::from_secs(9));
    /// assert_eq!(logout.login_at, None);
    /// # Ok::<(), room_registry::IdError>(())
    /// ```
    #[must_use]
    pub fn new(user_id: UserId, logout_at: Timestamp) -> Self {
        Self {
            user_id,
            user_session_id: None,
            login_at: None,
            logout_at,
            counter: None,
            order: None,
            exclusive: true,
            reason: None,
            opening_optional: false,
        }
    }
}

stay_setters!(
    UserLoggedIn,
    user_session_id: UserSessionId,
    "logins and logouts",
    "use room_registry::event::UserLoggedIn;\nuse room_registry::*;\nlet event = UserLoggedIn::new(UserId::new(\"ann\")?, Timestamp::from_secs(9));"
);
stay_setters!(
    UserLoggedOut,
    user_session_id: UserSessionId,
    "logins and logouts",
    "use room_registry::event::UserLoggedOut;\nuse room_registry::*;\nlet event = UserLoggedOut::new(UserId::new(\"ann\")?, Timestamp::from_secs(9));"
);
closing_setters!(
    UserLoggedOut,
    login_at,
    LogoutReason,
    "use room_registry::event::UserLoggedOut;\nuse room_registry::*;\nlet event = UserLoggedOut::new(UserId::new(\"ann\")?, Timestamp::from_secs(9));",
    "LogoutReason::KickedOut"
);

/// Why a login ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LogoutReason {
    /// The user left.
    Normal,
    /// The heartbeat to the media server timed out.
    HeartbeatTimeout,
    /// The connection was lost.
    ConnectionLost,
    /// The user logged in again elsewhere, or was kicked out.
    KickedOut,
    /// The token expired.
    TokenExpired,
    /// The vendor gave a number or a word that has no name here.
    Other(Text),
}
