//! Ids with their hashes: an operation hashes an id once, however many tables it looks the id up in.
//!
//! Ids come from clients, who must not be able to make many ids with the same hash. So ids are hashed with
//! a random key. A process draws one key for all tables. One hash of an id then serves every table, and
//! hashing need not wait for the memory of a table.

use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// The key of all hashes in this process.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What an entry can be found by: an id, or an id with its hash.
pub(crate) trait Key {
    /// Returns the id.
    fn text(&self) -> &str;

    /// Returns the hash of the id. A plain id is hashed at each call.
    fn hash(&self) -> u32 {
        hash(self.text())
    }

    /// Returns the id with its hash, so that several tables can use it.
    fn hashed(&self) -> Hashed<'_, str> {
        Hashed { id: self.text(), hash: self.hash() }
    }
}

impl<I: AsRef<str> + ?Sized> Key for I {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

/// Borrows an id, with its hash.
#[derive(Debug)]
pub(crate) struct Hashed<'a, I: ?Sized> {
    pub(crate) id: &'a I,
    hash: u32,
}

impl<'a, I: AsRef<str> + ?Sized> Hashed<'a, I> {
    /// Hashes an id.
    pub(crate) fn new(id: &'a I) -> Self {
        Self { id, hash: hash(id.as_ref()) }
    }
}

impl Hashed<'_, str> {
    /// Puts the hash to an owned value of the same id.
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

/// Holds an id that is borrowed from an input or owned, and hashes it only if a table is asked for it,
/// once.
#[derive(Debug, Clone)]
pub(crate) struct HashedId<'a, I: Clone> {
    pub(crate) id: Cow<'a, I>,
    /// The hash, once a table has asked for it.
    hash: Cell<Option<u32>>,
}

impl<'a, I: AsRef<str> + Clone> HashedId<'a, I> {
    /// Holds an id of an input. It is not hashed yet.
    pub(crate) fn borrowed(id: &'a I) -> Self {
        Self { hash: Cell::new(None), id: Cow::Borrowed(id) }
    }

    /// Holds an id of its own. It is not hashed yet.
    pub(crate) fn owned(id: I) -> Self {
        Self { hash: Cell::new(None), id: Cow::Owned(id) }
    }

    /// Returns the id with its hash, and hashes it if no table did.
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

/// Hashes a text. Half of the 64 bits are enough for tables of less than four billion ids.
fn hash(text: &str) -> u32 {
    let mut hasher = KEY.build_hasher();
    hasher.write(text.as_bytes()); // no length or end mark is needed, because nothing comes after the text
    (hasher.finish() >> 32) as u32
}
