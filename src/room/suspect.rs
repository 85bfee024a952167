//! Suspicion: what of the evidence is told, and what of it is worth asking about.

use crate::model::change::Who;
use crate::model::config::Config;
use crate::model::suspicion::{Sign, SuspectedList, Suspicion};
use crate::model::time::Timestamp;
use crate::repair::planner::Standing;
use crate::room::evidence::{Evidence, Piece};
use crate::room::facts::Concerned;
use crate::room::forget::earlier;
use crate::room::state::{Context, RoomState};

/// What of the visible session is worth asking about, and since when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doubtful {
    /// The first hole's.
    pub(crate) hole_seen_at: Option<Timestamp>,
    /// The first other sign's.
    pub(crate) sign_seen_at: Option<Timestamp>,
    pub(crate) users: bool,
    pub(crate) streams: bool,
}

impl RoomState {
    /// Looks at the signs again of those whom a change of the visible session concerns.
    pub(super) fn assess(&mut self, concerned: Concerned<'_>, is_two_logins: bool, now: Timestamp) {
        let visible = self.shown.as_ref().and_then(|shown| shown.session_id.clone());
        if let Concerned::Everybody = concerned {
            for session in &mut self.live.sessions {
                if Some(&session.id) != visible.as_ref() {
                    session.evidence.doubts.clear_state();
                }
            }
        }
        if let Some(session_id) = visible {
            self.live.assess(&session_id, concerned, is_two_logins, now);
        }
    }

    /// Reports what was there for long enough, and tells what is suspected now that was not, or not
    /// any more. Returns how many pieces of evidence were reported.
    pub(super) fn report(&mut self, cx: &mut Context<'_>) -> usize {
        // So it is in nearly every room, after nearly every callback.
        let was_clear = self.suspicions.is_empty() && self.doubtful == Doubtful::default();
        let is_clear = || self.live.sessions.iter().all(|session| session.evidence.is_empty());
        if was_clear && (is_clear() || self.unresolved().next().is_none()) {
            cx.is_moved |= self.unreported_since.take().is_some();
            return 0;
        }
        cx.is_moved = true;
        let reported = self.mark_reported(cx.now, cx.config);
        let suspicions = self.suspicions_by(|piece| piece.reported);
        let before = std::mem::replace(&mut self.suspicions, suspicions);
        self.unreported_since = self.oldest_unreported();
        self.doubtful = self.doubtful();
        if before == self.suspicions || !self.is_listed() {
            return reported;
        }
        let subject = |suspicion: &Suspicion| (suspicion.list, suspicion.sign);
        for gone in &before {
            if self.suspicions.iter().all(|held| subject(held) != subject(gone)) {
                let who = Who::SuspicionWithdrawn(gone.list, gone.sign);
                cx.log.note(&self.id, cx.cause, who);
            }
        }
        for held in self.suspicions.iter().filter(|held| !before.contains(held)) {
            cx.log.note(&self.id, cx.cause, Who::SuspicionRaised(held.list, held.sign));
        }
        reported
    }

    /// What is suspected at an instant, where evidence counts after a grace.
    pub(crate) fn suspicions_as_of(&self, now: Timestamp, grace_ms: u64) -> Vec<Suspicion> {
        self.suspicions_by(|piece| piece.seen_at.plus(grace_ms) <= now)
    }

    /// Where the room stands in the eyes of a planner.
    pub(crate) fn standing(&self, config: &Config) -> Standing {
        // An answer tells nothing of what is younger than the clock skew, and a little is added.
        let grace_ms = config.ask_after_ms.max(self.settings.clock_skew_ms.saturating_add(1_000));
        let ask_at = |seen_at: Option<Timestamp>| seen_at.map(|at| at.plus(grace_ms));
        let confirmed_at = self.confirmed_at();
        let visible = self.shown.as_ref().and_then(|shown| shown.session_id.as_ref());
        let session = visible.and_then(|id| self.live.session(id));
        let unconfirmed = session.filter(|session| session.newest > confirmed_at);
        Standing {
            hole_at: ask_at(self.doubtful.hole_seen_at),
            sign_at: ask_at(self.doubtful.sign_seen_at),
            tail_at: unconfirmed.map(|session| session.touched_at.plus(config.quiet_for_ms)),
            confirmed_at,
            unseen_since: if self.is_listed() { None } else { Some(self.unseen_since()) },
            users: self.doubtful.users,
            streams: self.doubtful.streams,
        }
    }

    /// Since when nobody sees the room and nothing was heard of it: a callback that opens nothing
    /// is a reason to ask all the same.
    fn unseen_since(&self) -> Timestamp {
        let heard_at = self.live.sessions.iter().map(|session| session.touched_at).max();
        let unseen_since = self.sessionless_since.max(self.ended_at);
        unseen_since.max(heard_at).unwrap_or(self.clock)
    }

