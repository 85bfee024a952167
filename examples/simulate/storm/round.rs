//! One round of the storm: a world, played to its end, and looked at along the way.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use room_registry::event::CallbackEvent;
use room_registry::journal::Command;
use room_registry::repair::ObservedList;
use room_registry::{
    Callback, ConnectionId, Lifecycle, Mirror, NewRoom, NewUser, Observation, Role, Timestamp,
    UserId, UserUpdate,
};

use super::super::contestants::{Attendance, Contestant, Ours};
use super::super::names::{Names, USERS};
use super::super::rng::{Dice, Share};
use super::super::server::Lists;
use super::super::settings::Settings;
use super::super::simulation::{Entrant, Simulation};
use super::merges::Exported;
use super::world::{App, Ends, UNCOUNTED, World};
use super::{Round, attendance, checks, world};

/// How often the lists are looked at as a whole, in things that happen in each room.
const LOOK_EVERY: u64 = 150;
/// How often a registry is saved and restored, in looks.
const SAVE_EVERY: u64 = 4;
/// How often a room is exported, or merged with what was exported, in things that happen.
const MERGE_EVERY: u64 = 250;
/// How long a planner asks about a room that is not listed.
const ASKED_FOR: Duration = Duration::from_secs(15 * 60);

pub(crate) fn play(seed: u64) -> Round {
    let mut rng = Dice::new(seed, 9);
    let World { settings, app } = match world::random(seed) {
        Ok(world) => world,
        Err(error) => {
            let divergences = vec![format!("the world's settings are refused: {error}")];
            return Round { seed, divergences, ..Round::default() };
        }
    };
    let rooms = settings.manners.rooms;
    let contestant = |repairs| {
        let mut ours = Ours::new(rooms, &settings.config, repairs);
        ours.mirror = Some(Mirror::default());
        ours.attendance = (!repairs).then(|| Attendance::new(&settings.config));
        Contestant::ThisCrate(ours)
    };
    let contestants = vec![contestant(false), contestant(true)];
    let mut simulation = Simulation::new(settings, contestants, 60_000);
    simulation.keep_records();
    let mut found = Vec::new();
    // Half of the worlds have clients of an app as well.
    let has_clients = rng.chance(Share::percent(50));
    let mut deeds = Dice::new(seed, 11);
    let mut exported = Exported::new(simulation.settings());
    let look_every = (LOOK_EVERY * rooms as u64).max(2_000);
    let mut happened = 0;
    while simulation.step() {
        happened += 1;
        if has_clients && happened % 16 == 0 {
            command(&mut simulation, &app, &mut rng);
            act(&mut simulation, &app, &mut deeds);
        }
        if happened % MERGE_EVERY == 0 {
            exported.go_on(&mut simulation, &mut found);
        }
        if happened % look_every == 0 {
            let saves = happened % (look_every * SAVE_EVERY) == 0;
            look(&mut simulation, saves, &mut found);
        }
    }
    look(&mut simulation, true, &mut found);
    at_the_end(&mut simulation, if has_clients { Some(&app) } else { None }, &mut rng, &mut found);
    let traffic = simulation.traffic();
    let observations = simulation.entrants().iter().map(|entrant| entrant.observed().len() as u64);
    found.sort();
    found.dedup();
    Round {
        seed,
        deliveries: traffic.deliveries,
        lost: traffic.lost,
        observations: observations.sum(),
        divergences: found,
    }
}

