//! Compares the projection of a room with one that is computed from the registers alone. The door does so
//! after each operation, if compiled with `--cfg room_registry_check`. No user's build has it.

use std::fmt;

use crate::model::config::Rules;
use crate::registers::Registers;
use crate::room::projection::Projection;

impl Projection {
    /// Returns what differs from a projection that is computed from the registers alone.
    pub(crate) fn difference(&self, registers: &Registers, settings: &Rules) -> Option<String> {
        let expected = &Self::of(registers, settings);
        let [users, expected_users] =
            [self, expected].map(|it| it.users.iter().collect::<Vec<_>>());
        let [streams, expected_streams] =
            [self, expected].map(|it| it.streams.iter().collect::<Vec<_>>());
        let [schedule, expected_schedule] =
            [self, expected].map(|it| it.schedule.entries().collect::<Vec<_>>());
        let differences = [
            difference("visible", &self.visible, &expected.visible),
            difference("session", &self.session, &expected.session),
            difference("summaries", &self.summaries, &expected.summaries),
            difference("users", &users, &expected_users),
            difference("roles", &self.roles, &expected.roles),
            difference("streams", &streams, &expected_streams),
            difference("suspicions", &self.suspicions, &expected.suspicions),
            difference("unreported since", &self.unreported_since, &expected.unreported_since),
            difference("worth asking", &self.worth_asking, &expected.worth_asking),
            difference("sweep at", &self.schedule.sweep_at, &expected.schedule.sweep_at),
            difference("schedule", &schedule, &expected_schedule),
        ];
        let differences: Vec<_> = differences.into_iter().flatten().collect();
        (!differences.is_empty()).then(|| differences.join("; "))
    }
}

/// Returns how a part differs. Texts are written only if it does: they would take most of the time.
fn difference<T: PartialEq + fmt::Debug>(part: &str, held: &T, expected: &T) -> Option<String> {
    (held != expected).then(|| format!("{part}: {held:?} is not {expected:?}"))
}
