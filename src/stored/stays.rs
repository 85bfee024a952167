//! The stored form of the users and of the streams of a session. One generic form serves both kinds.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::collections::hashed::Hashed;
use crate::collections::id_table::IdTable;
use crate::model::time::Timestamp;
use crate::registers::facts::{Facts, Form, StayFacts};
use crate::registers::places::Target;
use crate::registers::stays::held::{ClosingTombstone, HeldFact};
use crate::registers::stays::{MAX_SHARED_STAYS, MAX_STAYS, StayRegister};
use crate::registers::tables::Tables;
use crate::stored::inside::{Inside, StoredError};

/// The users or the streams of a session. They are most of what a room holds. So each is put into its stored form
/// only when it is written.
pub(super) enum StoredTable<'a, K: Tables> {
    /// Registers of a room that is written, ordered by id.
    Held(Vec<(&'a K::Id, &'a StayRegister<K>)>),
    /// Stored forms that were read.
    Read(Vec<StoredStays<'a, K>>),
}

/// The register of one user or stream. Fields without a comment are those of [`StayRegister`] that have the same
/// name. Times are event times unless said.
#[derive(Serialize, Deserialize)]
#[serde(bound(
    serialize = "K::Id: Serialize, K::StayId: Serialize, K::Details: Serialize",
    deserialize = "K::Id: Deserialize<'de>, K::StayId: Deserialize<'de>, K::Details: Deserialize<'de>"
))]
pub(super) struct StoredStays<'a, K: Tables> {
    id: Cow<'a, K::Id>,
    latest_opening_at: Option<Timestamp>,
    facts: Cow<'a, [HeldFact<K>]>,
    closings: Cow<'a, [ClosingTombstone<K>]>,
    found_open_at: Option<Timestamp>,
    /// In local time.
    changed_at: Timestamp,
}

/// What restoring needs of a kind beside its tables.
pub(super) trait Stored: Tables {
    /// What errors call it.
    const NAME: &'static str;
    /// Looks up where facts of this id are joined.
    fn target<'a>(inside: &Inside<'_>, id: &'a Self::Id) -> Target<'a>;
    /// Makes facts of a room of what is said of one user or stream.
    fn facts(facts: StayFacts<'_, Self>) -> Facts<'_>;
}

impl<'a, K: Stored> StoredTable<'a, K> {
    /// Takes what a table holds, ordered by id.
    pub(super) fn of(table: &'a IdTable<K::Id, StayRegister<K>>) -> Self {
        let mut held: Vec<_> = table.iter().collect();
        held.sort_unstable_by_key(|(id, _)| *id);
        Self::Held(held)
    }

    /// Puts everything back into a session.
    pub(super) fn restore(self, inside: &mut Inside<'_>) -> Result<(), StoredError> {
        let stays = match self {
            Self::Held(held) => held.into_iter().map(StoredStays::of).collect(),
            Self::Read(read) => read,
        };
        *K::table_mut(inside.session()) = IdTable::with_capacity(stays.len());
        stays.into_iter().try_for_each(|stays| stays.restore(inside))
    }
}

impl<K: Tables> Serialize for StoredTable<'_, K>
where
    K::Id: Serialize,
    K::StayId: Serialize,
    K::Details: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Held(held) => serializer.collect_seq(held.iter().copied().map(StoredStays::of)),
            Self::Read(read) => read.serialize(serializer),
        }
    }
}

impl<'de, K: Tables> Deserialize<'de> for StoredTable<'_, K>
where
    K::Id: Deserialize<'de>,
    K::StayId: Deserialize<'de>,
    K::Details: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::Read)
    }
}

impl<'a, K: Tables> StoredStays<'a, K> {
    fn of((id, stays): (&'a K::Id, &'a StayRegister<K>)) -> Self {
        Self {
            id: Cow::Borrowed(id),
            latest_opening_at: stays.latest_opening_at,
            facts: Cow::Borrowed(&stays.facts),
            closings: Cow::Borrowed(&stays.closings),
            found_open_at: stays.found_open_at,
            changed_at: stays.changed_at,
        }
    }
}

impl<K: Stored> StoredStays<'_, K> {
    /// Joins a register into its session, fact by fact. Each fact must change something.
    fn restore(mut self, inside: &mut Inside<'_>) -> Result<(), StoredError> {
        let (id, name) = (&*self.id, K::NAME);
        let refuse = |inside: &Inside<'_>, what: &str| {
            (inside.refuse)(&format!("{what} of {name} {}", id.as_ref()))
        };
        let hashed = Hashed::new(id);
        let most = MAX_STAYS + MAX_SHARED_STAYS;
        let is_too_large = self.closings.len() > most || self.facts.len() > most + MAX_STAYS;
        if is_too_large || K::table(inside.session()).contains_key(&hashed) {
            return Err(refuse(inside, "a second register, or too large a one,"));
        }
        let is_nameless = |held: &HeldFact<K>| {
            held.form != Form::Ordered && (held.stay_id.is_none() || !held.is_open())
        };
        if self.facts.iter().any(is_nameless) {
            return Err(refuse(inside, "a stay without a name"));
        }
        // Nearly all have one opening, which is the latest as well. Those are checked and put in at once.
        if let ([held], []) = (&*self.facts, &*self.closings)
            && held.is_open()
            && self.latest_opening_at == Some(held.at).filter(|_| held.is_exclusive())
            && let Some(held) = self.facts.to_mut().pop()
        {
            let floor = inside.registers.floor(inside.rules);
            let bounds = inside.session().bounds(floor);
            let Some(mut stays) = StayRegister::of_one(held, bounds, self.changed_at) else {
                return Err(refuse(inside, "a fact"));
            };
            stays.found_open_at = self.found_open_at;
            K::table_mut(inside.session()).insert_new(hashed, stays);
            return Ok(());
        }
        let mut target = K::target(inside, id);
        let stored = StayRegister {
            latest_opening_at: self.latest_opening_at,
            facts: self.facts.into_owned().into(),
            closings: self.closings.into_owned(),
            found_open_at: self.found_open_at,
            changed_at: self.changed_at,
        };
        for facts in stored.facts() {
            if !inside.join(&K::facts(facts), &mut target, self.changed_at).changed {
                return Err(refuse(inside, "a fact"));
            }
        }
        match K::table_mut(inside.session()).get_mut(&hashed) {
            Some(stays) => {
                (stays.changed_at, stays.found_open_at) = (self.changed_at, self.found_open_at);
            }
            None => return Err(refuse(inside, "the empty register")),
        }
        Ok(())
    }
}
