//! What happens inside Redis, each script as one step that nothing comes between.
//!
//! A script is called by its hash, and sent again where the server does not know it, as after a
//! restart.

use redis::Script;

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
            save: Script::new(include_str!("save.lua")),
            beat: Script::new(include_str!("beat.lua")),
            page: Script::new(include_str!("page.lua")),
            claim: Script::new(include_str!("claim.lua")),
            beacon: Script::new(include_str!("beacon.lua")),
            lead: Script::new(include_str!("lead.lua")),
            resign: Script::new(include_str!("resign.lua")),
        }
    }
}
