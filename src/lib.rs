//! stub
mod callback;
mod clock;
mod command;
mod config;
mod error;
mod id;
mod outcome;
mod text;
mod time;

pub use callback::{
    Callback, CallbackEvent, LogoutReason, PlaybackUrls, RoomCloseReason, RoomClosed, RoomCreated,
    StreamCloseReason, StreamClosed, StreamCreated, StreamDetails, UserLoggedIn, UserLoggedOut,
};
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
pub use outcome::{Explanation, Outcome, Outcomes};
pub use text::{Attributes, Role, Text};
pub use time::Timestamp;
