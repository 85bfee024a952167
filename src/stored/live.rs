//! The stored form of what the media server told: C, the sessions, and the observations.
//!
//! Sessions are joined again, what bounds the rest first: C, then the close of a session, then its users and
//! streams. So nothing that is joined later can make room for what was joined before. Observations are checked by
//! pruning them: nothing may go.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::config::Rules;
use crate::model::id::{RoomId, SessionId, StreamId, UserId};
use crate::model::time::Timestamp;
use crate::registers::emptiness::Emptiness;
use crate::registers::facts::{Facts, StayFacts};
use crate::registers::kind::{Streams, Users};
use crate::registers::observed::Observed;
use crate::registers::places::Target;
use crate::registers::session::{Create, Name, SessionRegister};
use crate::registers::signs::Evidence;
use crate::registers::{MAX_SESSIONS, Registers};
use crate::stored::inside::{Inside, StoredError};
use crate::stored::stays::{Stored, StoredTable};

/// What the media server told in callbacks and observations.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredLive<'a> {
    /// C, in event time.
    latest_create: Option<Timestamp>,
    sessions: Vec<StoredSession<'a>>,
    observed: Cow<'a, Observed>,
}

/// A session. Fields without a comment are those of [`SessionRegister`] that have the same name. Times are event
/// times unless said.
#[derive(Serialize, Deserialize)]
struct StoredSession<'a> {
    /// `None` for the nameless session.
    session_id: Option<Cow<'a, SessionId>>,
    create: Option<Cow<'a, Create>>,
    closed_at: Option<Timestamp>,
    /// `SessionRegister::latest_opening_at`.
    seen_at: Option<Timestamp>,
    /// `SessionRegister::latest_exit_at`.
    exit_at: Option<Timestamp>,
    name: Option<Cow<'a, Name>>,
    /// `SessionRegister::confirmed_open_at`.
    alive_at: Option<Timestamp>,
    first_opening_at: Option<Timestamp>,
    /// In local time.
    heard_at: Timestamp,
    /// In local time.
    hidden_at: Option<Timestamp>,
    hidden_openings_until: Option<Timestamp>,
    emptiness: Option<Emptiness>,
    /// `SessionRegister::changed_at`, in local time.
    touched_at: Timestamp,
    evidence: Cow<'a, Evidence>,
    users: StoredTable<'a, Users>,
    streams: StoredTable<'a, Streams>,
}

impl<'a> StoredLive<'a> {
    /// Returns the stored form of what the registers hold from the media server.
    pub(super) fn of(registers: &'a Registers) -> Self {
        Self {
            latest_create: registers.latest_create,
            sessions: registers.sessions.iter().map(StoredSession::of).collect(),
            observed: Cow::Borrowed(&registers.observed),
        }
    }
}

impl StoredLive<'_> {
    /// Makes the registers of what the media server told. C is set first. It bounds everything else, so what is
    /// below it is found to be impossible.
    pub(super) fn restore(self, room_id: &RoomId, rules: &Rules) -> Result<Registers, StoredError> {
        let mut registers = Registers { latest_create: self.latest_create, ..Registers::default() };
        if self.sessions.len() > MAX_SESSIONS {
            return Err(StoredError::TooMuch {
                room_id: room_id.clone(),
                what: "the room".to_owned(),
            });
        }
        for session in self.sessions {
            session.restore(&mut registers, room_id, rules)?;
        }
        // Observations are not joined again. They must be as pruning leaves them.
        registers.observed = self.observed.into_owned().into();
        let mut pruned = registers.observed.clone();
        if let Some(observed) = pruned.held() {
            observed.prune(registers.floor(rules), registers.open_outdated_until());
        }
        pruned.drop_idle();
        if let Some(what) = registers
            .observed
            .impossible()
            .or((pruned != registers.observed).then_some("an observation"))
        {
            return Err(StoredError::Impossible {
                room_id: room_id.clone(),
                what: format!("{what} of the observations"),
            });
        }
        Ok(registers)
    }
}

impl<'a> StoredSession<'a> {
    /// Returns the stored form of a session.
    fn of(session: &'a SessionRegister) -> Self {
        Self {
            session_id: session.id.as_ref().map(Cow::Borrowed),
            create: session.create.as_ref().map(Cow::Borrowed),
            closed_at: session.closed_at,
            seen_at: session.latest_opening_at,
            exit_at: session.latest_exit_at,
            name: session.name.as_ref().map(Cow::Borrowed),
            alive_at: session.confirmed_open_at,
            first_opening_at: session.first_opening_at,
            heard_at: session.heard_at,
            hidden_at: session.hidden_at,
            hidden_openings_until: session.hidden_openings_until,
            emptiness: session.emptiness,
            touched_at: session.changed_at,
            evidence: Cow::Borrowed(&session.evidence),
            users: StoredTable::of(&session.users),
            streams: StoredTable::of(&session.streams),
        }
    }

