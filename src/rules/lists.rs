//! The lists of a room: which users and streams are in them, in which order, and how the session looks.
//!
//! The projection keeps what these functions return, and `room/check.rs` compares the two.
//!
//! This file carries laws 2.7, 4.4, 4.6, 4.8, 4.9, 15.6, 15.8 and 21.4.

use crate::collections::order::Order;
use crate::model::id::{StreamId, UserId};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::model::visible::Session;
use crate::registers::kind::{Streams, Users};
use crate::registers::members::MemberRef;
use crate::registers::tables::Tables;
use crate::rules::Rulebook;
use crate::rules::visibility::{Source, Visible};

/// Returns what readers see of the visible session. Without its creation, it is inferred (law 4.6).
pub(crate) fn session_of(book: Rulebook<'_>, visible: Option<Visible>) -> Option<Session> {
    let index = visible?.index();
    let session = index.map(|index| &book.registers.sessions[index]);
    let create = session.and_then(|session| session.create.as_ref());
    let opened_at = create.map(|create| create.created_at);
    Some(Session {
        session_id: session.and_then(|session| session.id.clone()),
        opened_at: opened_at.or_else(|| earliest(book, visible)),
        inferred: create.is_none(),
        creator_id: create.and_then(|create| create.creator_id.clone()),
        room_name: index.and_then(|index| book.shown_name(index)).cloned(),
    })
}

impl<'a> Rulebook<'a> {
    /// Returns the name that the logins of a session gave the room (law 2.7). `None` if an end hides the
    /// login that told it (law 21.4).
    #[inline]
    pub(crate) fn shown_name(self, session: usize) -> Option<&'a Text> {
        let name = self.registers.sessions[session].name.as_ref()?;
        (Some(name.at) > self.hidden_openings_until(session)).then_some(&name.name)
    }
}

/// Returns the event time of the earliest login or stream opening that is visible now: an inferred session
/// opened then (law 4.6). Cost: all users and streams.
pub(crate) fn earliest(book: Rulebook<'_>, visible: Option<Visible>) -> Option<Timestamp> {
    let users = shown::<Users>(book, visible).filter_map(|(_, source)| source.began_at());
    let streams = shown::<Streams>(book, visible).filter_map(|(_, source)| source.began_at());
    users.chain(streams).min()
}

/// A user in the list: one who has a membership, one whom the media server shows, or both (law 4.8).
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListedUser<'a> {
    pub(crate) id: &'a UserId,
    /// The membership of the user.
    pub(crate) member: Option<MemberRef<'a>>,
    /// What the media server says of the user.
    pub(crate) source: Option<Source<'a, Users>>,
}

/// Returns by which time a user stands in the list: joined at (local), else login time (event). Laws 4.9
/// and 11.1 say so. If neither is known, the user comes first (law 15.6). `None` if the user is not in the
/// list.
#[inline]
pub(crate) fn listed_since(
    member: Option<MemberRef<'_>>,
    source: Option<Source<'_, Users>>,
) -> Option<Timestamp> {
    let joined_at = member.map(|member| member.membership().joined_at);
    joined_at.or_else(|| Some(source?.began_at().unwrap_or_default()))
}

/// Returns the users of the list, in any order. Cost: all users.
pub(crate) fn users_of(
    book: Rulebook<'_>,
    visible: Option<Visible>,
) -> impl Iterator<Item = ListedUser<'_>> {
    let registers = book.registers;
    let members = registers.members.iter().map(move |member| {
        let source = book.source(visible, &registers.places::<Users>(member.user_id));
        ListedUser { id: member.user_id, member: Some(member), source }
    });
    let others = shown(book, visible)
        .filter(|(id, _)| registers.members.place_of(*id).is_none())
        .map(|(id, source)| ListedUser { id, member: None, source: Some(source) });
    members.chain(others)
}

/// Returns the streams of the list, in its order (law 4.9). Cost: all streams.
pub(crate) fn streams_of(
    book: Rulebook<'_>,
    visible: Option<Visible>,
) -> Order<(Timestamp, StreamId)> {
    let streams = shown::<Streams>(book, visible);
    let streams = streams.map(|(id, source)| (source.began_at().unwrap_or_default(), id.clone()));
    streams.collect()
}

/// Returns the users or streams that the media server shows, and what it says of each. Those of the session
/// come first, then those of the observed roster alone.
pub(crate) fn shown<K: Tables>(
    book: Rulebook<'_>,
    visible: Option<Visible>,
) -> impl Iterator<Item = (&K::Id, Source<'_, K>)> {
    let registers = book.registers;
    let index = visible.and_then(Visible::index);
    let in_session = index.into_iter().flat_map(|index| registers.all_in::<K>(index));
    let in_roster = K::roster(&registers.observed).entries.iter().map(|(id, _)| id);
    let is_there = move |id: &K::Id| {
        index.is_some_and(|at| K::table(&registers.sessions[at]).contains_key(id))
    };
    let others = in_roster.filter(move |id| !is_there(id));
    let others = others.map(|id| (id, registers.places::<K>(id)));
    in_session
        .chain(others)
        .filter_map(move |(id, places)| Some((id, book.source(visible, &places)?)))
}
