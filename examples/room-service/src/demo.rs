//! A lively evening, played against a running service over HTTP.
//!
//! ```text
//!             ┌─▶ commands  in order, a room at a time ─────────────────▶ /room/…
//! world ──────┼─▶ callbacks late, out of order, repeated, tried again, lost ─▶ /callback
//! (the truth) └─▶ media server: answers who is there ◀── the service's repair
//!       └─▶ audit: what the service shows, held against the truth ─▶ a line a second
//! ```
//!
//! What happens follows from the seed; when it arrives does not, as the network is a real one. One second
//! of the evening lasts `1 / speed` of a second, callbacks and their retries included. Stamps are of the
//! real time, since the service's clock is.

mod audit;
mod client;
mod commands;
mod delivery;
mod media_server;
mod wire;
mod world;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use room_registry::{Clock, SystemClock};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::audit::{Audit, Verdict};
use self::client::Client;
use self::commands::Commands;
use self::delivery::Deliveries;
use self::world::{Happening, World};

/// How often the world goes on.
const STEP: Duration = Duration::from_millis(20);
/// When the evening begins, in seconds of the day.
const OPENS_AT: u64 = 19 * 3_600;
/// How long tidying up may take.
const TIDY_TIMEOUT: Duration = Duration::from_secs(10);

/// What evening is played, and where.
#[derive(Debug, Clone, Args)]
pub struct DemoSettings {
    /// The service.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,

    /// How many rooms come and go.
    #[arg(long, default_value_t = 24, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rooms: u32,

    /// How many seconds of the evening pass in one.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60))]
    pub speed: u32,

    /// How many callbacks of a hundred never arrive.
    #[arg(long, default_value_t = 5, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub loss: u32,

    /// What happens; the same seed is the same evening.
    #[arg(long, default_value_t = 2026, value_name = "N")]
    pub seed: u64,

    /// How long it is played, in real minutes; until it is interrupted if nothing is said.
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<f64>,

    /// How long the service gets at the end to put right what is wrong, in seconds.
    #[arg(long, default_value_t = 150, value_name = "SECONDS")]
    pub settle: u64,

    /// Where the virtual media server answers the service.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    pub media_address: SocketAddr,

    /// The app's number at the virtual media server.
    #[arg(long, default_value_t = 1_234_567, value_name = "NUMBER")]
    pub app_id: u32,

    /// The server secret at the virtual media server: a password of nothing real.
    #[arg(long, default_value = "demo-server-secret", value_name = "TEXT")]
    pub server_secret: String,

    /// The service's callback secret, if it has one.
    #[arg(
        long,
        env = "ROOM_SERVICE_CALLBACK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub callback_secret: Option<SecretString>,

    /// The service's server token, if it wants one.
    #[arg(long, env = "ROOM_SERVICE_SERVER_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub server_token: Option<SecretString>,

    /// The service's heartbeat timeout, in seconds: so long a user is shown who vanished.
    #[arg(long, default_value_t = 90, value_name = "SECONDS")]
    pub heartbeat_timeout: u64,
}

/// What an evening was like.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Commands that were answered, heartbeats included.
    pub commands: u64,
    /// Those that the service refused, such as a heartbeat that came too late.
    pub refused: u64,
    /// Commands that could not be carried out, however often they were tried.
    pub failed: u64,
    /// Callbacks that the media server told.
    pub callbacks: u64,
    /// Those that arrived more than once.
    pub repeated: u64,
    /// Those that never arrived, by the rate of losses.
    pub lost: u64,
    /// Those that the service did not take, however often they were tried.
    pub given_up: u64,
    /// Calls of the service that the virtual media server answered.
    pub answered: u64,
    /// Rooms that were looked at in the end; none if the evening was interrupted.
    pub rooms: usize,
    /// What the service showed wrongly in the end.
    pub wrong: Vec<String>,
}

/// What all parts share.
#[derive(Debug)]
struct Stage {
    world: Mutex<World>,
    client: Client,
    callback_secret: Option<SecretString>,
    app_id: u32,
    speed: u32,
    report: Mutex<Report>,
}

impl Stage {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A span of the evening, in real time.
    fn real(&self, evening: Duration) -> Duration {
        evening / self.speed
    }
}

/// Plays an evening, until it is over or interrupted.
pub fn run(settings: &DemoSettings) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = settings.media_address;
        let media_server = TcpListener::bind(address)
            .await
            .map_err(|error| format!("{address} cannot be listened on: {error}"))?;
        let stop = CancellationToken::new();
        let interrupted = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupted.cancel();
            }
        });
        let report = play(settings, media_server, stop, &mut io::stdout()).await?;
        if report.wrong.is_empty() { Ok(()) } else { Err("the service shows rooms wrongly".into()) }
    })
}

