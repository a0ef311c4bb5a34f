//! References between objects: what one names and no other declares.
//!
//! Warnings only, and only where Git should say it: in the namespaces that an environment governs as a
//! whole. What is known to come from elsewhere is left out: what Kubernetes itself makes, what a
//! delegation or an exemption lets others make, and whatever a custom resource beside it may make.
//!
//! Each object is asked by itself what it needs ([`asks`]) and what others may find in it ([`offer`]);
//! [`check`] holds one against the other.

mod answer;
mod backends;
mod index;
mod offer;
mod pods;
mod selectors;

use std::sync::Arc;

use crate::config::{Configuration, EnvironmentConfig};
use crate::evaluate::facts::{Ask, At, Need, ObjectFacts};
use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::path::FieldPath;
use answer::Subject;
use index::Index;

pub(super) use offer::offer;

/// Findings of one tree, at most.
const MOST_FINDINGS: usize = 1_000;

/// What an object needs of others. `namespace` is the one that it lives in.
pub(super) fn asks<'a>(manifest: &'a Manifest, namespace: &'a str) -> Vec<Ask<'a>> {
    let mut asking = Asking { manifest, namespace, asks: Vec::new() };
    pods::ask(&mut asking);
    selectors::ask(&mut asking);
    backends::ask(&mut asking);
    asking.asks
}

/// Looks at every reference of the declared objects, each with its file.
pub(super) fn check<'a>(
    environment: &'a EnvironmentConfig,
    configuration: &'a Configuration,
    declared: &[(&'a Arc<str>, &'a ObjectFacts<'a>)],
) -> Vec<Finding> {
    let index = Index::of(environment, configuration, declared.iter().map(|(_, object)| *object));
    let mut findings = Vec::new();
    for (file, object) in declared {
        Subject { index: &index, file, object }.answer(&mut findings);
        if findings.len() >= MOST_FINDINGS {
            findings.truncate(MOST_FINDINGS);
            break;
        }
    }
    findings
}

/// The object whose references are collected.
struct Asking<'a> {
    manifest: &'a Manifest,
    namespace: &'a str,
    asks: Vec<Ask<'a>>,
}

impl<'a> Asking<'a> {
    fn is(&self, group: &str, kind: &str) -> bool {
        self.manifest.key.group == group && self.manifest.key.kind == kind
    }

    /// The named object of this namespace.
    fn object(&mut self, group: &'a str, kind: &'a str, name: &'a str, at: &FieldPath) {
        self.object_in(group, kind, self.namespace, name, at);
    }

    fn object_in(&mut self, group: &'a str, kind: &'a str, namespace: &'a str, name: &'a str, at: &FieldPath) {
        if !name.is_empty() {
            self.need(Need::Object { group, kind, namespace, name }, at);
        }
    }

    fn need(&mut self, what: Need<'a>, at: &FieldPath) {
        let at = self.at(at);
        self.asks.push(Ask { what, at });
    }

    fn at(&self, field: &FieldPath) -> At<'a> {
        At::new(field, &self.manifest.place(field))
    }
}

#[cfg(test)]
mod tests;
