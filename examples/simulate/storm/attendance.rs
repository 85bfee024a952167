//! Each time that a user was in a room is told once, by visits that follow the inputs.

use std::collections::BTreeMap;
use std::time::Duration;

use room_registry::{
    EndReason, RoomId, SessionId, Timestamp, UserId, UserSessionId, Visit, Visits,
};

use super::super::contestants::{Attendance, Ours};
use super::super::names::Names;
use super::super::server::{Chronicle, Stay};
use super::super::settings::Settings;
use super::super::simulation::Simulation;

/// What names a stay: room, session, user, and its own name or when it began.
type Key = (RoomId, Option<SessionId>, UserId, Option<UserSessionId>, Option<Timestamp>);

/// Visits that are stored and read back are the same; from here on, those that were read are used.
pub(crate) fn is_restored(ours: &mut Ours) -> bool {
    let Some(Attendance { visits, .. }) = &mut ours.attendance else { return true };
    let stored = serde_json::to_string(visits).expect("visits can be stored");
    let read: Visits = serde_json::from_str(&stored).expect("what was stored can be read");
    let is_same = read == *visits;
    *visits = read;
    is_same
}

/// What holds when everything is over and nothing was lost.
pub(crate) fn check(simulation: &mut Simulation, found: &mut Vec<String>) {
    if simulation.traffic().lost > 0 || !remembers_closes(simulation.settings()) {
        return;
    }
    let now = Timestamp::from_millis(simulation.now());
    let later = now + simulation.settings().config.report_after() + Duration::from_secs(60);
    let mut told = Vec::new();
    for attendance in simulation.registries_mut().filter_map(|ours| ours.attendance.as_mut()) {
        told.append(&mut attendance.told);
        told.append(&mut attendance.visits.take_due(later));
    }
    let Some(chronicle) = simulation.chronicle() else { return };
    found.extend(differences(chronicle, told));
}

/// Law 19.6: of a room, 64 closes are remembered. Each must be there until it counts.
fn remembers_closes(settings: &Settings) -> bool {
    // Sessions of fewer than forty callbacks do not follow each other for long.
    let shortest = Duration::from_millis(settings.manners.change_every) * 40;
    settings.config.report_after() <= shortest * 64
}

/// A sentence for each kind of difference.
fn differences(chronicle: &Chronicle, told: Vec<Visit>) -> Vec<String> {
    let mut visits: BTreeMap<Key, Vec<Visit>> = BTreeMap::new();
    for visit in told {
        visits.entry(key_of(&visit)).or_default().push(visit);
    }
    let mut stays: BTreeMap<Key, Vec<&Stay>> = BTreeMap::new();
    for stay in &chronicle.stays {
        stays.entry(key(stay)).or_default().push(stay);
    }
    let mut missing = Vec::new();
    let mut wrong = Vec::new();
    for (key, stays) in stays {
        let told = visits.remove(&key).unwrap_or_default();
        // Two that began in one millisecond, without names of their own, look like one.
        let [stay] = stays[..] else { continue };
        let close = stay.session_id.as_ref().and_then(|session| chronicle.closes.get(session));
        // Of a stay without a name, the logout alone tells, if it tells when the stay began.
        let close = close.filter(|close| stay.from <= **close && stay.id.is_some());
        match (&told[..], stay.to, close) {
            ([], None, None) => {}
            ([], ..) => missing.push(stay),
            ([visit], to, close) if is_of(visit, stay, to, close) => {}
            (told, ..) => wrong.push(format!("{stay:?} as {told:?}")),
        }
    }
    let invented: Vec<_> = visits.into_keys().collect();
    let mut found = Vec::new();
    if let Some(first) = missing.first() {
        found.push(format!("visits: {} are missing, such as {first:?}", missing.len()));
    }
    if let Some(first) = wrong.first() {
        found.push(format!("visits: {} are told otherwise, such as {first}", wrong.len()));
    }
    if let Some(first) = invented.first() {
        found.push(format!("visits: {} never were, such as {first:?}", invented.len()));
    }
    found
}

/// Whether a visit tells of a stay. A logout that comes long after the close counts no more.
fn is_of(visit: &Visit, stay: &Stay, to: Option<Timestamp>, close: Option<&Timestamp>) -> bool {
    let is_by_close = visit.reason == EndReason::RoomClosed;
    let end = if is_by_close { close.copied() } else { to };
    visit.from == stay.from && end == Some(visit.to)
}

fn key(stay: &Stay) -> Key {
    let user_id = UserId::new(format!("user-{:02}", stay.user)).expect("a valid id");
    let from = stay.id.is_none().then_some(stay.from);
    (Names::room(stay.room), stay.session_id.clone(), user_id, stay.id.clone(), from)
}

fn key_of(visit: &Visit) -> Key {
    let from = visit.user_session_id.is_none().then_some(visit.from);
    let Visit { room_id, session_id, user_id, user_session_id, .. } = visit.clone();
    (room_id, session_id, user_id, user_session_id, from)
}
