//! Ids with their hashes: an id is hashed once an operation, whatever looks it up.
//!
//! Ids come from clients, so they are hashed with a key that nobody outside knows. A process draws it once,
//! and no table holds it. So hashing need not wait for the memory of the table, and one hash of an id
//! serves every table.

use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Finds an entry: an id, or one that was hashed before.
pub(crate) trait Key {
    fn text(&self) -> &str;

    fn hash(&self) -> u32 {
        hash(self.text())
    }

    /// Returns the id with its hash, for other tables.
    fn hashed(&self) -> Hashed<'_, str> {
        Hashed { id: self.text(), hash: self.hash() }
    }
}

impl<I: AsRef<str> + ?Sized> Key for I {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

/// Holds an id with its hash.
#[derive(Debug)]
pub(crate) struct Hashed<'a, I: ?Sized> {
    pub(crate) id: &'a I,
    hash: u32,
}

impl<'a, I: AsRef<str> + ?Sized> Hashed<'a, I> {
    pub(crate) fn new(id: &'a I) -> Self {
        Self { id, hash: hash(id.as_ref()) }
    }
}

impl Hashed<'_, str> {
    /// Returns the same id as another value, with the hash.
    pub(crate) fn of<I: Clone>(self, id: I) -> HashedId<'static, I> {
        HashedId { id: Cow::Owned(id), hash: Cell::new(Some(self.hash)) }
    }
}

impl<I: ?Sized> Clone for Hashed<'_, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I: ?Sized> Copy for Hashed<'_, I> {}

impl<I: AsRef<str> + ?Sized> Key for Hashed<'_, I> {
    fn text(&self) -> &str {
        self.id.as_ref()
    }

    fn hash(&self) -> u32 {
        self.hash
    }
}

/// Holds an id, and hashes it once, when a table is first asked for it. The id is borrowed from an input,
/// or owned.
#[derive(Debug, Clone)]
pub(crate) struct HashedId<'a, I: Clone> {
    pub(crate) id: Cow<'a, I>,
    hash: Cell<Option<u32>>,
}

impl<'a, I: AsRef<str> + Clone> HashedId<'a, I> {
    pub(crate) fn borrowed(id: &'a I) -> Self {
        Self { hash: Cell::new(None), id: Cow::Borrowed(id) }
    }

    pub(crate) fn owned(id: I) -> Self {
        Self { hash: Cell::new(None), id: Cow::Owned(id) }
    }

    pub(crate) fn as_hashed(&self) -> Hashed<'_, I> {
        Hashed { id: &self.id, hash: Key::hash(self) }
    }
}

impl<I: AsRef<str> + Clone> Key for HashedId<'_, I> {
    fn text(&self) -> &str {
        (*self.id).as_ref()
    }

    fn hash(&self) -> u32 {
        if let Some(hash) = self.hash.get() {
            return hash;
        }
        let hash = hash(self.text());
        self.hash.set(Some(hash));
        hash
    }
}

fn hash(text: &str) -> u32 {
    let mut hasher = KEY.build_hasher();
    hasher.write(text.as_bytes()); // nothing comes after it
    (hasher.finish() >> 32) as u32
}
