//! The registers of one user in one session: which logins hold, and which closings are remembered.

use smallvec::SmallVec;

use crate::model::config::Fingerprint;
use crate::model::id::UserSessionId;
use crate::model::time::Timestamp;
use crate::model::visible::Login;
use crate::room::facts::{CloserFact, Effect, LoginFact, UserFacts, join_max};
use crate::room::session::Bounds;

/// How many user sessions one user may have in one session. More come only from hostile input.
pub(crate) const MAX_USER_SESSIONS: usize = 16;

/// What is held of one user in one session.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserRegister {
    /// The latest opening that any callback told (their time); with the tie window it bounds the rest.
    pub(crate) key_at: Option<Timestamp>,
    /// Of each user session its latest login, unless closed. Ordered by user session.
    pub(crate) logins: SmallVec<[Login; 1]>,
    /// Of each user session its latest closing. Ordered by user session.
    pub(crate) closers: Vec<Closer>,
    /// When it last changed, in our time.
    pub(crate) touched_at: Timestamp,
}

/// A login closed at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Closer {
    pub(crate) user_session_id: UserSessionId,
    pub(crate) at: Timestamp,
    /// Whether it is our own, which the media server did not tell.
    pub(crate) by_us: bool,
}

/// What tells a shown login from another: the field order is the rule of which one is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LoginKey {
    pub(crate) counter: u64,
    pub(crate) login_at: Timestamp,
    pub(crate) user_session_id: UserSessionId,
}

impl UserRegister {
    /// The register of a user who logged in once, if the bounds admit it: as if the login's facts had
    /// been joined to an empty one.
    #[cfg(feature = "serde")]
    pub(crate) fn logged_in(login: Login, bounds: Bounds, touched_at: Timestamp) -> Option<Self> {
        let key_at = Some(login.login_at).filter(|at| bounds.admit(*at))?;
        Some(Self {
            key_at: Some(key_at),
            logins: SmallVec::from_buf([login]),
            closers: Vec::new(),
            touched_at,
        })
    }

    /// Joins one fact of each kind. The key comes first: it raises the bound of the others.
    /// Returns the effects on the key, the login and the closer.
    pub(crate) fn join(
        &mut self,
        facts: &UserFacts<'_>,
        bounds: Bounds,
        rules: &Fingerprint,
    ) -> [Option<Effect>; 3] {
        let key = facts.key.map(|at| self.join_key(at, bounds, rules));
        let closer = facts.closer.map(|closer| self.join_closer(closer, bounds, rules));
        let login = facts.login.map(|(id, fact)| self.join_login(id, fact, bounds, rules));
        [key, login, closer]
    }

    fn join_key(&mut self, at: Timestamp, bounds: Bounds, rules: &Fingerprint) -> Effect {
        if !bounds.admit(at) {
            return Effect::Beaten;
        }
        let effect = join_max(&mut self.key_at, at);
        if effect == Effect::Changed {
            self.prune(bounds, rules);
        }
        effect
    }

    fn join_closer(&mut self, fact: CloserFact<'_>, bounds: Bounds, rules: &Fingerprint) -> Effect {
        let CloserFact { user_session_id: id, at, by_us } = fact;
        if !self.admits(at, bounds, rules) {
            return Effect::Beaten;
        }
        match self.closers.binary_search_by(|closer| closer.user_session_id.cmp(id)) {
            Ok(index) => {
                let closer = &mut self.closers[index];
                // At the same time what the media server told counts.
                match (at, !by_us).cmp(&(closer.at, !closer.by_us)) {
                    std::cmp::Ordering::Less => return Effect::Beaten,
                    std::cmp::Ordering::Equal => return Effect::Same,
                    std::cmp::Ordering::Greater => (closer.at, closer.by_us) = (at, by_us),
                }
            }
            Err(index) => {
                let closer = Closer { user_session_id: id.clone(), at, by_us };
                self.closers.reserve_exact(1); // nearly always the only one
                self.closers.insert(index, closer);
            }
        }
        self.logins.retain(|login| login.user_session_id != *id || login.login_at > at);
        self.cap();
        Effect::Changed
    }

