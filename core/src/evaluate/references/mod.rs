//! References between objects: what one names and no other declares.
//!
//! Warnings only, and only where Git should say it: in the namespaces that an environment governs as a
//! whole. What is known to come from elsewhere is left out: what Kubernetes itself makes, what a
//! delegation or an exemption lets others make, and whatever a custom resource beside it may make.

mod backends;
mod index;
mod pods;
mod selectors;

use crate::config::{Configuration, EnvironmentConfig};
use crate::finding::Finding;
use crate::object::ObjectKey;
use crate::path::FieldPath;
use crate::snapshot::Declared;
use index::Index;

/// Findings of one tree, at most.
const MOST_FINDINGS: usize = 1_000;

/// Looks at every reference of the declared objects.
pub(super) fn check(
    environment: &EnvironmentConfig,
    configuration: &Configuration,
    declared: &[Declared],
) -> Vec<Finding> {
    let index = Index::of(environment, configuration, declared);
    let mut findings = Vec::new();
    for object in declared {
        let subject = Subject { index: &index, object };
        pods::check(&subject, &mut findings);
        selectors::check(&subject, &mut findings);
        backends::check(&subject, &mut findings);
        if findings.len() >= MOST_FINDINGS {
            findings.truncate(MOST_FINDINGS);
            break;
        }
    }
    findings
}

/// The object whose references are looked at.
struct Subject<'a> {
    index: &'a Index<'a>,
    object: &'a Declared,
}

impl Subject<'_> {
    fn key(&self) -> &ObjectKey {
        &self.object.manifest.key
    }

    fn namespace(&self) -> &str {
        &self.key().namespace
    }

    fn is(&self, group: &str, kind: &str) -> bool {
        self.key().group == group && self.key().kind == kind
    }

    /// A finding if the named object of this namespace is nobody's.
    fn missing(&self, group: &str, kind: &str, name: &str, at: &FieldPath) -> Option<Finding> {
        self.missing_in(group, kind, self.namespace(), name, at)
    }

    fn missing_in(&self, group: &str, kind: &str, namespace: &str, name: &str, at: &FieldPath) -> Option<Finding> {
        if name.is_empty() || self.index.may_exist(group, kind, namespace, name) {
            return None;
        }
        let named = ObjectKey::new(group, kind, namespace, name);
        let message = format!("{} names {named}, which Git does not declare", self.key());
        let hint = match self.index.similar(group, kind, namespace, name) {
            Some(similar) => format!("Did you mean `{similar}`?"),
            None => format!("Declare the {kind}, or, if something else makes it, delegate that in gitward.yaml."),
        };
        Some(self.warning("reference/missing", message, at).with_hint(hint))
    }

    fn warning(&self, rule: &'static str, message: String, at: &FieldPath) -> Finding {
        let place = self.object.manifest.place(at);
        Finding::warning(rule, message).with_object(self.key().clone()).with_field(at.clone()).with_place(Some(place))
    }
}

#[cfg(test)]
mod tests;
