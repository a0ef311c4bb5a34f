//! One file after the other: what it holds, and what is wrong with it by itself.

use std::sync::Arc;

use super::earlier::Earlier;
use super::facts::{FileFacts, ObjectFacts, Told};
use super::{TreeFile, looks_like_objects, parallel, references};
use crate::config::EnvironmentConfig;
use crate::finding::{Finding, Place};
use crate::manifest::{self, Limits, Manifest};
use crate::path::FieldPath;
use crate::policy::Policies;
use crate::schema::{Schemas, Scope};
use crate::validity;

/// A file that was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) manifests: Vec<Manifest>,
    /// What could not be read, and later what else is wrong with the file.
    pub(super) findings: Vec<Finding>,
}

impl Reading {
    /// Reads files, each on any processor.
    ///
    /// A tree without configuration is read more mildly: it may hold files that are no manifests.
    pub(super) fn of(files: &[&TreeFile], unconfigured: bool) -> Vec<Self> {
        parallel::map(files, |file| {
            if unconfigured && !looks_like_objects(&file.bytes) {
                return Self::default();
            }
            let (manifests, mut findings) = manifest::read(&file.path, &file.bytes, &Limits::default());
            if unconfigured && !findings.is_empty() {
                let others = others(file);
                findings.retain(|f| f.place.as_ref().is_none_or(|p| !others.contains(p)));
            }
            Self { manifests, findings }
        })
    }
}

/// Where the documents of a file begin that are no Kubernetes objects and do not look like one:
/// nobody asked for a tree without configuration to hold nothing else.
fn others(file: &TreeFile) -> Vec<Place> {
    let (documents, _) = manifest::documents(&file.bytes, &Limits::default());
    documents
        .iter()
        // Two of these three make a manifest with a mistake.
        .filter(|d| ["apiVersion", "kind", "metadata"].iter().filter(|f| d.value.get(f).is_some()).count() < 2)
        .map(|d| d.spans.place(&file.path, &FieldPath::root()))
        .collect()
}

/// By what the objects of a tree are judged.
pub(super) struct Rules<'a> {
    pub(super) environment: &'a EnvironmentConfig,
    pub(super) unconfigured: bool,
    /// The schemas of every Kubernetes version, custom resources included.
    pub(super) schemas: &'a [Schemas],
    pub(super) policies: &'a Policies,
    /// What objects were before.
    pub(super) earlier: Option<&'a Earlier>,
}

const UNKNOWN_KIND: &str = "schema/unknown-kind";

/// What is wrong with one object, whatever else is in the tree.
#[derive(Debug, Default)]
pub(super) struct Found {
    findings: Vec<Finding>,
    belonging: Option<Finding>,
    if_declared: Vec<Finding>,
}

/// Files that were judged. What it found is kept beside the facts, which borrow it.
pub(super) struct Judged<'a> {
    readings: &'a [(Arc<str>, Reading)],
    found: Vec<Found>,
    objects: Vec<ObjectFacts<'a>>,
}

impl<'a> Judged<'a> {
    /// Judges all objects of the files, each on any processor.
    pub(super) fn of(readings: &'a [(Arc<str>, Reading)], rules: &Rules<'_>) -> Self {
        let manifests: Vec<&Manifest> = readings.iter().flat_map(|(_, reading)| &reading.manifests).collect();
        let judged = parallel::map(&manifests, |manifest| rules.judge(manifest));
        let (found, objects) = judged.into_iter().unzip();
        Self { readings, found, objects }
    }

    /// What each file says.
    pub(super) fn facts(&mut self) -> Vec<FileFacts<'_>> {
        let mut objects = std::mem::take(&mut self.objects).into_iter().zip(&self.found);
        let facts = self.readings.iter().map(|(path, reading)| {
            let mut file = FileFacts { findings: told(&reading.findings, path), objects: Vec::new() };
            for (object, found) in objects.by_ref().take(reading.manifests.len()) {
                file.findings.extend(told(&found.findings, path));
                file.objects.push(ObjectFacts {
                    belonging: found.belonging.as_ref().map(|finding| Told::of(finding, path)),
                    if_declared: told(&found.if_declared, path),
                    ..object
                });
            }
            file
        });
        facts.collect()
    }
}

