//! Numbers for reasons and roles, as the vendor documents them in 2026. A number without a name here
//! is kept, because the vendor adds some without notice.

use crate::model::callback::{LogoutReason, RoomCloseReason, StreamCloseReason};
use crate::model::text::Role;
use crate::model::text::Text;
use crate::vendor::zego::scalar::Scalar;

/// Names `close_reason` of `room_close`.
pub(super) fn room_close_reason(number: i64) -> RoomCloseReason {
    match number {
        0 => RoomCloseReason::Normal,
        1 => RoomCloseReason::HeartbeatTimeout,
        2 => RoomCloseReason::WentOffline,
        3 => RoomCloseReason::KickedOut,
        other => RoomCloseReason::Other(Text::from(other.to_string())),
    }
}

/// Names `reason` of `room_logout`.
pub(super) fn logout_reason(number: i64) -> LogoutReason {
    match number {
        0 => LogoutReason::Normal,
        1 => LogoutReason::HeartbeatTimeout,
        2 => LogoutReason::ConnectionLost,
        3 => LogoutReason::KickedOut,
        4 => LogoutReason::TokenExpired,
        other => LogoutReason::Other(Text::from(other.to_string())),
    }
}

/// Names `type` of `stream_close`.
pub(super) fn stream_close_reason(number: i64) -> StreamCloseReason {
    match number {
        0 => StreamCloseReason::Normal,
        1 => StreamCloseReason::HeartbeatTimeout,
        2 => StreamCloseReason::LoggedInAgain,
        3 => StreamCloseReason::KickedOut,
        4 => StreamCloseReason::ConnectionLost,
        5 => StreamCloseReason::RoomCleared,
        100 => StreamCloseReason::ClosedByServer,
        other => StreamCloseReason::Other(Text::from(other.to_string())),
    }
}

/// Names `user_role` of `room_login`. A number without a name keeps its digits.
pub(super) fn role(value: Scalar<'_>) -> Option<Role> {
    match value.number() {
        Ok(Some(1)) => Some(Role::HOST),
        Ok(Some(2)) => Some(Role::AUDIENCE),
        Ok(Some(4)) => Some(Role::ADMINISTRATOR),
        Ok(Some(number)) => Scalar::Number(number).into_text().map(Role::new),
        Ok(None) => None,
        Err(_) => value.into_text().map(Role::new),
    }
}
