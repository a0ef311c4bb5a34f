//! Counters and times, in the text form that Prometheus reads.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gitward_core::config::Configuration;
use gitward_core::finding::Finding;
use gitward_core::snapshot::Snapshot;
use gitward_core::verdict::{Origin, Traced};
use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::bounds::BoundUses;

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
struct ByFinding {
    decision: Decision,
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCommit {
    commit: String,
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
    findings: Family<ByFinding, Counter>,
    declarations: Family<ByDeclaration, Counter>,
    seconds: Family<BySecond, Counter>,
    duration: Histogram,
    /// Times that the webhook's registration was changed or deleted by others and put right.
    pub repairs: Counter,
    /// Fetches of Git that failed.
    pub fetch_failures: Counter,
    /// Commits that could not be used.
    pub unusable_commits: Counter,
    /// When Git was reached last (seconds since 1970); zero: never since the start.
    pub git_reached: Gauge<f64, AtomicU64>,
    /// Which bounds of delegations were used.
    pub bounds: BoundUses,
    /// Requests that are being answered.
    pub under_way: Gauge,
    snapshot_time: Gauge<f64, AtomicU64>,
    snapshot: Family<OfCommit, Gauge>,
    declared_objects: Gauge,
    additions: Gauge,
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
        let findings = Family::<ByFinding, Counter>::default();
        let (git_reached, snapshot_time) = (Gauge::default(), Gauge::<f64, AtomicU64>::default());
        let (under_way, declared_objects, additions) = (Gauge::default(), Gauge::default(), Gauge::default());
        let snapshot = Family::<OfCommit, Gauge>::default();
        registry.register("decisions", "Answers to reviews", decisions.clone());
        registry.register("origins", "Reviews let through, by origin of their changes", origins.clone());
        registry.register("rules", "Reviews let through as derived, by rule and what it rests on", rules.clone());
        registry.register("findings", "Reviews denied or warned about, by rule", findings.clone());
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
        registry.register("snapshot", "The commit in force", snapshot.clone());
        registry.register("declared_objects", "Objects that the commit in force declares", declared_objects.clone());
        registry.register("additions", "Declared objects whose additions are known", additions.clone());
        registry.register("requests_under_way", "Reviews that are being answered", under_way.clone());
        registry.register(
            "git_reached_timestamp_seconds",
            "When Git was reached last; zero: never since the start",
            git_reached.clone(),
        );
        Self {
            registry,
            decisions,
            origins,
            rules,
            findings,
            declarations,
            seconds,
            duration,
            repairs,
            fetch_failures,
            unusable_commits,
            git_reached,
            bounds: BoundUses::default(),
            under_way,
            snapshot_time,
            snapshot,
            declared_objects,
            additions,
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

    /// Shows which snapshot is in force from now on.
    pub fn in_force(&self, snapshot: &Snapshot, now: Timestamp) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.snapshot_time.set(seconds(now));
        self.snapshot.clear();
        self.snapshot.get_or_create(&OfCommit { commit: snapshot.commit.id.clone() }).set(1);
        self.declared_objects.set(count(snapshot.declared.len()));
        self.additions.set(count(snapshot.declared.values().filter(|d| d.learnt.is_some()).count()));
    }

    /// Git was reached.
    pub fn reached_git(&self, now: Timestamp) {
        self.git_reached.set(seconds(now));
    }

    /// Counts what was found in a request that was denied or warned about, each rule once.
    pub fn found(&self, decision: Decision, findings: &[Finding]) {
        let rules: BTreeSet<&str> = findings.iter().map(|f| f.rule.as_ref()).collect();
        for rule in rules {
            self.findings.get_or_create(&ByFinding { decision, rule: rule.to_owned() }).inc();
        }
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

fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
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

    /// Names of the webhook's metrics in a file of `deploy/monitoring`.
    fn asked_for(text: &str) -> BTreeSet<String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let names = text.split("gitward_webhook_").skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap());
        names.map(|name| format!("gitward_webhook_{name}")).collect()
    }

    #[test]
    fn the_dashboard_and_the_alerts_ask_for_what_is_shown() {
        let metrics = Metrics::default();
        let second = Duration::from_secs(1);
        for decision in [Decision::Denied, Decision::Busy, Decision::Late, Decision::NothingKnown, Decision::Malformed]
        {
            metrics.decided(decision, second);
        }
        metrics.found(Decision::Denied, &[Finding::error("trace/undeclared", "x")]);
        metrics.second(Second::Denied);
        metrics.in_force(&crate::review::tests::snapshot(), Timestamp::now());
        let derived = Origin::Derived { rule: "job", by_identity: false };
        let place = Place { file: "gitward.yaml".into(), line: 1, column: 1 };
        let exempted = Origin::Exempted { name: "used".to_owned(), place };
        let traced = [derived, exempted].map(|origin| Traced { change: Change::whole(), origin });
        metrics.traced(&traced);
        let shown = metrics.text();
        let dashboard = asked_for(include_str!("../../deploy/monitoring/dashboard.json"));
        let alerts = asked_for(include_str!("../../deploy/monitoring/alerts.yaml"));
        assert!(dashboard.len() > 10 && alerts.len() > 4);
        for name in dashboard.union(&alerts) {
            let is_shown =
                |line: &str| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(['{', ' ']));
            assert!(shown.lines().any(is_shown), "{name} is not shown: {shown}");
        }
        for decision in ["Denied", "Busy", "Late", "NothingKnown", "Malformed"] {
            assert!(shown.contains(&format!("decisions_total{{decision=\"{decision}\"}} 1")), "{shown}");
        }
    }
}
