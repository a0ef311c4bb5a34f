//! From the files of a tree to declared objects and findings: the same function for the push gate,
//! the command line and the reconciler.

mod assembly;
mod canonical;
mod parallel;
mod references;
mod select;

use std::sync::Arc;

use crate::config::{Configuration, EnvironmentConfig};
use crate::finding::{Finding, Place, Severity};
use crate::manifest::{self, Limits, Manifest};
use crate::object::Gvk;
use crate::path::FieldPath;
use crate::policy::{self, Policies, PolicyFile};
use crate::schema::{Schemas, Scope};
use crate::snapshot::Declared;
use assembly::Assembly;

pub use canonical::canonical;
pub use select::{is_policy_file, looks_like_objects};

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Path from the root, with `/`.
    pub path: Arc<str>,
    /// Its content.
    pub bytes: Arc<[u8]>,
}

/// What an environment's tree declares, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The declared objects, in the order of the tree. Whole only if no finding is an error: what
    /// could not be read is not among them.
    pub declared: Vec<Declared>,
    /// Everything found, in the order of files and lines.
    pub findings: Vec<Finding>,
}

impl Evaluation {
    /// Whether anything found denies.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }
}

/// A configuration made ready: everything that one commit says about judging.
#[derive(Clone)]
pub struct Judge {
    configuration: Configuration,
    schemas: Vec<Schemas>,
    policies: Policies,
}

impl Judge {
    /// Compiles the policies and loads the schemas that a configuration names. `files` is the
    /// tree, or the part of it with the policies.
    ///
    /// # Errors
    /// One finding for each policy that cannot be evaluated and each Kubernetes version that is
    /// not known.
    pub fn new(configuration: Configuration, files: &[TreeFile]) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut schemas = Vec::new();
        for version in &configuration.kubernetes {
            match Schemas::builtin(version) {
                Ok(known) => schemas.push(known),
                Err(finding) => findings.push(*finding),
            }
        }
        let (sources, unreadable) = policy_files(&configuration, files);
        findings.extend(unreadable);
        match Policies::compile(&sources) {
            Ok(policies) if findings.is_empty() => Ok(Self { configuration, schemas, policies }),
            Ok(_) => Err(findings),
            Err(broken) => {
                findings.extend(broken);
                Err(findings)
            }
        }
    }

    /// The configuration that it was made from.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Likely mistakes in the policies; they change no verdict.
    pub fn lints(&self) -> &[Finding] {
        self.policies.lints()
    }

    /// Whether a built-in kind is cluster-scoped.
    pub fn is_cluster_scoped(&self, gvk: &Gvk) -> bool {
        self.schemas.first().and_then(|s| s.scope(gvk)) == Some(Scope::Cluster)
    }

    /// Judges an environment's tree: by every Kubernetes version of the configuration, and by its
    /// policies once.
    pub fn environment(&self, environment: &EnvironmentConfig, files: &[TreeFile]) -> Evaluation {
        let Some((first, others)) = self.schemas.split_first() else { return Evaluation::default() };
        let vendored = vendored(environment, &self.configuration, files);
        let tree = Tree { environment, configuration: &self.configuration, files, vendored: &vendored };
        let mut evaluation = tree.evaluate(first, &self.policies);
        for schemas in others {
            let manifests: Vec<&Manifest> = evaluation.declared.iter().map(|d| &d.manifest).collect();
            let (schemas, _) = schemas.with_crds(vendored.iter().chain(manifests.iter().copied()));
            let found = parallel::map(&manifests, |manifest| schemas.check(manifest));
            evaluation.findings.extend(found.into_iter().flatten());
        }
        in_order(&mut evaluation.findings);
        evaluation
    }
}

