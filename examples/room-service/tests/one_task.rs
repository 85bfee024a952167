//! The task of the guide's page `embedding::one_task`, as it stands there.

mod owner {
    #![allow(unreachable_pub, reason = "the page shows it as a module of an application")]

    include!("one_task/owner.rs");
}

use std::time::Duration;

use owner::Rooms;
use room_registry::{Config, Error, Mirror, NewRoom, NewUser, RoomRegistry};
use tokio::sync::oneshot;

/// Far longer than anything here takes. It ends a test that would wait for ever.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_the_task_is_handed_takes_effect_and_followers_see_what_readers_see() {
    let rooms = Rooms::start(Config::default());
    let (mut mirror, mut changes) = rooms.follow().await.expect("the queue has room");

    let created = rooms.change(|registry| registry.create_room(NewRoom::new("r1", "tom"))).await;
    assert_eq!(created, Some(Ok(())));
    let joined = rooms.change(|registry| registry.join_room("r1", NewUser::new("tom"))).await;
    assert_eq!(joined, Some(Ok(())));
    let shown = rooms.read(|registry| registry.rooms().collect::<Mirror>()).await;
    let refused = rooms.change(|registry| registry.end_room("r2")).await;
    assert_eq!(refused, Some(Err(Error::RoomNotFound { room_id: "r2".into() })));

    // The reader made no change, and nothing was told again for it.
    for _call in ["create", "join"] {
        let told = changes.try_recv().expect("each call that changed something is told");
        told.iter().for_each(|change| mirror.apply(change));
    }
    assert!(changes.try_recv().is_err(), "each is told once");
    assert!(mirror.rooms().contains_key("r1"));
    assert_eq!(Some(mirror), shown);
}

#[tokio::test]
async fn what_is_due_happens_by_itself_also_while_others_read() {
    let config = Config::builder()
        .heartbeat_timeout(Duration::from_millis(20))
        .empty_grace(Duration::ZERO)
        .build()
        .expect("these settings make sense");
    let rooms = Rooms::start(config);
    rooms.change(|registry| registry.create_room(NewRoom::new("r1", "tom"))).await;
    rooms.change(|registry| registry.join_room("r1", NewUser::new("tom"))).await;
    let ended = async {
        while rooms.read(RoomRegistry::room_count).await != Some(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("the empty room ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_and_holds_no_more() {
    let rooms = Rooms::start(Config::default());
    // The task is busy until we let it go on.
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (is_busy, busy) = oneshot::channel();
    let busy_with = {
        let rooms = rooms.clone();
        tokio::spawn(async move {
            rooms
                .read(move |_| {
                    is_busy.send(()).expect("the test waits");
                    wait.recv().expect("the test goes on");
                })
                .await
        })
    };
    busy.await.expect("the task has begun");
    let waiting: Vec<_> = (0..Rooms::QUEUE)
        .map(|_| {
            let rooms = rooms.clone();
            tokio::spawn(async move { rooms.read(RoomRegistry::room_count).await })
        })
        .collect();
    let full = async {
        while rooms.free() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, full).await.expect("the queue holds as many as it says");
    assert_eq!(rooms.read(RoomRegistry::room_count).await, None, "the queue is full");
    go_on.send(()).expect("the task waits");
    assert_eq!(busy_with.await.expect("it ends"), Some(()));
    for answer in waiting {
        assert_eq!(answer.await.expect("it ends"), Some(0));
    }
}
