//! Openings that are told of too late: they do not show, and the media server is asked about them.

use room_registry::event::{CallbackEvent, StreamCreated};
use room_registry::repair::{CanAsk, Reason, Sign, SuspectedList};
use room_registry::{
    ChangeKind, Config, ConfigBuilder, Mirror, NewRoom, Outcome, Room, RoomRef, StreamId, UserId,
};
use room_registry_world::story::{
    Story, at, created, login, logout, observation, stream, stream_created, user,
};

/// The signs of the room, by list.
fn signs(story: &Story) -> Vec<(SuspectedList, Sign)> {
    let room = story.registry.room("r");
    room.into_iter().flat_map(RoomRef::suspicions).map(|it| (it.list, it.sign)).collect()
}

/// A room with one user, long ago.
fn old_room(config: ConfigBuilder) -> Story {
    let mut story = Story::with(config.build().unwrap());
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    story.passes_to(1_700);
    story.registry.expire();
    story
}

/// The login was stamped at 0 and delivered half an hour later. Holds laws 5.3, 10.11 and 17.1.
#[test]
fn a_login_that_came_half_an_hour_late_is_asked_about_next() {
    let mut story = old_room(Config::builder());
    let mut mirror: Mirror = story.registry.rooms().collect();
    assert_eq!(story.hears(at(1_801), login("bob", 2, 1)), Outcome::TooLate);
    story.registry.changes().for_each(|change| mirror.apply(&change));
    assert_eq!(story.users(), ["ann"]);
    assert_eq!(signs(&story), [(SuspectedList::Users, Sign::RefusedOpening)]);
    let suspicion = story.registry.room("r").unwrap().suspicions()[0].clone();
    assert_eq!(suspicion.to_string(), "something opened, but was told of too late to be shown");
    assert_eq!(mirror, story.registry.rooms().collect(), "the change is told at once");

    let question = story.registry.next_question().unwrap();
    assert_eq!((question.room_id.as_str(), question.reason), ("r", Reason::Refused));
    assert_eq!((question.users, question.streams), (true, false));
    story.sees(&observation(1_801).users([user("ann"), user("bob")]));
    assert_eq!((story.users(), signs(&story)), (vec!["bob".into(), "ann".into()], vec![]));
}

/// Holds law 10.11.
#[test]
fn an_opening_that_came_too_late_counts_in_a_room_that_is_not_listed() {
    let mut story = Story::new();
    story.passes_to(1_700);
    assert_eq!(story.hears(at(1_700), created(0)), Outcome::TooLate);
    assert_eq!(story.hears(at(1_700), login("ann", 1, 1)), Outcome::TooLate);
    assert!(!story.is_open());
    assert_eq!(story.registry.held_room_count(), 1);
    let question = story.registry.next_question().unwrap();
    assert_eq!((question.reason, question.users, question.streams), (Reason::Refused, true, true));

    // Once the room is listed, readers see the sign.
    let mut mirror: Mirror = story.registry.rooms().collect();
    story.registry.create_room(NewRoom::new("r", "tom")).unwrap();
    story.registry.changes().for_each(|change| mirror.apply(&change));
    let both =
        [(SuspectedList::Room, Sign::RefusedOpening), (SuspectedList::Users, Sign::RefusedOpening)];
    assert_eq!(signs(&story), both);
    assert_eq!(mirror, story.registry.rooms().collect());
    story.registry.end_room("r").unwrap();
    assert!(signs(&story).is_empty());
}

/// Holds law 10.11.
#[test]
fn the_sign_of_a_late_opening_is_kept_for_the_retention_and_the_clock_skew() {
    let mut story = old_room(Config::builder());
    story.hears(at(1_801), stream_created("camera", 1, 1));
    assert_eq!(signs(&story), [(SuspectedList::Streams, Sign::RefusedOpening)]);
    story.passes_to(1_801 + 605);
    story.registry.expire();
    assert_eq!(signs(&story).len(), 1);
    assert_eq!(
        story.registry.next_expiry(),
        Some(at(1_801 + 605) + std::time::Duration::from_millis(1))
    );
    let mut mirror: Mirror = story.registry.rooms().collect();
    story.passes_to(1_801 + 606);
    story.registry.expire();
    story.registry.changes().for_each(|change| mirror.apply(&change));
    assert!(signs(&story).is_empty());
    let withdrawn =
        ChangeKind::SuspicionWithdrawn { list: SuspectedList::Streams, sign: Sign::RefusedOpening };
    assert!(story.registry.changes().any(|change| change.kind == withdrawn));
    assert_eq!(mirror, story.registry.rooms().collect());

    let mut unlisted = Story::new();
    unlisted.passes_to(1_700);
    unlisted.hears(at(1_700), login("ann", 1, 1));
    unlisted.passes_to(1_700 + 606);
    unlisted.registry.expire();
    assert_eq!(unlisted.registry.held_room_count(), 0);
}

/// Holds law 10.11.
#[test]
fn a_late_opening_of_what_shows_or_could_not_show_is_no_sign() {
    let mut story = old_room(Config::builder());
    assert_eq!(story.hears(at(1_800), login("ann", 1, 1)), Outcome::TooLate, "a repeat");
    assert_eq!(story.hears_of("0", at(1_800), created(0)), Outcome::TooLate, "a session before");
    assert!(signs(&story).is_empty());
    let closing = logout("bob", 2, 1, 2);
    assert_eq!(story.hears(at(1_800), closing), Outcome::TooLate, "it shows nothing");
    assert!(signs(&story).is_empty());
    // A newer list said already who was there.
    story.sees(&observation(1_790).users([user("ann")]).streams([]));
    story.hears(at(1_800), login("bob", 2, 1));
    assert!(signs(&story).is_empty());
}

