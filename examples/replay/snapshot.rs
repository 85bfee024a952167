//! The state of a registry, to a file and from one.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use room_registry::{Config, ManualClock, RoomRegistry};

/// How much is read or written at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// Reads a snapshot, room after room. An error is a sentence, and then there is no registry.
pub(crate) fn read(
    path: &Path,
    config: Config,
    clock: ManualClock,
) -> Result<RoomRegistry<ManualClock>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = BufReader::with_capacity(BUFFER, file);
    let mut json = serde_json::Deserializer::from_reader(reader);
    // Without a grace: the journal goes on where the snapshot ends.
    let registry = RoomRegistry::restore_exactly(config, clock, &mut json);
    let registry = registry.and_then(|registry| json.end().map(|()| registry));
    registry.map_err(|error| format!("no snapshot to start from: {error}"))
}

/// Writes a snapshot, room after room: the whole of it, or none, and then what was there before
/// stays. An error is a sentence.
pub(crate) fn write(path: &Path, registry: &RoomRegistry<ManualClock>) -> Result<(), String> {
    let part = beside(path);
    let written = write_all(&part, registry).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| {
        _ = fs::remove_file(&part);
        format!("the snapshot could not be written: {error}")
    })
}

fn write_all(path: &Path, registry: &RoomRegistry<ManualClock>) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(BUFFER, File::create(path)?);
    serde_json::to_writer(&mut writer, &registry.snapshot())?;
    writeln!(writer)?;
    writer.into_inner()?.sync_all()
}

/// Where a file grows until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
