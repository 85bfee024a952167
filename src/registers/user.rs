//! The register of one user in one session: the logins that hold, and the closings that are
//! remembered.

use smallvec::SmallVec;

use crate::model::config::Rules;
use crate::model::id::UserSessionId;
use crate::model::time::Timestamp;
use crate::model::visible::Login;
use crate::registers::bounds::Bounds;
use crate::registers::facts::{ClosingFact, Effect, LoginFact, UserFacts, join_max};

/// How many user sessions one user may have in one session. More come only from hostile input.
pub(crate) const MAX_USER_SESSIONS: usize = 16;

/// What is held of one user in one session.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserRegister {
    /// The latest opening that any callback told. With the tie window it bounds everything else here.
    pub(crate) latest_opening_at: Option<Timestamp>,
    /// Each user session's latest login that no closing ended, ordered by user session.
    pub(crate) logins: SmallVec<[Login; 1]>,
    /// Each user session's latest closing, ordered by user session.
    pub(crate) closings: Vec<ClosingTombstone>,
    /// When it last changed, in local time.
    pub(crate) changed_at: Timestamp,
}

/// A closing that is remembered, so that a late opening does not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct ClosingTombstone {
    pub(crate) user_session_id: UserSessionId,
    pub(crate) at: Timestamp,
    /// Whether the application closed the login, and not the media server.
    pub(crate) by_us: bool,
}

impl UserRegister {
    /// Returns the register of a user who logged in once, as if the facts of the login had been
    /// joined into an empty one. Returns `None` if the bounds do not admit them.
    #[cfg(feature = "serde")]
    pub(crate) fn logged_in(login: Login, bounds: Bounds, changed_at: Timestamp) -> Option<Self> {
        let latest_opening_at = Some(login.login_at).filter(|at| bounds.admit(*at))?;
        Some(Self {
            latest_opening_at: Some(latest_opening_at),
            logins: SmallVec::from_buf([login]),
            closings: Vec::new(),
            changed_at,
        })
    }

    /// Joins one fact of each kind. Returns the effects of the key, the login and the closing.
    ///
    /// The key comes first, because it raises the bound of the others.
    pub(crate) fn join(
        &mut self,
        facts: &UserFacts<'_>,
        bounds: Bounds,
        rules: &Rules,
    ) -> [Option<Effect>; 3] {
        let key = facts.key.map(|at| self.join_key(at, bounds, rules));
        let closing = facts.closing.map(|closing| self.join_closing(closing, bounds, rules));
        let login = facts.login.map(|(id, fact)| self.join_login(id, fact, bounds, rules));
        [key, login, closing]
    }

    fn join_key(&mut self, at: Timestamp, bounds: Bounds, rules: &Rules) -> Effect {
        if !bounds.admit(at) {
            return Effect::Beaten;
        }
        let effect = join_max(&mut self.latest_opening_at, at);
        if effect == Effect::Changed {
            self.prune(bounds, rules);
        }
        effect
    }

