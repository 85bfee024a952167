//! The progress bar, for files that take a while.

use indicatif::{ProgressBar, ProgressStyle};

/// Files below this size are done before a bar could be read.
const WORTH_A_BAR: u64 = 16 * 1024 * 1024;
/// How often the bar hears of it, in bytes: often enough to be smooth, and not to be felt.
const STEP: u64 = 256 * 1024;

/// A bar on standard error, or none.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    shown: u64,
}

impl Progress {
    pub(crate) fn none() -> Self {
        Self { bar: None, shown: 0 }
    }

    /// A bar for a file of so many bytes, if it is large.
    pub(crate) fn of(len: u64) -> Self {
        let bar = (len >= WORTH_A_BAR).then(|| {
            let style = ProgressStyle::with_template(
                "{bar:32} {percent:>3} %  {bytes} of {total_bytes}, {eta} left",
            )
            .expect("the template is well formed");
            ProgressBar::new(len).with_style(style)
        });
        Self { bar, shown: 0 }
    }

    /// So many bytes are done.
    pub(crate) fn reach(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar
            && bytes - self.shown >= STEP
        {
            bar.set_position(bytes);
            self.shown = bytes;
        }
    }

    /// Prints something, with the bar out of the way.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
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
