//! Answers of the vendor's server, and what they tell.

use std::fmt::Debug;

use room_registry::repair::ObservedUser;
use room_registry::vendor::zego::Answer;
use room_registry::{Role, RoomId, Timestamp, UserId};
use serde::de::DeserializeOwned;

/// The text of a sample answer.
macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zego/answers/", $name, ".json"))
    };
}
pub(crate) use sample;

pub(crate) const ASKED_AT: Timestamp = Timestamp::from_secs(1_763_596_900);

pub(crate) fn room() -> RoomId {
    RoomId::new("room1").unwrap()
}

pub(crate) fn user(id: &str, name: &str, role: Role) -> ObservedUser {
    let mut user = ObservedUser::new(UserId::new(id).unwrap()).name(name);
    user.role = Some(role);
    user
}

pub(crate) fn recorder() -> ObservedUser {
    let mut recorder = ObservedUser::new(UserId::new("recorder").unwrap());
    recorder.role = Some(Role::ADMINISTRATOR);
    recorder
}

#[track_caller]
pub(crate) fn answer<T>(body: &str) -> Answer<T>
where
    Answer<T>: DeserializeOwned,
{
    serde_json::from_str(body).unwrap()
}

/// The data of a good answer.
#[track_caller]
pub(crate) fn data<T: Debug>(body: &str) -> T
where
    Answer<T>: DeserializeOwned,
{
    answer(body).into_data().unwrap()
}