/// The findings about a file, as they are told of it.
pub(super) fn told<'a>(findings: &'a [Finding], path: &str) -> Vec<Told<'a>> {
    findings.iter().map(|finding| Told::of(finding, path)).collect()
}

impl Rules<'_> {
    fn judge<'a>(&self, manifest: &'a Manifest) -> (Found, ObjectFacts<'a>) {
        let Some((schemas, others)) = self.schemas.split_first() else { return Default::default() };
        let mut findings = schemas.check(manifest);
        findings.extend(validity::check(manifest));
        findings.extend(self.policies.evaluate(manifest));
        // That nobody knows the kind is said once, whatever the version.
        let is_told = findings.iter().any(|finding| finding.rule == UNKNOWN_KIND);
        let is_new = |finding: &Finding| !is_told || finding.rule != UNKNOWN_KIND;
        let scope = schemas.scope(&manifest.gvk);
        let namespace = if scope == Some(Scope::Cluster) { "" } else { manifest.key.namespace.as_str() };
        let found = Found {
            findings,
            belonging: if self.unconfigured { None } else { self.belonging(manifest, scope, namespace) },
            if_declared: others
                .iter()
                .flat_map(|schemas| schemas.check(manifest))
                .filter(is_new)
                .chain(self.change(schemas, manifest))
                .collect(),
        };
        let begin = manifest.place(&FieldPath::root());
        let facts = ObjectFacts {
            group: &manifest.key.group,
            kind: &manifest.key.kind,
            namespace,
            name: &manifest.key.name,
            spot: (begin.line, begin.column),
            belonging: None,
            if_declared: Vec::new(),
            offer: references::offer(manifest),
            asks: references::asks(manifest, namespace),
        };
        (found, facts)
    }

    /// What is wrong with how the object changes.
    fn change(&self, schemas: &Schemas, manifest: &Manifest) -> Vec<Finding> {
        let before = self.earlier.filter(|_| schemas.judges_changes(&manifest.gvk));
        let before = before.and_then(|earlier| earlier.object(manifest));
        before.map(|before| schemas.check_change(before, manifest)).unwrap_or_default()
    }

    /// Whether the object says where it lives, and whether that is this environment's to say.
    fn belonging(&self, manifest: &Manifest, scope: Option<Scope>, namespace: &str) -> Option<Finding> {
        let mut key = manifest.key.clone();
        namespace.clone_into(&mut key.namespace);
        if scope == Some(Scope::Namespaced) && key.namespace.is_empty() {
            let path = FieldPath::of(["metadata"]);
            return Some(
                Finding::error("tree/missing-namespace", format!("{key} does not say its namespace"))
                    .with_object(key)
                    .with_place(Some(manifest.place(&path)))
                    .with_field(path)
                    .with_hint(match self.environment.namespaces.first() {
                        Some(namespace) => format!("add `namespace: {namespace}` under metadata"),
                        None => "add a namespace under metadata".to_owned(),
                    }),
            );
        }
        if self.environment.governs(&key) || self.environment.shares(&key) {
            return None;
        }
        let name = &self.environment.name;
        let (path, message, hint) = if key.namespace.is_empty() {
            let kind = key.full_kind();
            (
                FieldPath::of(["kind"]),
                format!("environment {name} does not govern the cluster-scoped kind {kind}"),
                format!(
                    "add `{kind}` to the environment's clusterKinds, or, if others make such objects too, to its \
                     sharedClusterKinds"
                ),
            )
        } else {
            (
                FieldPath::of(["metadata", "namespace"]),
                format!("environment {name} does not govern namespace {}", key.namespace),
                format!(
                    "add {} to the environment's namespaces, or, if others live there too, to its sharedNamespaces",
                    key.namespace
                ),
            )
        };
        Some(
            Finding::error("tree/wrong-namespace", message)
                .with_object(key)
                .with_place(Some(manifest.place(&path)))
                .with_field(path)
                .with_hint(hint),
        )
    }
}
