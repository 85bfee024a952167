//! Decides which rooms to ask the media server about: the planner (section 17 of the guide's page on repair), its
//! questions, and what it must know of each room. What an answer changes is in `room/`.

pub(crate) mod planner;
pub(crate) mod question;
pub(crate) mod status;

pub use crate::model::observation::{ObservedList, ObservedStream, ObservedUser};
pub use crate::model::suspicion::{CanAsk, Sign, SuspectedList, Suspicion};
pub use crate::repair::planner::Planner;
pub use crate::repair::question::{Question, Reason};
pub use crate::repair::status::RepairStatus;
