//! Lets time pass: from one thing that happens to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use room_registry::journal::Command;
use room_registry::{Observation, Room, Timestamp};

use super::contestants::{Contestant, Ours};
use super::measure::{Allowance, Score, UnderWay};
use super::names::index;
use super::network::{Journey, Network};
use super::repair::{Asker, Calls, Leg};
use super::rng::Share;
use super::server::{Chronicle, Lists, MediaServer, Told};
use super::settings::{START, Settings};

/// Two minutes, after which everything should be in order again.
const TWO_MINUTES: u64 = 120_000;

/// What happens.
#[derive(Debug)]
enum Event {
    /// Something changes in a room.
    Step(usize),
    /// A callback arrives.
    Arrive(Rc<Told>),
    /// A callback that is not lost would have arrived by now.
    Due(Rc<Told>),
    /// Due work is done, and the planners are asked.
    Tick,
    /// A question of a contestant goes on.
    Call { contestant: usize, question: u64, leg: Leg },
    /// A moment to note.
    Mark(Mark),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    LastCallback,
    TwoMinutes,
    End,
}

/// What happened to callbacks on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Traffic {
    /// Callbacks that the media server told.
    pub(crate) callbacks: u64,
    /// Of these, callbacks that never arrived.
    pub(crate) lost: u64,
    /// Deliveries, each to every contestant.
    pub(crate) deliveries: u64,
    /// Deliveries of callbacks that had arrived before.
    pub(crate) repeats: u64,
}

/// Rooms wrong at the moments that count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) last_callback: u64,
    pub(crate) two_minutes: u64,
    pub(crate) end: u64,
}

/// One who takes part.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) contestant: Contestant,
    pub(crate) score: Score,
    pub(crate) marks: Marks,
    asker: Option<Asker>,
}

impl Entrant {
    pub(crate) fn calls(&self) -> Option<Calls> {
        self.asker.as_ref().map(|asker| asker.calls)
    }

    pub(crate) fn observed(&self) -> &[Observation] {
        self.asker.as_ref().map_or(&[], Asker::record)
    }
}

#[derive(Debug)]
pub(crate) struct Simulation {
    settings: Settings,
    server: MediaServer,
    network: Network,
    queue: BinaryHeap<Reverse<Entry>>,
    queued: u64,
    under_way: Vec<UnderWay>,
    entrants: Vec<Entrant>,
    traffic: Traffic,
    now: u64,
    /// When the last callback arrived or would have.
    last_callback_at: u64,
    /// Nothing happens at the media server any more.
    winds_up: bool,
    is_over: bool,
    /// What arrived, in this order, if that is checked.
    record: Option<Vec<Rc<Told>>>,
}

/// Ordered by time, then as it was queued.
#[derive(Debug)]
struct Entry {
    at: u64,
    number: u64,
    event: Event,
}

impl Simulation {
    /// `step` is how finely wrong rooms are counted over time, in ms.
    pub(crate) fn new(settings: Settings, contestants: Vec<Contestant>, step: u64) -> Self {
        let rooms = settings.manners.rooms;
        let entrants = contestants.into_iter().map(|mut contestant| {
            let asks = contestant.ours_mut().is_some_and(|ours| ours.repairs);
            Entrant {
                contestant,
                score: Score::new(rooms, START, step),
                marks: Marks::default(),
                asker: asks.then(|| Asker::new(settings.api.clone(), settings.seed)),
            }
        });
        let mut simulation = Self {
            server: MediaServer::new(settings.manners.clone(), settings.seed),
            network: Network::new(settings.roads.clone(), settings.seed),
            queue: BinaryHeap::new(),
            queued: 0,
            under_way: (0..rooms).map(|_| UnderWay::default()).collect(),
            entrants: entrants.collect(),
            traffic: Traffic::default(),
            now: START,
            last_callback_at: START,
            winds_up: false,
            is_over: false,
            record: None,
            settings,
        };
        for room in 0..rooms {
            let at = START + simulation.server.first_step();
            simulation.queue(at, Event::Step(room));
        }
        simulation.queue(START, Event::Tick);
        simulation
    }

