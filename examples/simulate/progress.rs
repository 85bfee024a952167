//! The progress bar.

use indicatif::{ProgressBar, ProgressStyle};

/// What is done sooner than this needs no bar, in callbacks.
const WORTH_A_BAR: u64 = 100_000;

/// A bar on standard error, or none.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// How much is done before the bar hears of it: a step of it can be seen, and is not felt.
    step: u64,
    shown: u64,
}

impl Progress {
    /// A bar for so many things, if somebody watches and it takes long.
    pub(crate) fn of(len: u64, is_watched: bool) -> Self {
        let bar = (is_watched && len >= WORTH_A_BAR).then(|| {
            let template = "{bar:32} {percent:>3} %  {human_pos} of {human_len} {msg}, {eta} left";
            let style =
                ProgressStyle::with_template(template).expect("the template is well formed");
            ProgressBar::new(len).with_style(style).with_message("callbacks")
        });
        Self { bar, step: (len / 200).max(1), shown: 0 }
    }

    /// So much is done.
    pub(crate) fn reach(&mut self, done: u64) {
        if let Some(bar) = &self.bar
            && done - self.shown >= self.step
        {
            bar.set_position(done);
            self.shown = done;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
