//! The database in the file: opened and checked, read once, then only written.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::{
    Builder, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition, TableHandle, WriteTransaction,
};
use room_registry::{Room, RoomId, Rules};

/// The version of the file's form that this service writes and reads.
const FORMAT: u64 = 1;
/// A room each, by id.
const ROOMS: TableDefinition<&str, &[u8]> = TableDefinition::new("rooms");
/// The version of the form, and how many transactions there were.
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");
/// The settings under which the rooms were made, in JSON.
const SETTINGS: TableDefinition<&str, &str> = TableDefinition::new("settings");

const FORMAT_KEY: &str = "format";
const COMMITS_KEY: &str = "commits";
const SETTINGS_KEY: &str = "fingerprint";

/// Nothing is read again that was written: the registry has it all.
const CACHE: usize = 32 * 1024 * 1024;

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the directory {path} cannot be made: {source}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("{name} is in use: another process has it open")]
    InUse { name: String },
    #[error("{name} cannot be opened: {reason}")]
    Unreadable { name: String, reason: String },
    #[error("{name} is a database, but none of this service")]
    Foreign { name: String },
    #[error("{name} has form {found}, and this service reads form {FORMAT}")]
    Form { name: String, found: u64 },
    #[error(
        "the rooms in {name} were made under the settings {found}, but these are {expected}: start \
         with the former settings, or with another file"
    )]
    OtherSettings { name: String, expected: Box<Rules>, found: Box<Rules> },
    #[error("{name}: room {room_id:?} cannot be read: {reason}")]
    Room { name: String, room_id: String, reason: String },
    #[error("the thread that writes cannot be started: {0}")]
    Thread(io::Error),
}

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}")]
    Database(#[from] redb::Error),
    #[error("room {room_id} cannot be serialised: {source}")]
    Serialise { room_id: RoomId, source: postcard::Error },
    #[error("{name} is not the file that was written before: commit {found}, and not {expected}")]
    OtherFile { name: String, expected: u64, found: u64 },
}

/// What a database is opened on: a file, or what is used as one.
pub trait Medium: Debug + Send + 'static {
    /// What people call it.
    fn name(&self) -> String;

    /// Opens it. Where it is opened again after a failure, it must not be made anew.
    fn open(&self, builder: &Builder, again: bool) -> Result<redb::Database, DatabaseError>;
}

/// A file.
#[derive(Debug)]
pub(super) struct OnDisk(PathBuf);

impl OnDisk {
    /// Makes the directories above it.
    pub(super) fn at(path: &Path) -> Result<Self, OpenError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .map_err(|source| OpenError::Directory { path: parent.to_owned(), source })?;
        }
        Ok(Self(path.to_owned()))
    }

    /// That the file is there must be as safe as what is in it.
    fn sync_directory(&self) -> io::Result<()> {
        let parent = self.0.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        if cfg!(unix) { File::open(parent)?.sync_all() } else { Ok(()) }
    }
}

impl Medium for OnDisk {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn open(&self, builder: &Builder, again: bool) -> Result<redb::Database, DatabaseError> {
        if again {
            return builder.open(&self.0);
        }
        let database = builder.create(&self.0)?;
        self.sync_directory()?;
        Ok(database)
    }
}

/// The rooms in a file.
#[derive(Debug)]
pub(super) struct Database {
    medium: Box<dyn Medium>,
    /// None after a failure, until it is opened again.
    open: Option<redb::Database>,
    /// How many transactions are in the file for sure.
    commits: u64,
}

impl Database {
    /// Opens it and checks whose it is; a new one becomes ours.
    pub(super) fn open(medium: Box<dyn Medium>, settings: Rules) -> Result<Self, OpenError> {
        let database = open(&*medium, false)?;
        let name = medium.name();
        let commits = own(&database, &name, settings)?;
        Ok(Self { medium, open: Some(database), commits })
    }

    /// Hands over every room.
    pub(super) fn read<E: ToString>(
        &mut self,
        mut take: impl FnMut(Room) -> Result<(), E>,
    ) -> Result<(), OpenError> {
        let name = self.medium.name();
        let broken = |error: &dyn ToString| unreadable(&name, error);
        let Some(database) = &self.open else { return Ok(()) };
        let transaction = database.begin_read().map_err(|error| broken(&error))?;
        let table = transaction.open_table(ROOMS).map_err(|error| broken(&error))?;
        for row in table.iter().map_err(|error| broken(&error))? {
            let (key, value) = row.map_err(|error| broken(&error))?;
            let room_id = key.value();
            decode(room_id, value.value())
                .and_then(|room| take(room).map_err(|error| error.to_string()))
                .map_err(|reason| OpenError::Room {
                    name: name.clone(),
                    room_id: room_id.to_owned(),
                    reason,
                })?;
        }
        Ok(())
    }