    /// Goes on until the next thing happened; answers whether there is more.
    pub(crate) fn step(&mut self) -> bool {
        let Some(Reverse(entry)) = self.queue.pop().filter(|_| !self.is_over) else { return false };
        self.now = entry.at;
        match entry.event {
            Event::Step(room) => self.change(room),
            Event::Arrive(told) => self.arrive(&told),
            Event::Due(told) => {
                self.under_way[told.room].remove(told.subject);
                self.judge(told.room);
            }
            Event::Tick => self.tick(),
            Event::Call { contestant, question, leg } => self.call(contestant, question, leg),
            Event::Mark(mark) => self.mark(mark),
        }
        !self.is_over
    }

    /// Keeps what arrives and what is observed.
    pub(crate) fn keep_records(&mut self) {
        self.record = Some(Vec::new());
        self.server.keep_chronicle();
        for asker in self.entrants.iter_mut().filter_map(|entrant| entrant.asker.as_mut()) {
            asker.keep_record();
        }
    }

    /// What arrived, if records are kept.
    pub(crate) fn record(&self) -> &[Rc<Told>] {
        self.record.as_deref().unwrap_or_default()
    }

    /// What happened at the media server, if records are kept.
    pub(crate) fn chronicle(&self) -> Option<&Chronicle> {
        self.server.chronicle()
    }

    /// A client of an app does something, of which all registries hear.
    pub(crate) fn command(&mut self, room: usize, command: &Command) {
        let now = Timestamp::from_millis(self.now);
        self.registries_mut().for_each(|ours| ours.command(command, now));
        self.judge(room);
    }

    /// Merges a room into the registry with repair, or into the one without.
    pub(crate) fn import(&mut self, repairs: bool, room: Room) {
        let now = Timestamp::from_millis(self.now);
        let index = index(room.id().as_str());
        if let Some(ours) = self.registries_mut().find(|ours| ours.repairs == repairs) {
            ours.import(room, now);
        }
        self.judge(index);
    }

    /// Whether something still happens at the media server.
    pub(crate) fn goes_on(&self) -> bool {
        !self.winds_up
    }

    /// An app does something at the media server, while something still happens there.
    pub(crate) fn ask_server(&mut self, room: usize, ask: impl FnOnce(&mut MediaServer, u64)) {
        if self.goes_on() {
            ask(&mut self.server, self.now);
            self.send_told(room);
        }
    }

