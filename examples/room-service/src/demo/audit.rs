//! Holds what the service shows against the truth.
//!
//! What is still on its way is no error. So a user is judged only while nothing about the user or the whole
//! room is under way. The truth must also have been the same before and after looking.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::Stage;
use super::client::Client;
use super::world::{Subject, Truth};

/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(700);
/// How many rooms are looked into at a time, while the evening goes on.
const ROOMS_A_LOOK: usize = 64;

/// What a look showed.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    /// When it began; none if there was none yet, or the service did not answer.
    looked_at: Option<Instant>,
    /// Whether all rooms were looked into.
    is_complete: bool,
    /// How many rooms were looked into.
    pub(super) rooms: usize,
    /// How many callbacks and commands were on their way.
    pub(super) under_way: usize,
    pub(super) wrong_rooms: usize,
    pub(super) wrong: Vec<String>,
}

impl Verdict {
    /// Whether it tells, of a moment after this one, that everything arrived and is right.
    pub(super) fn settles(&self, after: Instant) -> bool {
        self.is_complete
            && self.looked_at.is_some_and(|at| at > after)
            && self.wrong.is_empty()
            && self.under_way == 0
    }
}

#[derive(Debug)]
pub(super) struct Audit {
    stage: Arc<Stage>,
    verdicts: watch::Sender<Verdict>,
    next: usize,
}

/// What the service shows of a room.
#[derive(Debug, Default)]
struct Shown {
    listed: bool,
    open: bool,
    users: BTreeSet<String>,
    streams: BTreeSet<String>,
}

impl Audit {
    pub(super) fn begin(stage: &Arc<Stage>) -> (Self, watch::Receiver<Verdict>) {
        let (verdicts, receiver) = watch::channel(Verdict::default());
        (Self { stage: Arc::clone(stage), verdicts, next: 0 }, receiver)
    }

