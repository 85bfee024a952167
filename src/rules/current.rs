//! The current session: the one whose users and streams readers see, if it is open.

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::Closings;
use crate::registers::session::SessionRegister;
use crate::rules::Rulebook;

/// One of those among which the current session is picked.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    at: Timestamp,
    is_open: bool,
    /// Sessions are ordered by id, so the index stands for it.
    index: usize,
}

/// Whether a session has a close, the room was seen not to be open after every sign of life of it, or an
/// end of the room hides it. Business info made after the end shows again what still runs.
#[inline]
pub(crate) fn is_closed(session: &SessionRegister, closings: Closings, rules: &Rules) -> bool {
    let shows_from = closings.shows_from;
    let hidden = session.hidden_until(closings.ended_at, rules).filter(|_| session.id.is_some());
    let hidden = hidden.is_some_and(|at| shows_from.is_none_or(|from| at >= from));
    let opened_at = session.created_at().max(session.latest_opening_at);
    let alive_at = opened_at.max(session.confirmed_open_at);
    session.closed_at.is_some() || hidden || closings.not_open_at > alive_at
}

impl Rulebook<'_> {
    /// Returns the current session.
    ///
    /// It is picked among the anchors by creation, but for two cases. A session was seen to be alive after
    /// C, or one that is no anchor has a sign of life later than the limit. Then it is picked among those,
    /// by that.
    /// The limit leaves the clock skew to an anchor that is not closed, and nothing to one that is.
    ///
    /// An anchor that was seen alive contends too. Of two created within the tie window only one can be
    /// alive after both, and if the close of the other is lost, nothing else tells.
    #[inline]
    pub(crate) fn current(self) -> Option<usize> {
        match &*self.registers.sessions {
            [] => None,
            [only] if only.is_anchor() => Some(0), // as nearly always: nothing contends
            _ => self.picked(),
        }
    }

    #[inline(never)] // rare
    fn picked(self) -> Option<usize> {
        let (registers, settings) = (self.registers, self.settings);
        let closings = registers.closings();
        let anchors = registers.sessions.iter().enumerate().filter_map(|(index, session)| {
            let at = session.created_at()?;
            Some(Candidate { at, is_open: !is_closed(session, closings, settings), index })
        });
        let anchor = pick(anchors, settings.tie_window_ms);
        let limit = registers.latest_create.map(|latest| match anchor {
            Some(Candidate { is_open: true, .. }) => latest.plus(settings.clock_skew_ms),
            Some(Candidate { is_open: false, .. }) | None => latest,
        });
        let contenders = registers.sessions.iter().enumerate().filter_map(|(index, session)| {
            let infers = settings.infer_sessions || session.id.is_none();
            let limit = limit.max(self.hidden_openings_until(index));
            let is_inferred = |at: &Timestamp| infers && !session.is_anchor() && Some(*at) > limit;
            let opened_at = session.latest_opening_at.filter(is_inferred);
            let is_alive = |at: &Timestamp| Some(*at) > registers.latest_create;
            let at = opened_at.max(session.confirmed_open_at.filter(is_alive))?;
            Some(Candidate { at, is_open: !is_closed(session, closings, settings), index })
        });
        pick(contenders, settings.tie_window_ms).or(anchor).map(|current| current.index)
    }
}

/// Picks among those within the tie window of the latest: an unclosed one first, then the highest
/// (time, session id).
fn pick(
    candidates: impl Iterator<Item = Candidate> + Clone,
    tie_window_ms: u64,
) -> Option<Candidate> {
    let latest = candidates.clone().map(|candidate| candidate.at).max()?;
    candidates
        .filter(|candidate| candidate.at >= latest.minus(tie_window_ms))
        .max_by_key(|candidate| (candidate.is_open, candidate.at, candidate.index))
}
