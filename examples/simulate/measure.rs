//! How long how many rooms are wrong.

use super::server::{Lists, Subject};

/// What may differ from the truth though nothing is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// A room in which nobody and nothing is may be out of the list.
    pub(crate) unlists_empty: bool,
    /// Sessions have no names, so a room is open while somebody or something is in it.
    pub(crate) is_nameless: bool,
    /// What an answer saw open stays so until the logout of the last one is told, whom the app let go at once.
    pub(crate) answers_keep_open: bool,
}

/// The callbacks of a room that are neither here nor lost yet.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Vec<Subject>);

impl UnderWay {
    pub(crate) fn add(&mut self, subject: Subject) {
        self.0.push(subject);
    }

    pub(crate) fn remove(&mut self, subject: Subject) {
        if let Some(index) = self.0.iter().position(|other| *other == subject) {
            self.0.swap_remove(index);
        }
    }

    /// Whether there is a difference that nothing under way explains. What is allowed of an empty room is
    /// allowed of one that is empty but for what is under way.
    pub(crate) fn leaves_wrong(&self, shown: Lists, truth: Lists, allowed: Allowance) -> bool {
        if shown == truth {
            return false;
        }
        let (mut users, mut streams) = (u64::MAX, u64::MAX);
        for subject in &self.0 {
            match subject {
                Subject::Room => return false,
                Subject::User(index) => users &= !(1 << index),
                Subject::Stream(index) => streams &= !(1 << index),
            }
        }
        let is_empty = truth.users & users == 0 && truth.streams & streams == 0;
        let may_be_unlisted = allowed.unlists_empty || allowed.is_nameless;
        let is_unlisted = may_be_unlisted && !shown.open && is_empty;
        let is_entered = allowed.is_nameless && shown.open && shown.users | shown.streams != 0;
        let is_left = allowed.answers_keep_open && shown.open && !self.0.is_empty();
        shown.open != truth.open && !is_unlisted && !is_entered && !is_left
            || (shown.users ^ truth.users) & users != 0
            || (shown.streams ^ truth.streams) & streams != 0
    }
}

/// How wrong a contestant is.
#[derive(Debug)]
pub(crate) struct Score {
    started_at: u64,
    /// The width of a bucket.
    step: u64,
    wrong: Vec<bool>,
    /// How many rooms are wrong, and since when they are so many.
    count: u64,
    since: u64,
    /// How long how many rooms were wrong, in all and in each step of time.
    total: u64,
    buckets: Vec<u64>,
    /// When a room was last wrong.
    last_wrong_at: Option<u64>,
}

impl Score {
    pub(crate) fn new(rooms: usize, started_at: u64, step: u64) -> Self {
        Self {
            started_at,
            step,
            wrong: vec![false; rooms],
            count: 0,
            since: started_at,
            total: 0,
            buckets: Vec::new(),
            last_wrong_at: None,
        }
    }

    /// From now on, a room is wrong or not.
    pub(crate) fn set(&mut self, room: usize, wrong: bool, now: u64) {
        if self.wrong[room] == wrong {
            return;
        }
        self.advance(now);
        self.wrong[room] = wrong;
        self.count = if wrong { self.count + 1 } else { self.count - 1 };
        self.last_wrong_at = Some(now);
    }

    /// Time passes.
    pub(crate) fn advance(&mut self, now: u64) {
        while self.since < now {
            let bucket = (self.since - self.started_at) / self.step;
            let until = now.min(self.started_at + (bucket + 1) * self.step);
            let room_time = self.count * (until - self.since);
            self.total += room_time;
            let bucket = usize::try_from(bucket).expect("no run is that long");
            if self.buckets.len() <= bucket {
                self.buckets.resize(bucket + 1, 0);
            }
            self.buckets[bucket] += room_time;
            self.since = until;
        }
        if self.count > 0 {
            self.last_wrong_at = Some(now);
        }
    }

    /// How many rooms are wrong now.
    pub(crate) fn rooms_wrong(&self) -> u64 {
        self.count
    }

    pub(crate) fn wrong_rooms(&self) -> impl Iterator<Item = usize> {
        self.wrong.iter().enumerate().filter_map(|(room, wrong)| wrong.then_some(room))
    }

    /// For how long how many rooms were wrong, in room-milliseconds.
    pub(crate) fn room_millis(&self) -> u64 {
        self.total
    }

    /// When a room was last wrong.
    pub(crate) fn last_wrong_at(&self) -> Option<u64> {
        self.last_wrong_at
    }

    /// Room-milliseconds wrong in each step of time.
    pub(crate) fn buckets(&self) -> &[u64] {
        &self.buckets
    }
}
