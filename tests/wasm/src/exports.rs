//! What JavaScript calls, without a binding generator: bytes go in and come out through one buffer.
//!
//! `input_at` makes room for so many bytes, and JavaScript writes them there. A function takes them, leaves its
//! answer in the same buffer, and returns how long the answer is. `output_at` tells where it stands.
#![expect(
    unsafe_code,
    reason = "a name that JavaScript can call may clash with another of the module. These do not: no other crate of it \
              exports any. Nothing here is an unsafe block: JavaScript writes to bytes that exist, between two calls, \
              when nobody borrows them"
)]

use std::cell::RefCell;

use room_registry::{Clock, Timestamp};

use crate::{Line, Page, Server};

#[link(wasm_import_module = "clock")]
unsafe extern "C" {
    /// The milliseconds since 1970, as `Date.now()` has them. It is safe to call: it takes nothing.
    safe fn now() -> f64;
}

/// The clock of JavaScript.
#[derive(Debug)]
struct JsClock;

impl Clock for JsClock {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole milliseconds, and what is no time saturates"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(now() as u64)
    }
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::default();
    static SERVER: RefCell<Server<JsClock>> = RefCell::new(Server::new(JsClock));
    static PAGE: RefCell<Page> = RefCell::default();
}

#[unsafe(no_mangle)]
extern "C" fn input_at(len: usize) -> *mut u8 {
    BUFFER.with_borrow_mut(|buffer| {
        *buffer = vec![0; len];
        buffer.as_mut_ptr()
    })
}

#[unsafe(no_mangle)]
extern "C" fn output_at() -> *const u8 {
    BUFFER.with_borrow(Vec::as_ptr)
}

fn answer(work: impl FnOnce(&[u8]) -> Vec<u8>) -> usize {
    BUFFER.with_borrow_mut(|buffer| {
        *buffer = work(buffer);
        buffer.len()
    })
}

#[unsafe(no_mangle)]
extern "C" fn hand_in() -> usize {
    answer(|line| SERVER.with_borrow_mut(|server| server.hand_in(Line::read(line))))
}

#[unsafe(no_mangle)]
extern "C" fn server_rooms() -> usize {
    answer(|_| SERVER.with_borrow(Server::rooms))
}

#[unsafe(no_mangle)]
extern "C" fn snapshot() -> usize {
    answer(|_| SERVER.with_borrow(Server::snapshot))
}

#[unsafe(no_mangle)]
extern "C" fn restore() -> usize {
    answer(|snapshot| {
        SERVER.set(Server::restore(JsClock, snapshot));
        Vec::new()
    })
}

#[unsafe(no_mangle)]
extern "C" fn apply() -> usize {
    answer(|changes| {
        PAGE.with_borrow_mut(|page| page.apply(changes));
        Vec::new()
    })
}

#[unsafe(no_mangle)]
extern "C" fn page_rooms() -> usize {
    answer(|_| PAGE.with_borrow(Page::rooms))
}

/// The library has no `SystemClock` on this target: if it had one, the name would be ambiguous here.
#[expect(clippy::wildcard_imports, reason = "names clash only if neither is named")]
mod no_system_clock {
    use here::*;
    #[expect(unused_imports, reason = "it brings no such name")]
    use room_registry::*;

    mod here {
        pub(super) struct SystemClock;
    }

    const _: SystemClock = SystemClock;
}