    /// What is worth asking about, and since when.
    fn doubtful(&self) -> Doubtful {
        let mut doubtful = Doubtful::default();
        for piece in self.unresolved() {
            let seen_at = match piece.sign {
                Sign::Hole => &mut doubtful.hole_seen_at,
                Sign::NoCreate
                | Sign::LogoutWithoutLogin
                | Sign::TwoLogins
                | Sign::NobodyPresent
                | Sign::CloseWithoutOpening
                | Sign::PublisherAbsent => &mut doubtful.sign_seen_at,
            };
            *seen_at = earlier(*seen_at, Some(piece.seen_at));
            // One list alone is asked only where nothing else is in doubt.
            let alone = |concerns: bool, other: bool| concerns || !other;
            let (users, streams) = (piece.list.concerns_users(), piece.list.concerns_streams());
            doubtful.users |= alone(users, streams);
            doubtful.streams |= alone(streams, users);
        }
        doubtful
    }

    fn mark_reported(&mut self, now: Timestamp, config: &Config) -> usize {
        let visible = self.shown.as_ref().and_then(|shown| shown.session_id.as_ref());
        let Some(session) = visible.and_then(|id| self.live.session(id)) else { return 0 };
        if session.evidence.is_empty() {
            return 0;
        }
        let lists = [
            SuspectedList::Room,
            SuspectedList::Users,
            SuspectedList::Streams,
            SuspectedList::Both,
        ];
        let confirmed = lists.map(|list| (list, self.live.confirmed_at(list, Some(session))));
        let is_due = |list: SuspectedList, told_at: Timestamp, seen_at: Timestamp| {
            let confirmed_at = confirmed.iter().find(|(of, _)| *of == list).and_then(|(_, at)| *at);
            Some(told_at) > confirmed_at && seen_at.plus(config.report_after_ms) <= now
        };
        let id = session.id.clone();
        let Some(session) = self.live.session_mut(&id) else { return 0 };
        let Evidence { users, streams, doubts } = &mut session.evidence;
        let mut reported = 0;
        for (numbers, list) in [(users, SuspectedList::Users), (streams, SuspectedList::Streams)] {
            for hole in numbers.holes_mut() {
                if !hole.reported && is_due(list, hole.told_at, hole.seen_at) {
                    hole.reported = true;
                    reported += 1;
                }
            }
        }
        for doubt in doubts.iter_mut() {
            if !doubt.reported && is_due(doubt.about.list(), doubt.told_at, doubt.seen_at) {
                doubt.reported = true;
                reported += 1;
            }
        }
        reported
    }

    /// Since when there is something that was not reported yet.
    fn oldest_unreported(&self) -> Option<Timestamp> {
        let waiting = self.unresolved().filter(|piece| !piece.reported);
        waiting.map(|piece| piece.seen_at).min()
    }

    /// Counts anew what is suspected.
    #[cfg(feature = "serde")]
    pub(super) fn restore_suspicions(&mut self) {
        self.suspicions = self.suspicions_by(|piece| piece.reported);
        self.unreported_since = self.oldest_unreported();
        self.doubtful = self.doubtful();
    }

    fn suspicions_by(&self, counts: impl Fn(&Piece) -> bool) -> Vec<Suspicion> {
        let mut suspicions: Vec<Suspicion> = Vec::new();
        for piece in self.unresolved().filter(counts) {
            let is_same =
                |held: &&mut Suspicion| (held.list, held.sign) == (piece.list, piece.sign);
            match suspicions.iter_mut().find(is_same) {
                Some(held) => {
                    held.suspected_since = held.suspected_since.min(piece.seen_at);
                    held.missing.extend(piece.missing);
                }
                None => suspicions.push(Suspicion {
                    sign: piece.sign,
                    list: piece.list,
                    suspected_since: piece.seen_at,
                    missing: piece.missing.into_iter().collect(),
                }),
            }
        }
        suspicions.sort_unstable_by_key(|held| (held.list, held.sign));
        suspicions
    }

    /// The evidence of the visible session that no observation resolved.
    fn unresolved(&self) -> impl Iterator<Item = Piece> {
        let visible = self.shown.as_ref().and_then(|shown| shown.session_id.as_ref());
        let session = visible.and_then(|id| self.live.session(id));
        let session = session.filter(|session| !session.evidence.is_empty());
        session.into_iter().flat_map(move |session| {
            session.evidence.pieces().filter(move |piece| {
                Some(piece.told_at) > self.live.confirmed_at(piece.list, Some(session))
            })
        })
    }
}
