//! Verdicts: allow, warn or deny, with what was found and where every change comes from.

use std::fmt;

use serde::Serialize;

use crate::change::Change;
use crate::finding::{Finding, Place, Severity};

/// Why a change is legitimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "origin")]
pub enum Origin {
    /// Git says so, here.
    Declared {
        /// Where in Git.
        place: Place,
    },
    /// The API server adds it to what Git says: a default, an allocation, a set-once field.
    Defaulted,
    /// Made by a built-in controller from a declared object, recognised by the named rule.
    Derived {
        /// Name of the rule, as in the table of [`crate::derived`].
        rule: &'static str,
        /// Whether the writer's account had to be believed.
        by_identity: bool,
    },
    /// An operator's output, within ceilings that Git declares.
    Delegated {
        /// The declaration's name.
        name: String,
        /// Where in Git.
        place: Place,
    },
    /// Moves the object towards Git: what Git does not declare goes away.
    Removal,
    /// An exemption written in Git.
    Exempted {
        /// The exemption's name.
        name: String,
        /// Where in Git.
        place: Place,
    },
    /// Break-glass, declared in Git.
    BreakGlass {
        /// The declaration's name.
        name: String,
        /// Where in Git.
        place: Place,
    },
}

impl Origin {
    /// The origin's name as metrics, annotations and messages use it.
    pub fn name(&self) -> &'static str {
        match self {
            Origin::Declared { .. } => "Declared",
            Origin::Defaulted => "Defaulted",
            Origin::Derived { .. } => "Derived",
            Origin::Delegated { .. } => "Delegated",
            Origin::Removal => "Removal",
            Origin::Exempted { .. } => "Exempted",
            Origin::BreakGlass { .. } => "BreakGlass",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Declared { place } => write!(f, "Declared {place}"),
            Origin::Derived { rule, by_identity: false } => write!(f, "Derived {rule}"),
            Origin::Derived { rule, by_identity: true } => write!(f, "Derived {rule} (by identity)"),
            Origin::Delegated { name, place } => write!(f, "Delegated {name} {place}"),
            Origin::Exempted { name, place } => write!(f, "Exempted {name} {place}"),
            Origin::BreakGlass { name, place } => write!(f, "BreakGlass {name} {place}"),
            Origin::Defaulted | Origin::Removal => f.write_str(self.name()),
        }
    }
}

/// A change with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Traced {
    /// What changes.
    pub change: Change,
    /// Why it may.
    pub origin: Origin,
}

/// What a gate answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What was found; any error denies.
    pub findings: Vec<Finding>,
    /// Where each allowed change comes from.
    pub traced: Vec<Traced>,
}

impl Verdict {
    /// A verdict with one change of the whole object and its origin.
    pub fn whole(origin: Origin) -> Self {
        Self { findings: Vec::new(), traced: vec![Traced { change: Change::whole(), origin }] }
    }

    /// A denial with one finding.
    pub fn deny(finding: Finding) -> Self {
        Self { findings: vec![finding], traced: Vec::new() }
    }

    /// Whether the gate lets it pass.
    pub fn allowed(&self) -> bool {
        self.findings.iter().all(|f| f.severity < Severity::Error)
    }

    /// Counts by origin, for annotations: `Declared=2 Defaulted=5`.
    pub fn origin_summary(&self) -> String {
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for traced in &self.traced {
            let name = traced.origin.name();
            match counts.iter_mut().find(|(n, _)| *n == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
        counts.iter().map(|(n, c)| format!("{n}={c}")).collect::<Vec<_>>().join(" ")
    }
}
