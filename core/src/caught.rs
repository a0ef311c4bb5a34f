//! Panics of other people's parsers that are caught and told as findings. Their own message would
//! reach the standard error besides, past every finding and every log format: the program's panic
//! hook asks here whether to be silent.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<usize> = const { Cell::new(0) };
}

/// Runs something that may panic on input from outside; `None` if it did.
pub fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    CATCHING.set(CATCHING.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(CATCHING.get() - 1);
    outcome.ok()
}

/// Whether a panic of this thread would be caught by [`caught`] and told as a finding.
pub fn is_caught() -> bool {
    CATCHING.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_caught_and_known_to_be_while_they_may_happen() {
        assert!(!is_caught());
        assert_eq!(caught(is_caught), Some(true));
        assert_eq!(caught(|| caught(|| ()).is_some() && is_caught()), Some(true));
        assert_eq!(caught(|| -> u8 { panic!("on input") }), None);
        assert!(!is_caught());
        assert_eq!(std::thread::spawn(is_caught).join().ok(), Some(false));
    }
}
