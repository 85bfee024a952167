//! A headless Chromium, driven through chromedriver.

use std::fmt::Debug;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use url::{ParseError, Url};

/// How long anything may take before a test fails.
const DEADLINE: Duration = Duration::from_mins(1);
/// Between two looks at the page.
const BETWEEN_LOOKS: Duration = Duration::from_millis(30);

/// One browser at a time: several would only take each other's processor.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Keys, as the driver names them.
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const DOWN: &str = "\u{e015}";
pub(crate) const TAB: &str = "\u{e004}";

/// How large the window is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Screen {
    Desktop,
    Phone,
}

/// A browser that ends with this.
pub(crate) struct Browser {
    client: Client,
    driver: Driver,
    _profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// The chromedriver, in a process group with its browser.
struct Driver {
    process: Child,
    port: u16,
}

impl Browser {
    /// A browser; none, and a word about it, if the programs are missing.
    pub(crate) async fn start(screen: Screen) -> Option<Self> {
        if !is_installed("chromedriver") || !is_installed("chromium") {
            assert!(std::env::var_os("CI").is_none(), "chromium and chromedriver are missing");
            eprintln!("skipped: install chromium and chromedriver (Debian: chromium-driver)");
            return None;
        }
        let turn = ONE_AT_A_TIME.lock().await;
        let driver = Driver::start();
        let profile = tempfile::tempdir().unwrap();
        let capabilities = capabilities(screen, &profile);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .unwrap();
        Some(Self { client, driver, _profile: profile, _turn: turn })
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// What a function body returns in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn until(&self, expression: &str) {
        let began_at = Instant::now();
        let script = format!("return !!({expression})");
        while self.run(&script).await != json!(true) {
            if began_at.elapsed() > DEADLINE {
                let page = self.run("return document.body.innerText").await;
                let logs = self.logs().await;
                panic!("never was {expression}\nlogs: {logs:#?}\npage: {page}");
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Presses keys where the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// What the console said since the last call.
    pub(crate) async fn logs(&self) -> Vec<Value> {
        let logs = self.client.issue_cmd(BrowserLog).await.unwrap();
        logs.as_array().unwrap().clone()
    }

    /// Nothing was wrong: no error, no warning, no breach of the content security policy.
    pub(crate) async fn assert_quiet(&self) {
        let logs = self.logs().await;
        assert!(logs.is_empty(), "the console said {logs:#?}");
    }

    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
        drop(self.driver);
    }
}

impl Driver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.by_ref().find_map(|line| port_of(&line.unwrap()));
        // Somebody reads on, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port: port.expect("chromedriver says on which port it is") }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// The port in "… was started successfully on port 12345.".
fn port_of(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("started successfully on port ")?;
    rest.trim_end_matches('.').parse().ok()
}

fn is_installed(program: &str) -> bool {
    let mut version = Command::new(program);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn capabilities(screen: Screen, profile: &TempDir) -> Value {
    let mut options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--window-size=1280,800",
            format!("--user-data-dir={}", profile.path().display()),
        ],
    });
    if matches!(screen, Screen::Phone) {
        let metrics = json!({ "width": 360, "height": 740, "pixelRatio": 2, "touch": true });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } })
}

/// chromedriver's own command for the console.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
