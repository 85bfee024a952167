//! The stored form of the users of a session.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::collections::id_table::Hashed;
use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::model::visible::Login;
use crate::registers::facts::{Facts, UserFacts};
use crate::registers::user::{ClosingTombstone, MAX_USER_SESSIONS, UserRegister};
use crate::stored::inside::{Inside, StoredError};

/// Most of what a room holds are its users: they are put into their stored form one by one, as they are
/// written.
pub(super) enum StoredUsers<'a> {
    Held(Vec<(&'a UserId, &'a UserRegister)>),
    Read(Vec<StoredUser<'a>>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredUser<'a> {
    user_id: Cow<'a, UserId>,
    key_at: Option<Timestamp>,
    logins: Cow<'a, [Login]>,
    closers: Cow<'a, [ClosingTombstone]>,
    touched_at: Timestamp,
}

impl<'a> StoredUsers<'a> {
    pub(super) fn into_read(self) -> Vec<StoredUser<'a>> {
        match self {
            Self::Held(users) => users.into_iter().map(StoredUser::of).collect(),
            Self::Read(users) => users,
        }
    }
}

impl Serialize for StoredUsers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Held(users) => serializer.collect_seq(users.iter().copied().map(StoredUser::of)),
            Self::Read(users) => users.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StoredUsers<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::Read)
    }
}

impl<'a> StoredUser<'a> {
    fn of((user_id, user): (&'a UserId, &'a UserRegister)) -> Self {
        Self {
            user_id: Cow::Borrowed(user_id),
            key_at: user.latest_opening_at,
            logins: Cow::Borrowed(&user.logins),
            closers: Cow::Borrowed(&user.closings),
            touched_at: user.changed_at,
        }
    }

    pub(super) fn restore(mut self, inside: &mut Inside<'_>) -> Result<(), StoredError> {
        let user_id = &*self.user_id;
        let hashed = Hashed::new(user_id);
        let is_known = inside.session().users.contains_key(&hashed);
        if is_known || self.logins.len() + self.closers.len() > 2 * MAX_USER_SESSIONS {
            return Err((inside.refuse)(&format!(
                "a second register, or too large a one, of user {user_id}"
            )));
        }
        // Nearly everybody has one login, which is the latest opening as well.
        if let ([login], []) = (&*self.logins, &*self.closers)
            && self.key_at == Some(login.login_at)
            && let Some(login) = self.logins.to_mut().pop()
        {
            let floor = inside.registers.floor(inside.rules);
            let bounds = inside.session().bounds(floor);
            let Some(user) = UserRegister::logged_in(login, bounds, self.touched_at) else {
                return Err((inside.refuse)(&format!("a fact of user {user_id}")));
            };
            inside.session().users.insert_new(hashed, user);
            return Ok(());
        }
        let mut target = inside.registers.target_user(user_id);
        let key = UserFacts { key: self.key_at, ..UserFacts::default() };
        let closings = self
            .closers
            .iter()
            .map(|closing| UserFacts { closing: Some(closing.fact()), ..UserFacts::default() });
        let logins = self.logins.iter().map(|login| UserFacts {
            login: Some((&login.user_session_id, login.fact())),
            ..UserFacts::default()
        });
        let key = self.key_at.map(|_| key);
        for facts in key.into_iter().chain(closings).chain(logins) {
            let facts = Facts { user: Some(facts), ..Facts::default() };
            if !inside.join(&facts, &mut target, self.touched_at).changed {
                return Err((inside.refuse)(&format!("a fact of user {user_id}")));
            }
        }
        let Some(user) = inside.session().users.get_mut(&hashed) else {
            return Err((inside.refuse)(&format!("the empty register of user {user_id}")));
        };
        user.changed_at = self.touched_at;
        Ok(())
    }
}
