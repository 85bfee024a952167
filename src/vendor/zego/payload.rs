//! The fields of a callback as they came, read in one pass.
//!
//! The event decides which of them matter and what is wrong with them, and it may stand anywhere in
//! the body.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::callback::PlaybackUrls;
use crate::model::text::Text;
use crate::vendor::zego::any::{Any, Texts};
use crate::vendor::zego::body::{Fields, fields};
use crate::vendor::zego::scalar::Scalar;

fields! {
    Event = "event",
    AgentEvent = "Event",
    EventType = "event_type",
    OperatorAccount = "operator_account",
    Timestamp = "timestamp",
    Nonce = "nonce",
    Signature = "signature",
    RoomId = "room_id",
    RoomSessionId = "room_session_id",
    RoomSeq = "room_seq",
    RoomName = "room_name",
    RoomCreateTime = "room_create_time",
    RoomCloseTime = "room_close_time",
    IdName = "id_name",
    CloseReason = "close_reason",
    UserAccount = "user_account",
    UserNickname = "user_nickname",
    SessionId = "session_id",
    LoginTime = "login_time",
    LogoutTime = "logout_time",
    UserUpdateSeq = "user_update_seq",
    UserRole = "user_role",
    Reason = "reason",
    StreamId = "stream_id",
    StreamAlias = "stream_alias",
    StreamSid = "stream_sid",
    StreamSeq = "stream_seq",
    UserId = "user_id",
    UserName = "user_name",
    Title = "title",
    ExtraInfo = "extra_info",
    CreateTimeMs = "create_time_ms",
    DestroyTimemillis = "destroy_timemillis",
    Type = "type",
}

/// Every field of the six events that is read. Text is borrowed from the body if it can be.
#[derive(Debug)]
pub(super) struct Payload<'de> {
    pub(super) values: Values<'de>,
    pub(super) playback: PlaybackUrls,
}

impl<'de> Payload<'de> {
    /// Makes a body without fields.
    pub(super) fn empty() -> Self {
        Self { values: Values::EMPTY, playback: PlaybackUrls::default() }
    }

    /// Fills itself from a JSON object. It is filled in place, and handed on by reference, because
    /// every move would copy hundreds of bytes.
    pub(super) fn fill<D: Deserializer<'de>>(&mut self, body: D) -> Result<(), D::Error> {
        body.deserialize_map(Fill(self))
    }

    /// Returns the list of addresses that stands under this name on the wire.
    fn urls_mut(&mut self, name: UrlList) -> &mut Vec<Text> {
        match name {
            UrlList::Rtmp => &mut self.playback.rtmp,
            UrlList::Hls => &mut self.playback.hls,
            UrlList::Flv => &mut self.playback.flv,
            UrlList::Pictures => &mut self.playback.pictures,
        }
    }
}

/// A key of the JSON object.
#[derive(Debug, Clone, Copy)]
enum Key {
    Value(Field),
    Urls(UrlList),
    Unknown,
}

/// One of the lists of [`PlaybackUrls`].
#[derive(Debug, Clone, Copy)]
pub(super) enum UrlList {
    Rtmp,
    Hls,
    Flv,
    Pictures,
}

impl UrlList {
    /// Returns the list of this name on the wire.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "rtmp_url" => Some(Self::Rtmp),
            "hls_url" => Some(Self::Hls),
            "hdl_url" => Some(Self::Flv),
            "pic_url" => Some(Self::Pictures),
            _ => None,
        }
    }
}

struct Fill<'a, 'de>(&'a mut Payload<'de>);

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object of a callback")
    }

    /// Reads all fields. The last value of a field counts: to refuse a second one would also fail
    /// events that nobody reads.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key()? {
            match key {
                Key::Value(field) => *self.0.values.value_mut(field) = object.next_value()?,
                Key::Urls(list) => {
                    let Any(Texts(urls)) = object.next_value()?;
                    *self.0.urls_mut(list) = urls;
                }
                Key::Unknown => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(match UrlList::named(name) {
            Some(list) => Key::Urls(list),
            None => Field::named(name).map_or(Key::Unknown, Key::Value),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_takes_less_than_a_kilobyte_of_stack() {
        assert!(size_of::<Payload<'_>>() < 1_024, "{}", size_of::<Payload<'_>>());
    }
}
