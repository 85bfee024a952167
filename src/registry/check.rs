//! Compares the index with one that is made from the rooms. It is compiled with `--cfg room_registry_check`
//! alone: the tests of the gate and `simulate --storm --check` have it, and no user.
//!
//! Two parts may differ in some ways. The schedule may examine a room early, but never late. Of the planner,
//! only what it knows of each room is compared, and not its budget, its pauses and its failures.

use crate::registry::RoomRegistry;
use crate::registry::clock::Clock;
use crate::registry::index::{Index, IndexKeys};
use crate::registry::rooms::HeldRoom;
use crate::registry::users::UserIndex;

impl<C: Clock> RoomRegistry<C> {
    /// Compares the whole index with one that is made from the rooms. Cost: all that is stored.
    ///
    /// # Panics
    ///
    /// Panics if they differ, with what differs.
    pub fn check(&self) {
        let mut expected = Index::new(&self.config);
        for number in 0..self.rooms.len() {
            self.check_room(number);
            let Some(HeldRoom { room, .. }) = self.rooms.held(number) else { continue };
            expected.update(number, room, &mut IndexKeys::nowhere(), &self.config, self.now);
        }
        self.check_users();
        let difference = self.index.difference(&expected);
        assert!(difference.is_empty(), "the index is not what the rooms say: {difference}");
    }

    /// Compares what the index knows of one room with what the room says.
    pub(super) fn check_room(&self, number: usize) {
        let Some(HeldRoom { room, keys }) = self.rooms.held(number) else { return };
        let difference = self.index.difference_of(number, room, keys, &self.config);
        let room_id = &room.id;
        assert!(difference.is_empty(), "the index is not what room {room_id} says: {difference}");
    }

    /// Compares the index of users with the rooms.
    fn check_users(&self) {
        let Some(users) = &self.users else { return };
        let mut expected = UserIndex::default();
        for number in 0..self.rooms.len() {
            self.rooms.at(number).into_iter().for_each(|room| expected.replace(room));
        }
        assert!(users.is_same(&expected), "{users:?} is not what the rooms say: {expected:?}");
    }
}
