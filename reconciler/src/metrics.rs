//! Counters and gauges of a reconciler, in the text form that Prometheus reads. They outlive a lead:
//! who stands by shows them too.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::report::Reason;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfGuard {
    guard: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDelegation {
    delegation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCommit {
    commit: String,
}

/// How it stands with the newest commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Convergence {
    /// The cluster was brought to it.
    Converged,
    /// It is tried again and again.
    Failing,
    /// It is refused as a whole.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByConvergence {
    outcome: Convergence,
}

/// All metrics of the reconciler.
pub struct Metrics {
    registry: Registry,
    leads: Gauge,
    told: Family<ByReason, Counter>,
    guards: Family<OfGuard, Gauge>,
    commit: Family<OfCommit, Gauge>,
    declared_objects: Gauge,
    additions: Gauge,
    convergences: Family<ByConvergence, Counter>,
    unneeded_bounds: Family<OfDelegation, Gauge>,
    /// Fetches of Git that failed, each outage once.
    pub unusable: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gitward_reconciler");
        let (leads, declared_objects, additions) = (Gauge::default(), Gauge::default(), Gauge::default());
        let told = Family::<ByReason, Counter>::default();
        let guards = Family::<OfGuard, Gauge>::default();
        let commit = Family::<OfCommit, Gauge>::default();
        let convergences = Family::<ByConvergence, Counter>::default();
        let unneeded_bounds = Family::<OfDelegation, Gauge>::default();
        let unusable = Counter::default();
        registry.register("leader", "Whether this process leads", leads.clone());
        registry.register("told", "What was told in Events, by reason", told.clone());
        registry.register("guard", "Whether a part of the fence is as shipped", guards.clone());
        registry.register("commit", "The commit that objects are held to", commit.clone());
        registry.register("declared_objects", "Objects that it declares", declared_objects.clone());
        registry.register("additions", "Declared objects whose additions were learnt", additions.clone());
        registry.register("convergences", "Attempts to bring the cluster to a commit", convergences.clone());
        registry.register("unusable_commits", "Times that the ref could not be followed", unusable.clone());
        let help = "Bounds of a delegation that allow more than what was seen for long enough";
        registry.register("unneeded_bounds", help, unneeded_bounds.clone());
        Self {
            unneeded_bounds,
            registry,
            leads,
            told,
            guards,
            commit,
            declared_objects,
            additions,
            convergences,
            unusable,
        }
    }
}

impl Metrics {
    /// This process leads, or does not.
    pub fn leads(&self, leads: bool) {
        self.leads.set(leads.into());
        if !leads {
            // Whoever leads knows.
            self.guards.clear();
            self.commit.clear();
            self.unneeded_bounds.clear();
        }
    }

    /// In how much each delegation is broader than what was seen.
    pub fn unneeded_bounds(&self, counts: impl IntoIterator<Item = (String, usize)>) {
        self.unneeded_bounds.clear();
        for (delegation, count) in counts {
            self.unneeded_bounds
                .get_or_create(&OfDelegation { delegation })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Something was told.
    pub fn told(&self, reason: Reason) {
        self.told.get_or_create(&ByReason { reason }).inc();
    }

    /// How one guard stands.
    pub fn guard(&self, guard: &str, holds: bool) {
        self.guards.get_or_create(&OfGuard { guard: guard.to_owned() }).set(holds.into());
    }

    /// The cluster was brought to a commit, or not.
    pub fn convergence(&self, outcome: Convergence) {
        self.convergences.get_or_create(&ByConvergence { outcome }).inc();
    }

    /// What objects are held to.
    pub fn held(&self, commit: &str, declared: usize, additions: usize) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.commit.clear();
        self.commit.get_or_create(&OfCommit { commit: commit.to_owned() }).set(1);
        self.declared_objects.set(count(declared));
        self.additions.set(count(additions));
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn who_stands_by_shows_no_commit_and_no_guards() {
        let metrics = Metrics::default();
        metrics.leads(true);
        metrics.held("0123", 2, 1);
        metrics.guard("gitward-trust", false);
        metrics.told(Reason::Reverted);
        let leading = metrics.text();
        for line in [
            "gitward_reconciler_leader 1",
            "gitward_reconciler_commit{commit=\"0123\"} 1",
            "gitward_reconciler_guard{guard=\"gitward-trust\"} 0",
            "gitward_reconciler_told_total{reason=\"Reverted\"} 1",
        ] {
            assert!(leading.contains(line), "{line}: {leading}");
        }
        metrics.leads(false);
        let standing_by = metrics.text();
        assert!(standing_by.contains("gitward_reconciler_leader 0"), "{standing_by}");
        assert!(!standing_by.contains("0123") && !standing_by.contains("gitward-trust"), "{standing_by}");
    }

    /// Names of the reconciler's metrics in a file of `deploy/monitoring`.
    fn asked_for(text: &str) -> BTreeSet<String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let names = text.split("gitward_reconciler_").skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap());
        names.map(|name| format!("gitward_reconciler_{name}")).collect()
    }

    #[test]
    fn the_dashboard_and_the_alerts_ask_for_what_is_shown() {
        let metrics = Metrics::default();
        metrics.leads(true);
        metrics.held("0123", 2, 1);
        metrics.guard("gitward-trust", true);
        for reason in [Reason::Diverged, Reason::Fight, Reason::LeftAlone, Reason::UnknownMutator, Reason::Reverted] {
            metrics.told(reason);
        }
        for outcome in [Convergence::Converged, Convergence::Failing, Convergence::Refused] {
            metrics.convergence(outcome);
        }
        let shown = metrics.text();
        let dashboard = asked_for(include_str!("../../deploy/monitoring/dashboard.json"));
        let alerts = asked_for(include_str!("../../deploy/monitoring/alerts.yaml"));
        assert!(dashboard.len() > 5 && alerts.len() > 3);
        for name in dashboard.union(&alerts) {
            let is_shown =
                |line: &str| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(['{', ' ']));
            assert!(shown.lines().any(is_shown), "{name} is not shown: {shown}");
        }
        for label in ["Diverged", "Fight", "LeftAlone", "UnknownMutator", "Converged", "Failing", "Refused"] {
            assert!(shown.contains(&format!("=\"{label}\"}} 1")), "{label}: {shown}");
        }
    }
}