    pub(crate) fn server(&self) -> &MediaServer {
        &self.server
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn entrants(&self) -> &[Entrant] {
        &self.entrants
    }

    pub(crate) fn registries_mut(&mut self) -> impl Iterator<Item = &mut Ours> {
        self.entrants.iter_mut().filter_map(|entrant| entrant.contestant.ours_mut())
    }

    /// What a room shows on the media server.
    pub(crate) fn truth(&self, room: usize) -> Lists {
        self.server.lists(room)
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn last_callback_at(&self) -> u64 {
        self.last_callback_at
    }

    fn change(&mut self, room: usize) {
        let pause = self.server.step(room, self.now);
        self.send_told(room);
        if self.traffic.callbacks < self.settings.events {
            self.queue(self.now + pause, Event::Step(room));
        } else {
            self.wind_up();
        }
    }

    /// Sends what the media server told of a room.
    fn send_told(&mut self, room: usize) {
        let told: Vec<_> = self.server.told().map(Rc::new).collect();
        for told in told {
            self.traffic.callbacks += 1;
            let Journey { arrivals, due_at } = self.network.send(self.now);
            self.traffic.lost += u64::from(arrivals.is_empty());
            self.traffic.repeats += arrivals.len().saturating_sub(1) as u64;
            self.under_way[room].add(told.subject);
            for at in arrivals {
                self.last_callback_at = self.last_callback_at.max(at);
                self.queue(at, Event::Arrive(Rc::clone(&told)));
            }
            self.last_callback_at = self.last_callback_at.max(due_at);
            // Queued after the arrival at the same moment.
            self.queue(due_at, Event::Due(told));
        }
        self.judge(room);
    }

    /// Nothing happens any more: callbacks still arrive, and what is wrong can be mended.
    fn wind_up(&mut self) {
        self.winds_up = true;
        self.queue.retain(|Reverse(entry)| !matches!(entry.event, Event::Step(_)));
        let last = self.last_callback_at;
        self.queue(last, Event::Mark(Mark::LastCallback));
        self.queue(last + TWO_MINUTES, Event::Mark(Mark::TwoMinutes));
        let end = last + TWO_MINUTES.max(self.settings.round()) + self.settings.patience;
        self.queue(end, Event::Mark(Mark::End));
    }

    fn arrive(&mut self, told: &Rc<Told>) {
        self.traffic.deliveries += 1;
        let now = Timestamp::from_millis(self.now);
        for entrant in &mut self.entrants {
            entrant.contestant.deliver(told, now);
        }
        if let Some(record) = &mut self.record {
            record.push(Rc::clone(told));
        }
        self.judge(told.room);
    }

    fn tick(&mut self) {
        let now = Timestamp::from_millis(self.now);
        let mut calls = Vec::new();
        for (index, entrant) in self.entrants.iter_mut().enumerate() {
            let Some(ours) = entrant.contestant.ours_mut() else { continue };
            ours.expire(now);
            if let Some(asker) = &mut entrant.asker {
                let legs = asker.ask(ours, self.now).into_iter();
                calls.extend(legs.map(|(at, question, leg)| {
                    (at, Event::Call { contestant: index, question, leg })
                }));
            }
        }
        for (at, call) in calls {
            self.queue(at, call);
        }
        self.judge_touched();
        self.queue(self.now + self.settings.tick, Event::Tick);
    }

    fn call(&mut self, contestant: usize, question: u64, leg: Leg) {
        let entrant = &mut self.entrants[contestant];
        let (Some(ours), Some(asker)) = (entrant.contestant.ours_mut(), &mut entrant.asker) else {
            return;
        };
        match leg {
            Leg::Read(list) => asker.read(question, list, &mut self.server, self.now),
            Leg::Back => asker.back(question, ours, self.now),
        }
        self.judge_touched();
    }

    fn mark(&mut self, mark: Mark) {
        for entrant in &mut self.entrants {
            entrant.score.advance(self.now);
            let count = entrant.score.rooms_wrong();
            match mark {
                Mark::LastCallback => entrant.marks.last_callback = count,
                Mark::TwoMinutes => entrant.marks.two_minutes = count,
                Mark::End => entrant.marks.end = count,
            }
        }
        self.is_over = mark == Mark::End;
    }

    /// Whether a room is wrong now, for each contestant.
    fn judge(&mut self, room: usize) {
        let (truth, under_way) = (self.server.lists(room), &self.under_way[room]);
        let Settings { config, manners, api, .. } = &self.settings;
        // If everybody left an open session, the media server's answer may read as "not open".
        let reads_as_closed = manners.untold_closes != Share::default()
            && config.empty_means_closed()
            && !api.names_sessions;
        for entrant in &mut self.entrants {
            let shown = entrant.contestant.shown(room);
            let is_told_empty = reads_as_closed && entrant.asker.is_some();
            let allowed = Allowance {
                unlists_empty: config.empty_listing_time().is_some() || is_told_empty,
                is_nameless: manners.are_nameless(),
                answers_keep_open: manners.are_nameless() && entrant.asker.is_some(),
            };
            let wrong = under_way.leaves_wrong(shown, truth, allowed);
            entrant.score.set(room, wrong, self.now);
        }
    }

    fn judge_touched(&mut self) {
        for index in 0..self.entrants.len() {
            let Some(ours) = self.entrants[index].contestant.ours_mut() else { continue };
            for room in ours.touched() {
                self.judge(room);
            }
        }
    }

    fn queue(&mut self, at: u64, event: Event) {
        self.queued += 1;
        self.queue.push(Reverse(Entry { at, number: self.queued, event }));
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
