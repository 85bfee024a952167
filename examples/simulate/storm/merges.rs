//! Rooms are exported at random instants, and merged later: with what has become of them, and with what the
//! other registry has of them.

use std::collections::BTreeMap;

use room_registry::visible::MirrorRoom;
use room_registry::{Config, Room, RoomRef, Timestamp};
use serde_json::Value;

use super::super::contestants::Ours;
use super::super::names::Names;
use super::super::network::RETRIES;
use super::super::rng::{Dice, Share};
use super::super::settings::Settings;
use super::super::simulation::Simulation;

/// How many copies are kept at once.
const MOST: usize = 6;

/// Copies of rooms.
pub(crate) struct Exported {
    dice: Dice,
    copies: Vec<Copied>,
    /// Law 1.5: how old a copy may be, so that with the delay of a callback it is below the retention.
    longest: Option<u64>,
}

struct Copied {
    room: Room,
    index: usize,
    /// Whose room it is: that of the registry without repair, or of the one with it.
    repairs: bool,
    at: u64,
}

impl Exported {
    pub(crate) fn new(settings: &Settings) -> Self {
        let Settings { roads, manners, config, .. } = settings;
        let delay = RETRIES.iter().sum::<u64>() + roads.travel.1 + manners.skew + 100;
        let retention = config.retention();
        let retention = retention.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        Self {
            dice: Dice::new(settings.seed, 13),
            copies: Vec::new(),
            longest: retention.map(|retention| retention.saturating_sub(delay)),
        }
    }

    /// Exports a room, or merges one that was exported.
    pub(crate) fn go_on(&mut self, simulation: &mut Simulation, found: &mut Vec<String>) {
        let takes = self.copies.len() < MOST && self.dice.chance(Share::percent(50));
        if takes || self.copies.is_empty() {
            return self.take(simulation);
        }
        let copied = self.copies.swap_remove(self.dice.index(self.copies.len()));
        let is_old = self.longest.is_some_and(|span| simulation.now() - copied.at > span);
        if !is_old {
            self.merge(copied, simulation, found);
        }
    }

    fn take(&mut self, simulation: &mut Simulation) {
        let at = simulation.now();
        let index = self.dice.index(simulation.settings().manners.rooms);
        let repairs = self.dice.chance(Share::percent(50));
        let room_id = Names::room(index);
        if let Some(ours) = of(simulation, repairs)
            && let Some(room) = ours.registry.export(room_id.as_str())
        {
            self.copies.push(Copied { room, index, repairs, at });
        }
    }

    fn merge(&mut self, copied: Copied, simulation: &mut Simulation, found: &mut Vec<String>) {
        let Copied { room: copy, index, repairs, .. } = copied;
        let config = simulation.settings().config.clone();
        let now = Timestamp::from_millis(simulation.now());
        let is_whole = simulation.traffic().lost == 0 || config.retention().is_none();
        let into = if self.dice.chance(Share::percent(50)) { repairs } else { !repairs };
        let Some(ours) = of(simulation, into) else { return };
        // Whose room has seen all that the copy has seen.
        let knows_all = into == repairs || into && is_whole;
        if !knows_all || self.dice.chance(Share::percent(30)) {
            let Some(room) = ours.registry.export(copy.id().as_str()) else { return };
            let stores = self.dice.chance(Share::percent(30));
            if let Err(problem) = merges(&room, &copy, stores, &config, now) {
                found.push(format!("{}: {problem}", copy.id()));
            }
            return;
        }
        // A heartbeat makes a membership of whoever is seen, and a join is refused of who has one. So what
        // commands made differs between the two registries.
        let look = if into == repairs { seen } else { told };
        let before = look(ours.registry.room(copy.id().as_str()));
        // Nobody tells that a session closed which everybody has left. Only an answer of the media server does,
        // and the registry that asked has forgotten it by now. The other never heard of it. Law 1.5 does not
        // speak of them, because they did not merge within the retention.
        let is_forgotten = into != repairs
            && config.retention().is_some()
            && ours.registry.export(copy.id().as_str()).is_none();
        let room_id = Names::room(index);
        simulation.import(into, copy);
        let Some(ours) = of(simulation, into) else { return };
        let after = look(ours.registry.room(room_id.as_str()));
        // Law 4.11: the time for which an empty room is listed may begin anew.
        let is_listed_anew = before.is_none()
            && (is_forgotten || config.empty_listing_time().is_some())
            && after.as_ref().is_some_and(is_empty);
        if before != after && !is_listed_anew {
            let whose = if into == repairs { "its own" } else { "the other registry's" };
            found.push(format!(
                "{room_id}: merged with {whose} copy, it shows {after:?}, not {before:?}"
            ));
        }
    }
}