/// A client of an app does something; both registries hear of it. What the media server tells is
/// left alone.
fn command(simulation: &mut Simulation, app: &App, rng: &mut Dice) {
    let room = rng.index(simulation.settings().manners.rooms);
    let room_id = Names::room(room);
    let user = rng.below(8);
    let user_id = UserId::new(format!("user-{user:02}")).expect("a valid id");
    let (which, by) = (rng.below(11), ["phone", "laptop"][rng.index(2)]);
    let by = ConnectionId::new(by).ok();
    let connection_id = by.filter(|_| rng.chance(Share::percent(30)));
    let role = (user == 7).then(|| Role::new(UNCOUNTED));
    let command = match which {
        0 if app.ends == Ends::Untold => return,
        0 => {
            let room = NewRoom::new(room_id.as_str(), "user-01").lifecycle(Lifecycle::UntilEnded);
            Command::CreateRoom(app.max_users.into_iter().fold(room, NewRoom::max_users))
        }
        1..5 => {
            let mut user = NewUser::new(&user_id);
            (user.role, user.connection_id) = (role, connection_id.map(Into::into));
            Command::JoinRoom { room_id, user }
        }
        5 => {
            let update = UserUpdate::new().attribute("seat", "2");
            Command::UpdateUser { room_id, user_id, update }
        }
        _ => {
            let update = UserUpdate::new();
            Command::Heartbeat { room_id, user_id, connection_id, update }
        }
    };
    simulation.command(room, &command);
}

/// Now and then the app ends a room, or somebody leaves or is removed, at the media server as well.
fn act(simulation: &mut Simulation, app: &App, rng: &mut Dice) {
    let (room, user) = (rng.index(simulation.settings().manners.rooms), rng.index(USERS));
    let room_id = Names::room(room);
    let user_id = UserId::new(format!("user-{user:02}")).expect("a valid id");
    let connection_id = ConnectionId::new("phone").ok();
    let connection_id = connection_id.filter(|_| rng.chance(Share::percent(30)));
    let which = rng.below(100);
    if !simulation.goes_on() {
        return;
    }
    let command = match which {
        0..4 if app.ends != Ends::Never => return end(simulation, app, room),
        4..20 if app.lets_go => Command::LeaveRoom { room_id, user_id, connection_id },
        20..36 if app.lets_go => Command::RemoveUser { room_id, user_id, reason: "spam".into() },
        _ => return,
    };
    simulation.command(room, &command);
    simulation.ask_server(room, |server, now| server.throw_out(room, user, now));
}

/// The app ends a room, and so does the media server.
fn end(simulation: &mut Simulation, app: &App, room: usize) {
    let room_id = Names::room(room);
    // An end of a room that is not listed is refused and hides nothing.
    let is_listed = |ours: &mut Ours| ours.registry.room(room_id.as_str()).is_some();
    if !simulation.registries_mut().all(is_listed) {
        return;
    }
    // Laws 6.8 and 21.4: what began within a clock skew before the end, and is heard of only after it, shows.
    let Settings { config, manners, .. } = simulation.settings();
    let skew = u64::try_from(config.clock_skew().as_millis()).unwrap_or(u64::MAX);
    let is_settled =
        simulation.server().settled_since(room) + skew + manners.apart <= simulation.now();
    let is_told = app.ends == Ends::Told;
    if is_told || is_settled {
        simulation.command(room, &Command::EndRoom { room_id: room_id.clone() });
        simulation.ask_server(room, |server, now| server.close(room, now, is_told));
    }
}

/// What holds at each moment.
fn look(simulation: &mut Simulation, saves: bool, found: &mut Vec<String>) {
    let config = simulation.settings().config.clone();
    for ours in simulation.registries_mut() {
        #[cfg(room_registry_check)]
        ours.registry.check();
        let who = if ours.repairs { "with repair" } else { "without repair" };
        if !checks::mirror_is_right(ours) {
            found.push(format!("{who}: the mirror is not what the registry shows"));
        }
        if saves && !attendance::is_restored(ours) {
            found.push(format!("{who}: saved and restored, its visits are others"));
        }
        if saves && let Err(difference) = checks::restores(ours, &config) {
            found.push(format!("{who}: saved and restored, it is another: {difference}"));
        }
    }
}

