//! Pauses between attempts to watch: short at first, since a restarted API server is back within
//! seconds and the index is stale until then.

use std::time::Duration;

use kube::runtime::utils::Backoff;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Doubling pauses, from a tenth of a second to ten seconds.
pub struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_over() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.next(), Some(FIRST));
        assert_eq!(pauses.by_ref().take(20).last(), Some(LONGEST));
        pauses.reset();
        assert_eq!(pauses.next(), Some(FIRST));
    }
}
