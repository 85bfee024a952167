//! Turns what is visible into the form of a truth, to hold it against the truth of a valid history.

use super::model::Visible;
use super::repair_model::{SeenStream, SeenUser, VisibleSession};
use super::truth::Truth;

/// Takes the part of what is visible that a truth tells of.
pub fn as_truth(visible: Option<&Visible>) -> Option<Truth> {
    visible.map(|visible| Truth {
        session_id: visible.session_id.clone(),
        users: visible
            .users
            .iter()
            .map(|(id, seen)| (id.clone(), parsed(seen.stay.as_deref())))
            .collect(),
        streams: visible
            .streams
            .iter()
            .map(|(id, seen)| (id.clone(), parsed(seen.stay.as_deref())))
            .collect(),
    })
}

/// Takes the same part of a visible session that callbacks alone told of.
pub fn visible_session_as_truth(visible: Option<&VisibleSession>) -> Option<Truth> {
    visible.map(|visible| Truth {
        session_id: visible.session_id.clone(),
        users: visible
            .users
            .iter()
            .map(|(id, seen)| match seen {
                SeenUser::LoggedIn(seen) => (id.clone(), parsed(seen.stay.as_deref())),
                SeenUser::Present(_) => panic!("no callback tells of a presence: {id}"),
            })
            .collect(),
        streams: visible
            .streams
            .iter()
            .map(|(id, seen)| match seen {
                SeenStream::Published(seen) => (id.clone(), parsed(seen.stay.as_deref())),
                SeenStream::Present(_) => panic!("no callback tells of a presence: {id}"),
            })
            .collect(),
    })
}

fn parsed<Id: std::str::FromStr<Err = room_registry::IdError>>(stay: Option<&str>) -> Option<Id> {
    stay.map(|stay| stay.parse().expect("it was an id"))
}
