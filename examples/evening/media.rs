//! The media server: lives of rooms, logins, streams, their counters, and the callbacks about them.

use std::collections::BTreeMap;

use super::stage::{Scene, shown};
use super::wire::{Numbers, Object};

/// What the media server knows of the room's present life.
#[derive(Default)]
pub(super) struct Life {
    session: u64,
    user_seq: u64,
    stream_seq: u64,
    /// Of each user the session and time of the login.
    logins: BTreeMap<String, (u64, u64)>,
    /// Of each stream the publisher, session and time of creation.
    streams: BTreeMap<String, (String, u64, u64)>,
}

/// What happens at the media server.
impl Scene<'_> {
    /// A new life of the room begins, and its creator logs in.
    pub(crate) fn open(&mut self, creator: &str) -> &mut Self {
        self.open_unheard();
        let nonce = self.nonce();
        let (now, room_id, session) = (self.now, self.room_id, self.life.session);
        self.stage.deliver(now, || {
            Object::callback("room_create", now, nonce, Numbers::Plain)
                .text("room_id", room_id)
                .number("room_session_id", session)
                .text("room_create_time", now.to_string())
                .text("id_name", creator)
        });
        self.login(creator, "1")
    }

    /// A new life whose create callback is lost for good.
    pub(crate) fn open_unheard(&mut self) -> &mut Self {
        self.life = Life { session: self.stage.id(), ..Life::default() };
        self
    }

    pub(crate) fn close(&mut self, reason: u64) -> &mut Self {
        let nonce = self.nonce();
        let (now, room_id, session) = (self.now, self.room_id, self.life.session);
        self.stage.deliver(now, || {
            Object::callback("room_close", now, nonce, Numbers::Plain)
                .text("room_id", room_id)
                .number("room_session_id", session)
                .number("close_reason", reason)
                .text("room_close_time", now.to_string())
        });
        self
    }

    pub(crate) fn login(&mut self, user: &str, role: &str) -> &mut Self {
        let user_session = self.stage.id();
        self.life.user_seq += 1;
        self.life.logins.insert(user.to_owned(), (user_session, self.now));
        let (seq, nonce) = (self.counter(self.life.user_seq), self.nonce());
        let (now, room_id, name, session) = (self.now, self.room_id, self.name, self.life.session);
        self.stage.deliver(now, || {
            Object::callback("room_login", now, nonce, Numbers::AsText)
                .text("room_id", room_id)
                .text("room_name", name)
                .text("room_seq", session.to_string())
                .text("user_account", user)
                .text("user_nickname", shown(user))
                .text("session_id", user_session.to_string())
                .text("login_time", now.to_string())
                .text("user_role", role)
                .text("relogin", "0")
                .text("user_update_seq", &seq)
                .text("term_type", "6")
        });
        self
    }

    /// The user's streams must have been closed before. Every third payload is of the older form,
    /// without the login time.
    pub(crate) fn logout(&mut self, user: &str, reason: &str) -> &mut Self {
        let (user_session, login_at) =
            self.life.logins.remove(user).expect("the story logs in first");
        self.life.user_seq += 1;
        let is_older = self.stage.rng.percent(33);
        let (seq, nonce) = (self.counter(self.life.user_seq), self.nonce());
        let (now, room_id, session) = (self.now, self.room_id, self.life.session);
        self.stage.deliver(now, || {
            let body = Object::callback("room_logout", now, nonce, Numbers::AsText)
                .text("room_id", room_id)
                .text("room_seq", session.to_string())
                .text("user_account", user)
                .text("user_nickname", shown(user))
                .text("session_id", user_session.to_string());
            let body = if is_older { body } else { body.text("login_time", login_at.to_string()) };
            body.text("logout_time", now.to_string())
                .text("reason", reason)
                .text("user_update_seq", &seq)
        });
        self
    }

    /// Publishes a stream, or publishes again one that is there.
    pub(crate) fn publish(&mut self, user: &str, stream: &str) -> &mut Self {
        let known = self.life.streams.get(stream).map(|(_, stream_session, _)| *stream_session);
        let stream_session = known.unwrap_or_else(|| self.stage.id());
        self.life.stream_seq += 1;
        self.life.streams.insert(stream.to_owned(), (user.to_owned(), stream_session, self.now));
        let (seq, nonce) = (self.counter(self.life.stream_seq), self.nonce());
        let (now, room_id, session) = (self.now, self.room_id, self.life.session);
        self.stage.deliver(now, || {
            Object::callback("stream_create", now, nonce, Numbers::AsText)
                .text("room_id", room_id)
                .text("room_session_id", session.to_string())
                .text("user_id", user)
                .text("user_name", shown(user))
                .text("stream_id", stream)
                .text("stream_alias", stream)
                .text("stream_sid", format!("s-{stream_session}"))
                .text("stream_seq", &seq)
                .text("create_time_ms", now.to_string())
                .text("recreate", if known.is_some() { "1" } else { "0" })
                .texts("hls_url", &[format!("https://cdn.example.com/live/{stream}.m3u8")])
        });
        self
    }

    pub(crate) fn unpublish(&mut self, stream: &str) -> &mut Self {
        let (user, stream_session, created_at) =
            self.life.streams.remove(stream).expect("the story publishes first");
        self.life.stream_seq += 1;
        let (seq, nonce) = (self.counter(self.life.stream_seq), self.nonce());
        let (now, room_id, session) = (self.now, self.room_id, self.life.session);
        self.stage.deliver(now, || {
            Object::callback("stream_close", now, nonce, Numbers::AsText)
                .text("room_id", room_id)
                .text("room_session_id", session.to_string())
                .text("user_id", &user)
                .text("user_name", shown(&user))
                .text("type", "0")
                .text("stream_id", stream)
                .text("stream_alias", stream)
                .text("stream_sid", format!("s-{stream_session}"))
                .text("stream_seq", &seq)
                .text("create_time_ms", created_at.to_string())
                .text("destroy_timemillis", now.to_string())
        });
        self
    }

    /// A counter as the vendor writes it, now and then with a zero in front.
    fn counter(&mut self, count: u64) -> String {
        if self.stage.rng.percent(15) { format!("0{count}") } else { count.to_string() }
    }

    fn nonce(&mut self) -> u64 {
        self.stage.rng.between(100_000, 999_999)
    }
}
