//! A disk in memory that fails on demand, and that can lose whatever was not synced.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Builder, Database, DatabaseError, StorageBackend};
use room_service::store::file::Medium;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    written: Vec<u8>,
    synced: Vec<u8>,
    fails: bool,
}

impl Disk {
    /// From now on nothing can be written; or it can again.
    pub fn fail(&self, fails: bool) {
        self.inside().fails = fails;
    }

    /// Another disk, with what was synced on this one and nothing else.
    pub fn synced(&self) -> Self {
        let synced = self.inside().synced.clone();
        let inside = Inside { written: synced.clone(), synced, fails: false };
        Self(Arc::new(Mutex::new(inside)))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn writable(&self) -> io::Result<MutexGuard<'_, Inside>> {
        let inside = self.inside();
        if inside.fails {
            return Err(io::Error::other("no space left on the test's disk"));
        }
        Ok(inside)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Medium for Disk {
    fn name(&self) -> String {
        "the test's disk".to_owned()
    }

    fn open(&self, builder: &Builder, _again: bool) -> Result<Database, DatabaseError> {
        builder.create_with_backend(self.clone())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inside().written.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inside = self.inside();
        let offset = usize::try_from(offset).unwrap();
        let bytes = inside.written.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?.written.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inside = self.writable()?;
        let Inside { written, synced, .. } = &mut *inside;
        synced.clone_from(written);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut inside = self.writable()?;
        let offset = usize::try_from(offset).unwrap();
        inside.written[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }
}
