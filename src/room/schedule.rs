//! Which users and streams are to be looked at when, to forget them.

use crate::collections::order::Order;
use crate::model::id::{StreamId, UserId};
use crate::model::time::Timestamp;

/// Users and streams, by when something of them can next be forgotten.
pub(super) type Schedule = Order<(Timestamp, Forgettable)>;

/// Something of which a part is forgotten by itself. A session goes with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Forgettable {
    User(UserId),
    Stream(StreamId),
}
