//! The fields of a body as they came, read in one pass. Which of them matter, and what is wrong
//! with them, is known only once the event is, which may stand anywhere.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::callback::PlaybackUrls;
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::vendor::zego::scalar::{Scalar, Texts};

macro_rules! fields {
    ($($field:ident = $name:literal,)*) => {
        /// A field of one value that some event reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field {
            $(
                #[doc = concat!("`", $name, "`.")]
                $field,
            )*
        }

        impl Field {
            const COUNT: usize = [$($name),*].len();

            /// Its name on the wire.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }

        impl Key {
            fn of(name: &str) -> Self {
                match name {
                    $($name => Self::One(Field::$field),)*
                    "rtmp_url" => Self::Urls(Protocol::Rtmp),
                    "hls_url" => Self::Urls(Protocol::Hls),
                    "hdl_url" => Self::Urls(Protocol::Flv),
                    "pic_url" => Self::Urls(Protocol::Pictures),
                    _ => Self::Unknown,
                }
            }
        }
    };
}

fields! {
    Event = "event",
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

/// A key of the JSON object.
#[derive(Debug, Clone, Copy)]
enum Key {
    One(Field),
    Urls(Protocol),
    Unknown,
}

/// One of the lists of [`PlaybackUrls`].
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Rtmp,
    Hls,
    Flv,
    Pictures,
}

/// Every field of the six events that is read. Text is borrowed from the body where it can be.
#[derive(Debug)]
pub(super) struct Payload<'de> {
    fields: [Scalar<'de>; Field::COUNT],
    playback: PlaybackUrls,
}

impl<'de> Payload<'de> {
    /// A body without a field.
    pub(super) fn empty() -> Self {
        Self {
            fields: [const { Scalar::Missing }; Field::COUNT],
            playback: PlaybackUrls::default(),
        }
    }

    /// Fills itself from a JSON object. In place, as it is some hundreds of bytes long, which would
    /// be moved at every return.
    pub(super) fn fill<D: Deserializer<'de>>(&mut self, body: D) -> Result<(), D::Error> {
        body.deserialize_map(Fill(self))
    }

    pub(super) fn take(&mut self, field: Field) -> Scalar<'de> {
        std::mem::take(&mut self.fields[field as usize])
    }

    pub(super) fn field(&self, field: Field) -> &Scalar<'de> {
        &self.fields[field as usize]
    }

    pub(super) fn take_playback(&mut self) -> PlaybackUrls {
        std::mem::take(&mut self.playback)
    }

    /// What the signature covers, and the signature.
    pub(super) fn take_signed(&mut self) -> (Option<Timestamp>, Option<Text>, Option<Text>) {
        let timestamp = self.field(Field::Timestamp).number().ok().flatten();
        (
            timestamp.map(Timestamp::from_secs),
            self.take(Field::Nonce).into_text(),
            self.take(Field::Signature).into_text(),
        )
    }

    fn urls_mut(&mut self, protocol: Protocol) -> &mut Vec<Text> {
        match protocol {
            Protocol::Rtmp => &mut self.playback.rtmp,
            Protocol::Hls => &mut self.playback.hls,
            Protocol::Flv => &mut self.playback.flv,
            Protocol::Pictures => &mut self.playback.pictures,
        }
    }
}

struct Fill<'a, 'de>(&'a mut Payload<'de>);

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object of a callback")
    }

    /// A field that stands twice counts as its last value. To refuse it would fail events that are
    /// not read at all.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key()? {
            match key {
                Key::One(field) => self.0.fields[field as usize] = object.next_value()?,
                Key::Urls(protocol) => {
                    *self.0.urls_mut(protocol) = object.next_value::<Texts>()?.0;
                }
                Key::Unknown => {
                    object.next_value::<IgnoredAny>()?;
                }
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
        Ok(Key::of(name))
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