/// Holds laws 1.7 and 10.11.
#[test]
fn a_late_opening_is_stored_and_merged() {
    let mut one = old_room(Config::builder());
    one.hears(at(1_801), login("bob", 2, 1));
    let mut other = old_room(Config::builder());
    other.hears(at(1_802), stream_created("camera", 1, 2));
    other.hears(at(1_802), login("cat", 3, 3));
    let config = Config::default();
    let (one, other) = (one.registry.export("r").unwrap(), other.registry.export("r").unwrap());
    let json = serde_json::to_string(&one).unwrap();
    let restored: Room = serde_json::from_str(&json).unwrap();
    let shown = |room: &Room| room.view().unwrap().suspicions().to_vec();
    assert_eq!(shown(&restored), shown(&one));
    assert_eq!(restored.repair_status(&config), one.repair_status(&config));
    for (mut room, more) in [(one.clone(), other.clone()), (other, one)] {
        room.merge(more, &config, at(1_803)).unwrap();
        let lists: Vec<_> = room.view().unwrap().suspicions().iter().map(|it| it.list).collect();
        assert_eq!(lists, [SuspectedList::Users, SuspectedList::Streams]);
    }
}

/// A look that is older than the latest opening does not resolve the sign. Holds law 10.11.
#[test]
fn of_late_openings_in_one_list_the_latest_counts() {
    let seen = |seconds| observation(seconds).users([user("ann")]);
    for order in [[1_196, 1_200], [1_200, 1_196]] {
        let mut story = old_room(Config::builder());
        for opened_at in order {
            story.hears(at(1_801), login("bob", opened_at, opened_at));
        }
        story.sees(&seen(1_203));
        assert_eq!(signs(&story), [(SuspectedList::Users, Sign::RefusedOpening)]);
        story.sees(&seen(1_205));
        assert_eq!(signs(&story), [], "it was seen as late as it opened");

        // The same if each replica heard one of them.
        let [one, other] = order.map(|opened_at| {
            let mut story = old_room(Config::builder());
            story.hears(at(1_801), login("bob", opened_at, opened_at));
            story
        });
        let mut merged = one;
        merged.registry.import(other.registry.export("r").unwrap()).unwrap();
        merged.sees(&seen(1_203));
        assert_eq!(signs(&merged), [(SuspectedList::Users, Sign::RefusedOpening)]);
    }
}

/// Holds law 10.11.
#[test]
fn a_late_opening_that_comes_again_keeps_its_sign_no_longer() {
    let mut story = old_room(Config::builder());
    for arrives_at in [1_801, 1_900] {
        story.hears(at(arrives_at), login("bob", 2, 1));
    }
    story.passes_to(1_801 + 606);
    story.registry.expire();
    assert!(signs(&story).is_empty());
}

/// Holds law 10.11.
#[test]
fn a_late_opening_from_the_local_future_is_as_old_as_the_clock_that_was_set_back() {
    let mut story = old_room(Config::builder());
    story.hears(at(1_801), login("bob", 2, 1));
    story.passes_to(1_750);
    story.registry.expire();
    assert_eq!(signs(&story).len(), 1);
    story.passes_to(1_750 + 606);
    story.registry.expire();
    assert!(signs(&story).is_empty());
}

/// The vendor's server adds a stream under an id that never logs in. Holds law 10.12.
#[test]
fn a_publisher_whom_nobody_ever_saw_is_not_missed() {
    let mut story = Story::new();
    story.hears(at(0), created(0));
    story.hears(at(1), login("ann", 1, 1));
    let mut added = StreamCreated::new(StreamId::new("mixed").unwrap(), at(2)).counter(1);
    added.details.publisher_id = Some(UserId::new("server").unwrap());
    story.hears(at(2), CallbackEvent::from(added));
    story.passes_to(300);
    story.registry.expire();
    assert!(signs(&story).is_empty());
}

/// Holds law 17.9.
#[test]
fn only_what_the_media_server_answers_is_asked_for() {
    for (can_ask, asked) in [
        (CanAsk::Both, Some((true, true))),
        (CanAsk::Users, Some((true, false))),
        (CanAsk::Streams, Some((false, true))),
        (CanAsk::Neither, None),
    ] {
        let mut story = old_room(Config::builder().can_ask(can_ask));
        let question = story.registry.next_question();
        assert_eq!(question.map(|it| (it.users, it.streams)), asked, "{can_ask}");
        // A gap in the other counter is no reason to ask.
        let mut story = old_room(Config::builder().can_ask(can_ask));
        let mut seen = observation(1_700);
        if can_ask != CanAsk::Streams {
            seen = seen.users([user("ann")]);
        }
        if can_ask != CanAsk::Users {
            seen = seen.streams([]);
        }
        story.sees(&seen);
        story.hears(at(1_701), stream_created("a", 1, 1_701));
        story.hears(at(1_701), stream_created("c", 3, 1_701));
        story.passes_to(1_750);
        let reason = story.registry.next_question().map(|question| question.reason);
        let expected = match can_ask {
            CanAsk::Both | CanAsk::Streams => Some(Reason::Gap),
            CanAsk::Users => Some(Reason::Rotation),
            _ => None,
        };
        assert_eq!(reason, expected, "{can_ask}");
        if can_ask == CanAsk::Streams {
            story.sees(&observation(1_750).streams([stream("a"), stream("c")]));
            story.passes_to(1_800);
            let question = story.registry.next_question().unwrap();
            assert_eq!(question.reason, Reason::Rotation, "nothing waits for the other list");
        }
    }
}
