//! Collections that no well-kept crate has. They know nothing of rooms, and carry no law.
//!
//! | file | it has |
//! |---|---|
//! | `hashed` | ids with their hashes, so that an operation hashes each id once |
//! | `id_table` | a table of entries that are found by id or by place |
//! | `order` | an ordered set that is small most of the time |

pub(crate) mod hashed;
pub(crate) mod id_table;
pub(crate) mod order;
