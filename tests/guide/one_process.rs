//! The server of the guide's page on one process: a mirror that follows it equals the registry,
//! however many threads hand inputs in.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

use room_registry::journal::{Answer, Command, Input};
use room_registry::{
    Change, Config, Error, Mirror, NewRoom, NewUser, RoomId, RoomRegistry, UserId,
};

/// As many threads let users in as show them out.
const PAIRS: usize = 2;
/// How many users each pair moves.
const USERS: usize = 2_000;

/// The guide's example, as it stands there.
struct Server(Mutex<Shared>);

struct Shared {
    registry: RoomRegistry,
    followers: Vec<Sender<Arc<[Change]>>>,
}

impl Server {
    fn new(config: Config) -> Self {
        Self(Mutex::new(Shared { registry: RoomRegistry::new(config), followers: Vec::new() }))
    }

    fn hand_in(&self, input: &Input) -> Result<Answer, Error> {
        let mut shared = self.lock();
        let Shared { registry, followers } = &mut *shared;
        let answer = registry.apply_input(input);
        let changes: Arc<[Change]> = registry.changes().collect();
        if !changes.is_empty() {
            followers.retain(|follower| follower.send(Arc::clone(&changes)).is_ok());
        }
        answer
    }

    fn follow(&self) -> (Mirror, Receiver<Arc<[Change]>>) {
        let mut shared = self.lock();
        let (sender, changes) = channel();
        shared.followers.push(sender);
        (shared.registry.rooms().collect(), changes)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn join(user_id: &UserId) -> Input {
    Input::from(Command::JoinRoom {
        room_id: RoomId::new("r1").unwrap(),
        user: NewUser::new(user_id),
    })
}

fn leave(user_id: &UserId) -> Input {
    let room_id = RoomId::new("r1").unwrap();
    Input::from(Command::LeaveRoom { room_id, user_id: user_id.clone(), connection_id: None })
}

fn users(pair: usize) -> impl Iterator<Item = UserId> {
    (0..USERS).map(move |user| UserId::new(format!("{pair}-{user}")).unwrap())
}

fn caught_up(mut mirror: Mirror, changes: &Receiver<Arc<[Change]>>) -> Mirror {
    for changes in changes.try_iter() {
        changes.iter().for_each(|change| mirror.apply(change));
    }
    mirror
}

/// One thread of a pair lets each user in, the other shows each out as soon as it can. A mirror that
/// hears of one leave before the join keeps that user for ever.
/// Holds law 1.6.
#[test]
fn who_follows_from_the_start_or_later_ends_with_what_the_registry_shows() {
    let server = Server::new(Config::default());
    let (at_first, all_changes) = server.follow();
    server.hand_in(&Input::from(Command::CreateRoom(NewRoom::new("r1", "tom")))).unwrap();

    let start = Barrier::new(2 * PAIRS + 1);
    let (midway, later_changes) = thread::scope(|scope| {
        for pair in 0..PAIRS {
            let (server, start) = (&server, &start);
            scope.spawn(move || {
                start.wait();
                users(pair).for_each(|user_id| _ = server.hand_in(&join(&user_id)).unwrap());
            });
            scope.spawn(move || {
                start.wait();
                for user_id in users(pair) {
                    while server.hand_in(&leave(&user_id)).is_err() {
                        thread::yield_now();
                    }
                }
            });
        }
        start.wait();
        server.follow()
    });

    let shown: Mirror = server.lock().registry.rooms().collect();
    assert_eq!(caught_up(at_first, &all_changes), shown);
    assert_eq!(caught_up(midway, &later_changes), shown, "from midway on");
}
