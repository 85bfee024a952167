//! An observation of one room: taken in, and what it mends told.

use crate::model::error::Error;
use crate::model::observation::Observation;
use crate::model::outcome::Outcome;
use crate::room::state::{Context, RoomState};

impl RoomState {
    /// Takes an observation in. One that is older than the retention, or from beyond the future
    /// guard, is refused whole.
    pub(crate) fn observe(
        &mut self,
        observation: &Observation,
        cx: &mut Context<'_>,
    ) -> Result<Outcome, Error> {
        let verdict = observation.verdict(self.settings.empty_means_closed)?;
        self.begin(cx);
        let observed_at = observation.observed_at;
        if observed_at > cx.now.plus(cx.config.future_guard_ms) {
            return Ok(Outcome::Refused);
        }
        let retention_ms = self.settings.retention_ms;
        if retention_ms.is_some_and(|retention_ms| observed_at < cx.now.minus(retention_ms)) {
            return Ok(Outcome::TooLate);
        }
        let before = self.copy_visible();
        if !self.live.observe(observation, verdict, cx.now, &self.settings) {
            return Ok(Outcome::Stale);
        }
        self.cap_sessions();
        let is_different = self.show_difference(&before, cx);
        Ok(if is_different { Outcome::Applied } else { Outcome::Held })
    }
}
