//! Rooms that were made under other settings (section 22 of the rules).

use crate::model::change::Cause;
use crate::model::config::Config;
use crate::model::time::Timestamp;
use crate::room::Room;
use crate::room::context::Context;
use crate::room::state::RoomState;
use crate::room::work::Work;

impl Room {
    /// Carries a room over to other settings, such as one that was stored before they changed. What is
    /// known of it stays, as far as the new settings can hold it. Readers then see what follows from that
    /// under the new ones. [`changes`](Self::changes) tells the difference, with [`Cause::Import`]. A room
    /// of these settings stays as it is.
    ///
    /// A longer retention costs nothing. What other settings can cost is in
    /// [`guide::settings`](crate::guide::settings). To carry over a whole snapshot, use
    /// `RoomRegistry::restore_carried_over`.
    ///
    /// Cost: everything that is stored of the room.
    ///
    /// ```
    /// use std::time::Duration;
    /// use room_registry::{Config, NewRoom, Room, RoomId, Timestamp};
    ///
    /// let (before, now) = (Config::default(), Timestamp::from_secs(1_000));
    /// let mut room = Room::new(RoomId::new("r1")?, &before);
    /// room.create(NewRoom::new("r1", "tom"), &before, now)?;
    ///
    /// let config = Config::builder().retention(Some(Duration::from_secs(3_600))).build()?;
    /// assert!(room.end(&config, now).is_err()); // it was made under other settings
    /// room.carry_over(&config, now);
    /// room.end(&config, now)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn carry_over(&mut self, config: &Config, now: Timestamp) {
        self.log.clear();
        let mut cx = Context::new(config, now, Cause::Import, &mut self.log);
        self.state.carry_over(&mut cx);
        self.is_dirty = cx.is_dirty;
    }
}

impl RoomState {
    /// Carries the room over to the settings of an operation, unless it has them already. What is due by
    /// the old settings may stay: the new retention decides.
    pub(crate) fn carry_over(&mut self, cx: &mut Context<'_>) {
        if self.settings != cx.config.rules {
            let mut work = Work::CarryOver(cx.config.rules.clone());
            self.take(&mut work, cx).expect("other settings are no error");
        }
    }
}
