//! The page in a real browser: what an operator sees, with the keyboard, on a phone, and while the
//! service comes and goes.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod browser;
mod served;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use room_service::auth::Tokens;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::browser::{Browser, DOWN, ENTER, ESCAPE, Screen, TAB};
use crate::served::Served;

/// The ids of the rows, joined.
const IDS: &str = "[...document.querySelectorAll('td.id')].map(it => it.textContent).join()";

fn text(selector: &str) -> String {
    format!("document.querySelector('{selector}').textContent")
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_appear_change_and_go_without_a_reload() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::start().await;
    browser.open(&served.url("/")).await;
    browser.until(&format!("{} === 'Live'", text("#connection"))).await;
    browser.until(&format!("{}.startsWith('There are no rooms')", text("#blank"))).await;
    browser.run("window.sameDocument = true").await;

    served.create("r1", "Tom's show").await;
    browser.until(&format!("{IDS} === 'r1'")).await;
    assert_eq!(browser.run(&format!("return {}", text("td.name"))).await, "Tom's show");
    served.join("r1", "ann", "Ann").await;
    browser.until(&format!("{} === '1'", text("td.users"))).await;
    browser.until(&format!("{} === '1'", text("#total-users"))).await;
    served.command("update_room", &[("RoomID", "r1"), ("RoomName", "Late show")]).await;
    browser.until(&format!("{} === 'Late show'", text("td.name"))).await;
    served.command("end_room", &[("RoomID", "r1")]).await;
    browser.until(&format!("{IDS} === '' && {} === '0'", text("#total-rooms"))).await;

    assert_eq!(browser.run("return window.sameDocument").await, json!(true));
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_sorted_by_the_service_searched_and_paged() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::start().await;
    for (room_id, users) in [("b", 1), ("c", 2), ("a", 0)] {
        served.create(room_id, &format!("Room {}", room_id.to_uppercase())).await;
        for user in 0..users {
            served.join(room_id, &format!("user-{user}"), "Ann").await;
        }
    }
    browser.open(&served.url("/#order=id")).await;
    browser.until(&format!("{IDS} === 'a,b,c'")).await;
    browser.click("th[data-orders=most_users] button").await;
    browser.until(&format!("{IDS} === 'c,b,a'")).await;
    let sorted = "return document.querySelector('th[aria-sort]').textContent";
    assert_eq!(browser.run(sorted).await, "Users");
    assert_eq!(browser.run("return location.hash").await, "#order=most_users");
    // The order is the service's own, and follows what happens.
    served.join("a", "user-8", "Ann").await;
    served.join("a", "user-9", "Ann").await;
    served.join("a", "user-10", "Ann").await;
    browser.until(&format!("{IDS} === 'a,c,b'")).await;
    browser.click("th[data-orders='newest oldest'] button").await;
    browser.until("location.hash === '#order=newest'").await;

    browser.press("/").await;
    browser.press("room b").await;
    browser.until(&format!("{IDS} === 'b'")).await;
    browser.until(&format!("{} === '1 of 3 rooms matches'", text("#shown"))).await;
    browser.press(ESCAPE).await;
    browser.until(&format!("{IDS}.length === 5")).await;
    browser.press("nothing").await;
    browser.until("!document.querySelector('#blank').hidden").await;
    browser.press(ESCAPE).await;

    for index in 0..70 {
        served.create(&format!("more-{index:02}"), "One of many").await;
    }
    let rows = "document.querySelectorAll('#rows tr').length";
    browser.until(&format!("{rows} === 50 && !document.querySelector('#more').hidden")).await;
    browser.click("#more").await;
    browser.until(&format!("{rows} === 73 && document.querySelector('#more').hidden")).await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_opens_by_the_keyboard_and_is_followed() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::start().await;
    served.create("r1", "First").await;
    served.create("r2", "Second").await;
    served.join("r1", "ann", "Ann").await;
    browser.open(&served.url("/#order=id")).await;
    browser.until(&format!("{IDS} === 'r1,r2'")).await;

    browser.run("document.querySelector('th:nth-child(6) button').focus()").await;
    browser.press(TAB).await;
    browser.until("document.activeElement.matches('#rows tr:first-child')").await;
    browser.press(DOWN).await;
    browser.until("document.activeElement.matches('#rows tr:nth-child(2)')").await;
    browser.press(ENTER).await;
    browser.until(&format!("{} === 'Second'", text("#room-name"))).await;
    browser.until("document.querySelector('#room').contains(document.activeElement)").await;
    browser.press(ESCAPE).await;
    browser.until("document.querySelector('#room').hidden").await;
    browser.until("document.activeElement.matches('#rows tr:nth-child(2)')").await;

    // An address opens a room, and what happens in it is seen as it happens.
    browser.open(&served.url("/#room=r1")).await;
    browser.run("location.reload()").await;
    browser.until("document.querySelectorAll('#users li').length === 1").await;
    let now = now();
    served.callback(opened("r1", now)).await;
    served.callback(logged_in("r1", "bob", "Bob", now, 1)).await;
    served.callback(published("r1", "bob", now)).await;
    browser.until("document.querySelectorAll('#users li').length === 2").await;
    browser.until(&format!("{} === '1 stream'", text("#streams-head"))).await;
    let people = browser.run("return document.querySelector('#users').innerText").await;
    let people = people.as_str().unwrap();
    for word in ["Ann", "joined", "heartbeat", "Bob", "not joined", "logged in", "audience"] {
        assert!(people.contains(word), "{word}: {people}");
    }
    let streams = browser.run("return document.querySelector('#streams').innerText").await;
    assert!(streams.as_str().unwrap().contains("by bob"), "{streams}");
    served.command("leave_room", &[("RoomID", "r1"), ("UserID", "ann")]).await;
    browser.until("document.querySelectorAll('#users li').length === 1").await;
    served.command("end_room", &[("RoomID", "r1")]).await;
    browser.until(&format!("{}.includes('may have ended')", text("#room-note"))).await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_stay_text_and_no_script_runs_that_is_not_the_pages() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::start().await;
    let hostile = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>";
    let room_id = "<img src=x onerror=window.owned=1>";
    let parameters = [
        ("RoomID", room_id),
        ("RoomName", hostile),
        ("HostID", hostile),
        ("Attributes", r#"{"<img src=x onerror=window.owned=1>":"<svg onload=window.owned=1>"}"#),
    ];
    served.command("create_room", &parameters).await;
    served.join(room_id, hostile, hostile).await;
    served.create("__proto__", "constructor").await;
    browser.open(&served.url("/")).await;
    browser.until("document.querySelectorAll('#rows tr').length === 2").await;
    browser.click("#rows tr:last-child").await;
    browser.until("document.querySelectorAll('#users li').length === 1").await;
    for selector in ["#rows tr:last-child td.name", "#room-name", "#users strong"] {
        assert_eq!(browser.run(&format!("return {}", text(selector))).await, hostile);
    }
    let elements = browser.run("return document.querySelectorAll('img, svg, body script').length");
    assert_eq!(elements.await, 0);
    assert_eq!(browser.run("return window.owned === undefined").await, json!(true));
    browser.assert_quiet().await;

    // The policy holds: a script that got into the page all the same is not run.
    let inject = "const it = document.createElement('script'); it.textContent = 'window.owned = 1'; \
                  document.body.append(it); return window.owned === undefined";
    assert_eq!(browser.run(inject).await, json!(true));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspicions_are_marked_and_told_in_words() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::start().await;
    browser.open(&served.url("/#room=r1")).await;
    let now = now();
    served.callback(opened("r1", now)).await;
    served.callback(logged_in("r1", "ann", "Ann", now, 1)).await;
    served.callback(logged_in("r1", "bob", "Bob", now, 3)).await;
    browser.until("document.querySelector('.badge')?.hidden === false").await;
    let badge = "return document.querySelector('.badge').getAttribute('aria-label')";
    assert_eq!(browser.run(badge).await, "1 suspicion");
    let told = "document.querySelector('#suspicions li')?.textContent";
    let words = "Callback 2 of the users\\' counter is missing";
    browser.until(&format!("{told}?.includes('{words}')")).await;
    served.callback(logged_in("r1", "cleo", "Cleo", now, 2)).await;
    browser.until("document.querySelector('.badge').hidden").await;
    browser.until("document.querySelectorAll('#suspicions li').length === 0").await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_goes_on_after_the_connection_and_after_the_service_were_gone() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::start().await;
    let address = served.address.clone();
    served.create("before", "Before").await;
    browser.open(&served.url("/")).await;
    browser.until(&format!("{IDS} === 'before' && {} === 'Live'", text("#connection"))).await;
    browser.run("window.sameDocument = true").await;

    // A new connection goes on after the last event.
    browser.run("window.dispatchEvent(new Event('online'))").await;
    served.create("during", "During").await;
    browser.until(&format!("{IDS} === 'during,before'")).await;

    served.stop().await;
    browser.until(&format!("{}.startsWith('Reconnecting')", text("#connection"))).await;
    assert_eq!(browser.run(&format!("return {IDS}")).await, "during,before", "it stays to be seen");
    let served = Served::at(&address, |_| ()).await;
    served.create("after", "After").await;
    browser.until(&format!("{} === 'Live' && {IDS} === 'after'", text("#connection"))).await;
    browser.until("document.querySelector('#problem').hidden").await;
    served.create("later", "Later").await;
    browser.until(&format!("{IDS} === 'later,after'")).await;
    assert_eq!(browser.run("return window.sameDocument").await, json!(true));
    let logs = browser.logs().await;
    let others: Vec<_> = logs.iter().filter(|log| log["source"] != "network").collect();
    assert!(others.is_empty(), "the console said {others:#?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_everything_without_scrolling_sideways() {
    let Some(browser) = Browser::start(Screen::Phone).await else { return };
    let served = Served::start().await;
    served.create("r1", "Tom's show").await;
    served.create(&"x".repeat(200), &"W".repeat(200)).await;
    served.join(&"x".repeat(200), &"u".repeat(200), &"N".repeat(200)).await;
    browser.open(&served.url("/#order=id")).await;
    browser.until("document.querySelectorAll('#rows tr').length === 2").await;
    let fits = "document.documentElement.scrollWidth <= 360 && window.innerWidth === 360";
    browser.until(fits).await;
    let cards = "return getComputedStyle(document.querySelector('#rows tr')).display";
    assert_eq!(browser.run(cards).await, "grid");
    browser.click("#rows tr:last-child").await;
    browser.until("document.querySelectorAll('#users li').length === 1").await;
    browser.until(fits).await;
    let panel = "return document.querySelector('#room').scrollWidth <= 360";
    assert_eq!(browser.run(panel).await, json!(true));
    browser.click("#close").await;
    browser.until("document.querySelector('#room').hidden").await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_if_the_service_wants_one() {
    let Some(browser) = Browser::start(Screen::Desktop).await else { return };
    let served = Served::at("127.0.0.1:0", |parts| {
        let token = SecretString::from("a server token");
        parts.authoriser = Arc::new(Tokens::new(Some(&token), None));
    })
    .await;
    browser.open(&served.url("/")).await;
    browser.until("document.activeElement.id === 'token'").await;
    browser.press("a wrong token").await;
    browser.press(ENTER).await;
    browser.until(&format!("{}.includes('does not accept')", text("#token-problem"))).await;
    browser.run("document.querySelector('#token').focus()").await;
    browser.press("a server token").await;
    browser.press(ENTER).await;
    browser.until(&format!("{} === 'Live'", text("#connection"))).await;
    browser.until(&format!("{}.startsWith('There are no rooms')", text("#blank"))).await;
    browser.until("document.querySelector('#token-form').hidden").await;
    browser.run("location.reload()").await;
    browser.until(&format!("{} === 'Live'", text("#connection"))).await;
    let kept = "return [sessionStorage.length, localStorage.length, document.cookie]";
    assert_eq!(browser.run(kept).await, json!([1, 0, ""]));
    browser.close().await;
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn opened(room_id: &str, at: u64) -> Value {
    json!({
        "event": "room_create", "room_id": room_id, "room_session_id": 858_012_925_204_410_401_u64,
        "room_create_time": at.to_string(), "id_name": "tom",
    })
}

fn logged_in(room_id: &str, user_id: &str, name: &str, at: u64, counter: u64) -> Value {
    json!({
        "event": "room_login", "room_id": room_id, "room_seq": "858012925204410401",
        "user_account": user_id, "user_nickname": name, "user_role": "2",
        "session_id": (7_000 + counter).to_string(), "login_time": (at + counter).to_string(),
        "user_update_seq": counter.to_string(),
    })
}

fn published(room_id: &str, user_id: &str, at: u64) -> Value {
    json!({
        "event": "stream_create", "room_id": room_id, "room_session_id": "858012925204410401",
        "user_id": user_id, "user_name": user_id, "stream_id": "camera", "stream_sid": "s-1",
        "stream_seq": "1", "create_time_ms": at.to_string(), "title": "Main camera",
        "hls_url": ["https://cdn.example.com/live/camera.m3u8"],
    })
}
