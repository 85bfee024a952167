//! What happens inside Redis, each script as one step that nothing comes between.
//!
//! A script is called by its hash, and sent again if the server does not know it, as after a
//! restart.

use redis::Script;

/// A script from its file, after what all of them know of time.
macro_rules! script {
    ($file:literal $(, $flags:literal)?) => {
        Script::new(concat!("#!lua" $(, $flags)?, "\n", include_str!("clock.lua"), include_str!($file)))
    };
}

/// The scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) save: Script,
    pub(super) beat: Script,
    pub(super) page: Script,
    pub(super) claim: Script,
    pub(super) beacon: Script,
    pub(super) lead: Script,
    pub(super) resign: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            save: script!("save.lua"),
            beat: script!("beat.lua"),
            page: script!("page.lua", " flags=no-writes"),
            claim: script!("claim.lua"),
            beacon: script!("beacon.lua"),
            lead: script!("lead.lua"),
            resign: script!("resign.lua"),
        }
    }
}
