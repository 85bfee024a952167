//! A `redis-server` of a test's own: on a free port, in a temporary folder, gone with the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server that runs, or was killed and can be started again.
pub(crate) struct RedisServer {
    folder: TempDir,
    port: u16,
    keeps: bool,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk. `None`, with a word on the terminal, if there is no
    /// `redis-server`; in CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        Self::start_that(false)
    }

    /// Starts one that keeps what it acknowledged, also when it is killed. What was written is the
    /// operating system's then, so nobody waits for the disk.
    #[allow(dead_code, reason = "not every test that has a server needs it")]
    pub(crate) fn start_that_keeps() -> Option<Self> {
        Self::start_that(true)
    }

    fn start_that(keeps: bool) -> Option<Self> {
        let version = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if version.is_err() {
            assert!(std::env::var_os("CI").is_none(), "there is no redis-server");
            eprintln!(
                "skipped: there is no redis-server; install it (apt-get install redis-server)"
            );
            return None;
        }
        // Another program may take the port between its choice and the start.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server =
                Self { folder: tempfile::tempdir().unwrap(), port, keeps, child: None };
            if server.run() {
                return Some(server);
            }
        }
        panic!("no redis-server came up");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it, as a power cut does.
    #[allow(dead_code, reason = "not every test that has a server needs it")]
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again where it was.
    #[allow(dead_code, reason = "not every test that has a server needs it")]
    pub(crate) fn start_again(&mut self) {
        assert!(self.run(), "it does not come up again");
    }

    /// Tells whether it came up.
    fn run(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.arg("--dir").arg(self.folder.path());
        if self.keeps {
            command.args(["--appendonly", "yes", "--appendfsync", "no"]);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if self.answers() {
                return true;
            }
            if self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some()) {
                return false;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut answer = [0; 7];
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer == *b"+PONG\r\n"
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
