//! Noticing that the API server is of another version by now: everything is learnt anew then.

/// What the API server said of its version lately.
#[derive(Debug, Default)]
pub(crate) struct Upgrade {
    /// Another version than the one that was learnt from, if that was the last answer.
    heard: Option<String>,
}

impl Upgrade {
    /// Whether the API server is to be learnt from anew: it says `now`, and what is known was learnt from
    /// `learnt_from`. Behind one address several of different versions may answer in turn while they
    /// are upgraded: only what is said twice running counts, or everything would be learnt at every look.
    pub(crate) fn is_over(&mut self, learnt_from: &str, now: String) -> bool {
        if now == learnt_from {
            self.heard = None;
            return false;
        }
        let before = self.heard.replace(now);
        before == self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_that_is_heard_twice_running() {
        let heard = |answers: &[&str]| {
            let mut upgrade = Upgrade::default();
            answers.iter().map(|now| upgrade.is_over("1.35", (*now).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(heard(&["1.35", "1.35"]), [false, false]);
        assert_eq!(heard(&["1.36", "1.36"]), [false, true]);
        assert_eq!(heard(&["1.36", "1.35", "1.36", "1.35"]), [false; 4]);
        assert_eq!(heard(&["1.36", "1.37", "1.37"]), [false, false, true]);
    }
}