    fn join_closing(&mut self, fact: ClosingFact<'_>, bounds: Bounds, rules: &Rules) -> Effect {
        let ClosingFact { user_session_id: id, at, by_us } = fact;
        if !self.admits(at, bounds, rules) {
            return Effect::Beaten;
        }
        match self.closings.binary_search_by(|closing| closing.user_session_id.cmp(id)) {
            Ok(index) => {
                let closing = &mut self.closings[index];
                // At equal times the closing that the media server told counts.
                match (at, !by_us).cmp(&(closing.at, !closing.by_us)) {
                    std::cmp::Ordering::Less => return Effect::Beaten,
                    std::cmp::Ordering::Equal => return Effect::Same,
                    std::cmp::Ordering::Greater => (closing.at, closing.by_us) = (at, by_us),
                }
            }
            Err(index) => {
                let closing = ClosingTombstone { user_session_id: id.clone(), at, by_us };
                self.closings.reserve_exact(1); // nearly always the only one
                self.closings.insert(index, closing);
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
        rules: &Rules,
    ) -> Effect {
        let closed = self
            .closings
            .iter()
            .any(|closing| closing.user_session_id == *id && closing.at >= fact.login_at);
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

    /// Drops what is below the bounds. Returns whether something went.
    pub(crate) fn prune(&mut self, bounds: Bounds, rules: &Rules) -> bool {
        let before = (self.latest_opening_at, self.logins.len(), self.closings.len());
        self.latest_opening_at = self.latest_opening_at.filter(|at| bounds.admit(*at));
        let own = self.own_bound(rules);
        self.logins.retain(|login| login.login_at >= own && bounds.admit(login.login_at));
        self.closings.retain(|closing| closing.at >= own && bounds.admit(closing.at));
        before != (self.latest_opening_at, self.logins.len(), self.closings.len())
    }

    /// Forgets the closings that are older than the threshold.
    pub(crate) fn forget_closings(&mut self, threshold: Timestamp) {
        self.closings.retain(|closing| closing.at >= threshold);
    }

    /// Returns every fact in it, for a merge: the key, then the logins, then the closings.
    pub(crate) fn facts(&self) -> impl Iterator<Item = UserFacts<'_>> {
        let key = UserFacts { key: self.latest_opening_at, ..UserFacts::default() };
        let logins = self.logins.iter().map(|login| UserFacts {
            login: Some((&login.user_session_id, login.fact())),
            ..UserFacts::default()
        });
        let closings = self
            .closings
            .iter()
            .map(|closing| UserFacts { closing: Some(closing.fact()), ..UserFacts::default() });
        std::iter::once(key).chain(logins).chain(closings)
    }

    /// Returns the login that counts: the highest (counter, login time, user session) of those that
    /// are no earlier than the latest complete list without the user.
    #[inline]
    pub(crate) fn login_since(&self, absent_at: Option<Timestamp>) -> Option<&Login> {
        let logins = &*self.logins;
        let counts = |login: &&Login| Some(login.login_at) >= absent_at;
        if let [only] = logins {
            return Some(only).filter(counts); // as nearly always
        }
        logins.iter().filter(counts).max_by(|a, b| {
            (a.counter, a.login_at, &a.user_session_id).cmp(&(
                b.counter,
                b.login_at,
                &b.user_session_id,
            ))
        })
    }

    /// Returns the latest time of any fact in it.
    #[inline]
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let mut newest = self.latest_opening_at;
        for login in &self.logins {
            newest = newest.max(Some(login.login_at));
        }
        for closing in &self.closings {
            newest = newest.max(Some(closing.at));
        }
        newest
    }

    /// Returns the instant that the threshold of forgetting must pass before something can go: the
    /// oldest closing beside a login that counts, else the whole register.
    #[inline]
    pub(crate) fn forgettable_at(&self, has_login: bool) -> Option<Timestamp> {
        if has_login {
            self.closings.iter().map(|closing| closing.at).min()
        } else {
            Some(self.newest().unwrap_or_default().max(self.changed_at))
        }
    }

    /// Whether the application closed a login of the user, and the media server did not.
    #[inline]
    pub(crate) fn is_closed_by_us(&self) -> bool {
        self.closings.iter().any(|closing| closing.by_us)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.latest_opening_at.is_none() && self.logins.is_empty() && self.closings.is_empty()
    }

    fn admits(&self, at: Timestamp, bounds: Bounds, rules: &Rules) -> bool {
        at >= self.own_bound(rules) && bounds.admit(at)
    }

    /// Returns the bound that the latest opening sets: openings within the tie window of it are not
    /// ordered by time.
    fn own_bound(&self, rules: &Rules) -> Timestamp {
        self.latest_opening_at.unwrap_or_default().minus(rules.tie_window_ms)
    }

    /// Drops user sessions beyond the cap: those without a login first, the oldest closing first, then
    /// the lowest logins. A valid history shows none of them.
    fn cap(&mut self) {
        while self.logins.len() + self.closings.len() > MAX_USER_SESSIONS
            && self.user_sessions() > MAX_USER_SESSIONS
        {
            let idle = self
                .closings
                .iter()
                .filter(|closing| {
                    self.logins.iter().all(|login| login.user_session_id != closing.user_session_id)
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
            let victim = idle.map(|closing| &closing.user_session_id);
            let victim = victim.or_else(|| lowest().map(|login| &login.user_session_id)).cloned();
            self.logins.retain(|login| Some(&login.user_session_id) != victim.as_ref());
            self.closings.retain(|closing| Some(&closing.user_session_id) != victim.as_ref());
        }
    }

    #[inline]
    fn user_sessions(&self) -> usize {
        let unclosed = self.logins.iter().filter(|login| {
            self.closings
                .binary_search_by(|closing| closing.user_session_id.cmp(&login.user_session_id))
                .is_err()
        });
        self.closings.len() + unclosed.count()
    }
}

impl ClosingTombstone {
    pub(crate) fn fact(&self) -> ClosingFact<'_> {
        ClosingFact { user_session_id: &self.user_session_id, at: self.at, by_us: self.by_us }
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
                closing: None,
            };
            let mut joined = UserRegister::default();
            let changed = joined.join(&facts, bounds, &Config::default().rules);
            let put_back = UserRegister::logged_in(login.clone(), bounds, Timestamp::MIN);
            prop_assert_eq!(put_back.is_some(), changed[1] == Some(Effect::Changed));
            if let Some(put_back) = put_back {
                prop_assert_eq!(put_back.facts().count(), joined.facts().count());
                prop_assert_eq!(
                    (put_back.latest_opening_at, &put_back.logins, &put_back.closings),
                    (joined.latest_opening_at, &joined.logins, &joined.closings)
                );
            }
        }
    }
}
