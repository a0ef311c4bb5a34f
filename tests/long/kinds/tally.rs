//! What became of every edit, and the figures of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::kinds::view::Key;

/// What became of one edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// An alert named it and it was gone after so many milliseconds.
    Reverted(u128),
    /// It was gone, and no alert named it.
    Unnamed(u128),
    /// An alert named it, and it stayed.
    Alerted,
    /// Nobody noticed.
    Stayed,
}

/// All results.
#[derive(Default)]
pub(crate) struct Tally {
    /// Edits of which the API server took no value.
    pub(crate) refused: usize,
    /// Edits that change nothing.
    pub(crate) no_ops: usize,
    /// Edits that were denied at admission.
    pub(crate) denied: usize,
    /// Edits that webhooks are never asked about.
    pub(crate) unasked: usize,
    /// Edits that admission let through: object and edit.
    pub(crate) let_through: Vec<String>,
    /// What became of the edits that were made with the webhook gone.
    pub(crate) fates: Vec<(Key, String, Fate)>,
}

impl Tally {
    /// Milliseconds until edits were gone, in order.
    fn times(&self) -> Vec<u128> {
        let mut times: Vec<u128> = self
            .fates
            .iter()
            .filter_map(|(_, _, fate)| match fate {
                Fate::Reverted(ms) | Fate::Unnamed(ms) => Some(*ms),
                Fate::Alerted | Fate::Stayed => None,
            })
            .collect();
        times.sort_unstable();
        times
    }

    /// One line of figures.
    pub(crate) fn line(&self) -> String {
        let times = self.times();
        let at = |share: usize| {
            times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        let count = |of: fn(&Fate) -> bool| self.fates.iter().filter(|(_, _, f)| of(f)).count();
        let kinds: std::collections::BTreeSet<&str> = self.fates.iter().map(|((k, _, _), _, _)| k.as_str()).collect();
        format!(
            "admission: {} edits denied, {} let through, {} of kinds that no webhook is asked about; runtime: {} edits of \
             {} kinds made, {} alerted and reverted, {} reverted without an alert that names them, {} alerted and left, \
             {} unnoticed; ms: median {}, p99 {}, longest {}; the API server refused {} edits and {} changed nothing",
            self.denied,
            self.let_through.len(),
            self.unasked,
            self.fates.len(),
            kinds.len(),
            count(|f| matches!(f, Fate::Reverted(_))),
            count(|f| matches!(f, Fate::Unnamed(_))),
            count(|f| *f == Fate::Alerted),
            count(|f| *f == Fate::Stayed),
            at(50),
            at(99),
            at(100),
            self.refused,
            self.no_ops
        )
    }

    /// Every edit that was not both alerted and reverted.
    pub(crate) fn shortcomings(&self) -> Vec<(Key, String, Fate)> {
        self.fates.iter().filter(|(_, _, f)| !matches!(f, Fate::Reverted(_))).cloned().collect()
    }

    /// Every edit with what became of it, by kind.
    pub(crate) fn table(&self) -> String {
        let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((kind, _, name), edit, fate) in &self.fates {
            kinds.entry(kind).or_default().push(format!("  {name}: {edit}: {fate:?}"));
        }
        let mut out = String::new();
        for (kind, lines) in kinds {
            let _ = writeln!(out, "{kind}\n{}", lines.join("\n"));
        }
        out
    }
}
