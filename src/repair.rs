//! Decides which rooms to ask the media server about.

pub(crate) mod planner;

pub use crate::model::observation::{ObservedList, ObservedStream, ObservedUser};
pub use crate::model::suspicion::{Sign, SuspectedList, Suspicion};
pub use crate::repair::planner::{Planner, Question, Reason, RepairStatus};