    fn join_login(
        &mut self,
        id: &UserSessionId,
        fact: LoginFact<'_>,
        bounds: Bounds,
        rules: &Fingerprint,
    ) -> Effect {
        let closed = self
            .closers
            .iter()
            .any(|closer| closer.user_session_id == *id && closer.at >= fact.login_at);
        if closed || !self.admits(fact.login_at, bounds, rules) {
            return Effect::Beaten;
        }
        match self.logins.binary_search_by(|login| login.user_session_id.cmp(id)) {
            Ok(index) => match fact.cmp(&self.logins[index].fact()) {
                std::cmp::Ordering::Less => return Effect::Beaten,
                std::cmp::Ordering::Equal => return Effect::Same,
                std::cmp::Ordering::Greater => self.logins[index] = Login::new(id, fact),
            },
            Err(index) => self.logins.insert(index, Login::new(id, fact)),
        }
        self.cap();
        Effect::Changed
    }

    /// Lets go what is below the bounds.
    pub(crate) fn prune(&mut self, bounds: Bounds, rules: &Fingerprint) {
        self.key_at = self.key_at.filter(|at| bounds.admit(*at));
        let own = self.own_bound(rules);
        self.logins.retain(|login| login.login_at >= own && bounds.admit(login.login_at));
        self.closers.retain(|closer| closer.at >= own && bounds.admit(closer.at));
    }

    /// Forgets the closers beside a login that are older than the threshold.
    pub(crate) fn forget_closers(&mut self, threshold: Timestamp) {
        self.closers.retain(|closer| closer.at >= threshold);
    }

    /// Every fact in it, for a merge: the key, and the pairs of a login or a closer.
    pub(crate) fn facts(&self) -> impl Iterator<Item = UserFacts<'_>> {
        let key = UserFacts { key: self.key_at, ..UserFacts::default() };
        let logins = self.logins.iter().map(|login| UserFacts {
            login: Some((&login.user_session_id, login.fact())),
            ..UserFacts::default()
        });
        let closers = self
            .closers
            .iter()
            .map(|closer| UserFacts { closer: Some(closer.fact()), ..UserFacts::default() });
        std::iter::once(key).chain(logins).chain(closers)
    }

    /// The login that readers see: the highest (counter, login time, user session) of those that
    /// are no earlier than the latest list without the user.
    pub(crate) fn shown_since(&self, absent_at: Option<Timestamp>) -> Option<&Login> {
        let logins = self.logins.iter().filter(|login| Some(login.login_at) >= absent_at);
        logins.max_by(|a, b| {
            (a.counter, a.login_at, &a.user_session_id).cmp(&(
                b.counter,
                b.login_at,
                &b.user_session_id,
            ))
        })
    }

    /// The latest time of any fact in it.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let logins = self.logins.iter().map(|login| login.login_at);
        let closers = self.closers.iter().map(|closer| closer.at);
        self.key_at.into_iter().chain(logins).chain(closers).max()
    }

    /// The instant below which the threshold of forgetting must not be for something to be let go
    /// here: of a user without a login that counts the whole register, else its oldest closer.
    pub(crate) fn forgettable_at(&self, has_login: bool) -> Option<Timestamp> {
        if has_login {
            self.closers.iter().map(|closer| closer.at).min()
        } else {
            Some(self.newest().unwrap_or_default().max(self.touched_at))
        }
    }

    /// Whether a login of the user was closed by us, and not by the media server.
    pub(crate) fn is_closed_by_us(&self) -> bool {
        self.closers.iter().any(|closer| closer.by_us)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.key_at.is_none() && self.logins.is_empty() && self.closers.is_empty()
    }

    fn admits(&self, at: Timestamp, bounds: Bounds, rules: &Fingerprint) -> bool {
        at >= self.own_bound(rules) && bounds.admit(at)
    }

    /// Openings within the tie window of the latest are not ordered by time.
    fn own_bound(&self, rules: &Fingerprint) -> Timestamp {
        self.key_at.unwrap_or_default().minus(rules.tie_window_ms)
    }

    /// Beyond the cap go user sessions without a login first, oldest closer first, then the lowest
    /// logins: nothing that a valid history shows.
    fn cap(&mut self) {
        while self.user_sessions() > MAX_USER_SESSIONS {
            let idle = self
                .closers
                .iter()
                .filter(|closer| {
                    self.logins.iter().all(|login| login.user_session_id != closer.user_session_id)
                })
                .min_by(|a, b| (a.at, &a.user_session_id).cmp(&(b.at, &b.user_session_id)));
            let lowest = || {
                self.logins.iter().min_by(|a, b| {
                    (a.counter, a.login_at, &a.user_session_id).cmp(&(
                        b.counter,
                        b.login_at,
                        &b.user_session_id,
                    ))
                })
            };
            let victim = idle.map(|closer| &closer.user_session_id);
            let victim = victim.or_else(|| lowest().map(|login| &login.user_session_id)).cloned();
            self.logins.retain(|login| Some(&login.user_session_id) != victim.as_ref());
            self.closers.retain(|closer| Some(&closer.user_session_id) != victim.as_ref());
        }
    }

    fn user_sessions(&self) -> usize {
        let unclosed = self.logins.iter().filter(|login| {
            self.closers
                .binary_search_by(|closer| closer.user_session_id.cmp(&login.user_session_id))
                .is_err()
        });
        self.closers.len() + unclosed.count()
    }
}

