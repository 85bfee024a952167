//! A media server in small: it knows who is where, and tells it in the vendor's wire form.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Session ids of the real server exceed 2^53.
const FIRST_SESSION: u64 = 858_012_925_204_410_401;
const FIRST_USER_SESSION: u64 = 792_148_503_087_288_320;

/// One room as the media server has it.
#[derive(Debug, Default)]
struct Room {
    session: u64,
    users: BTreeMap<String, (u64, u64)>,
    streams: BTreeMap<String, (String, u64, String)>,
    user_counter: u64,
    stream_counter: u64,
}

/// Every room that runs.
#[derive(Debug, Default)]
pub(crate) struct Server {
    rooms: BTreeMap<String, Room>,
    ids: u64,
    told: u64,
}

impl Server {
    /// A user logs in, and opens the room where it does not run.
    pub(crate) fn login(&mut self, room_id: &str, name: &str, user: &str, now: u64) -> Vec<Value> {
        let mut told = Vec::new();
        if !self.rooms.contains_key(room_id) {
            self.ids += 1;
            let session = FIRST_SESSION + self.ids * 7_919;
            self.rooms.insert(room_id.to_owned(), Room { session, ..Room::default() });
            told.push(self.sign(
                now,
                json!({
                    "event": "room_create", "appid": 1, "room_id": room_id, "room_session_id": session,
                    "room_create_time": now.to_string(), "id_name": user,
                }),
            ));
        }
        self.ids += 1;
        let user_session = FIRST_USER_SESSION + self.ids * 104_729;
        let room = self.rooms.get_mut(room_id).expect("it was opened");
        room.user_counter += 1;
        // The server of logins runs a few milliseconds behind that of rooms.
        let at = now - 3;
        room.users.insert(user.to_owned(), (user_session, at));
        let payload = json!({
            "event": "room_login", "appid": "1", "room_id": room_id, "room_name": name,
            "room_seq": room.session.to_string(), "user_account": user, "user_nickname": title(user),
            "session_id": user_session.to_string(), "login_time": at.to_string(),
            "user_role": if room.user_counter == 1 { "1" } else { "2" }, "relogin": "0",
            "user_update_seq": room.user_counter.to_string(), "term_type": "6", "callback_data": "",
        });
        told.push(self.sign(now, payload));
        told
    }

    /// A user logs out, streams first; the room ends with its last user.
    pub(crate) fn logout(&mut self, room_id: &str, user: &str, reason: u8, now: u64) -> Vec<Value> {
        let mut told = Vec::new();
        let Some(room) = self.rooms.get(room_id) else { return told };
        let mine = room.streams.iter().filter(|(_, (_, _, publisher))| publisher == user);
        for stream in mine.map(|(stream, _)| stream.clone()).collect::<Vec<_>>() {
            told.extend(self.unpublish(room_id, &stream, now));
        }
        let room = self.rooms.get_mut(room_id).expect("it was there just now");
        let Some((user_session, login_at)) = room.users.remove(user) else { return told };
        room.user_counter += 1;
        let payload = json!({
            "event": "room_logout", "appid": "1", "room_id": room_id, "room_seq": room.session.to_string(),
            "user_account": user, "user_nickname": title(user), "session_id": user_session.to_string(),
            "login_time": login_at.to_string(), "logout_time": now.to_string(),
            "reason": reason.to_string(), "user_role": "2", "user_update_seq": room.user_counter.to_string(),
        });
        let (session, is_over) = (room.session, room.users.is_empty());
        told.push(self.sign(now, payload));
        if is_over {
            self.rooms.remove(room_id);
            told.push(self.sign(
                now + 2,
                json!({
                    "event": "room_close", "appid": 1, "room_id": room_id, "room_session_id": session,
                    "close_reason": 2, "room_close_time": (now + 2).to_string(),
                }),
            ));
        }
        told
    }

    /// A user publishes a stream, or publishes it again.
    pub(crate) fn publish(
        &mut self,
        room_id: &str,
        user: &str,
        stream: &str,
        now: u64,
    ) -> Vec<Value> {
        let Some(room) = self.rooms.get_mut(room_id) else { return Vec::new() };
        self.ids += 1;
        let (sid, again) = match room.streams.get(stream) {
            Some((sid, ..)) => (sid.clone(), "1"),
            None => (format!("s-115205136669740000000{:06}", self.ids), "0"),
        };
        room.stream_counter += 1;
        room.streams.insert(stream.to_owned(), (sid.clone(), now, user.to_owned()));
        let payload = json!({
            "event": "stream_create", "appid": "1", "room_id": room_id,
            "room_session_id": room.session.to_string(), "user_id": user, "user_name": title(user),
            "stream_id": stream, "stream_alias": stream, "stream_sid": sid,
            "stream_seq": format!("{:02}", room.stream_counter), "create_time_ms": now.to_string(),
            "title": "", "extra_info": "", "recreate": again,
            "rtmp_url": [format!("rtmp://cdn.example.com/live/{stream}")], "hls_url": [], "hdl_url": [], "pic_url": [],
        });
        vec![self.sign(now, payload)]
    }

    /// A stream ends.
    pub(crate) fn unpublish(&mut self, room_id: &str, stream: &str, now: u64) -> Vec<Value> {
        let Some(room) = self.rooms.get_mut(room_id) else { return Vec::new() };
        let Some((sid, created_at, user)) = room.streams.remove(stream) else { return Vec::new() };
        room.stream_counter += 1;
        let payload = json!({
            "event": "stream_close", "appid": "1", "room_id": room_id,
            "room_session_id": room.session.to_string(), "user_id": user, "user_name": title(&user),
            "stream_id": stream, "stream_alias": stream, "stream_sid": sid, "type": "0",
            "stream_seq": room.stream_counter.to_string(), "create_time_ms": created_at.to_string(),
            "destroy_timemillis": now.to_string(), "third_define_data": "",
        });
        vec![self.sign(now, payload)]
    }

    /// Something that is not about rooms, users or streams.
    pub(crate) fn moderate(&mut self, room_id: &str, now: u64) -> Vec<Value> {
        let payload = json!({"event": "audio_moderation", "appid": 1, "room_id": room_id, "result": {"level": 0}});
        vec![self.sign(now, payload)]
    }

    fn sign(&mut self, now: u64, mut payload: Value) -> Value {
        self.told += 1;
        payload["timestamp"] = json!(now / 1_000);
        payload["nonce"] = json!((350_000 + self.told * 37).to_string());
        payload["signature"] = json!("signature");
        payload
    }
}

/// A name to show, made of an id.
pub(crate) fn title(user: &str) -> String {
    let mut chars = user.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}
