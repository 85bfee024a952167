//! What happens at the media server, and the callbacks about it, in the vendor's words.

use room_registry::event::{LogoutReason, RoomCloseReason, RoomClosed, RoomCreated};
use room_registry::{
    Callback, Role, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};
use room_registry_world::wire::Body;
use room_registry_world::zego::{Envelope, Style, encode};

use super::stage::{Scene, shown};

impl Scene<'_> {
    /// A new life of the room begins, and its creator logs in.
    pub(crate) fn open(&mut self, creator: &str) -> &mut Self {
        let created = self.begin(creator);
        let body = self.body(&created);
        self.deliver(&body);
        self.login(creator, "1")
    }

    /// A new life whose create callback is lost for good.
    pub(crate) fn open_unheard(&mut self) -> &mut Self {
        self.begin("");
        self
    }

    fn begin(&mut self, creator: &str) -> Callback {
        let session_id = SessionId::new(self.stage.id().to_string()).expect("a number is an id");
        let mut created = RoomCreated::new(self.at());
        created.creator_id = UserId::new(creator).ok();
        self.media.open(session_id, created)
    }

    pub(crate) fn close(&mut self, reason: i64) -> &mut Self {
        let mut closed = RoomClosed::new(self.at());
        closed.reason = Some(RoomCloseReason::Other(Text::from(reason.to_string())));
        let closed = self.media.close(closed);
        let body = self.body(&closed);
        self.deliver(&body);
        self
    }

    pub(crate) fn login(&mut self, user: &str, role: &str) -> &mut Self {
        let session = UserSessionId::new(self.stage.id().to_string()).expect("a number is an id");
        let mut login = self.media.log_in(user_id(user), session, self.at());
        login.room_name = Some(Text::from(self.name));
        login.details.user_name = Some(Text::from(shown(user).as_str()));
        login.details.role = Some(Role::new(role));
        let counter = self.counter(login.counter.expect("the media server counts"));
        let body = self.body(&self.media.tell(login));
        self.deliver(&body.with("user_update_seq", counter).with("term_type", "6"));
        self
    }

    /// The user's streams must have been closed before. Every third payload is of the older form,
    /// without the login time.
    pub(crate) fn logout(&mut self, user: &str, reason: &str) -> &mut Self {
        let mut logout = self.media.log_out(&user_id(user), self.at());
        logout.reason = Some(LogoutReason::Other(Text::from(reason)));
        if self.stage.rng.chance(33) {
            logout.login_at = None;
        }
        let counter = self.counter(logout.counter.expect("the media server counts"));
        let body = self.body(&self.media.tell(logout));
        let body = body.with_after("user_account", "user_nickname", shown(user));
        self.deliver(&body.with("user_update_seq", counter));
        self
    }

    /// Publishes a stream, or publishes again one that is there.
    pub(crate) fn publish(&mut self, user: &str, stream: &str) -> &mut Self {
        let held = self.media.stream(&stream_id(stream)).map(|held| held.id.clone());
        let is_known = held.is_some();
        let session = held.unwrap_or_else(|| {
            StreamSessionId::new(format!("s-{}", self.stage.id())).expect("a valid id")
        });
        let at = self.at();
        let mut created = self.media.publish(stream_id(stream), user_id(user), session, at);
        created.details.publisher_name = Some(Text::from(shown(user).as_str()));
        let url = format!("https://cdn.example.com/live/{stream}.m3u8");
        created.details.playback.hls = vec![Text::from(url.as_str())];
        let counter = self.counter(created.counter.expect("the media server counts"));
        let body = self.body(&self.media.tell(created));
        let body = body.with("recreate", if is_known { "1" } else { "0" });
        self.deliver(&body.with("stream_seq", counter));
        self
    }

    pub(crate) fn unpublish(&mut self, stream: &str) -> &mut Self {
        let held = self.media.stream(&stream_id(stream)).expect("the story publishes first");
        let user = held.publisher_id.to_string();
        let closed = self.media.unpublish(&stream_id(stream), self.at());
        let counter = self.counter(closed.counter.expect("the media server counts"));
        let body = self.body(&self.media.tell(closed));
        let body = body.with_after("room_session_id", "type", "0");
        let body = body.with_after("room_session_id", "user_name", shown(&user));
        let body = body.with_after("room_session_id", "user_id", user);
        self.deliver(&body.with("stream_seq", counter));
        self
    }

    /// A counter as the vendor writes it, now and then with a zero in front.
    fn counter(&mut self, count: u64) -> String {
        if self.stage.rng.chance(15) { format!("0{count}") } else { count.to_string() }
    }

    fn body(&mut self, callback: &Callback) -> Body {
        let nonce = self.stage.nonce();
        encode(callback, &Envelope::unsigned(self.now / 1_000, nonce), Style::Vendor)
    }

    fn deliver(&mut self, body: &Body) {
        self.stage.deliver(self.now, body);
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }
}

fn user_id(user: &str) -> UserId {
    UserId::new(user).expect("the story has valid ids")
}

fn stream_id(stream: &str) -> StreamId {
    StreamId::new(stream).expect("the story has valid ids")
}
