//! Two processes on one Redis. The test starts itself twice more, as those processes.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use redis::Commands;
use room_registry::{Change, ChangeKind, Clock, Config, SystemClock};
use room_service::store::{Store, StoreError};

use crate::checker::{check, connection};
use crate::redis_server::RedisServer;
use crate::*;

const NAME: &str = "processes::two_processes_lose_nobody_and_have_nobody_twice";
const URL: &str = "ROOM_SERVICE_TEST_URL";
const OPENED_AT: &str = "ROOM_SERVICE_TEST_OPENED_AT";
const WHICH: &str = "ROOM_SERVICE_TEST_PROCESS";
/// How many work at once in each process.
const WORKERS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_lose_nobody_and_have_nobody_twice() {
    if let (Ok(url), Ok(which)) = (std::env::var(URL), std::env::var(WHICH)) {
        let opened_at = std::env::var(OPENED_AT).unwrap().parse().unwrap();
        return work(&url, &which, Timestamp::from_millis(opened_at)).await;
    }
    let Some(server) = RedisServer::start() else { return };
    let store = Redis::connect(&server.url(), PREFIX, Config::default()).await.unwrap();
    store.apply(create("hall")).await.unwrap();
    let opened_at = SystemClock.now();
    let processes = ["a", "b"].map(|which| Killed(start(&server, which, opened_at)));
    let told = processes.map(|process| {
        let output = process.output();
        let line = output.lines().find_map(|line| line.split_once("worked: "));
        let numbers = line.unwrap_or_else(|| panic!("{output}")).1;
        let numbers: Vec<u64> = numbers.split(' ').map(|it| it.parse().unwrap()).collect();
        (numbers[0], numbers[1])
    });
    let conflicts: u64 = told.iter().map(|(conflicts, _)| conflicts).sum();
    println!("{conflicts} conflicts");
    assert!(conflicts > 0, "they were never in each other's way");
    // Of each user who joined through both, one of the two was told so.
    let joined: u64 = told.iter().map(|(_, joined)| joined).sum();
    assert_eq!(joined, WORKERS as u64);

    let mut expected: Vec<String> = Vec::new();
    for number in 0..WORKERS {
        expected.push(format!("both-{number}"));
        expected.extend(["a", "b"].map(|which| format!("{which}-{number}-only-logged-in")));
        if number % 2 == 0 {
            expected.extend(["a", "b"].map(|which| format!("{which}-{number}")));
        }
    }
    expected.sort_unstable();
    let mut found = user_ids(&store, "hall").await;
    found.sort_unstable();
    assert_eq!(found, expected);
    check(&server, &Config::default());

    // Everybody came once, and those who left went once.
    let events: redis::streams::StreamRangeReply =
        connection(&server).xrange_all(format!("{PREFIX}events")).unwrap();
    let mut came: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for event in events.ids {
        let change: Change = serde_json::from_str(&event.get::<String>("change").unwrap()).unwrap();
        match change.kind {
            ChangeKind::UserJoined(user) => {
                came.entry(user.user_id.to_string()).or_default().0 += 1;
            }
            ChangeKind::UserLeft { user_id, .. } => {
                came.entry(user_id.to_string()).or_default().1 += 1;
            }
            _ => {}
        }
    }
    assert_eq!(came.len(), 5 * WORKERS);
    for (user_id, times) in came {
        assert_eq!(times, (1, u32::from(!expected.contains(&user_id))), "{user_id}");
    }
}

/// What one of the processes does: many at once in one room.
async fn work(url: &str, which: &str, opened_at: Timestamp) {
    let store = Arc::new(Redis::connect(url, PREFIX, Config::default()).await.unwrap());
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            tokio::spawn(work_one(Arc::clone(&store), which.to_owned(), number, opened_at))
        })
        .collect();
    let mut joined = 0;
    for worker in workers {
        joined += u64::from(worker.await.unwrap());
    }
    println!("worked: {} {joined}", store.conflicts());
}

/// Tells whether the user who joins through both processes joined through this one.
async fn work_one(store: Arc<Redis>, which: String, number: usize, opened_at: Timestamp) -> bool {
    let user = format!("{which}-{number}");
    apply(&store, join("hall", &user)).await.unwrap();
    assert_eq!(apply(&store, beat("hall", &user)).await.unwrap(), ALIVE);
    let logged_in = format!("{user}-only-logged-in");
    let session = UserSessionId::new(number.to_string()).unwrap();
    let login = |user: &str| {
        let user_id = UserId::new(user).unwrap();
        callback(
            "hall",
            UserLoggedIn::new(user_id, opened_at).user_session_id(session.clone()).counter(1),
        )
    };
    apply(&store, login(&logged_in)).await.unwrap();
    // The media server delivers to the one process what the other has, too.
    apply(&store, login(&format!("a-{number}-only-logged-in"))).await.unwrap();
    apply(&store, callback("hall", RoomCreated::new(opened_at))).await.unwrap();
    if number % 2 == 1 {
        apply(&store, leave("hall", &user)).await.unwrap();
    }
    let both = format!("both-{number}");
    let joined = match apply(&store, join("hall", &both)).await {
        Ok(_) => true,
        Err(StoreError::Refused(room_registry::Error::UserAlreadyJoined { .. })) => false,
        other => panic!("{other:?}"),
    };
    assert_eq!(apply(&store, beat("hall", &both)).await.unwrap(), ALIVE);
    joined
}

/// Hands an input in, again and again while the room is too busy, as a client does.
async fn apply(store: &Redis, input: Input) -> Result<Answer, StoreError> {
    loop {
        match store.apply(input.clone()).await {
            Err(StoreError::Busy { .. }) => {}
            answer => return answer,
        }
    }
}

fn start(server: &RedisServer, which: &str, opened_at: Timestamp) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(URL, server.url())
        .env(WHICH, which)
        .env(OPENED_AT, opened_at.as_millis().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A process that does not outlive the test.
struct Killed(Child);

impl Killed {
    fn output(mut self) -> String {
        let mut output = String::new();
        let mut stdout = self.0.stdout.take().unwrap();
        std::io::Read::read_to_string(&mut stdout, &mut output).unwrap();
        assert!(self.0.wait().unwrap().success(), "{output}");
        output
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
