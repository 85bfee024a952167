//! The program: reads its arguments, and does what they say.

use std::process::ExitCode;

use clap::Parser;
use room_service::settings::{Action, Arguments};
use room_service::{auth, demo, logs, service};

fn main() -> ExitCode {
    let done = match Arguments::parse().action() {
        Action::Serve(settings) => logs::start(&settings).and_then(|()| service::run(&settings)),
        Action::Demo(settings) => demo::run(&settings),
        Action::Token(settings) => auth::print_token(&settings),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("room-service: {error}");
            ExitCode::FAILURE
        }
    }
}
