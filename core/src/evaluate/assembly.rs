//! Objects of a tree as they come together: each once, and each where its environment governs.

use std::collections::HashMap;

use super::{Evaluation, canonical};
use crate::config::EnvironmentConfig;
use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::object::ObjectKey;
use crate::path::FieldPath;
use crate::schema::{Schemas, Scope};
use crate::snapshot::{Declared, Digest};

/// Objects as they come together.
pub(super) struct Assembly<'a> {
    environment: &'a EnvironmentConfig,
    unconfigured: bool,
    schemas: &'a Schemas,
    first_of: HashMap<ObjectKey, usize>,
    pub(super) evaluation: Evaluation,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(
        environment: &'a EnvironmentConfig,
        unconfigured: bool,
        schemas: &'a Schemas,
        findings: Vec<Finding>,
    ) -> Self {
        let evaluation = Evaluation { declared: Vec::new(), findings };
        Self { environment, unconfigured, schemas, first_of: HashMap::new(), evaluation }
    }

    pub(super) fn add(&mut self, mut manifest: Manifest) {
        let scope = self.schemas.scope(&manifest.gvk);
        if scope == Some(Scope::Cluster) {
            manifest.key.namespace.clear();
        }
        let key = manifest.key.clone();
        if !self.unconfigured
            && let Some(finding) = self.belonging(&manifest, scope)
        {
            self.evaluation.findings.push(finding);
        }
        if let Some(first) = self.first_of.get(&key) {
            let first = &self.evaluation.declared[*first].manifest;
            self.evaluation.findings.push(duplicate(&manifest, first));
            return;
        }
        let canonical = canonical(&manifest, scope);
        self.first_of.insert(key, self.evaluation.declared.len());
        self.evaluation.declared.push(Declared {
            digest: Digest::of(&canonical),
            has_status_subresource: self.schemas.has_status_subresource(&manifest.gvk),
            canonical,
            manifest,
            expected: None,
            learnt: None,
            before: None,
        });
    }

    /// Whether the object says where it lives, and whether that is this environment's to say.
    fn belonging(&self, manifest: &Manifest, scope: Option<Scope>) -> Option<Finding> {
        let key = &manifest.key;
        if scope == Some(Scope::Namespaced) && key.namespace.is_empty() {
            let path = FieldPath::of(["metadata"]);
            return Some(
                Finding::error("tree/missing-namespace", format!("{} does not say its namespace", key))
                    .with_object(key.clone())
                    .with_place(Some(manifest.place(&path)))
                    .with_field(path)
                    .with_hint(match self.environment.namespaces.first() {
                        Some(namespace) => format!("add `namespace: {namespace}` under metadata"),
                        None => "add a namespace under metadata".to_owned(),
                    }),
            );
        }
        if self.environment.governs(key) || self.environment.shares(key) {
            return None;
        }
        let (path, message, hint) = if key.namespace.is_empty() {
            let kind = if key.group.is_empty() { key.kind.clone() } else { format!("{}.{}", key.kind, key.group) };
            (
                FieldPath::of(["kind"]),
                format!("environment {} does not govern the cluster-scoped kind {kind}", self.environment.name),
                format!(
                    "add `{kind}` to the environment's clusterKinds, or, if others make such objects too, to its \
                     sharedClusterKinds"
                ),
            )
        } else {
            (
                FieldPath::of(["metadata", "namespace"]),
                format!("environment {} does not govern namespace {}", self.environment.name, key.namespace),
                format!(
                    "add {} to the environment's namespaces, or, if others live there too, to its sharedNamespaces",
                    key.namespace
                ),
            )
        };
        Some(
            Finding::error("tree/wrong-namespace", message)
                .with_object(key.clone())
                .with_place(Some(manifest.place(&path)))
                .with_field(path)
                .with_hint(hint),
        )
    }
}

/// Places stand in the hint, not in the message: a finding that only moved to another line is
/// still the same one.
fn duplicate(manifest: &Manifest, first: &Manifest) -> Finding {
    let root = FieldPath::root();
    Finding::error("tree/duplicate-object", format!("{} is declared twice", manifest.key))
        .with_object(manifest.key.clone())
        .with_place(Some(manifest.place(&root)))
        .with_hint(format!("it is declared at {} already: keep one of the two", first.place(&root)))
}