    /// Looks again and again, until it is aborted.
    pub(super) async fn run(mut self) {
        loop {
            let verdict = self.look().await.unwrap_or_else(|reason| Verdict {
                wrong: vec![format!("the service does not answer: {reason}")],
                ..Verdict::default()
            });
            if self.verdicts.send(verdict).is_err() {
                return;
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn look(&mut self) -> Result<Verdict, String> {
        let looked_at = Instant::now();
        let (room_count, is_calm) = {
            let world = self.stage.world();
            (world.room_count(), world.is_calm())
        };
        let rooms = if is_calm { room_count } else { room_count.min(ROOMS_A_LOOK) };
        let mut verdict = Verdict {
            looked_at: Some(looked_at),
            is_complete: rooms == room_count,
            rooms,
            ..Verdict::default()
        };
        for _ in 0..rooms {
            let room = self.next % room_count;
            self.next = room + 1;
            let (room_id, before) = self.truth(room);
            let shown = shown(&self.stage.client, &room_id).await?;
            let (_, after) = self.truth(room);
            verdict.under_way += after.under_way.len();
            let wrong = judge(&before, &after, &shown);
            verdict.wrong_rooms += usize::from(!wrong.is_empty());
            verdict.wrong.extend(wrong.into_iter().map(|wrong| format!("{room_id}: {wrong}")));
        }
        Ok(verdict)
    }

    fn truth(&self, room: usize) -> (String, Truth) {
        let world = self.stage.world();
        (world.room_id(room).to_owned(), world.truth(room, super::unix_millis()))
    }
}

async fn shown(client: &Client, room_id: &str) -> Result<Shown, String> {
    let told = |error: Box<dyn std::error::Error + Send + Sync>| error.to_string();
    let Some((open, streams)) = client.room(room_id).await.map_err(told)? else {
        return Ok(Shown::default());
    };
    let users = client.users(room_id).await.map_err(told)?;
    Ok(Shown {
        listed: true,
        open,
        users: users.into_iter().map(|user| user.user_id.to_string()).collect(),
        streams: streams.into_iter().map(|stream| stream.stream_id.to_string()).collect(),
    })
}

/// What is shown wrongly, in words.
fn judge(before: &Truth, after: &Truth, shown: &Shown) -> Vec<String> {
    let is_under_way =
        |subject: &Subject| before.under_way.contains(subject) || after.under_way.contains(subject);
    let room_changed = (before.listed, before.open) != (after.listed, after.open);
    if room_changed || is_under_way(&Subject::Room) {
        return Vec::new();
    }
    if shown.listed != after.listed {
        return vec![
            (if shown.listed { "is listed, and is over" } else { "is missing" }).to_owned(),
        ];
    }
    let mut wrong = Vec::new();
    if shown.open != after.open {
        let what = if shown.open { "a session that is over" } else { "no session, and one runs" };
        wrong.push(format!("shows {what}"));
    }
    let everybody = before.users.iter().chain(&after.users).chain(&shown.users);
    for user in everybody.collect::<BTreeSet<_>>() {
        let may_be_either = before.fading.contains(user) || after.fading.contains(user);
        let changed = before.users.contains(user) != after.users.contains(user);
        if changed || is_under_way(&Subject::User(user.clone())) {
            continue;
        }
        match (shown.users.contains(user), after.users.contains(user)) {
            (true, false) if !may_be_either => wrong.push(format!("shows {user}, who is gone")),
            (false, true) => wrong.push(format!("misses {user}")),
            (true | false, _) => {}
        }
    }
    let every_stream = before.streams.iter().chain(&after.streams).chain(&shown.streams);
    for stream in every_stream.collect::<BTreeSet<_>>() {
        let changed = before.streams.contains(stream) != after.streams.contains(stream);
        if changed || is_under_way(&Subject::Stream(stream.clone())) {
            continue;
        }
        match (shown.streams.contains(stream), after.streams.contains(stream)) {
            (true, false) => wrong.push(format!("shows stream {stream}, which is over")),
            (false, true) => wrong.push(format!("misses stream {stream}")),
            (true, true) | (false, false) => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    fn truth(users: &[&str]) -> Truth {
        Truth { listed: true, open: true, users: set(users), ..Truth::default() }
    }

    fn shows(users: &[&str]) -> Shown {
        Shown { listed: true, open: true, users: set(users), streams: BTreeSet::new() }
    }

    #[test]
    fn a_ghost_and_a_missing_user_are_wrong() {
        let truth = truth(&["ann", "bob"]);
        let wrong = judge(&truth, &truth, &shows(&["ann", "cleo"]));
        assert_eq!(wrong, ["misses bob", "shows cleo, who is gone"]);
        assert!(judge(&truth, &truth, &shows(&["ann", "bob"])).is_empty());
    }

    #[test]
    fn who_is_on_the_way_or_came_while_it_was_looked_is_not_judged() {
        let mut before = truth(&["ann"]);
        let mut after = truth(&["ann", "bob"]);
        assert!(judge(&before, &after, &shows(&["ann"])).is_empty());
        before.users = set(&["ann", "bob"]);
        assert_eq!(judge(&before, &after, &shows(&["ann"])), ["misses bob"]);
        after.under_way.insert(Subject::User("bob".to_owned()));
        assert!(judge(&before, &after, &shows(&["ann"])).is_empty());
    }

    #[test]
    fn who_vanished_may_be_shown_until_the_timeout() {
        let mut vanished = truth(&["ann"]);
        vanished.fading = set(&["bob"]);
        assert!(judge(&vanished, &vanished, &shows(&["ann", "bob"])).is_empty());
        assert!(judge(&vanished, &vanished, &shows(&["ann"])).is_empty());
    }

    #[test]
    fn a_room_that_is_over_or_missing_is_wrong_as_a_whole() {
        let (open, over) = (truth(&["ann"]), Truth::default());
        assert_eq!(judge(&open, &open, &Shown::default()), ["is missing"]);
        assert_eq!(judge(&over, &over, &shows(&["ann"])), ["is listed, and is over"]);
        assert!(judge(&open, &over, &shows(&["ann"])).is_empty());
    }
}
