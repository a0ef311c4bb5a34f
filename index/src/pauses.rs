//! Pauses between attempts to watch: short at first, since a restarted API server is back within
//! seconds and the index is stale until then.

use std::time::Duration;

use kube::runtime::utils::Backoff;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(100);

/// Not longer: when the API server is back, nothing is guarded until its watches are.
const LONGEST: Duration = Duration::from_secs(3);

/// So long after the end of a pause without another the attempt has succeeded.
const SUCCESS: Duration = Duration::from_secs(2);

/// Doubling pauses, from a tenth of a second to three seconds; they start over where one attempt has
/// succeeded.
pub struct Pauses {
    next: Duration,
    /// When the last pause ends.
    until: Option<Instant>,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: FIRST, until: None }
    }
}

impl Pauses {
    fn next_at(&mut self, now: Instant) -> Duration {
        if self.until.is_some_and(|until| now >= until + SUCCESS) {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        self.until = Some(now + pause);
        pause
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(self.next_at(Instant::now()))
    }
}

impl Backoff for Pauses {
    /// A watcher calls this with its first event, and begins every attempt with an event that says
    /// no more than that: each attempt would be the first one. Time tells instead.
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_over_after_a_success() {
        let mut pauses = Pauses::default();
        let mut now = Instant::now();
        let mut failing = |pauses: &mut Pauses, times: usize| {
            let mut last = Duration::ZERO;
            for _ in 0..times {
                last = pauses.next_at(now);
                // What a watcher does at each attempt, and the attempt itself.
                pauses.reset();
                now += last + Duration::from_millis(20);
            }
            (last, now)
        };
        assert_eq!(failing(&mut pauses, 1).0, FIRST);
        let (last, ended) = failing(&mut pauses, 20);
        assert_eq!(last, LONGEST);
        assert_eq!(pauses.next_at(ended + SUCCESS + LONGEST), FIRST);
    }
}