/// Plays an evening, and tells `out` of it.
pub async fn play(
    settings: &DemoSettings,
    media_server: TcpListener,
    stop: CancellationToken,
    out: &mut (dyn Write + Send),
) -> Result<Report, Box<dyn Error>> {
    let stage = Arc::new(Stage {
        world: Mutex::new(World::new(settings)),
        client: Client::new(&settings.url, settings.server_token.clone())
            .map_err(|error| -> Box<dyn Error> { error })?,
        callback_secret: settings.callback_secret.clone(),
        app_id: settings.app_id,
        speed: settings.speed,
        report: Mutex::default(),
    });
    introduce(settings, media_server.local_addr()?, out)?;
    // They end with this function, whichever way it does.
    let mut tasks = JoinSet::new();
    let secret = settings.server_secret.clone();
    tasks.spawn(media_server::serve(media_server, Arc::clone(&stage), secret));
    let (audit, verdict) = Audit::begin(&stage);
    tasks.spawn(audit.run());
    let mut evening = Evening {
        began_at: Instant::now(),
        commands: Commands::new(&stage),
        deliveries: Deliveries::new(&stage, settings.loss, settings.seed),
        stage,
        verdict,
    };

    let length =
        settings.minutes.and_then(|minutes| Duration::try_from_secs_f64(minutes * 60.0).ok());
    let is_over =
        |_: &Verdict, began_at: Instant| length.is_some_and(|length| began_at.elapsed() >= length);
    let mut is_settled = false;
    if evening.go_on(&stop, out, is_over).await? {
        writeln!(out, "the evening is over: nothing more happens, and repair may finish")?;
        evening.stage.world().calm_down();
        let settle = Duration::from_secs(settings.settle);
        let calm_at = Instant::now();
        let is_over =
            |verdict: &Verdict, _: Instant| verdict.settles(calm_at) || calm_at.elapsed() >= settle;
        is_settled = evening.go_on(&stop, out, is_over).await?;
    }
    let report = evening.report(is_settled);
    evening.tidy().await;
    tell(&report, out)?;
    Ok(report)
}

/// An evening that is being played.
struct Evening {
    stage: Arc<Stage>,
    began_at: Instant,
    commands: Commands,
    deliveries: Deliveries,
    verdict: watch::Receiver<Verdict>,
}

impl Evening {
    /// Plays on until it is over. Tells whether it was not interrupted.
    async fn go_on(
        &mut self,
        stop: &CancellationToken,
        out: &mut (dyn Write + Send),
        is_over: impl Fn(&Verdict, Instant) -> bool,
    ) -> io::Result<bool> {
        let mut steps = interval(STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut lines = interval(Duration::from_secs(1));
        lines.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(false),
                _ = lines.tick() => {
                    let line = self.line();
                    writeln!(out, "{line}")?;
                }
                _ = steps.tick() => {
                    if is_over(&self.verdict.borrow(), self.began_at) {
                        return Ok(true);
                    }
                    let now = self.evening_millis();
                    let happenings = self.stage.world().advance(now, unix_millis());
                    self.carry_out(happenings);
                }
            }
        }
    }

    fn carry_out(&mut self, happenings: Vec<Happening>) {
        for happening in happenings {
            match happening {
                Happening::Command(command) => self.commands.hand_in(command),
                Happening::Callback(callback) => self.deliveries.send(*callback),
            }
        }
    }

    /// How long the evening lasts, in its own time.
    fn evening_millis(&self) -> u64 {
        let lasted = self.began_at.elapsed() * self.stage.speed;
        u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX)
    }

    fn line(&self) -> String {
        let seconds = self.evening_millis() / 1_000 + OPENS_AT;
        let (hours, minutes, seconds) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let report = self.stage.report().clone();
        let counts = self.stage.world().counts();
        let verdict = self.verdict.borrow();
        let example = verdict.wrong.first().map_or_else(String::new, |wrong| format!(": {wrong}"));
        format!(
            "{hours:02}:{minutes:02}:{seconds:02}  rooms {:>3}  users {:>4}  streams {:>3} | \
             commands {:>6} | callbacks {:>6}  repeated {:>4}  lost {:>4} | asked {:>5} | \
             under way {:>3}  wrong {:>3}{example}",
            counts.rooms,
            counts.users,
            counts.streams,
            report.commands,
            report.callbacks,
            report.repeated,
            report.lost + report.given_up,
            report.answered,
            verdict.under_way,
            verdict.wrong_rooms,
        )
    }

    /// The sum of it; the last look counts only if the service had its time to settle.
    fn report(&self, is_settled: bool) -> Report {
        let mut report = self.stage.report().clone();
        if is_settled {
            let verdict = self.verdict.borrow();
            report.rooms = verdict.rooms;
            report.wrong.clone_from(&verdict.wrong);
        }
        report
    }

    /// Ends all rooms, and waits until everybody heard of it.
    async fn tidy(&mut self) {
        let happenings = self.stage.world().end_all(unix_millis());
        self.deliveries.lose_nothing();
        self.carry_out(happenings);
        let quiet = async {
            while self.stage.world().is_under_way() {
                sleep(STEP).await;
            }
        };
        _ = timeout(TIDY_TIMEOUT, quiet).await;
    }
}

fn introduce(
    settings: &DemoSettings,
    media_server: SocketAddr,
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    let DemoSettings { url, rooms, speed, loss, seed, app_id, server_secret, .. } = settings;
    writeln!(
        out,
        "an evening in {rooms} rooms at {url}, {speed} times as fast; {loss} % of the callbacks \
         never arrive; seed {seed}\n\
         repair works if the service was started with\n  \
         --zego-url http://{media_server}/ --zego-app-id {app_id} \
         --zego-server-secret {server_secret}"
    )
}

fn tell(report: &Report, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let Report { commands, refused, failed, callbacks, repeated, lost, given_up, .. } = report;
    writeln!(
        out,
        "{commands} commands, {refused} of them refused, and {failed} that failed\n\
         {callbacks} callbacks, {repeated} of them repeated, {lost} lost, {given_up} given up\n\
         {} answers of the media server\n\
         {} rooms looked at in the end, {} things wrong",
        report.answered,
        report.rooms,
        report.wrong.len(),
    )?;
    for wrong in &report.wrong {
        writeln!(out, "  {wrong}")?;
    }
    Ok(())
}

fn unix_millis() -> u64 {
    SystemClock.now().as_millis()
}