/// The policies that count at a tree: its own, and the starter policies unless they are off.
fn policy_files(configuration: &Configuration, files: &[TreeFile]) -> (Vec<PolicyFile>, Vec<Finding>) {
    let mut sources = if configuration.starter_policies { policy::starter() } else { Vec::new() };
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| is_policy_file(configuration, &f.path)) {
        match std::str::from_utf8(&file.bytes) {
            Ok(text) => sources.push(PolicyFile { file: file.path.clone(), text: text.to_owned() }),
            Err(_) => findings.push(
                Finding::error("policy/not-text", "the policy is no UTF-8 text")
                    .with_place(Some(select::top(&file.path)))
                    .with_hint("save it as UTF-8"),
            ),
        }
    }
    (sources, findings)
}

/// The CRDs that only say what custom resources look like.
fn vendored(environment: &EnvironmentConfig, configuration: &Configuration, files: &[TreeFile]) -> Vec<Manifest> {
    select::schemas(environment, configuration, files)
        .flat_map(|file| manifest::read(&file.path, &file.bytes, &Limits::default()).0)
        .collect()
}

/// An environment's tree.
struct Tree<'a> {
    environment: &'a EnvironmentConfig,
    configuration: &'a Configuration,
    files: &'a [TreeFile],
    vendored: &'a [Manifest],
}

impl Tree<'_> {
    /// Judges it by one set of schemas (the tree's own CRDs count besides) and policies.
    ///
    /// A tree without configuration ([`Configuration::unconfigured`]) is judged more mildly: it may
    /// hold files that are no manifests, several environments, objects of which another step sets the
    /// namespace, and custom resources whose CRD is elsewhere.
    fn evaluate(&self, schemas: &Schemas, policies: &Policies) -> Evaluation {
        let unconfigured = self.configuration.unconfigured;
        let selected = select::manifests(self.environment, self.configuration, self.files);
        let (mut findings, mut manifests) = (selected.findings, Vec::new());
        for (read, found) in parallel::map(&selected.files, |file| read(file, unconfigured)) {
            manifests.extend(read);
            findings.extend(found);
        }
        let (schemas, found) = schemas.with_crds(self.vendored.iter().chain(&manifests));
        findings.extend(found);
        let judged = parallel::map(&manifests, |manifest| {
            let mut found = schemas.check(manifest);
            found.extend(policies.evaluate(manifest));
            found
        });
        findings.extend(judged.into_iter().flatten());

        let mut tree = Assembly::new(self.environment, unconfigured, &schemas, findings);
        for manifest in manifests {
            tree.add(manifest);
        }
        let mut evaluation = tree.evaluation;
        if !evaluation.findings.iter().any(hides_objects) {
            let found = references::check(self.environment, self.configuration, &evaluation.declared);
            evaluation.findings.extend(found);
        }
        if unconfigured {
            evaluation.findings.iter_mut().for_each(soften);
        }
        in_order(&mut evaluation.findings);
        evaluation
    }
}

/// What is an error for an environment and only worth knowing of a tree that has none.
fn soften(finding: &mut Finding) {
    if matches!(finding.rule.as_ref(), "tree/not-rendered" | "tree/duplicate-object" | "schema/unknown-kind") {
        finding.severity = finding.severity.min(Severity::Warning);
    }
}

/// Whether a finding says that something of the tree was not read, so that what it declares is not
/// all known.
fn hides_objects(finding: &Finding) -> bool {
    finding.rule.starts_with("manifest/") || finding.rule == "tree/not-rendered"
}

fn read(file: &TreeFile, unconfigured: bool) -> (Vec<Manifest>, Vec<Finding>) {
    if unconfigured && !looks_like_objects(&file.bytes) {
        return (Vec::new(), Vec::new());
    }
    let (manifests, mut findings) = manifest::read(&file.path, &file.bytes, &Limits::default());
    if unconfigured && !findings.is_empty() {
        let others = others(file);
        findings.retain(|f| f.place.as_ref().is_none_or(|p| !others.contains(p)));
    }
    (manifests, findings)
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

/// Sorts findings by place and drops those that were found twice.
fn in_order(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| (&a.place, &a.rule, &a.message).cmp(&(&b.place, &b.rule, &b.message)));
    findings.dedup();
}

#[cfg(test)]
mod tests;
