//! The serialised form of a change.
//!
//! In a format for people it is flat and has a `kind`, which clients of any language can switch on:
//! `{"room_id":"r1","cause":"command","kind":"user_joined","value":{"user_id":"ann", …}}`. In a binary
//! format it has the same values in this order.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::change::{Cause, Change, ChangeKind};
use crate::model::id::RoomId;

#[derive(Serialize, Deserialize)]
#[serde(rename = "Change")]
struct Flat<Id, Kind> {
    room_id: Id,
    cause: Cause,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Change")]
struct Plain<Id, Kind> {
    room_id: Id,
    cause: Cause,
    kind: Kind,
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (room_id, cause, kind) = (&self.room_id, self.cause, &self.kind);
        if serializer.is_human_readable() {
            Flat { room_id, cause, kind }.serialize(serializer)
        } else {
            Plain { room_id, cause, kind }.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let Flat { room_id, cause, kind } =
                Flat::<RoomId, ChangeKind>::deserialize(deserializer)?;
            Ok(Self { room_id, cause, kind })
        } else {
            let Plain { room_id, cause, kind } =
                Plain::<RoomId, ChangeKind>::deserialize(deserializer)?;
            Ok(Self { room_id, cause, kind })
        }
    }
}
