//! Rooms whose sessions have no name, and that the application ends and creates.

use std::collections::BTreeSet;

use proptest::prelude::*;
use room_registry::event::{CallbackEvent, UserLoggedIn, UserLoggedOut};
use room_registry::{Callback, Config, NewRoom, Room, RoomRef, Timestamp, UserId, UserSessionId};
use room_registry_world::effort::properties;
use room_registry_world::history::room_id;

const SKEW: u64 = 5_000;

fn user(which: u64) -> UserId {
    UserId::new(format!("user{which}")).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    /// Of a user, this long before or after now, by a device of its own.
    Login(u64, i64),
    /// Of a device.
    Logout(usize, i64),
    End,
    Create,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let away = || prop_oneof![4 => -100..100_i64, 1 => -8_000..8_000_i64];
    let step = prop_oneof![
        4 => (0..3_u64, away()).prop_map(|(who, away)| Step::Login(who, away)),
        3 => (0..12_usize, away()).prop_map(|(device, away)| Step::Logout(device, away)),
        1 => Just(Step::End),
        1 => Just(Step::Create),
    ];
    prop::collection::vec((prop_oneof![0..10_u64, 0..6_000_u64], step), 0..40)
}

/// What is known, slowly.
#[derive(Default)]
struct Model {
    /// Who, when, and until when if that was told: by device.
    stays: Vec<(u64, u64, Option<u64>)>,
    /// Until which opening the ends hide, and the last of them.
    hidden: Option<(u64, u64)>,
    created_at: Option<u64>,
}

impl Model {
    fn users(&self) -> BTreeSet<String> {
        let shows_from = self.created_at.unwrap_or(0);
        let hides = self.hidden.filter(|(_, at)| *at >= shows_from).map(|(until, _)| until);
        let open = self.stays.iter().filter(|(_, from, to)| {
            to.is_none_or(|to| to < *from) && hides.is_none_or(|until| *from > until)
        });
        open.map(|(who, ..)| user(*who).to_string()).collect()
    }

    fn end(&mut self, at: u64) {
        let latest = self.stays.iter().map(|(_, from, _)| *from).max().unwrap_or(0);
        let (until, _) = self.hidden.unwrap_or_default();
        self.hidden = Some((until.max(at - SKEW).max(latest), at));
        self.created_at = None;
    }
}

proptest! {
    #![proptest_config(properties(600))]

    /// Holds law 21.4.
    #[test]
    fn an_end_hides_whoever_came_before_it_and_shows_whoever_comes_after(steps in steps()) {
        let config = Config::builder().retention(None).build().unwrap();
        let mut room = Room::new(room_id(), &config);
        let (mut model, mut now) = (Model::default(), 1_000_000_u64);
        let mut last_end = 0;
        for (pause, step) in steps {
            now += pause;
            let at = |away: i64| now.saturating_add_signed(away);
            let time = Timestamp::from_millis;
            let device = |device: usize| UserSessionId::new(device.to_string()).unwrap();
            let mut hear = |event: CallbackEvent| {
                room.apply(&Callback::new(room_id(), None, event), &config, time(now)).unwrap();
            };
            match step {
                Step::Login(who, away) => {
                    let login = UserLoggedIn::new(user(who), time(at(away)));
                    let stay = device(model.stays.len());
                    hear(login.user_session_id(stay).exclusive(false).into());
                    model.stays.push((who, at(away), None));
                }
                Step::Logout(index, away) => {
                    let Some((who, from, to)) = model.stays.get_mut(index) else { continue };
                    let logout = UserLoggedOut::new(user(*who), time(at(away)));
                    let logout = logout.user_session_id(device(index)).login_at(time(*from));
                    hear(logout.exclusive(false).into());
                    *to = (*to).max(Some(at(away).max(*from)));
                }
                Step::End => {
                    // What is not listed cannot be ended. An end is later than what it ends.
                    let listed = room.view().is_some();
                    prop_assert_eq!(listed, model.created_at.is_some() || !model.users().is_empty());
                    if listed {
                        room.end(&config, time(now)).unwrap();
                        last_end = now.max(model.created_at.unwrap_or(0)).max(last_end + 1);
                        model.end(last_end);
                    }
                }
                Step::Create => {
                    let created = room.create(NewRoom::new("room", "tom"), &config, time(now));
                    if created.is_ok() {
                        model.created_at = Some(now.max(last_end + 1));
                    }
                }
            }
            let users = room.view().into_iter().flat_map(RoomRef::users);
            let shown: BTreeSet<_> = users.map(|user| user.id().to_string()).collect();
            prop_assert_eq!(shown, model.users());
            prop_assert!(room.view().is_none_or(|room| room.session_id().is_none()));
        }
    }
}
