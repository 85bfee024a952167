//! The lists of a room: who and what is in them, in order, and how the session looks.

use crate::collections::order::Order;
use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;
use crate::model::visible::Session;
use crate::registers::kind::{Streams, Users};
use crate::registers::tables::Tables;
use crate::rules::Rulebook;
use crate::rules::visibility::Visible;

/// Returns what readers see of the visible session.
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
        room_name: session.and_then(|session| Some(session.name.as_ref()?.name.clone())),
    })
}

/// Returns the earliest login or stream that is visible now. Cost: everybody and everything.
pub(crate) fn earliest(book: Rulebook<'_>, visible: Option<Visible>) -> Option<Timestamp> {
    let users = told::<Users>(book, visible).filter_map(|(_, login_at)| login_at);
    let streams = told::<Streams>(book, visible).filter_map(|(_, created_at)| created_at);
    users.chain(streams).min()
}

/// Orders the users that readers see. Cost: them.
pub(crate) fn users_of(book: Rulebook<'_>, visible: Option<Visible>) -> Order<(Timestamp, UserId)> {
    let members = book.registers.members.iter();
    let members =
        members.map(|member| (member.membership().joined_at, UserId::clone(member.user_id)));
    let others = told::<Users>(book, visible)
        .filter(|(user_id, _)| book.registers.members.place_of(*user_id).is_none())
        .map(|(user_id, login_at)| (login_at.unwrap_or_default(), UserId::clone(user_id)));
    members.chain(others).collect()
}

pub(crate) fn streams_of(
    book: Rulebook<'_>,
    visible: Option<Visible>,
) -> Order<(Timestamp, StreamId)> {
    let streams = told::<Streams>(book, visible);
    let streams = streams.map(|(stream_id, at)| (at.unwrap_or_default(), stream_id.clone()));
    streams.collect()
}

/// Returns the users or streams that the media server shows, and since when, in any order.
pub(crate) fn told<K: Tables>(
    book: Rulebook<'_>,
    visible: Option<Visible>,
) -> impl Iterator<Item = (&K::Id, Option<Timestamp>)> {
    let registers = book.registers;
    let index = visible.and_then(Visible::index);
    let in_session = index.into_iter().flat_map(|index| registers.all_in::<K>(index));
    let in_roster = K::roster(&registers.observed).entries.iter().map(|(id, _)| id);
    let is_there = move |id: &K::Id| {
        index.is_some_and(|at| K::table(&registers.sessions[at]).contains_key(id))
    };
    let others = in_roster.filter(move |id| !is_there(id));
    let others = others.map(|id| (id, registers.places::<K>(id)));
    in_session.chain(others).filter_map(move |(id, places)| {
        let source = book.source::<K>(visible, &places)?;
        Some((id, source.began_at()))
    })
}
