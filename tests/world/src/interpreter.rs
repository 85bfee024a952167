//! What is visible, held against the truth of a valid history.

use super::model::Visible;
use super::truth::Truth;

/// The part of what is visible that a truth tells of.
pub fn as_truth(visible: Option<&Visible>) -> Option<Truth> {
    visible.map(|visible| Truth {
        session_id: visible.session_id.clone(),
        users: visible
            .users
            .iter()
            .map(|(id, (session, _))| (id.clone(), session.clone()))
            .collect(),
        streams: visible
            .streams
            .iter()
            .map(|(id, (_, session, ..))| (id.clone(), session.clone()))
            .collect(),
    })
}
