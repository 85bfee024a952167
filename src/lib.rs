//! stub
mod callback;
mod change;
mod clock;
mod command;
mod config;
mod error;
mod id;
mod mirror;
mod outcome;
mod registry;
mod room;
mod text;
mod time;
mod view;
mod visible;
#[cfg(feature = "serde")]
pub mod zego;

pub use callback::{
    Callback, CallbackEvent, LogoutReason, PlaybackUrls, RoomCloseReason, RoomClosed, RoomCreated,
    StreamCloseReason, StreamClosed, StreamCreated, StreamDetails, UserLoggedIn, UserLoggedOut,
};
pub use change::{Cause, Change, ChangeKind, Changes};
pub use clock::{Clock, ManualClock, SystemClock};
pub use command::{
    Answer, Command, Heartbeat, Lifecycle, MAX_NAME_LEN, NewRoom, NewUser, RoomUpdate, UserUpdate,
};
pub use config::{Config, ConfigBuilder, ConfigError, Fingerprint};
pub use error::Error;
pub use id::{
    IdError, IdKind, MAX_ID_LEN, RoomId, SessionId, StreamId, StreamSessionId, UserId,
    UserSessionId,
};
pub use mirror::{Mirror, MirrorRoom};
pub use outcome::{Explanation, Outcome, Outcomes};
pub use registry::RoomRegistry;
pub use room::{Expired, Room};
pub use text::{Attributes, Role, Text};
pub use time::Timestamp;
pub use view::{RoomRef, StreamRef, UserRef};
pub use visible::{Login, Membership, RoomInfo, Session, Stream, User};
