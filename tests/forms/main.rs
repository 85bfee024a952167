//! The forms: what is stored, and what a vendor sends, written and read back.

#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod binary;
mod filled;
mod golden;
mod journal;
mod lines;
mod snapshots;
mod views;
mod wire;
mod zego_answers;
mod zego_bytes;
mod zego_decoding;
mod zego_laws;
mod zego_refusals;
mod zego_room_answers;