    /// Writes rooms in one transaction, and removes those that `export` has not. When this returns
    /// well, they are on the disk. Otherwise the transaction is there whole or not at all, and the
    /// next call opens the database again.
    pub(super) fn write(
        &mut self,
        rooms: &[RoomId],
        export: impl Fn(&str) -> Option<Room>,
    ) -> Result<(), WriteError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open_again()?,
        };
        let mut transaction = open.begin_write().map_err(redb::Error::from)?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        write(&transaction, rooms, export, self.commits + 1)?;
        transaction.commit().map_err(redb::Error::from)?;
        self.commits += 1;
        self.open = Some(open);
        Ok(())
    }

    /// After a failure. The transaction that failed may be in it.
    fn open_again(&mut self) -> Result<redb::Database, WriteError> {
        let database = open(&*self.medium, true)?;
        let found = commits(&database)?;
        if found != self.commits && found != self.commits + 1 {
            let name = self.medium.name();
            return Err(WriteError::OtherFile { name, expected: self.commits, found });
        }
        self.commits = found;
        Ok(database)
    }
}

/// Opens a database and verifies all of it, so that a file that something else wrote to is an error.
fn open(medium: &dyn Medium, again: bool) -> Result<redb::Database, OpenError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder.set_repair_callback(|_| tracing::debug!("the file was not closed: it is repaired"));
    medium.open(&builder, again).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { name: medium.name() },
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            unreadable(&medium.name(), &format!("it is no file of rooms ({error})"))
        }
        error => unreadable(&medium.name(), &error),
    })
}

/// Checks whose database it is. Answers how many transactions are in it.
fn own(database: &redb::Database, name: &str, settings: Rules) -> Result<u64, OpenError> {
    let ours = |error: redb::Error| unreadable(name, &error);
    let transaction = database.begin_write().map_err(|error| ours(error.into()))?;
    let tables = transaction.list_tables().map_err(|error| ours(error.into()))?;
    let tables: Vec<_> = tables.map(|table| table.name().to_owned()).collect();
    if tables.is_empty() {
        lay_out(&transaction, &settings).map_err(ours)?;
        transaction.commit().map_err(|error| ours(error.into()))?;
        return Ok(0);
    }
    if ![ROOMS.name(), NUMBERS.name(), SETTINGS.name()]
        .iter()
        .all(|ours| tables.iter().any(|table| table == ours))
    {
        return Err(OpenError::Foreign { name: name.to_owned() });
    }
    let found = number(&transaction, FORMAT_KEY).map_err(ours)?;
    if found != FORMAT {
        return Err(OpenError::Form { name: name.to_owned(), found });
    }
    let found = {
        let table = transaction.open_table(SETTINGS).map_err(|error| ours(error.into()))?;
        let found = table.get(SETTINGS_KEY).map_err(|error| ours(error.into()))?;
        let found = found.map(|found| serde_json::from_str::<Rules>(found.value()));
        found
            .ok_or_else(|| unreadable(name, &"it does not say under which settings it was made"))?
            .map_err(|error| unreadable(name, &format!("its settings are damaged: {error}")))?
    };
    if found != settings {
        let (expected, found) = (Box::new(settings), Box::new(found));
        return Err(OpenError::OtherSettings { name: name.to_owned(), expected, found });
    }
    number(&transaction, COMMITS_KEY).map_err(ours)
}

/// The tables of a new database.
fn lay_out(transaction: &WriteTransaction, settings: &Rules) -> Result<(), redb::Error> {
    transaction.open_table(ROOMS)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    numbers.insert(FORMAT_KEY, FORMAT)?;
    numbers.insert(COMMITS_KEY, 0)?;
    let json = serde_json::to_string(settings).expect("settings are a few values");
    transaction.open_table(SETTINGS)?.insert(SETTINGS_KEY, json.as_str())?;
    Ok(())
}

fn write(
    transaction: &WriteTransaction,
    rooms: &[RoomId],
    export: impl Fn(&str) -> Option<Room>,
    commits: u64,
) -> Result<(), WriteError> {
    let mut table = transaction.open_table(ROOMS).map_err(redb::Error::from)?;
    for room_id in rooms {
        let key = room_id.as_str();
        match export(key) {
            Some(room) => {
                let value = postcard::to_stdvec(&room)
                    .map_err(|source| WriteError::Serialise { room_id: room_id.clone(), source })?;
                table.insert(key, value.as_slice()).map_err(redb::Error::from)?;
            }
            None => _ = table.remove(key).map_err(redb::Error::from)?,
        }
    }
    let mut numbers = transaction.open_table(NUMBERS).map_err(redb::Error::from)?;
    numbers.insert(COMMITS_KEY, commits).map_err(redb::Error::from)?;
    Ok(())
}

fn decode(room_id: &str, value: &[u8]) -> Result<Room, String> {
    let (room, rest) =
        postcard::take_from_bytes::<Room>(value).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow it", rest.len()));
    }
    if room.id() != room_id {
        return Err(format!("it is room {:?}", room.id().as_str()));
    }
    Ok(room)
}

fn commits(database: &redb::Database) -> Result<u64, redb::Error> {
    let table = database.begin_read()?.open_table(NUMBERS)?;
    Ok(table.get(COMMITS_KEY)?.map_or(0, |number| number.value()))
}

fn number(transaction: &WriteTransaction, key: &str) -> Result<u64, redb::Error> {
    let table = transaction.open_table(NUMBERS)?;
    Ok(table.get(key)?.map_or(0, |number| number.value()))
}

fn unreadable(name: &str, error: &(impl ToString + ?Sized)) -> OpenError {
    OpenError::Unreadable { name: name.to_owned(), reason: error.to_string() }
}
