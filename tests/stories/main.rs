//! The stories: what happens in one room, step by step, each told in a test's name.

#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod ambiguous;
mod caps;
mod cases;
mod commands;
mod contract;
mod empty_rooms;
mod ends;
mod followers;
mod late_sessions;
mod memberships;
mod nameless;
mod observations;
mod planner;
mod projection;
mod refused;
mod repair;
mod stays;
mod suspicion;
