//! What the tests of stores share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod cases;
pub mod inputs;
pub mod medium;
pub mod reading;
pub(crate) mod redis_server;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use room_registry::journal::{Answer, Input};
use room_registry::{Config, Error, Heartbeat, ManualClock, Outcome, Timestamp};
use room_service::store::{Store, StoreError};

/// When the tests begin.
pub const START: Timestamp = Timestamp::from_secs(1_763_596_800);
/// How long a test waits for what must come: far longer than it takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A store under test, and the clock that it goes by.
pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: ManualClock,
    /// What the store needs while it is there: a directory, a server.
    _needs: Box<dyn Any + Send + Sync>,
}

impl World {
    /// A world at its beginning. `open` makes the store, and what it needs; nothing if this
    /// machine lacks that.
    pub async fn open<F, N>(open: impl FnOnce(Config, ManualClock) -> F) -> Option<Self>
    where
        F: Future<Output = Option<(Arc<dyn Store>, N)>>,
        N: Any + Send + Sync,
    {
        let clock = ManualClock::at(START);
        let (store, needs) = open(Config::default(), clock.clone()).await?;
        Some(Self { _needs: Box::new(needs), ..Self::new(store, clock) })
    }

    /// A world of a store that is there, and goes by this clock.
    pub fn new(store: Arc<dyn Store>, clock: ManualClock) -> Self {
        Self { store, clock, _needs: Box::new(()) }
    }

    /// An input that is taken in.
    pub async fn take(&self, input: impl Into<Input>) -> Answer {
        let input = input.into();
        let answer = self.store.apply(input.clone()).await;
        answer.unwrap_or_else(|error| panic!("{input:?} is refused: {error}"))
    }

    /// A command that is carried out.
    pub async fn done(&self, input: impl Into<Input>) {
        assert_eq!(self.take(input).await, Answer::Done);
    }

    /// A callback or an observation that is taken in.
    pub async fn outcome(&self, input: impl Into<Input>) -> Outcome {
        match self.take(input).await {
            Answer::Outcome(outcome) => outcome,
            other => panic!("{other:?} is no outcome"),
        }
    }

    /// A heartbeat of somebody who is there.
    pub async fn beat(&self, input: impl Into<Input>) -> Heartbeat {
        match self.take(input).await {
            Answer::Heartbeat(heartbeat) => heartbeat,
            other => panic!("{other:?} is no heartbeat"),
        }
    }

    /// An input that is refused.
    pub async fn refused(&self, input: impl Into<Input>) -> Error {
        match self.store.apply(input.into()).await {
            Err(StoreError::Refused(error)) => error,
            other => panic!("{other:?} is no refusal"),
        }
    }

    pub fn passes(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Does all that is due.
    pub async fn sweep(&self) {
        use room_registry::Clock;
        for _ in 0..10_000 {
            let next = self.store.sweep().await.unwrap();
            if next.is_none_or(|at| at > self.clock.now()) {
                return;
            }
        }
        panic!("something stays due");
    }
}

/// Runs every case on one kind of store: `store_suite!(name, |config, clock| async { … })`. The
/// closure answers the store and whatever must live as long as it; nothing if it cannot run here.
#[macro_export]
macro_rules! store_suite {
    ($name:ident, $open:expr) => {
        mod $name {
            $crate::store_suite!(@cases $open;
                what_is_created_is_listed,
                what_is_refused_changes_nothing,
                users_join_beat_and_leave,
                a_heartbeat_may_carry_an_update,
                an_ended_room_is_gone_with_everybody,
                callbacks_in_any_order_come_to_the_same,
                a_late_opening_brings_nothing_back,
                an_observation_mends_what_was_lost,
                rooms_are_listed_in_every_order,
                cursors_neither_repeat_nor_skip_while_rooms_come_and_go,
                users_and_streams_come_in_pages,
                cursors_that_are_none_are_refused,
                a_sweep_ends_what_timed_out,
                a_sweep_goes_in_bounded_steps,
                a_heartbeat_too_late_ends_the_membership,
                a_question_is_asked_once,
                a_question_that_failed_is_asked_later,
                the_feed_leads_from_empty_to_what_is_listed,
                the_feed_goes_on_where_a_listener_was_cut_off,
                what_is_not_remembered_counts_as_missed,
                counts_are_of_what_is_listed,
                joins_at_once_lose_nobody,
            );
        }
    };
    (@cases $open:expr; $($case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(world) = $crate::support::World::open($open).await {
                    $crate::support::cases::$case(world).await;
                }
            }
        )+
    };
}
