//! Holds the projection of a room against one that is made from nothing. It is compiled with
//! `--cfg room_registry_check` alone.

use crate::model::config::Rules;
use crate::registers::Registers;
use crate::room::projection::Projection;

impl Projection {
    /// Compares the projection with one that was made from nothing. Returns what differs.
    pub(crate) fn difference(&self, registers: &Registers, settings: &Rules) -> Option<String> {
        let expected = Self::of(registers, settings);
        if self.is_same(&expected) {
            return None; // the texts of both would take most of the time
        }
        let parts = |held: &Self| {
            let users: Vec<_> = held.users.iter().cloned().collect();
            let streams: Vec<_> = held.streams.iter().cloned().collect();
            [
                format!("visible: {:?}", held.visible),
                format!("session: {:?}", held.session),
                format!("summaries: {:?}", held.summaries),
                format!("users: {users:?}"),
                format!("roles: {:?}", held.roles),
                format!("streams: {streams:?}"),
                format!("suspicions: {:?}", held.suspicions),
                format!("unreported since: {:?}", held.unreported_since),
                format!("worth asking: {:?}", held.worth_asking),
                format!("sweep at: {:?}", held.schedule.sweep_at),
            ]
        };
        let pairs = parts(self).into_iter().zip(parts(&expected));
        let others = pairs.filter(|(held, expected)| held != expected);
        let others: Vec<_> = others.map(|(held, is)| format!("{held} is not {is}")).collect();
        Some(others.join("; "))
    }

    fn is_same(&self, other: &Self) -> bool {
        self.visible == other.visible
            && self.session == other.session
            && self.summaries == other.summaries
            && self.users.iter().eq(other.users.iter())
            && self.roles == other.roles
            && self.streams.iter().eq(other.streams.iter())
            && self.suspicions == other.suspicions
            && self.unreported_since == other.unreported_since
            && self.worth_asking == other.worth_asking
            && self.schedule.sweep_at == other.schedule.sweep_at
    }
}
