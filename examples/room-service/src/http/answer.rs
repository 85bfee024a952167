//! What clients are told.
//!
//! Every answer is a JSON object with a `code` and a `message`:
//!
//! | code | HTTP | means |
//! |---|---|---|
//! | 0 | 200 | done |
//! | 1 | 200 | the rules refuse it; nothing changed |
//! | 2 | 400, 404, 405, 408, 413, 415, 431 | the request is not understood |
//! | 3 | 503 | the service cannot do it now; it can be sent again |
//! | 4 | 401, 403 | who asks may not do it |

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use room_registry::{Error, Heartbeat};
use serde::Serialize;

use crate::auth::Denied;
use crate::store::StoreError;

/// The `code` of an answer, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnswerCode(pub(crate) u8);

const DONE: u8 = 0;
const REFUSED: u8 = 1;
const MALFORMED: u8 = 2;
const UNAVAILABLE: u8 = 3;
const DENIED: u8 = 4;

#[derive(Serialize)]
struct Envelope<'a, T> {
    code: u8,
    message: &'a str,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
struct Nothing {}

/// Done, and nothing more to tell.
pub(super) fn done() -> Response {
    done_with("success", Nothing {})
}

/// Done, with more fields beside the code.
pub(super) fn success(rest: impl Serialize) -> Response {
    done_with("success", rest)
}

/// What becomes of a heartbeat that was carried out.
pub(super) fn heartbeat(heartbeat: Heartbeat) -> Result<Response, Problem> {
    match heartbeat {
        Heartbeat::TimedOut => Err(Problem::Refused("heartbeat timeout".into())),
        Heartbeat::Left => Err(Problem::Refused("user left".into())),
        Heartbeat::Removed => Err(Problem::Refused("user removed".into())),
        _ => Ok(done_with("heartbeat success", Nothing {})),
    }
}

fn done_with(message: &str, rest: impl Serialize) -> Response {
    answer(StatusCode::OK, DONE, message, rest)
}

fn answer(status: StatusCode, code: u8, message: &str, rest: impl Serialize) -> Response {
    let mut response = (status, Json(Envelope { code, message, rest })).into_response();
    response.extensions_mut().insert(AnswerCode(code));
    response
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The rules refuse it.
    Refused(Cow<'static, str>),
    /// A parameter is missing, or is not what it must be.
    Parameter { name: Cow<'static, str>, reason: String },
    /// The body is not what it must be.
    Body(String),
    /// The body is longer than this many bytes.
    TooLarge(usize),
    /// The body is of a type that is not read.
    ContentType,
    /// The client took too long to send the body.
    TooSlow,
    /// Who asks did not say who he is, or not believably.
    Unauthenticated,
    /// Who asks may not do this.
    Forbidden,
    /// Nothing is at this path.
    NoSuchPath,
    /// Not with this method; with these.
    WrongMethod(&'static str),
    /// The store fails, or the service has too much to do.
    Unavailable(String),
}

impl Problem {
    pub(super) fn missing(name: &'static str) -> Self {
        Self::Parameter { name: name.into(), reason: "it is missing".to_owned() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an error, made to be told here")]
    pub(super) fn malformed(name: impl Into<Cow<'static, str>>, reason: impl ToString) -> Self {
        Self::Parameter { name: name.into(), reason: reason.to_string() }
    }

    /// What a failed heartbeat is called, which existing clients know by another text.
    pub(super) fn of_heartbeat(error: StoreError) -> Self {
        match error {
            StoreError::Refused(Error::UserNotInRoom { .. }) => {
                Self::Refused("user not joined or heartbeat timeout".into())
            }
            error => Self::from(error),
        }
    }
}

/// The table of refusals: the library's errors, and what existing clients know them as.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Refused(match error {
            Error::RoomAlreadyExists { .. } => "room already exists".into(),
            Error::RoomNotFound { .. } => "room not exists".into(),
            Error::UserAlreadyJoined { .. } => "user already joined".into(),
            Error::UserNotInRoom { .. } => "user not exists in room".into(),
            // Ids, names, roles and single attributes are checked as parameters before.
            Error::TooManyAttributes { .. } => {
                return Self::malformed("Attributes", error);
            }
            error => error.to_string().into(),
        })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(error) => error.into(),
            StoreError::Cursor(error) => Self::malformed("Cursor", error),
            StoreError::Failed { store, reason } => {
                tracing::error!(store, reason, "the store failed");
                Self::Unavailable(format!("the {store} store failed"))
            }
            StoreError::Busy { room_id } => {
                tracing::warn!(room_id = room_id.as_str(), "too many operations wait for the room");
                Self::Unavailable("too many operations wait for the room".to_owned())
            }
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated => Self::Unauthenticated,
            Denied::Forbidden => Self::Forbidden,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let problem = |status, message: &str| answer(status, MALFORMED, message, Nothing {});
        match self {
            Self::Refused(message) => answer(StatusCode::OK, REFUSED, &message, Nothing {}),
            Self::Parameter { name, reason } => {
                problem(StatusCode::BAD_REQUEST, &format!("parameter {name}: {reason}"))
            }
            Self::Body(reason) => problem(StatusCode::BAD_REQUEST, &reason),
            Self::TooLarge(limit) => {
                let message = format!("the body is longer than {limit} bytes");
                problem(StatusCode::PAYLOAD_TOO_LARGE, &message)
            }
            Self::ContentType => problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/json or application/x-www-form-urlencoded",
            ),
            Self::TooSlow => {
                problem(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")
            }
            Self::NoSuchPath => problem(StatusCode::NOT_FOUND, "nothing is at this path"),
            Self::WrongMethod(allowed) => {
                let message = format!("this path takes {allowed}");
                let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &message);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
                response
            }
            Self::Unauthenticated => {
                let message = "a valid token is needed";
                let mut response = answer(StatusCode::UNAUTHORIZED, DENIED, message, Nothing {});
                let scheme = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
                response
            }
            Self::Forbidden => {
                answer(StatusCode::FORBIDDEN, DENIED, "this token does not allow it", Nothing {})
            }
            Self::Unavailable(message) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let mut response = answer(status, UNAVAILABLE, &message, Nothing {});
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
        }
    }
}
