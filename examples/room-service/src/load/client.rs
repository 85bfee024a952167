//! One connection that is kept, and asks one thing after the other.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::LoadError;

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) path: String,
    /// JSON to post; otherwise it is a GET.
    pub(super) body: Option<String>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, LoadError> {
        let failed = |reason: String| LoadError::Connect(reason);
        let stream = TcpStream::connect(address).await.map_err(|e| failed(e.to_string()))?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(e.to_string()))?;
        tokio::spawn(async move { _ = connection.await });
        Ok(Self { sender })
    }

    /// Sends, and reads the whole answer. Tells its status, and how long it was; nothing if the connection
    /// broke.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Option<(StatusCode, Bytes)> {
        let method = if ask.body.is_some() { Method::POST } else { Method::GET };
        let body = ask.body.clone().map_or_else(Bytes::new, Bytes::from);
        let request = Request::builder()
            .method(method)
            .uri(&ask.path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("paths are made of letters, numbers and escapes");
        self.sender.ready().await.ok()?;
        let answer = self.sender.send_request(request).await.ok()?;
        let status = answer.status();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, body))
    }
}
