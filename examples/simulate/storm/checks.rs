//! The properties.

use std::collections::BTreeMap;
use std::rc::Rc;

use room_registry::visible::{Login, Presence, Session, Stream};
use room_registry::{
    Config, ManualClock, Mirror, Observation, Outcome, RoomId, RoomRegistry, StreamId, Timestamp,
    UserId,
};

use super::super::contestants::Ours;
use super::super::rng::Dice;
use super::super::server::Told;
use super::super::simulation::Simulation;

/// What the media server's part of a room shows.
#[derive(Debug, PartialEq)]
struct Live {
    session: Session,
    users: BTreeMap<UserId, (Option<Login>, Option<Presence>)>,
    streams: BTreeMap<StreamId, Stream>,
}

impl Live {
    /// Whether nobody and nothing is in the room.
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.streams.is_empty()
    }
}

/// A mirror that is kept by changes equals what readers see.
pub(crate) fn mirror_is_right(ours: &Ours) -> bool {
    ours.mirror.as_ref().is_none_or(|mirror| *mirror == ours.registry.rooms().collect())
}

/// A registry that is saved and restored is the same; from here on, the restored one is used.
pub(crate) fn restores(ours: &mut Ours, config: &Config) -> Result<(), String> {
    let saved = serde_json::to_string(&ours.registry.snapshot()).map_err(|e| e.to_string())?;
    let mut reader = serde_json::Deserializer::from_str(&saved);
    let restored = RoomRegistry::restore(config.clone(), ours.clock.clone(), &mut reader)
        .map_err(|error| error.to_string())?;
    let counts = |registry: &RoomRegistry<ManualClock>| {
        let (rooms, held) = (registry.room_count(), registry.held_room_count());
        (rooms, held, registry.user_count(), registry.stream_count(), registry.session_count())
    };
    if counts(&restored) != counts(&ours.registry) {
        return Err(format!("{:?}, {:?}", counts(&restored), counts(&ours.registry)));
    }
    if restored.outcomes() != ours.registry.outcomes() {
        return Err("its outcomes are counted otherwise".to_owned());
    }
    let mirror: Mirror = restored.rooms().collect();
    if mirror != ours.registry.rooms().collect() {
        return Err("it shows something else".to_owned());
    }
    ours.registry = restored;
    Ok(())
}

/// A replica that got the same in another order shows the same.
pub(crate) fn replicas_agree(simulation: &Simulation, rng: &mut Dice) -> Result<(), String> {
    let now = Timestamp::from_millis(simulation.now());
    for entrant in simulation.entrants() {
        let Some(ours) = entrant.contestant.ours() else { continue };
        let config = &simulation.settings().config;
        let replica = match config.retention() {
            None => shuffled(simulation.record(), entrant.observed(), config, now, rng),
            // What an observation may be early or late by is not what a callback may.
            Some(_) if ours.repairs || simulation.traffic().lost > 0 => continue,
            // The replica forgets nothing of rooms that are empty.
            Some(_) if config.empty_listing_time().is_some() => continue,
            Some(_) => delayed(simulation.record(), config, now, rng),
        };
        let (mut shown, mut expected) = (live(&replica), live(&ours.registry));
        if config.empty_listing_time().is_some() {
            // The replica looks at no clock.
            shown.retain(|_, room| !room.is_empty());
            expected.retain(|_, room| !room.is_empty());
        }
        for (room_id, room) in &expected {
            if shown.get(room_id) != Some(room) {
                let other = shown.get(room_id);
                let who = entrant.contestant.name();
                return Err(format!(
                    "{who}: a replica shows another {room_id}: {other:?}, not {room:?}"
                ));
            }
        }
        if let Some(room_id) = shown.keys().find(|room_id| !expected.contains_key(*room_id)) {
            return Err(format!("{}: a replica shows {room_id}", entrant.contestant.name()));
        }
    }
    Ok(())
}

/// After a silence that is longer than the retention, what is listed is held, and nothing else.
pub(crate) fn forgets(simulation: &mut Simulation, found: &mut Vec<String>) {
    let config = simulation.settings().config.clone();
    let Some(retention) = config.retention() else { return };
    // Memberships end first. How they ended is remembered for another retention.
    let is_left = Timestamp::from_millis(simulation.now())
        + config.heartbeat_timeout()
        + config.empty_grace();
    let later = is_left + retention + config.clock_skew() * 3;
    for ours in simulation.registries_mut() {
        ours.expire(is_left);
        ours.expire(later);
        ours.tell_mirror();
        let (listed, held) = (ours.registry.room_count(), ours.registry.held_room_count());
        let who = if ours.repairs { "with repair" } else { "without repair" };
        if listed != held {
            found.push(format!("{who}: after a silence {held} rooms are held, {listed} listed"));
        }
        if !mirror_is_right(ours) {
            found.push(format!("{who}: after a silence the mirror is wrong"));
        }
    }
}

/// Everything at once, in any order: for registries that forget nothing.
fn shuffled(
    arrived: &[Rc<Told>],
    observations: &[Observation],
    config: &Config,
    now: Timestamp,
    rng: &mut Dice,
) -> RoomRegistry<ManualClock> {
    let mut replica = RoomRegistry::with_clock(config.clone(), ManualClock::at(now));
    let mut order: Vec<_> = (0..arrived.len() + observations.len()).collect();
    rng.shuffle(&mut order);
    for index in order {
        if let Some(told) = arrived.get(index) {
            replica.apply_callback(&told.callback);
        } else {
            let observed = replica.apply_observation(&observations[index - arrived.len()]);
            observed.expect("it was taken in before");
        }
    }
    replica
}

/// Each with a delay of its own, within the retention.
fn delayed(
    arrived: &[Rc<Told>],
    config: &Config,
    now: Timestamp,
    rng: &mut Dice,
) -> RoomRegistry<ManualClock> {
    let clock = ManualClock::default();
    let mut replica = RoomRegistry::with_clock(config.clone(), clock.clone());
    let most = config.retention().map_or(0, |span| u64::try_from(span.as_millis()).unwrap_or(0));
    let mut arrivals: Vec<_> = arrived
        .iter()
        .map(|told| &told.callback)
        .map(|callback| (callback.latest_time().as_millis() + rng.below(most), callback))
        .collect();
    arrivals.sort_by_key(|(at, _)| *at);
    for (at, callback) in arrivals {
        clock.set(Timestamp::from_millis(at).min(now));
        let outcome = replica.apply_callback(callback);
        debug_assert_ne!(outcome, Outcome::Refused);
    }
    replica
}

fn live(registry: &RoomRegistry<ManualClock>) -> BTreeMap<RoomId, Live> {
    let rooms = registry.rooms().filter_map(|room| {
        let users = room.users().map(|user| (user.id().clone(), user.to_owned()));
        let users = users.map(|(user_id, user)| (user_id, (user.login, user.presence)));
        let live = Live {
            session: room.session()?.clone(),
            users: users
                .filter(|(_, (login, presence))| login.is_some() || presence.is_some())
                .collect(),
            streams: room
                .streams()
                .map(|stream| (stream.id().clone(), stream.to_owned()))
                .collect(),
        };
        Some((room.id().clone(), live))
    });
    rooms.collect()
}
