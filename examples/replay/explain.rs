//! What became of commands and expiries, in words. Callbacks explain themselves.

use room_registry::journal::{Answer, Command};
use room_registry::{Cause, ChangeKind, Changes, Expired, Heartbeat, Outcome, RoomId};

/// What a command asked for: what is done when it succeeds, and to whom.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    done: &'static str,
    whom: String,
}

impl Subject {
    fn new(done: &'static str, whom: impl Into<String>) -> Self {
        Self { done, whom: whom.into() }
    }
}

/// Puts a command into words.
pub(crate) fn subject(command: &Command) -> Subject {
    match command {
        // The room names itself among the changes.
        Command::CreateRoom(_) => Subject::new("created", ""),
        Command::UpdateRoom { room_id, .. } => Subject::new("updated", format!("room {room_id}")),
        Command::EndRoom { room_id } => Subject::new("ended", format!("room {room_id}")),
        Command::JoinRoom { room_id, user } => {
            Subject::new("joined", format!("user {}, room {room_id}", user.user_id))
        }
        Command::LeaveRoom { room_id, user_id, .. } => {
            Subject::new("left", format!("user {user_id}, room {room_id}"))
        }
        Command::Heartbeat { room_id, user_id, .. } => {
            Subject::new("heartbeat", format!("user {user_id}, room {room_id}"))
        }
        Command::UpdateUser { room_id, user_id, .. } => {
            Subject::new("updated", format!("user {user_id}, room {room_id}"))
        }
        Command::UpdateStream { room_id, stream_id, .. } => {
            Subject::new("updated", format!("stream {stream_id}, room {room_id}"))
        }
        Command::GrantGrace => Subject::new("grace granted", "every member of every room"),
        _ => Subject::new("done", "a command without words of its own"),
    }
}

/// A command that was carried out.
pub(crate) fn done(subject: Subject, answer: Answer, mut changes: Changes<'_>) -> String {
    let Subject { done, mut whom } = subject;
    let done = match answer {
        Answer::Heartbeat(Heartbeat::Alive) => "alive",
        Answer::Heartbeat(Heartbeat::TimedOut) => "timed out",
        Answer::Heartbeat(Heartbeat::Left) => "left before",
        Answer::Heartbeat(Heartbeat::Removed) => "was removed",
        _ => done,
    };
    if whom.is_empty()
        && let Some(change) = changes.next()
    {
        whom = format!("room {}", change.room_id);
    }
    format!("{done}: {whom}")
}

/// An observation: what it mended.
pub(crate) fn observed(room_id: &RoomId, outcome: Outcome, changes: Changes<'_>) -> String {
    match outcome {
        Outcome::Applied => {
            let mended = changes.filter(|change| change.cause == Cause::Repaired).count();
            let changes = if mended == 1 { "change" } else { "changes" };
            format!("repaired: room {room_id}, {mended} {changes}")
        }
        Outcome::Held => format!("held: the observation of room {room_id} confirms what is shown"),
        Outcome::TooLate => {
            format!("too late: the observation of room {room_id} is older than the retention")
        }
        Outcome::Refused => {
            format!("refused: the observation of room {room_id} is stamped in the future")
        }
        _ => format!("stale: the observation of room {room_id} tells nothing new"),
    }
}

/// An expiry: who went, which rooms ended, and what was forgotten.
pub(crate) fn expired(expired: Expired, changes: Changes<'_>) -> String {
    let mut ended: Vec<String> = changes
        .filter_map(|change| {
            let room_id = &change.room_id;
            match (&change.kind, change.cause) {
                (ChangeKind::UserLeft { user_id, .. }, Cause::HeartbeatTimeout) => {
                    Some(format!("user {user_id} of room {room_id} timed out"))
                }
                (ChangeKind::UserUpdated(user), Cause::HeartbeatTimeout) => Some(format!(
                    "user {} of room {room_id} timed out and is still logged in",
                    user.user_id
                )),
                (ChangeKind::RoomUnlisted, _) => Some(format!("room {room_id} ended")),
                _ => None,
            }
        })
        .collect();
    match expired.forgotten {
        0 => {}
        1 => ended.push("1 remembered closing forgotten".to_owned()),
        forgotten => ended.push(format!("{forgotten} remembered closings forgotten")),
    }
    if ended.is_empty() {
        ended.push("nothing was due".to_owned());
    }
    format!("expired: {}", ended.join("; "))
}
