//! Counters and times, in the text form that Prometheus reads.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gitward_core::config::Configuration;
use gitward_core::verdict::{Origin, Traced};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Decision {
    /// Let through.
    Allowed,
    /// Let through with warnings.
    Warned,
    /// Denied.
    Denied,
    /// Left to another review of the same request, converted to the version that is judged in.
    JudgedConverted,
    /// Denied since no commit is known.
    NothingKnown,
    /// No review that could be read.
    Malformed,
    /// Turned away: too many at a time.
    Busy,
    /// Not answered within the API server's time.
    Late,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDecision {
    decision: Decision,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOrigin {
    origin: &'static str,
}

/// What a second look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Second {
    /// Fresh reads of the cluster explained the change.
    ExplainedByCluster,
    /// A newer commit explained the change.
    ExplainedByGit,
    /// What the leader published meanwhile explained the change.
    ExplainedByLearning,
    /// Still denied.
    Denied,
    /// Not taken: too many at a time.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRule {
    rule: &'static str,
    needs: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDeclaration {
    kind: &'static str,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BySecond {
    outcome: Second,
}

/// All metrics of the webhook.
pub struct Metrics {
    registry: Registry,
    decisions: Family<ByDecision, Counter>,
    origins: Family<ByOrigin, Counter>,
    rules: Family<ByRule, Counter>,
    declarations: Family<ByDeclaration, Counter>,
    seconds: Family<BySecond, Counter>,
    duration: Histogram,
    /// Times that the webhook's registration was changed or deleted by others and put right.
    pub repairs: Counter,
    /// Fetches of Git that failed.
    pub fetch_failures: Counter,
    /// Commits that could not be used.
    pub unusable_commits: Counter,
    /// When the snapshot in force was put together (seconds since 1970).
    pub snapshot_time: Gauge<f64, AtomicU64>,
}

/// From a quarter of a millisecond to ten seconds.
const BUCKETS: [f64; 12] = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gitward_webhook");
        let decisions = Family::default();
        let origins = Family::default();
        let rules = Family::default();
        let declarations = Family::<ByDeclaration, Counter>::default();
        let seconds = Family::default();
        let duration = Histogram::new(BUCKETS);
        let (repairs, fetch_failures, unusable_commits) = (Counter::default(), Counter::default(), Counter::default());
        let snapshot_time = Gauge::default();
        registry.register("decisions", "Answers to reviews", decisions.clone());
        registry.register("origins", "Reviews let through, by origin of their changes", origins.clone());
        registry.register("rules", "Reviews let through as derived, by rule and what it rests on", rules.clone());
        let used = "Reviews let through by an exemption, a delegation or a break-glass declaration; zero: not used since the start";
        registry.register("declaration_uses", used, declarations.clone());
        registry.register("second_looks", "Denials looked at again", seconds.clone());
        registry.register_with_unit("answer", "Time to an answer", Unit::Seconds, duration.clone());
        registry.register("registration_repairs", "Registrations put right", repairs.clone());
        registry.register("fetch_failures", "Failed fetches of Git", fetch_failures.clone());
        registry.register("unusable_commits", "Commits with errors", unusable_commits.clone());
        registry.register(
            "snapshot_timestamp_seconds",
            "When the snapshot in force was put together",
            snapshot_time.clone(),
        );
        Self {
            registry,
            decisions,
            origins,
            rules,
            declarations,
            seconds,
            duration,
            repairs,
            fetch_failures,
            unusable_commits,
            snapshot_time,
        }
    }
}

impl Metrics {
    /// Shows what Git declares from the start, so that what is never used can be told.
    pub fn declared(&self, configuration: &Configuration) {
        let exemptions = configuration.exemptions.iter().map(|e| ("Exempted", &e.name));
        let glasses = configuration.break_glass.iter().map(|b| ("BreakGlass", &b.name));
        let delegations = configuration.delegations.iter().map(|d| ("Delegated", &d.name));
        for (kind, name) in exemptions.chain(delegations).chain(glasses) {
            let _ = self.declarations.get_or_create(&ByDeclaration { kind, name: name.clone() });
        }
    }

    /// Counts an answer.
    pub fn decided(&self, decision: Decision, took: Duration) {
        self.decisions.get_or_create(&ByDecision { decision }).inc();
        self.duration.observe(took.as_secs_f64());
    }

    /// Counts the origins of a request that was let through, each once.
    pub fn traced(&self, traced: &[Traced]) {
        let (mut origins, mut rules, mut declarations) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for Traced { origin, .. } in traced {
            origins.insert(origin.name());
            if let Origin::Derived { rule, by_identity } = origin {
                rules.insert((*rule, if *by_identity { "identity" } else { "content" }));
            }
            if let Origin::Exempted { name, .. } | Origin::Delegated { name, .. } | Origin::BreakGlass { name, .. } =
                origin
            {
                declarations.insert((origin.name(), name));
            }
        }
        for (kind, name) in declarations {
            self.declarations.get_or_create(&ByDeclaration { kind, name: name.clone() }).inc();
        }
        for origin in origins {
            self.origins.get_or_create(&ByOrigin { origin }).inc();
        }
        for (rule, needs) in rules {
            self.rules.get_or_create(&ByRule { rule, needs }).inc();
        }
    }

    /// Counts a second look.
    pub fn second(&self, outcome: Second) {
        self.seconds.get_or_create(&BySecond { outcome }).inc();
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
    use super::*;
    use gitward_core::change::Change;
    use gitward_core::config::Exemption;
    use gitward_core::finding::Place;

    #[test]
    fn an_exemption_that_is_never_used_stays_at_zero() {
        let exemption = |name: &str| Exemption {
            name: name.to_owned(),
            accounts: vec!["sre".to_owned()],
            kinds: vec!["Pod".to_owned()],
            namespaces: Vec::new(),
            fields: Vec::new(),
            until: None,
            reason: "tests".to_owned(),
        };
        let configuration =
            Configuration { exemptions: vec![exemption("used"), exemption("never")], ..Configuration::default() };
        let place = Place { file: "gitward.yaml".into(), line: 1, column: 1 };
        let origin = Origin::Exempted { name: "used".to_owned(), place };
        let metrics = Metrics::default();
        metrics.traced(&[Traced { change: Change::whole(), origin }]);
        metrics.declared(&configuration);
        let text = metrics.text();
        for line in [r#"{kind="Exempted",name="used"} 1"#, r#"{kind="Exempted",name="never"} 0"#] {
            assert!(text.contains(&format!("gitward_webhook_declaration_uses_total{line}")), "{text}");
        }
    }
}
