//! A store that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use room_registry::journal::{Answer, Command, Input};
use room_registry::repair::Question;
use room_registry::{Config, Timestamp};
use room_service::feed::Feed;
use room_service::rows::{Room, RoomList, StreamList, UserList};
use room_service::store::memory::Memory;
use room_service::store::{Counts, Page, RoomsWanted, Store, StoreError};
use serde_json::json;

use crate::endpoints::now_ms;
use crate::support::{Served, eventually};

/// A store in memory that can be made to fail, or to hang.
#[derive(Debug)]
struct Fragile {
    memory: Memory,
    fails: Arc<AtomicBool>,
    hangs: bool,
}

impl Fragile {
    async fn check(&self) -> Result<&Memory, StoreError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            let reason = "it was unplugged at secret-host:6379".to_owned();
            return Err(StoreError::Failed { store: "fragile", reason });
        }
        Ok(&self.memory)
    }
}

#[async_trait]
impl Store for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    async fn apply(&self, input: Input) -> Result<Answer, StoreError> {
        match &input {
            Input::Command(Command::EndRoom { room_id }) if room_id == "busy" => {
                Err(StoreError::Busy { room_id: room_id.clone() })
            }
            _ => self.check().await?.apply(input).await,
        }
    }

    async fn rooms(&self, wanted: &RoomsWanted) -> Result<RoomList, StoreError> {
        self.check().await?.rooms(wanted).await
    }

    async fn room(&self, room_id: &str) -> Result<Option<Room>, StoreError> {
        self.check().await?.room(room_id).await
    }

    async fn users(&self, room_id: &str, page: &Page) -> Result<Option<UserList>, StoreError> {
        self.check().await?.users(room_id, page).await
    }

    async fn streams(&self, room_id: &str, page: &Page) -> Result<Option<StreamList>, StoreError> {
        self.check().await?.streams(room_id, page).await
    }

    async fn sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        self.check().await?.sweep().await
    }

    async fn next_question(&self) -> Result<Option<Question>, StoreError> {
        self.check().await?.next_question().await
    }

    async fn question_failed(&self, room_id: &str) -> Result<(), StoreError> {
        self.check().await?.question_failed(room_id).await
    }

    fn feed(&self) -> &Arc<Feed> {
        self.memory.feed()
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.check().await?.counts().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.check().await.map(|_| ())
    }
}

async fn served(hangs: bool) -> (Served, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(!hangs));
    let store = Fragile {
        memory: Memory::new(
            Config::builder().heartbeat_timeout(Duration::from_secs(1)).build().unwrap(),
        ),
        fails: Arc::clone(&fails),
        hangs,
    };
    let service = Served::with(|parts| {
        parts.stores.default = Arc::new(store);
        parts.limits.request_timeout = Duration::from_millis(if hangs { 300 } else { 20_000 });
    })
    .await;
    (service, fails)
}

#[tokio::test]
async fn a_store_that_fails_is_503_with_code_3_everywhere_and_then_recovers() {
    let (service, fails) = served(false).await;
    for path in [
        "/room/create_room?RoomID=r1&HostID=tom",
        "/room/update_room?RoomID=r1",
        "/room/end_room?RoomID=r1",
        "/room/join_room?RoomID=r1&UserID=ann",
        "/room/leave_room?RoomID=r1&UserID=ann",
        "/room/heartbeat?RoomID=r1&UserID=ann",
        "/room/update_user?RoomID=r1&UserID=ann",
        "/room/get_room_list",
        "/room/get_room_user_list?RoomID=r1",
        "/room/get_room?RoomID=r1",
        "/healthz",
    ] {
        let (status, answer) = service.get(path).await;
        assert_eq!((status, &answer["code"]), (503, &json!(3)), "{path}: {answer}");
        assert!(!answer.to_string().contains("secret-host"), "{answer}");
    }
    let callback = json!({
        "event": "room_create", "room_id": "r1", "room_session_id": 1, "room_create_time": now_ms(),
    });
    assert_eq!(service.post_json("/callback", &callback).await.0, 503, "so that it is sent again");
    let observed = json!({"room_id": "r1", "observed_at": now_ms()});
    assert_eq!(service.post_json("/observed", &observed).await.0, 503);
    // What the other store holds goes on.
    service.says("/api/room/mem/create_room?RoomID=r1&HostID=tom", 0, "success").await;

    fails.store(false, Ordering::SeqCst);
    service.says("/healthz", 0, "success").await;
    service.says("/room/create_room?RoomID=r2&HostID=tom", 0, "success").await;
    service.says("/room/join_room?RoomID=r2&UserID=ann", 0, "success").await;
    let (_, room) = service.get("/room/get_room?RoomID=r2").await;
    assert_eq!(room["data"]["user_count"], 1);
    eventually("the sweeper goes on as well", || async {
        service.get("/room/get_room?RoomID=r2").await.1["data"]["user_count"] == 0
    })
    .await;
}

#[tokio::test]
async fn a_room_that_is_too_busy_is_503_with_code_3_and_the_rest_goes_on() {
    let (service, fails) = served(false).await;
    fails.store(false, Ordering::SeqCst);
    let (status, answer) = service.get("/room/end_room?RoomID=busy").await;
    assert_eq!((status, &answer["code"]), (503, &json!(3)), "{answer}");
    assert_eq!(answer["message"], "too many operations wait for the room");
    service.says("/room/create_room?RoomID=r1&HostID=tom", 0, "success").await;
}

#[tokio::test]
async fn a_store_that_hangs_is_given_up() {
    let (service, _) = served(true).await;
    let (status, answer) = service.get("/room/get_room_list").await;
    assert_eq!((status, &answer["code"]), (503, &json!(3)), "{answer}");
}

#[tokio::test]
async fn a_store_that_cannot_be_closed_is_told() {
    let (service, _) = served(false).await;
    assert!(service.stop().await.unwrap_err().contains("fragile"));
}
