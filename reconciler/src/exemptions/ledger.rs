//! Who used what, and how that is told.

use std::collections::BTreeMap;

use gitward_core::finding::Place;
use gitward_core::snapshot::Snapshot;
use gitward_index::environment::DeclarationUse;
use jiff::{SignedDuration, Timestamp};

/// A use is noted once in this time.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What can be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Exemption,
    Delegation,
    BreakGlass,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exemption => "Exemption",
            Self::Delegation => "Delegation",
            Self::BreakGlass => "BreakGlass",
        }
    }
}

/// An exemption, delegation or break-glass declaration of Git that is this environment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) place: Place,
    /// Since when it is over, if it is.
    pub(super) over: Option<Timestamp>,
}

/// What a commit declares for its environment.
pub(super) fn declared(held: &Snapshot, now: Timestamp) -> Vec<Declaration> {
    let configuration = &held.configuration;
    let exemptions = configuration.exemptions.iter().enumerate().filter(|(_, e)| e.is_of(&held.environment));
    let delegations = configuration.delegations.iter().enumerate().filter(|(_, d)| d.is_of(&held.environment));
    let glasses = configuration.break_glass.iter().enumerate();
    let exemptions = exemptions.map(|(i, e)| Declaration {
        kind: Kind::Exemption,
        name: e.name.clone(),
        place: configuration.exemption_place(i),
        over: e.until.filter(|_| !e.in_force(now)),
    });
    let delegations = delegations.map(|(i, d)| Declaration {
        kind: Kind::Delegation,
        name: d.name.clone(),
        place: configuration.delegation_place(i),
        over: d.until.filter(|_| !d.in_force(now)),
    });
    let glasses = glasses.map(|(i, b)| Declaration {
        kind: Kind::BreakGlass,
        name: b.name.clone(),
        place: configuration.break_glass_place(i),
        over: None,
    });
    exemptions.chain(delegations).chain(glasses).collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Use {
    since: Timestamp,
    last: Option<Timestamp>,
    /// What each replica of the webhook counted when it was asked last.
    counts: BTreeMap<String, u64>,
}

/// When each declaration was used last.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<(Kind, String), Use>);

/// How the condition of the Environment stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sound {
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Ledger {
    /// What an earlier process noted.
    pub(super) fn restored(uses: &[DeclarationUse]) -> Self {
        let kinds = [Kind::Exemption, Kind::Delegation, Kind::BreakGlass];
        let read = |noted: &DeclarationUse| {
            let kind = kinds.into_iter().find(|k| k.name() == noted.kind)?;
            let last = noted.last_used.as_deref().and_then(|t| t.parse().ok());
            Some(((kind, noted.name.clone()), Use { since: noted.since.parse().ok()?, last, counts: BTreeMap::new() }))
        };
        Self(uses.iter().filter_map(read).collect())
    }

    /// Begins to watch what is new and forgets what Git declares no more.
    pub(super) fn keep(&mut self, declared: &[Declaration], now: Timestamp) {
        self.0.retain(|(kind, name), _| declared.iter().any(|d| d.kind == *kind && d.name == *name));
        for declaration in declared {
            let begun = Use { since: whole_seconds(now), last: None, counts: BTreeMap::new() };
            self.0.entry((declaration.kind, declaration.name.clone())).or_insert(begun);
        }
    }

    /// Whether a use of it would be news.
    pub(super) fn is_open(&self, declaration: &Declaration, now: Timestamp) -> bool {
        let noted = self.0.get(&(declaration.kind, declaration.name.clone())).and_then(|u| u.last);
        noted.is_none_or(|last| now.duration_since(last) >= NOTED_EVERY)
    }

    /// Notes a use.
    pub(super) fn used(&mut self, kind: Kind, name: &str, now: Timestamp) {
        if let Some(noted) = self.0.get_mut(&(kind, name.to_owned()))
            && noted.last.is_none_or(|last| now.duration_since(last) >= NOTED_EVERY)
        {
            noted.last = Some(whole_seconds(now));
        }
    }

    /// Notes what the webhook's replicas counted since they were asked last: `count` says it of each.
    /// The counts of one begin anew with each of its starts.
    pub(super) fn counted(
        &mut self,
        declared: &[Declaration],
        count: impl Fn(&Declaration) -> BTreeMap<String, u64>,
        now: Timestamp,
    ) {
        for declaration in declared {
            let Some(noted) = self.0.get_mut(&(declaration.kind, declaration.name.clone())) else { continue };
            let counts = count(declaration);
            let is_more = |(replica, count): (&String, &u64)| match noted.counts.get(replica) {
                Some(before) if count >= before => count > before,
                Some(_) => *count > 0,
                // Whether that was before an earlier process noted a use, nobody knows.
                None => *count > 0 && noted.last.is_none(),
            };
            let is_more = counts.iter().any(is_more);
            noted.counts = counts;
            if is_more {
                self.used(declaration.kind, &declaration.name, now);
            }
        }
    }

    /// What is written into the Environment.
    pub(super) fn uses(&self) -> Vec<DeclarationUse> {
        let written = |((kind, name), noted): (&(Kind, String), &Use)| DeclarationUse {
            kind: kind.name().to_owned(),
            name: name.clone(),
            since: noted.since.to_string(),
            last_used: noted.last.map(|t| t.to_string()),
            bounds: None,
        };
        self.0.iter().map(written).collect()
    }

    /// What is told of them, `unasked` why the webhook could not say what it let through.
    pub(super) fn sound(&self, declared: &[Declaration], unasked: Option<&str>) -> Sound {
        if declared.is_empty() {
            let message = "Git declares neither exemptions, delegations nor break-glass here".to_owned();
            return Sound { status: "True", reason: "NoneDeclared", message };
        }
        let (mut over, mut unused, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for Declaration { kind, name, place, over: since } in declared {
            let noted = self.0.get(&(*kind, name.clone())).filter(|u| u.last.is_none());
            match (kind, since, noted) {
                (_, Some(at), _) => over.push(format!("{name} at {place} holds no more since {at}")),
                (Kind::Exemption | Kind::Delegation, None, Some(noted)) => {
                    unused.push(format!("{name} at {place} is not used since {}", noted.since));
                }
                (Kind::BreakGlass, None, Some(noted)) => {
                    whole.push(format!("glass {name} at {place} was not broken since {}", noted.since));
                }
                (_, None, None) => {}
            }
        }
        let (status, reason) = match (over.is_empty(), unused.is_empty(), unasked) {
            (false, _, _) => ("False", "Expired"),
            (true, false, None) => ("False", "Unused"),
            (true, false, Some(_)) => ("Unknown", "WebhookNotAsked"),
            (true, true, _) => ("True", "InUse"),
        };
        let mut parts: Vec<String> = over.into_iter().chain(unused).collect();
        if parts.is_empty() {
            parts.push("every exemption and delegation holds and is used".to_owned());
        } else {
            parts.push("to do: remove from gitward.yaml what nobody needs".to_owned());
        }
        parts.extend(whole);
        parts.extend(unasked.map(|why| format!("the webhook could not be asked what it let through: {why}")));
        Sound { status, reason, message: parts.join("; ") }
    }
}

pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn declaration(kind: Kind, name: &str, line: u32) -> Declaration {
        let place = Place { file: "gitward.yaml".into(), line, column: 3 };
        Declaration { kind, name: name.to_owned(), place, over: None }
    }

    fn declared() -> [Declaration; 2] {
        [declaration(Kind::Exemption, "restarts", 5), declaration(Kind::BreakGlass, "on-call", 9)]
    }

    fn begun() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.keep(&declared(), at(0));
        ledger
    }

    fn sound(ledger: &Ledger, unasked: Option<&str>) -> (&'static str, &'static str, String) {
        let Sound { status, reason, message } = ledger.sound(&declared(), unasked);
        (status, reason, message)
    }

    #[test]
    fn what_nobody_used_is_named_with_its_line_and_since_when() {
        let mut ledger = begun();
        let (status, reason, message) = sound(&ledger, None);
        assert_eq!((status, reason), ("False", "Unused"));
        assert_eq!(
            message,
            "restarts at gitward.yaml:5:3 is not used since 1970-01-01T00:00:00Z; to do: remove from gitward.yaml what \
             nobody needs; glass on-call at gitward.yaml:9:3 was not broken since 1970-01-01T00:00:00Z"
        );
        let (status, reason, message) = sound(&ledger, Some("it is away"));
        assert_eq!((status, reason), ("Unknown", "WebhookNotAsked"));
        assert!(message.ends_with("the webhook could not be asked what it let through: it is away"), "{message}");
        ledger.used(Kind::Exemption, "restarts", at(7));
        let (status, reason, message) = sound(&ledger, None);
        assert_eq!((status, reason), ("True", "InUse"));
        assert!(message.starts_with("every exemption and delegation holds and is used; glass on-call"), "{message}");
    }

    #[test]
    fn what_is_over_is_named_whether_it_was_used_or_not() {
        let [mut over, _] = declared();
        over.over = Some(at(60));
        let mut ledger = begun();
        ledger.used(Kind::Exemption, "restarts", at(7));
        let Sound { status, reason, message } = ledger.sound(&[over], None);
        assert_eq!((status, reason), ("False", "Expired"));
        assert!(
            message.starts_with("restarts at gitward.yaml:5:3 holds no more since 1970-01-01T00:01:00Z"),
            "{message}"
        );
        assert_eq!(ledger.sound(&[], None).status, "True");
    }

    #[test]
    fn what_the_webhook_lets_through_is_a_use_also_after_its_restart() {
        let mut ledger = begun();
        let mut count = |count: u64, second| {
            ledger.counted(&declared(), |d| counts(d.kind == Kind::Exemption, &[("a", count)]), at(second));
            ledger.uses()[0].last_used.clone()
        };
        let noted = |second| Some(at(second).to_string());
        assert_eq!(count(0, 1), None);
        assert_eq!(count(2, 2), noted(2));
        assert_eq!(count(3, 3), noted(2), "noted once an hour");
        assert_eq!(count(3, 9000), noted(2), "nothing new");
        assert_eq!(count(1, 9001), noted(9001), "its counts began anew");
    }

    #[test]
    fn what_was_noted_outlives_the_process() {
        let mut ledger = begun();
        ledger.used(Kind::Exemption, "restarts", at(7));
        let mut again = Ledger::restored(&ledger.uses());
        again.keep(&declared(), at(100));
        assert_eq!(again.uses(), ledger.uses());
        again.counted(&declared(), |_| counts(true, &[("a", 4)]), at(9000));
        assert_eq!(again.uses()[0], ledger.uses()[0], "the four may have been counted before");
        again.keep(&declared()[1..], at(100));
        again.keep(&declared(), at(200));
        assert_eq!(again.uses()[0].since, at(200).to_string(), "Git took it away in between");
    }

    fn counts(known: bool, by_replica: &[(&str, u64)]) -> BTreeMap<String, u64> {
        by_replica.iter().filter(|_| known).map(|(replica, count)| ((*replica).to_owned(), *count)).collect()
    }

    #[test]
    fn replicas_that_count_apart_are_not_taken_for_uses() {
        let mut ledger = Ledger::default();
        ledger.keep(&declared(), at(0));
        let mut last = |by_replica: &[(&str, u64)], second| {
            ledger.counted(&declared(), |d| counts(d.kind == Kind::Exemption, by_replica), at(second));
            ledger.uses()[0].last_used.clone()
        };
        let first = last(&[("a", 5), ("b", 0)], 1);
        assert_eq!(first, Some(at(1).to_string()));
        for (second, by_replica) in
            [(9000, &[("a", 5), ("b", 0)][..]), (9001, &[("a", 5)]), (9002, &[("a", 5), ("c", 0)])]
        {
            assert_eq!(last(by_replica, second), first, "{by_replica:?}");
        }
        assert_eq!(last(&[("a", 5), ("c", 1)], 9003), Some(at(9003).to_string()));
    }
}
