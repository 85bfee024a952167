//! Decides which rooms to ask the media server about.

pub(crate) mod planner;
