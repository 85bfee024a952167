//! The methods of [`Room`] about time: expiry, heartbeats that a store kept beside the room, and graces. What
//! they do stands in `time.rs`.

use crate::model::change::Cause;
use crate::model::command::UserConnection;
use crate::model::config::Config;
use crate::model::error::Error;
use crate::model::expired::Expired;
use crate::model::time::Timestamp;
use crate::room::Room;
use crate::room::context::Context;
use crate::room::work::Work;

impl Room {
    /// Does everything that is due, as [`RoomRegistry::expire`](crate::RoomRegistry::expire) does.
    /// Cost: what is due.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let later = Timestamp::from_secs(1_091);",
        "assert_eq!(room.expire(&config, later)?.memberships, 1);"
    )]
    pub fn expire(&mut self, config: &Config, now: Timestamp) -> Result<Expired, Error> {
        self.check_settings(config)?;
        self.log.clear();
        self.is_dirty = false;
        self.expire_due(config, now)
    }

    /// Does what is due, and adds what that changes to what the call changed before.
    fn expire_due(&mut self, config: &Config, now: Timestamp) -> Result<Expired, Error> {
        let mut cx = Context::new(config, now, Cause::Command, &mut self.log);
        let mut unlimited = usize::MAX;
        let expired = self.state.expire(&mut unlimited, &mut cx);
        self.is_dirty |= cx.is_dirty;
        expired
    }

    /// Takes over last heartbeats that were kept outside the room, then does everything that is due. Each is
    /// of a user, or of one connection of a user. A heartbeat counts if it is later than what the room knows,
    /// and no later than now.
    ///
    /// Heartbeats are too frequent to rewrite a stored room for each: keep them beside it, and hand
    /// them in when something is due. Cost: the memberships of the room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let heartbeats = [(\"ann\", Timestamp::from_secs(1_080))];",
        "let later = Timestamp::from_secs(1_091);",
        "assert_eq!(room.expire_with(heartbeats, &config, later)?.memberships, 0);"
    )]
    pub fn expire_with<'u>(
        &mut self,
        heartbeats: impl IntoIterator<Item = (impl Into<UserConnection<'u>>, Timestamp)>,
        config: &Config,
        now: Timestamp,
    ) -> Result<Expired, Error> {
        self.take_heartbeats(heartbeats, config, now)?;
        self.expire_due(config, now)
    }

    /// Takes over last heartbeats that were kept outside the room, and does nothing that is due. Call
    /// it before a command whose answer depends on who is still there. Cost: the memberships of the
    /// room.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let later = Timestamp::from_secs(1_091);",
        "room.take_heartbeats([(\"ann\", Timestamp::from_secs(1_080))], &config, later)?;",
        "assert!(room.join(NewUser::new(\"ann\"), &config, later).is_err(), \"she is still there\");"
    )]
    pub fn take_heartbeats<'u>(
        &mut self,
        heartbeats: impl IntoIterator<Item = (impl Into<UserConnection<'u>>, Timestamp)>,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Error> {
        let heartbeats = heartbeats.into_iter().map(|(user, at)| (user.into(), at)).collect();
        self.command(Work::TakeHeartbeats(heartbeats), config, now)
    }

    /// Returns when [`expire`](Self::expire) can next change something; `None` if it never will. The time
    /// is never too late. If there are more than some dozens of members, it may be early, and an `expire`
    /// then finds nothing due. Cost: constant.
    ///
    #[doc = room_example!(
        "room.join(NewUser::new(\"ann\"), &config, now)?;",
        "let timeout = Timestamp::from_millis(1_090_001); // exactly the timeout is in time",
        "assert_eq!(room.next_expiry(&config), Some(timeout));"
    )]
    #[must_use]
    pub fn next_expiry(&self, config: &Config) -> Option<Timestamp> {
        self.state.next_expiry(config)
    }

    /// Gives all memberships one fresh timeout, as
    /// [`RoomRegistry::grant_grace`](crate::RoomRegistry::grant_grace) does. Cost: the memberships.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSettings`].
    ///
    #[doc = room_example!("room.grant_grace(&config, now)?;")]
    pub fn grant_grace(&mut self, config: &Config, now: Timestamp) -> Result<(), Error> {
        self.command(Work::GrantGrace, config, now)
    }
}