impl Closer {
    pub(crate) fn fact(&self) -> CloserFact<'_> {
        CloserFact { user_session_id: &self.user_session_id, at: self.at, by_us: self.by_us }
    }
}

impl Login {
    fn new(id: &UserSessionId, fact: LoginFact<'_>) -> Self {
        Self {
            user_session_id: id.clone(),
            login_at: fact.login_at,
            counter: fact.counter,
            user_name: fact.user_name.cloned(),
            role: fact.role.cloned(),
        }
    }

    pub(crate) fn fact(&self) -> LoginFact<'_> {
        LoginFact {
            login_at: self.login_at,
            counter: self.counter,
            user_name: self.user_name.as_ref(),
            role: self.role.as_ref(),
        }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::config::Config;

    proptest! {
        #[test]
        fn a_register_put_back_is_as_one_that_was_joined(
            login_at in 0..20_u64,
            floor in 0..20_u64,
            closed_at in prop::option::of(0..20_u64),
        ) {
            let at = Timestamp::from_millis;
            let bounds = Bounds { floor: at(floor), closed_at: closed_at.map(at) };
            let login = Login {
                user_session_id: UserSessionId::new("7").unwrap(),
                login_at: at(login_at),
                counter: 3,
                user_name: None,
                role: None,
            };
            let facts = UserFacts {
                key: Some(login.login_at),
                login: Some((&login.user_session_id, login.fact())),
                closer: None,
            };
            let mut joined = UserRegister::default();
            let changed = joined.join(&facts, bounds, &Config::default().fingerprint);
            let put_back = UserRegister::logged_in(login.clone(), bounds, Timestamp::MIN);
            prop_assert_eq!(put_back.is_some(), changed[1] == Some(Effect::Changed));
            if let Some(put_back) = put_back {
                prop_assert_eq!(put_back.facts().count(), joined.facts().count());
                prop_assert_eq!(
                    (put_back.key_at, &put_back.logins, &put_back.closers),
                    (joined.key_at, &joined.logins, &joined.closers)
                );
            }
        }
    }
}
