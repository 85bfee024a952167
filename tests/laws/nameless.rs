//! Rooms whose sessions have no name, and that the application ends and creates.

use std::collections::BTreeSet;

use proptest::prelude::*;
use room_registry::event::{
    CallbackEvent, RoomClosed, StreamClosed, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::{
    Callback, Config, NewRoom, Room, RoomRef, StreamId, StreamSessionId, Timestamp, UserId,
    UserSessionId,
};
use room_registry_world::effort::properties;
use room_registry_world::history::room_id;
use room_registry_world::observations::{Told, observed_at, present_stream, present_user};

use super::ends::{self, Played, check_merged, check_what_ends_hide};

const SKEW: u64 = 5_000;

fn user(which: u64) -> UserId {
    UserId::new(format!("user{which}")).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    /// Of a user, this long before or after now, by a device of its own.
    Login(u64, i64),
    /// Of a device.
    Logout(usize, i64),
    End,
    Create,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let away = || prop_oneof![4 => -100..100_i64, 1 => -8_000..8_000_i64];
    let step = prop_oneof![
        4 => (0..3_u64, away()).prop_map(|(who, away)| Step::Login(who, away)),
        3 => (0..12_usize, away()).prop_map(|(device, away)| Step::Logout(device, away)),
        1 => Just(Step::End),
        1 => Just(Step::Create),
    ];
    prop::collection::vec((prop_oneof![0..10_u64, 0..6_000_u64], step), 0..40)
}

/// What is known, slowly.
#[derive(Default)]
struct Model {
    /// Who, when, and until when if that was told: by device.
    stays: Vec<(u64, u64, Option<u64>)>,
    /// Until which opening the ends hide, and the last of them.
    hidden: Option<(u64, u64)>,
    created_at: Option<u64>,
}

impl Model {
    fn users(&self) -> BTreeSet<String> {
        let shows_from = self.created_at.unwrap_or(0);
        let hides = self.hidden.filter(|(_, at)| *at >= shows_from).map(|(until, _)| until);
        let open = self.stays.iter().filter(|(_, from, to)| {
            to.is_none_or(|to| to < *from) && hides.is_none_or(|until| *from > until)
        });
        open.map(|(who, ..)| user(*who).to_string()).collect()
    }

    fn end(&mut self, at: u64) {
        let latest = self.stays.iter().map(|(_, from, _)| *from).max().unwrap_or(0);
        let (until, _) = self.hidden.unwrap_or_default();
        self.hidden = Some((until.max(at - SKEW).max(latest), at));
        self.created_at = None;
    }
}

proptest! {
    #![proptest_config(properties(600))]

    /// Holds law 21.4.
    #[test]
    fn an_end_hides_whoever_came_before_it_and_shows_whoever_comes_after(steps in steps()) {
        let config = Config::builder().retention(None).build().unwrap();
        let mut room = Room::new(room_id(), &config);
        let (mut model, mut now) = (Model::default(), 1_000_000_u64);
        let mut last_end = 0;
        for (pause, step) in steps {
            now += pause;
            let at = |away: i64| now.saturating_add_signed(away);
            let time = Timestamp::from_millis;
            let device = |device: usize| UserSessionId::new(device.to_string()).unwrap();
            let mut hear = |event: CallbackEvent| {
                room.apply(&Callback::new(room_id(), None, event), &config, time(now)).unwrap();
            };
            match step {
                Step::Login(who, away) => {
                    let login = UserLoggedIn::new(user(who), time(at(away)));
                    let stay = device(model.stays.len());
                    hear(login.user_session_id(stay).exclusive(false).into());
                    model.stays.push((who, at(away), None));
                }
                Step::Logout(index, away) => {
                    let Some((who, from, to)) = model.stays.get_mut(index) else { continue };
                    let logout = UserLoggedOut::new(user(*who), time(at(away)));
                    let logout = logout.user_session_id(device(index)).login_at(time(*from));
                    hear(logout.exclusive(false).into());
                    *to = (*to).max(Some(at(away).max(*from)));
                }
                Step::End => {
                    // What is not listed cannot be ended. An end is later than what it ends.
                    let listed = room.view().is_some();
                    prop_assert_eq!(listed, model.created_at.is_some() || !model.users().is_empty());
                    if listed {
                        room.end(&config, time(now)).unwrap();
                        last_end = now.max(model.created_at.unwrap_or(0)).max(last_end + 1);
                        model.end(last_end);
                    }
                }
                Step::Create => {
                    let created = room.create(NewRoom::new("room", "tom"), &config, time(now));
                    if created.is_ok() {
                        model.created_at = Some(now.max(last_end + 1));
                    }
                }
            }
            let users = room.view().into_iter().flat_map(RoomRef::users);
            let shown: BTreeSet<_> = users.map(|user| user.id().to_string()).collect();
            prop_assert_eq!(shown, model.users());
            prop_assert!(room.view().is_none_or(|room| room.session_id().is_none()));
        }
    }
}

/// One stay of a user or a stream, of a few of each, in any of the forms that vendors have.
#[derive(Debug, Clone)]
struct Stay {
    is_stream: bool,
    which: u64,
    id: Option<u64>,
    order: Option<u64>,
    exclusive: bool,
}

/// What is told of a room, so long before or after now.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
enum Telling {
    Opens(Stay, i64),
    Closes(Stay, i64, Option<i64>),
    RoomCloses(i64),
    /// The complete list of users, and that of streams if it was asked for.
    Seen(Vec<u64>, Option<Vec<u64>>, i64),
    Done(ends::Step),
}

/// The ties, the edges of the tie window and the skew, and whatever else.
fn away() -> impl Strategy<Value = i64> {
    let edges = [-5_001, -5_000, -4_999, -101, -100, -99, -1, 0, 0, 0, 1, 100, 5_000];
    prop_oneof![
        4 => prop::sample::select(edges.to_vec()),
        3 => -100..100_i64,
        1 => -8_000..8_000_i64,
    ]
}

fn stay(is_stream: bool) -> impl Strategy<Value = Stay> {
    (0..2_u64, 0..3_u64, 0..4_u64, 0..6_u8).prop_map(move |(which, id, order, form)| {
        let (id, order, exclusive) = match form {
            0 | 1 => (Some(id), None, true),
            2 | 3 => (Some(id), None, false),
            4 => (Some(id), Some(order), true),
            _ => (None, None, true),
        };
        Stay { is_stream, which, id, order, exclusive }
    })
}

fn stays(is_stream: bool) -> impl Strategy<Value = Telling> {
    let closes = (stay(is_stream), away(), prop::option::of(away()));
    prop_oneof![
        4 => (stay(is_stream), away()).prop_map(|(stay, away)| Telling::Opens(stay, away)),
        3 => closes.prop_map(|(stay, away, opened)| Telling::Closes(stay, away, opened)),
    ]
}

fn commands() -> impl Strategy<Value = Telling> {
    let commands = [ends::Step::End, ends::Step::End, ends::Step::Create, ends::Step::Sweep];
    prop::sample::select(commands.to_vec()).prop_map(Telling::Done)
}

fn closes() -> impl Strategy<Value = Telling> {
    away().prop_map(Telling::RoomCloses)
}

/// Whoever is not in the list was absent a skew before now, or not long after that.
fn complete() -> impl Strategy<Value = Telling> {
    let list = || prop::collection::vec(0..2_u64, 0..3);
    let away = prop_oneof![away(), away().prop_map(|away| away + 5_000)];
    (list(), prop::option::of(list()), away)
        .prop_map(|(users, streams, away)| Telling::Seen(users, streams, away))
}

fn plays(telling: impl Strategy<Value = Telling>) -> impl Strategy<Value = Vec<(u64, Telling)>> {
    let pause = prop_oneof![3 => 0..3_u64, 2 => 0..200_u64, 1 => 0..6_000_u64];
    prop::collection::vec((pause, telling), 0..24)
}

impl Telling {
    fn step(&self, now: u64) -> ends::Step {
        let at = |away: &i64| Timestamp::from_millis(now.saturating_add_signed(*away));
        let heard = |event: CallbackEvent| {
            ends::Step::Told(Told::Heard(Callback::new(room_id(), None, event)))
        };
        match self {
            Self::Opens(stay, away) => heard(stay.opening(at(away))),
            Self::Closes(stay, away, opened) => {
                heard(stay.closing(at(away), opened.as_ref().map(at)))
            }
            Self::RoomCloses(away) => heard(RoomClosed::new(at(away)).into()),
            Self::Seen(users, streams, away) => {
                let users = users.iter().map(|which| present_user(user(*which).as_str()));
                let seen = observed_at(at(away).as_millis()).users(users);
                let Some(streams) = streams else { return ends::Step::Told(Told::Saw(seen)) };
                let streams = streams.iter().map(|which| present_stream(&format!("stream{which}")));
                ends::Step::Told(Told::Saw(seen.streams(streams)))
            }
            Self::Done(step) => step.clone(),
        }
    }
}

impl Stay {
    fn opening(&self, at: Timestamp) -> CallbackEvent {
        if self.is_stream {
            let opening =
                StreamCreated::new(self.stream(), at).stream_session_id(self.stream_stay());
            return opening.order(self.order).exclusive(self.exclusive).into();
        }
        let opening = UserLoggedIn::new(user(self.which), at).user_session_id(self.user_stay());
        opening.order(self.order).exclusive(self.exclusive).into()
    }

    fn closing(&self, at: Timestamp, opened: Option<Timestamp>) -> CallbackEvent {
        if self.is_stream {
            let closing =
                StreamClosed::new(self.stream(), at).stream_session_id(self.stream_stay());
            return closing.order(self.order).exclusive(self.exclusive).created_at(opened).into();
        }
        let closing = UserLoggedOut::new(user(self.which), at).user_session_id(self.user_stay());
        closing.order(self.order).exclusive(self.exclusive).login_at(opened).into()
    }

    fn stream(&self) -> StreamId {
        StreamId::new(format!("stream{}", self.which)).unwrap()
    }

    fn stream_stay(&self) -> Option<StreamSessionId> {
        self.id.map(|id| StreamSessionId::new(id.to_string()).unwrap())
    }

    fn user_stay(&self) -> Option<UserSessionId> {
        self.id.map(|id| UserSessionId::new(id.to_string()).unwrap())
    }
}

/// What readers see after each step is what the log says.
#[track_caller]
fn play(played: &mut Played, steps: &[(u64, Telling)]) {
    for (pause, telling) in steps {
        let step = telling.step(played.now + pause);
        played.step(*pause, &step);
    }
}

const START: u64 = 1_000_000;

proptest! {
    #![proptest_config(properties(300))]

    /// Holds laws 3.6, 3.8, 3.11 and 21.4.
    #[test]
    fn users_of_several_stays_show_without_a_session_as_the_log_says(
        steps in plays(prop_oneof![5 => stays(false), 1 => commands()]),
    ) {
        play(&mut Played::new(None, START), &steps);
    }

    /// Holds laws 21.2 and 21.4.
    #[test]
    fn streams_of_several_stays_show_without_a_session_as_the_log_says(
        steps in plays(prop_oneof![2 => stays(false), 4 => stays(true), 1 => commands()]),
    ) {
        play(&mut Played::new(None, START), &steps);
    }

    /// Holds laws 21.3 and 21.4.
    #[test]
    fn closes_without_a_session_take_away_what_the_log_says(
        steps in plays(prop_oneof![6 => stays(false), 3 => closes(), 1 => commands()]),
    ) {
        play(&mut Played::new(None, START), &steps);
    }

    /// Holds laws 15.3, 16.3 and 21.5.
    #[test]
    fn complete_observations_without_a_session_show_what_the_log_says(
        steps in plays(prop_oneof![
            4 => stays(false),
            2 => stays(true),
            3 => complete(),
            1 => commands(),
        ]),
    ) {
        play(&mut Played::new(None, START), &steps);
    }

    /// Holds laws 7.5 and 21.4.
    #[test]
    fn replicas_without_a_session_show_what_their_logs_say_together(
        both in plays(prop_oneof![4 => stays(false), 1 => commands()]),
        one in plays(prop_oneof![4 => stays(false), 1 => stays(true), 2 => commands()]),
        other in plays(prop_oneof![4 => stays(false), 1 => stays(true), 2 => commands()]),
    ) {
        let mut a = Played::new(None, START);
        play(&mut a, &both);
        let mut b = a.clone();
        play(&mut a, &one);
        play(&mut b, &other);
        check_merged(&a, &b);
    }
}

/// Takes the name of the session away, and the orders that begin anew with each session.
fn forget_the_session(callback: &mut Callback) {
    callback.session_id = None;
    match &mut callback.event {
        CallbackEvent::StreamCreated(event) => event.order = None,
        CallbackEvent::StreamClosed(event) => event.order = None,
        _ => {}
    }
}

/// Holds laws 5.1, 5.7, 21.3 and 21.4.
#[test]
fn what_an_end_hides_without_a_session_stays_hidden_in_a_room_that_forgets() {
    // A room that is created shows what an end hid. Each user and stream that it hid may be forgotten by
    // itself (law 5.4). The model forgets all at once, so nothing creates the room.
    check_what_ends_hide(8, false, 1_000, forget_the_session);
}
