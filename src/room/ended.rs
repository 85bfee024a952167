//! When and why those went who are gone after an input: what law 1.8 demands of a departure.

use crate::model::callback::CallbackEvent;
use crate::model::change::{Cause, EndReason};
use crate::model::time::Timestamp;
use crate::room::notes::Ended;
use crate::room::work::Work;

/// Returns when and why those went whom an input took away. Step 5 asks once a pass, because all who go by
/// one input go at one time and for one reason.
#[inline]
pub(super) fn ended_by(work: &Work<'_>, cause: Cause, now: Timestamp) -> Ended {
    let (at, reason) = match work {
        Work::Callback(work) => {
            let reason = match &work.callback.event {
                CallbackEvent::UserLoggedOut(event) => EndReason::LoggedOut(event.reason.clone()),
                CallbackEvent::StreamClosed(event) => EndReason::StreamClosed(event.reason.clone()),
                CallbackEvent::RoomClosed(_) => EndReason::RoomClosed,
                CallbackEvent::RoomCreated(_)
                | CallbackEvent::UserLoggedIn(_)
                | CallbackEvent::StreamCreated(_) => EndReason::Superseded,
            };
            (work.callback.event.at(), reason)
        }
        Work::Observation(observation, _) => (observation.observed_at, EndReason::Absent),
        Work::Leave(..) => (now, EndReason::Left),
        Work::Remove(_, reason) => (now, EndReason::Removed(reason.clone())),
        Work::End => (now, EndReason::RoomClosed),
        Work::Create(_)
        | Work::Update(_)
        | Work::Join(_)
        | Work::Heartbeat(..)
        | Work::UpdateUser(..)
        | Work::UpdateStream(..)
        | Work::TakeHeartbeats(_)
        | Work::GrantGrace
        | Work::Merge(_)
        | Work::CarryOver(_)
        | Work::Tick
        | Work::ClockSetBack
        | Work::TimeOut(_)
        | Work::EndByLifecycle
        | Work::Unlist
        | Work::Forget(_)
        | Work::ForgetSession => (now, reason_of(cause)),
    };
    Ended { at, reason }
}

/// Returns why somebody went, if the input itself does not say it. A login that takes the place of another
/// supersedes it, and so does a session.
fn reason_of(cause: Cause) -> EndReason {
    match cause {
        Cause::HeartbeatTimeout => EndReason::HeartbeatTimeout,
        Cause::Lifecycle | Cause::EmptyRoom => EndReason::Lifecycle,
        Cause::Repaired => EndReason::Absent,
        Cause::Import => EndReason::Imported,
        Cause::Command | Cause::Callback | Cause::ClockSetBack => EndReason::Superseded,
    }
}
