//! What queries find rooms by, so that a page need not look at the others (law 4.12). Rooms are always found by
//! their hosts. The settings `index_names` and `index_attributes` ask for names and attributes. `users.rs` has the
//! lookup by users.
//!
//! A lookup names rooms by their numbers. It holds only the beginning of a long text, so it may name a room too
//! many, and never one too few. Whoever asks looks at each room that it names.

use std::collections::BTreeSet;

use compact_str::CompactString;

use crate::model::config::Config;
use crate::model::id::UserId;
use crate::model::text::Text;
use crate::read::RoomRef;

/// How many characters of a text a lookup holds. Texts come from clients and may be long.
const HELD: usize = 64;

/// Every lookup.
#[derive(Debug)]
pub(super) struct Lookups {
    /// By the user who runs the room.
    hosts: Lookup<UserId>,
    /// By the beginning of the name, in lower case; `None` if the settings do not ask for it.
    names: Option<Lookup<CompactString>>,
    /// By the beginning of an attribute's value, for each key that the settings name. Ordered by key.
    attributes: Vec<(Text, Lookup<CompactString>)>,
}

/// The keys of one room in the lookups. It is a part of [`IndexKeys`](super::index::IndexKeys).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LookedUp {
    /// The user who runs it; `None` if nobody does, or if it is not listed.
    host_id: Option<UserId>,
    /// `None` if the settings ask for no texts.
    texts: Option<Box<Texts>>,
}

/// The keys of one room that are texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Texts {
    /// The beginning of the name, in lower case.
    name: Option<CompactString>,
    /// The beginnings of the attributes' values, in the order of [`Lookups::attributes`].
    attributes: Box<[Option<CompactString>]>,
}

/// The numbers of rooms, by one key.
#[derive(Debug)]
struct Lookup<K>(BTreeSet<(K, u32)>);

impl Lookups {
    pub(super) fn new(config: &Config) -> Self {
        let keys: BTreeSet<&Text> = config.index_attributes.iter().collect();
        Self {
            hosts: Lookup::default(),
            names: config.index_names.then(Lookup::default),
            attributes: keys.into_iter().map(|key| (key.clone(), Lookup::default())).collect(),
        }
    }

    /// Moves a room to where it belongs now. A room that is not listed comes as `None`, and stands nowhere. Of
    /// the keys in `held`, only those that changed are written.
    #[inline]
    pub(super) fn update(&mut self, number: u32, room: Option<RoomRef<'_>>, held: &mut LookedUp) {
        let host_id = room.and_then(RoomRef::host_id);
        if held.host_id.as_ref() != host_id {
            self.hosts.replace(number, held.host_id.take(), host_id.cloned());
            held.host_id = host_id.cloned();
        }
        if self.names.is_none() && self.attributes.is_empty() {
            return;
        }
        let texts = held.texts.get_or_insert_with(|| {
            let attributes = vec![None; self.attributes.len()].into_boxed_slice();
            Box::new(Texts { name: None, attributes })
        });
        if let Some(names) = &mut self.names {
            let name = room.and_then(RoomRef::name);
            let is_same = match (&texts.name, name) {
                (Some(held), Some(name)) => held.chars().eq(folded(name).take(HELD)),
                (held, name) => held.is_none() && name.is_none(),
            };
            if !is_same {
                let name: Option<CompactString> =
                    name.map(|name| folded(name).take(HELD).collect());
                names.replace(number, texts.name.take(), name.clone());
                texts.name = name;
            }
        }
        for ((key, values), held) in self.attributes.iter_mut().zip(&mut texts.attributes) {
            let value = room.and_then(|room| room.attributes().get(key)).map(beginning);
            if held.as_deref() != value {
                values.replace(number, held.take(), value.map(CompactString::from));
                *held = value.map(CompactString::from);
            }
        }
    }

    /// Gives a room another number.
    pub(super) fn renumber(&mut self, held: &LookedUp, from: u32, to: u32) {
        self.hosts.renumber(held.host_id.as_ref(), from, to);
        let Some(texts) = &held.texts else { return };
        if let Some(names) = &mut self.names {
            names.renumber(texts.name.as_ref(), from, to);
        }
        for ((_, values), value) in self.attributes.iter_mut().zip(&texts.attributes) {
            values.renumber(value.as_ref(), from, to);
        }
    }

    /// Returns the rooms that a user runs.
    pub(super) fn of_host(&self, host_id: &str) -> impl Iterator<Item = usize> {
        let host_id = UserId::new(host_id).ok(); // what is no id runs nothing
        host_id.into_iter().flat_map(|host_id| self.hosts.of(host_id))
    }

    /// Returns the rooms whose names begin with a prefix that is in lower case. `None` without this lookup.
    pub(super) fn named(&self, prefix: &str) -> Option<impl Iterator<Item = usize>> {
        let prefix: CompactString = prefix.chars().take(HELD).collect();
        let from = self.names.as_ref()?.0.range((prefix.clone(), 0)..);
        let named = from.take_while(move |(name, _)| name.starts_with(prefix.as_str()));
        Some(named.map(|(_, number)| *number as usize))
    }

    /// Returns the rooms that have an attribute. `None` without a lookup for its key.
    pub(super) fn with(&self, key: &str, value: &str) -> Option<impl Iterator<Item = usize>> {
        let (_, values) = self.attributes.iter().find(|(held, _)| held == key)?;
        Some(values.of(beginning(value).into()))
    }
}

impl LookedUp {
    /// Returns whether somebody runs the room.
    pub(super) fn is_run(&self) -> bool {
        self.host_id.is_some()
    }
}

impl<K> Default for Lookup<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Clone> Lookup<K> {
    /// Moves a room from one key to another; `None` stands for no key.
    fn replace(&mut self, number: u32, before: Option<K>, after: Option<K>) {
        if let Some(before) = before {
            self.0.remove(&(before, number));
        }
        if let Some(after) = after {
            self.0.insert((after, number));
        }
    }

    /// Gives the room of a key another number.
    fn renumber(&mut self, key: Option<&K>, from: u32, to: u32) {
        if let Some(key) = key {
            self.0.remove(&(key.clone(), from));
            self.0.insert((key.clone(), to));
        }
    }

    /// Returns the rooms that have a key, by number.
    fn of(&self, key: K) -> impl Iterator<Item = usize> {
        let rooms = self.0.range((key.clone(), 0)..=(key, u32::MAX));
        rooms.map(|(_, number)| *number as usize)
    }
}

/// Returns the characters of a text in lower case, each by itself. So a prefix of a text becomes a prefix of
/// what the text becomes. The lower case of a whole word does not promise that: a sigma at the end of a word
/// differs.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Returns as much of a text as a lookup holds.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(HELD).map_or(text, |(end, _)| &text[..end])
}
