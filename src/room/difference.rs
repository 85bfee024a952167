//! Changes found by comparing a whole room with what readers saw of it before: for the inputs that
//! may change anything in it, an observation and a merge.

use std::collections::BTreeMap;

use crate::model::change::Who;
use crate::read::RoomRef;
use crate::read::mirror::MirrorRoom;
use crate::room::facts::Concerned;
use crate::room::state::{Context, RoomState};

/// What readers saw before; none where the room was not listed.
#[derive(Debug)]
pub(super) struct SeenBefore(Option<MirrorRoom>);

impl RoomState {
    /// What readers see now.
    pub(super) fn copy_visible(&self) -> SeenBefore {
        SeenBefore(self.is_listed().then(|| MirrorRoom::from(RoomRef::new(self))))
    }

    /// What readers see now, where a later creation may show again users and streams of which only
    /// observations told, and which an end had hidden.
    pub(super) fn before_showing_again(&self) -> Option<SeenBefore> {
        self.live.observed.hidden_at.is_some().then(|| self.copy_visible())
    }

    /// Counts anew what follows from the registers, and tells what is different from a copy of what
    /// was visible before. Tells whether something is. Cost: the room.
    pub(super) fn show_difference(&mut self, before: &SeenBefore, cx: &mut Context<'_>) -> bool {
        self.restore_derived();
        if self.shown.is_none() && before.0.as_ref().is_some_and(|room| room.session.is_some()) {
            self.sessionless_since = Some(cx.now);
        }
        if before.0.is_some() && !self.is_listed() {
            // Nobody stays a member of a room that left the list.
            let members: Vec<_> =
                self.members.by_id().into_iter().map(|member| member.user_id.clone()).collect();
            for user_id in members {
                self.members.leave(user_id.as_str(), cx.now);
            }
        }
        self.keep_notes();
        self.assess(Concerned::Everybody, false, cx.now);
        let told = cx.log.len();
        self.tell_difference(before, cx);
        let is_different = cx.log.len() > told;
        self.finish(cx);
        is_different
    }

    /// Tells what is different from a copy of what was visible before.
    pub(super) fn tell_difference(&self, before: &SeenBefore, cx: &mut Context<'_>) {
        let mut note = |who| cx.log.note(&self.id, cx.cause, who);
        if !self.is_listed() {
            if before.0.is_some() {
                note(Who::RoomUnlisted);
            }
            return;
        }
        let after = MirrorRoom::from(RoomRef::new(self));
        let nothing = MirrorRoom::default();
        let was = match &before.0 {
            None => {
                note(Who::RoomListed);
                MirrorRoom { info: after.info.clone(), session: after.session.clone(), ..nothing }
            }
            Some(before) => before.clone(),
        };
        if was.info != after.info {
            note(Who::RoomUpdated);
        }
        match (&was.session, &after.session) {
            (Some(session), None) => note(Who::SessionClosed(session.session_id.clone())),
            (None, Some(_)) => note(Who::SessionOpened),
            (Some(was), Some(is)) if was != is => note(Who::SessionUpdated),
            (Some(_) | None, _) => {}
        }
        for who in differences(
            &was.users,
            &after.users,
            [Who::UserJoined, Who::UserUpdated, Who::UserLeft],
        ) {
            note(who);
        }
        let streams = [Who::StreamOpened, Who::StreamUpdated, Who::StreamClosed];
        for who in differences(&was.streams, &after.streams, streams) {
            note(who);
        }
    }
}

/// Who came, differs, or went between two maps.
fn differences<'a, K: Ord + Clone, V: PartialEq>(
    was: &'a BTreeMap<K, V>,
    is: &'a BTreeMap<K, V>,
    [came, differs, went]: [fn(K) -> Who; 3],
) -> impl Iterator<Item = Who> {
    let gone = was.keys().filter(|key| !is.contains_key(*key)).map(move |key| went(key.clone()));
    let here = is.iter().filter_map(move |(key, value)| match was.get(key) {
        None => Some(came(key.clone())),
        Some(before) => (before != value).then(|| differs(key.clone())),
    });
    gone.chain(here)
}
