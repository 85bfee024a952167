//! Decides which rooms to ask the media server about. [`guide::repair`](crate::guide::repair) has the laws, in
//! its section 17.

pub(crate) mod planner;
pub(crate) mod question;
pub(crate) mod status;

pub use crate::model::observation::{ObservedList, ObservedStream, ObservedUser};
pub use crate::model::suspicion::{CanAsk, Sign, SuspectedList, Suspicion};
pub use crate::repair::planner::Planner;
pub use crate::repair::question::{Question, Reason};
pub use crate::repair::status::RepairStatus;