/// Law 7.1: it does not matter which is merged into which, and once is enough.
fn merges(
    room: &Room,
    copy: &Room,
    stores: bool,
    config: &Config,
    now: Timestamp,
) -> Result<(), String> {
    let merged = |mut room: Room, other: Room| {
        room.merge(other, config, now).map(|()| room).map_err(|error| error.to_string())
    };
    let one = merged(room.clone(), copy.clone())?;
    let other = merged(copy.clone(), room.clone())?;
    if seen(one.view()) != seen(other.view()) {
        return Err(format!(
            "the other way round, a merge shows {:?}, not {:?}",
            seen(other.view()),
            seen(one.view())
        ));
    }
    if stores {
        let before = stored(&one)?;
        let again = merged(merged(one.clone(), one)?, copy.clone())?;
        let after = stored(&again)?;
        if after != before {
            return Err(format!("merged again, it stores {after}, not {before}"));
        }
    }
    Ok(())
}

/// One of the two registries.
fn of(simulation: &mut Simulation, repairs: bool) -> Option<&mut Ours> {
    simulation.registries_mut().find(|ours| ours.repairs == repairs)
}

/// What is stored of a room. Law 7.1: signs of loss may differ. Law 18.6: a merge may drop what is left of
/// connections of earlier memberships.
fn stored(room: &Room) -> Result<Value, String> {
    let mut stored = serde_json::to_value(room).map_err(|error| error.to_string())?;
    stored["refused"].take();
    for session in stored["live"]["sessions"].as_array_mut().into_iter().flatten() {
        session["evidence"].take();
    }
    let members = stored["members"].as_array().into_iter().flatten();
    let since: BTreeMap<_, _> = members
        .map(|member| (member["user_id"].to_string(), member["membership"]["joined_at"].clone()))
        .collect();
    if let Some(connections) = stored["connections"].as_object_mut() {
        connections.retain(|user_id, held| {
            let since = since.get(&Value::from(user_id.as_str()).to_string());
            let Some(held) = held.as_array_mut() else { return false };
            held.retain(|connection| Some(&connection["member_since"]) == since);
            // The unnamed one alone is the membership itself.
            held.iter().any(|connection| !connection["connection_id"].is_null())
        });
    }
    Ok(stored)
}

/// What readers see of a room. Law 7.1: signs of loss may differ.
fn seen(room: Option<RoomRef<'_>>) -> Option<MirrorRoom> {
    let mut room = room?.to_owned();
    room.suspicions.clear();
    Some(room)
}

/// The media server's part of it.
fn told(room: Option<RoomRef<'_>>) -> Option<MirrorRoom> {
    let mut room = seen(room).filter(|room| room.session.is_some())?;
    room.info = None;
    for user in room.users.values_mut() {
        (user.membership, user.note) = (None, None);
        user.is_counted = true; // the server of the storm gives no roles, so commands decide this
    }
    room.users.retain(|_, user| user.login.is_some() || user.presence.is_some());
    Some(room)
}

fn is_empty(room: &MirrorRoom) -> bool {
    room.users.is_empty() && room.streams.is_empty()
}