    /// Returns what a session of this name, or without one, cannot have. The nameless session has no creation, no
    /// close and no confirmation (laws 21.1 and 21.5). An end hides all of a session that has a name.
    fn impossible(&self) -> Option<&'static str> {
        if self.session_id.is_some() {
            return self.hidden_openings_until.map(|_| "the end of what has no name");
        }
        let named = [
            (self.create.is_some(), "the creation"),
            (self.closed_at.is_some(), "the close"),
            (self.alive_at.is_some(), "the time at which it was seen open"),
        ];
        named.into_iter().find(|(is_told, _)| *is_told).map(|(_, what)| what)
    }

    /// Joins everything of a session into the registers. Its close comes before its users and streams, because it
    /// bounds them (law 3.3). Each fact must change something: it is neither below a bound, nor stored twice.
    fn restore(
        self,
        registers: &mut Registers,
        room_id: &RoomId,
        rules: &Rules,
    ) -> Result<(), StoredError> {
        let impossible = self.impossible();
        let session_id = self.session_id.map(Cow::into_owned);
        let session_name = session_id
            .as_ref()
            .map_or("the session without a name".to_owned(), |id| format!("session {id}"));
        let refuse = |what: &str| StoredError::Impossible {
            room_id: room_id.clone(),
            what: format!("{what} of {session_name}"),
        };
        if registers.session(session_id.as_ref()).is_some() {
            return Err(StoredError::Twice { room_id: room_id.clone(), what: session_name });
        }
        if let Some(what) = impossible {
            return Err(refuse(what));
        }
        let created_at = self.create.as_ref().map(|create| create.created_at);
        if created_at > registers.latest_create {
            return Err(refuse("the creation"));
        }
        let mut session = SessionRegister::new(session_id.clone(), self.heard_at);
        session.hidden_at = self.hidden_at;
        session.hidden_openings_until = self.hidden_openings_until;
        session.emptiness = self.emptiness;
        let index = registers.insert_session(session);
        let none = Facts::default();
        let create = self.create.as_deref().map(Create::fact);
        let name = self.name.as_deref().map(Name::fact);
        // Each fact by itself, so that the error names the one that cannot be.
        let parts = [
            (create.is_some(), Facts { create, ..none }, "the creation"),
            (self.closed_at.is_some(), Facts { close: self.closed_at, ..none }, "the close"),
            (self.seen_at.is_some(), Facts { opening: self.seen_at, ..none }, "the latest opening"),
            (self.exit_at.is_some(), Facts { exit: self.exit_at, ..none }, "the latest exit"),
            (name.is_some(), Facts { name, ..none }, "the name"),
            (
                self.alive_at.is_some(),
                Facts { confirmed_open: self.alive_at, ..none },
                "the time at which it was seen open",
            ),
        ];
        for (_, facts, what) in parts.into_iter().filter(|(is_stored, ..)| *is_stored) {
            let target = &mut Target::Session;
            if !registers.join(&facts, index, target, self.touched_at, rules).tally.changed {
                return Err(refuse(what));
            }
        }
        let mut inside = Inside { registers, index, rules, refuse: &refuse };
        self.users.restore(&mut inside)?;
        self.streams.restore(&mut inside)?;
        let session = &mut registers.sessions[index];
        if session.is_empty() {
            return Err(refuse("nothing"));
        }
        // No join writes these as they were stored.
        session.changed_at = self.touched_at;
        session.first_opening_at = self.first_opening_at;
        // A session changed no earlier than what is in it.
        for changed_at in session.users.values().map(|user| user.changed_at) {
            session.changed_at = session.changed_at.max(changed_at);
        }
        for changed_at in session.streams.values().map(|stream| stream.changed_at) {
            session.changed_at = session.changed_at.max(changed_at);
        }
        session.evidence = self.evidence.into_owned();
        if session.evidence.is_possible() { Ok(()) } else { Err(refuse("the evidence of losses")) }
    }
}

impl Stored for Users {
    const NAME: &'static str = "user";

    fn target<'a>(inside: &Inside<'_>, id: &'a UserId) -> Target<'a> {
        inside.registers.target_user(id)
    }

    fn facts(facts: StayFacts<'_, Self>) -> Facts<'_> {
        Facts { user: Some(facts), ..Facts::default() }
    }
}

impl Stored for Streams {
    const NAME: &'static str = "stream";

    fn target<'a>(inside: &Inside<'_>, id: &'a StreamId) -> Target<'a> {
        inside.registers.target_stream(id)
    }

    fn facts(facts: StayFacts<'_, Self>) -> Facts<'_> {
        Facts { stream: Some(facts), ..Facts::default() }
    }
}
