//! Noticing that the same content may become another object by now: the API server is of another version, or a
//! CRD, a mutator or something else that shapes objects changed. What it concerns is learnt anew then.

use crate::surroundings::Surroundings;

/// What was seen lately of what shapes objects.
#[derive(Debug, Default)]
pub(crate) struct Reshaped {
    /// Others than those that were learnt in, if that was the last answer.
    seen: Option<Surroundings>,
}

impl Reshaped {
    /// Whether objects are to be learnt anew: they were learnt in surroundings that were not these. Behind
    /// one address several API servers of different versions may answer in turn while they are upgraded:
    /// only what is seen twice running counts, or everything would be learnt at every look.
    pub(crate) fn is_certain(&mut self, learnt_in: &Surroundings, now: Surroundings) -> bool {
        if now == *learnt_in {
            self.seen = None;
            return false;
        }
        let before = self.seen.replace(now);
        before == self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_count_that_are_seen_twice_running() {
        let seen = |answers: &[&str]| {
            let learnt_in = Surroundings::of_version("1.35");
            let mut reshaped = Reshaped::default();
            let certain = |now: &&str| reshaped.is_certain(&learnt_in, Surroundings::of_version(now));
            answers.iter().map(certain).collect::<Vec<_>>()
        };
        assert_eq!(seen(&["1.35", "1.35"]), [false, false]);
        assert_eq!(seen(&["1.36", "1.36"]), [false, true]);
        assert_eq!(seen(&["1.36", "1.35", "1.36", "1.35"]), [false; 4]);
        assert_eq!(seen(&["1.36", "1.37", "1.37"]), [false, false, true]);
    }
}
