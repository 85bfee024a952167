//! The demo against a service in this process: callbacks get lost, and repair puts everything right.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use room_registry::Config;
use room_service::demo::{self, DemoSettings};
use room_service::repair::Zego;
use room_service::service::{self, Parts};
use room_service::signature::Verifier;
use room_service::stores::Stores;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: DemoSettings,
}

/// A service that soon asks `media_server`, at this address.
async fn service(media_server: &str) -> (String, CancellationToken) {
    let config = Config::builder()
        .ask_after(Duration::from_secs(1))
        .quiet_for(Duration::from_secs(2))
        .report_after(Duration::from_secs(2))
        .clock_skew(Duration::from_millis(250))
        .repair_calls_per_second(100)
        .build()
        .unwrap();
    let mut parts = Parts::new(Stores::in_memory(config));
    let secret = SecretString::from("demo-server-secret");
    let zego = Zego::new(&format!("http://{media_server}/"), 1_234_567, secret, 100).unwrap();
    parts.media_server = Some(Arc::new(zego));
    let window = Duration::from_mins(5);
    parts.verifier = Some(Verifier::new(SecretString::from("callback secret"), window));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move { service::serve(listener, parts, stopped).await.unwrap() });
    (url, stop)
}

/// A service, and an evening of which `arguments` tell, with the listener of its media server.
async fn evening(arguments: &[&str]) -> (DemoSettings, TcpListener, CancellationToken) {
    let media_server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, stop) = service(&media_server.local_addr().unwrap().to_string()).await;
    let always = ["demo", "--url", &url, "--callback-secret", "callback secret"];
    let settings = Arguments::parse_from(always.iter().chain(arguments)).settings;
    (settings, media_server, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evening_with_losses_ends_with_every_room_right() {
    let (settings, media_server, stop) =
        evening(&["--rooms=8", "--speed=10", "--loss=12", "--minutes=0.2", "--settle=200"]).await;
    let mut told = Vec::new();
    let played = demo::play(&settings, media_server, CancellationToken::new(), &mut told).await;
    let report = played.unwrap();
    stop.cancel();
    let told = String::from_utf8(told).unwrap();
    print!("{told}");

    assert!(report.lost > 0, "callbacks were lost");
    assert!(report.repeated > 0, "callbacks were repeated");
    assert!(report.answered > 0, "the media server was asked");
    assert_eq!((report.failed, report.given_up), (0, 0), "the service took everything");
    assert_eq!(report.rooms, 8, "all rooms were looked at");
    assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
    assert!(told.contains("--zego-app-id 1234567"), "it says how to ask its media server");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evening_that_is_interrupted_ends_its_rooms() {
    let (settings, media_server, stop) = evening(&["--rooms=4", "--speed=20", "--loss=0"]).await;
    let url = settings.url.clone();
    let interrupt = CancellationToken::new();
    let playing = tokio::spawn({
        let interrupt = interrupt.clone();
        async move { demo::play(&settings, media_server, interrupt, &mut Vec::new()).await.unwrap() }
    });
    wait_until(async || rooms(&url).await > 2).await;
    interrupt.cancel();
    let report = playing.await.unwrap();
    assert!(report.callbacks > 0);
    assert!(report.wrong.is_empty(), "what was under repair is no fault: {:?}", report.wrong);
    wait_until(async || rooms(&url).await == 0).await;
    stop.cancel();
}

async fn rooms(url: &str) -> usize {
    let answer = reqwest::get(format!("{url}/room/get_room_list")).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    answer["data"].as_array().unwrap().len()
}

async fn wait_until(condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.expect("it comes about");
}