/// What holds when everything is over.
fn at_the_end(
    simulation: &mut Simulation,
    app: Option<&App>,
    rng: &mut Dice,
    found: &mut Vec<String>,
) {
    let nothing_lost = simulation.traffic().lost == 0;
    // Nobody can ask about a room of which nothing is stored. A creation without a session states no fact.
    let mut heard_of: BTreeMap<usize, Timestamp> = BTreeMap::new();
    let says_nothing = |callback: &Callback| {
        callback.session_id.is_none() && matches!(callback.event, CallbackEvent::RoomCreated(_))
    };
    for told in simulation.record().iter().filter(|told| !says_nothing(&told.callback)) {
        let last = heard_of.entry(told.room).or_default();
        *last = told.callback.latest_time().max(*last);
    }
    let now = Timestamp::from_millis(simulation.now());
    let quiet_from = now - Duration::from_millis(simulation.settings().patience);
    for entrant in simulation.entrants() {
        let Some(ours) = entrant.contestant.ours() else { continue };
        let who = entrant.contestant.name();
        let mut rooms = String::new();
        let mut count = 0;
        for room in entrant.score.wrong_rooms() {
            let Some(last) = heard_of.get(&room) else { continue };
            let excuses = || {
                was_given_up(entrant, room, *last, now)
                    || nobody_could_tell(entrant, room, simulation.truth(room), quiet_from)
            };
            if !nothing_lost && excuses() {
                continue;
            }
            count += 1;
            if count <= 5 {
                _ = write!(rooms, " {}", Names::room(room));
            }
        }
        if count > 0 && (nothing_lost || ours.repairs) {
            let lost = if nothing_lost { "nothing" } else { "something" };
            found.push(format!("{who}: {count} rooms wrong at the end, {lost} lost:{rooms}"));
        }
        // Law 16.3: an answer that was under way when the app ended a room brings it back. If no callback
        // tells of the end, only the next answer takes it away again.
        let waits_for_answers = ours.repairs && app.is_some_and(|app| app.ends == Ends::Untold);
        if nothing_lost && !waits_for_answers && entrant.score.room_millis() > 0 {
            let millis = entrant.score.room_millis();
            found.push(format!("{who}: nothing lost, and wrong for {millis} room-ms"));
        }
    }
    // A replica here gets callbacks and observations alone.
    if !app.is_some_and(App::changes_lists)
        && let Err(difference) = checks::replicas_agree(simulation, rng)
    {
        found.push(difference);
    }
    attendance::check(simulation, found);
    checks::forgets(simulation, found);
}

/// If calls fail and lists come in part, one of a room's lists may never have come whole since all was
/// quiet. In nine questions it does not for one room in some two thousand. Then that list may be wrong, and
/// nothing else.
fn nobody_could_tell(entrant: &Entrant, room: usize, truth: Lists, quiet_from: Timestamp) -> bool {
    let room_id = Names::room(room);
    let came_whole = |is_whole: fn(&Observation) -> bool| {
        let of_room = entrant.observed().iter().filter(|answer| answer.room_id == room_id);
        of_room.filter(|answer| answer.observed_at > quiet_from).any(is_whole)
    };
    let users_came = came_whole(|answer| matches!(answer.users, ObservedList::Complete(_)));
    let streams_came = came_whole(|answer| matches!(answer.streams, ObservedList::Complete(_)));
    let shown = entrant.contestant.shown(room);
    let fails = entrant.calls().is_some_and(|calls| calls.failed > 0);
    fails
        && !(users_came && streams_came)
        && !(users_came && shown.users != truth.users)
        && !(streams_came && shown.streams != truth.streams)
        && (shown.open || !truth.open)
}

/// A room that is not listed, and not heard of, is asked about for a quarter of an hour only. Who comes
/// back later with every callback lost stays unseen until one comes. If calls fail, each call of that
/// quarter of an hour may.
fn was_given_up(entrant: &Entrant, room: usize, last_told_at: Timestamp, now: Timestamp) -> bool {
    let room_id = Names::room(room);
    let fails = entrant.calls().is_some_and(|calls| calls.failed > 0);
    let answers = || entrant.observed().iter().filter(|answer| answer.room_id == room_id);
    let is_answered = answers().any(|answer| answer.observed_at > last_told_at);
    let is_past = |at: Timestamp| now.since(at) >= ASKED_FOR;
    let saw_nobody =
        |it: &Observation| it.users.entries().is_empty() && it.streams.entries().is_empty();
    let was_over = answers().any(|answer| is_past(answer.observed_at) && saw_nobody(answer));
    let is_over = is_past(last_told_at) && was_over;
    (is_over || fails && !is_answered) && !entrant.contestant.shown(room).open
}
