//! A starter that runs, and the smallest client that can speak to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// Ends with the test, without a chance to tidy up.
pub(crate) struct Server {
    process: Child,
    address: String,
}

impl Server {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(program)
            .arg("127.0.0.1:0")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").expect("the address").to_owned();
        Self { process, address }
    }

    /// Sends a request, and leaves the answer to be read.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (address, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    /// Returns the status and the body of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut answer = String::new();
        self.send(method, path, body).read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        let (status, answer) = self.ask("POST", path, body);
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Asserts that a request is refused with this status, and by an error of this name.
    pub(crate) fn refuses(&self, method: &str, path: &str, body: &str, status: u16, name: &str) {
        let answer = self.ask(method, path, body);
        assert_eq!(answer.0, status, "{method} {path} {body}: {}", answer.1);
        let error: Value = serde_json::from_str(&answer.1).unwrap();
        assert_eq!(error["name"], name, "{error}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Waits until it is true, for ten seconds.
pub(crate) fn eventually(mut is_true: impl FnMut() -> bool) {
    let tries = 200;
    assert!(
        (0..tries).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            is_true()
        }),
        "it never became true"
    );
}

/// The callback of a login, at this moment.
pub(crate) fn login(room: &str, user: &str) -> String {
    let now = now();
    format!(
        r#"{{"event":"room_login","room_id":"{room}","room_seq":"7","user_account":"{user}",
            "session_id":"{now}","login_time":"{now}"}}"#
    )
}

/// The time in milliseconds.
pub(crate) fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// The values of a field of a list.
pub(crate) fn fields(list: &Value, field: &str) -> Vec<String> {
    let value = |item: &Value| item[field].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(value).collect()
}
