//! Several replicas keep one registration, and one of them may know a commit before another does.
//! By the commit that a registration names as its maker they tell that from tampering.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Commits that are remembered.
const REMEMBERED: usize = 64;

/// A registration by a commit that Git does not show is put right so often at most: where another
/// replica reaches Git and this one does not, they would do and undo without end.
const PAUSE: Duration = Duration::from_secs(5);

/// What to do about a registration that is not as wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Put it right.
    Now,
    /// Look at Git first: its maker may know more.
    AfterALook,
    /// Put it right after a pause.
    In(Duration),
}

/// The commits that were in force here, and those that were looked for in vain.
#[derive(Debug, Default)]
pub(super) struct Commits {
    own: VecDeque<String>,
    foreign: VecDeque<String>,
    put_right: Option<Instant>,
}

impl Commits {
    /// This commit is in force here.
    pub(super) fn in_force(&mut self, commit: &str) {
        remember(&mut self.own, commit);
    }

    /// What to do about a registration that names this maker.
    pub(super) fn repair(&mut self, maker: Option<&str>, now: Instant) -> Repair {
        let Some(maker) = maker.filter(|maker| !self.own.iter().any(|own| own == maker)) else { return Repair::Now };
        if remember(&mut self.foreign, maker) {
            return Repair::AfterALook;
        }
        match self.put_right.map(|at| at + PAUSE).filter(|again| *again > now) {
            Some(again) => Repair::In(again - now),
            None => {
                self.put_right = Some(now);
                Repair::Now
            }
        }
    }
}

/// Whether it was not known.
fn remember(commits: &mut VecDeque<String>, commit: &str) -> bool {
    if commits.iter().any(|known| known == commit) {
        return false;
    }
    commits.push_back(commit.chars().take(64).collect());
    if commits.len() > REMEMBERED {
        commits.pop_front();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tampering_is_put_right_at_once_and_what_another_knows_is_looked_for() {
        let mut commits = Commits::default();
        let now = Instant::now();
        commits.in_force("a");
        for maker in [None, Some("a")] {
            assert_eq!(commits.repair(maker, now), Repair::Now);
        }
        assert_eq!(commits.repair(Some("b"), now), Repair::AfterALook);
        commits.in_force("b");
        for maker in ["a", "b"] {
            assert_eq!(commits.repair(Some(maker), now), Repair::Now);
        }
    }

    #[test]
    fn two_that_do_not_agree_do_not_wear_the_api_server_out() {
        let mut commits = Commits::default();
        let now = Instant::now();
        assert_eq!(commits.repair(Some("b"), now), Repair::AfterALook);
        assert_eq!(commits.repair(Some("b"), now), Repair::Now);
        assert_eq!(commits.repair(Some("b"), now), Repair::In(PAUSE));
        assert_eq!(commits.repair(Some("b"), now + PAUSE), Repair::Now);
    }

    #[test]
    fn makers_without_number_take_no_room() {
        let mut commits = Commits::default();
        for n in 0..10 * REMEMBERED {
            assert_eq!(commits.repair(Some(&n.to_string()), Instant::now()), Repair::AfterALook);
        }
        assert_eq!(commits.foreign.len(), REMEMBERED);
    }
}
