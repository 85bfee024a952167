//! The current session: the one whose users and streams readers see, if it is open.
//!
//! `visibility.rs` and `retention.rs` ask it.
//!
//! This file carries laws 4.1 to 4.5, 6.3, 6.4, 15.1, 15.2, 21.2 and 21.4.

use crate::model::config::Rules;
use crate::model::time::Timestamp;
use crate::registers::Closings;
use crate::registers::session::SessionRegister;
use crate::rules::Rulebook;

/// A session among which *pick* chooses (section 4 of the rules).
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Its creation, or the time with which it contends. Event time.
    at: Timestamp,
    /// Whether it does not count as closed.
    is_open: bool,
    /// Its index. Sessions are ordered by id, so the greater index has the greater id.
    index: usize,
}

/// Whether a session counts as closed. It does if it has a close, or if an end of the room hides it (law
/// 4.5). It also does if the room was seen not to be open after every sign of life of the session (law
/// 15.1). Business info that was made after the end shows a hidden session again (law 6.4).
#[inline]
pub(crate) fn is_closed(session: &SessionRegister, closings: Closings, rules: &Rules) -> bool {
    let shows_from = closings.shows_from;
    // Of the nameless session an end hides openings, and not the session (law 21.4).
    let hidden = session.hidden_until(closings.ended_at, rules).filter(|_| session.id.is_some());
    let hidden = hidden.is_some_and(|at| shows_from.is_none_or(|from| at >= from));
    let opened_at = session.created_at().max(session.latest_opening_at);
    let alive_at = opened_at.max(session.confirmed_open_at);
    session.closed_at.is_some() || hidden || closings.not_open_at > alive_at
}

impl Rulebook<'_> {
    /// Returns the current session: the pick among the contenders, or the leading anchor if there are none
    /// (laws 4.1 and 4.3).
    ///
    /// A session contends if it is no anchor and its latest opening is above the limit (law 4.2). The limit
    /// leaves δ to an open anchor, because the first login may be stamped before the creation. A closed
    /// anchor needs no such margin.
    ///
    /// A session also contends if it was confirmed open after C (law 15.2), even an anchor. Of two that
    /// were created within ε, only one can be open after both. If the close of the other is lost, nothing
    /// else tells.
    #[inline]
    pub(crate) fn current(self) -> Option<usize> {
        match &*self.registers.sessions {
            [] => None,
            [only] if only.is_anchor() => Some(0), // as nearly always: whatever contends, it is this one
            _ => self.picked(),
        }
    }

    /// The same if there are several sessions, or none is an anchor.
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
            // The nameless session contends whatever the setting (law 21.2), and only by openings that no
            // end hides (law 21.4).
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

/// Picks, as section 4 of the rules says. Of those within ε of the latest, an open one comes before a
/// closed one. Then the highest (time, session id) counts.
fn pick(
    candidates: impl Iterator<Item = Candidate> + Clone,
    tie_window_ms: u64,
) -> Option<Candidate> {
    let latest = candidates.clone().map(|candidate| candidate.at).max()?;
    candidates
        .filter(|candidate| candidate.at >= latest.minus(tie_window_ms))
        .max_by_key(|candidate| (candidate.is_open, candidate.at, candidate.index))
}
