//! What the first steps of an operation found out, for the projection.

use crate::model::id::UserId;
use crate::room::notes::Ended;
use crate::rules::visibility::Visible;

/// What the steps before found out, for the projection.
#[derive(Debug)]
pub(crate) struct Found {
    /// Which session is visible now.
    pub(crate) visible: Option<Visible>,
    /// Whether the business info is another.
    pub(crate) is_info_other: bool,
    /// Whether a membership or attributes of the concerned user or stream are others.
    pub(crate) is_content_other: bool,
    /// Whose membership a merge replaced.
    pub(crate) updated: Vec<UserId>,
    /// Whether the visible session lost a user or a stream to a bound.
    pub(crate) is_visible_lost: bool,
    /// When and why the concerned user or stream went, if it did.
    pub(crate) ended: Ended,
}

impl Found {
    /// Returns when and why somebody or something went that the operation concerns, or another.
    pub(super) fn ended_of(&self, is_target: bool) -> Ended {
        if is_target { self.ended.clone() } else { self.ended.of_others() }
    }
}
