//! What the app's clients ask for: in its order within a room, and again if no answer comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Stage;
use super::world::{Subject, ToldCommand};

/// How often a command is tried, and the pause before each further try.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(250);

/// How much may wait in a queue.
const QUEUE: usize = 1_024;

/// A queue a room.
#[derive(Debug)]
pub(super) struct Commands {
    stage: Arc<Stage>,
    queues: Vec<mpsc::Sender<ToldCommand>>,
    /// They end with this.
    _workers: JoinSet<()>,
}

impl Commands {
    pub(super) fn new(stage: &Arc<Stage>) -> Self {
        let mut workers = JoinSet::new();
        let room_count = stage.world().room_count();
        let queues = (0..room_count)
            .map(|_| {
                let (queue, commands) = mpsc::channel(QUEUE);
                workers.spawn(work(Arc::clone(stage), commands));
                queue
            })
            .collect();
        Self { stage: Arc::clone(stage), queues, _workers: workers }
    }

    /// What finds no place fails, as on any client that is cut off.
    pub(super) fn hand_in(&self, command: ToldCommand) {
        if let Err(refused) = self.queues[command.room].try_send(command) {
            self.stage.report().failed += 1;
            let command = refused.into_inner();
            if !command.is_heartbeat() {
                self.stage.world().arrived(command.room, &command.subject);
            }
        }
    }
}

async fn work(stage: Arc<Stage>, mut commands: mpsc::Receiver<ToldCommand>) {
    while let Some(command) = commands.recv().await {
        let ToldCommand { room, subject, name, parameters } = &command;
        let is_done = carry_out(&stage, name, parameters).await;
        if !command.is_heartbeat() {
            stage.world().arrived(*room, subject);
        } else if let Subject::User(user) = subject
            && !is_done
            && stage.world().is_member(*room, user)
        {
            // The service let go of a user who means to be there: he joins again.
            stage.world().sent(*room, subject);
            carry_out(&stage, "join_room", parameters).await;
            stage.world().arrived(*room, subject);
        }
    }
}

/// Tries until there is an answer. Tells whether it was done.
async fn carry_out(stage: &Stage, name: &str, parameters: &[(&'static str, String)]) -> bool {
    for _ in 0..TRIES {
        match stage.client.command(name, parameters).await {
            Ok(answer) => {
                let is_done = answer.code == 0;
                let mut report = stage.report();
                report.commands += 1;
                report.refused += u64::from(!is_done);
                return is_done;
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
    stage.report().failed += 1;
    false
}
