//! From the files of a tree to declared objects and findings: the same function for the push gate,
//! the command line and the reconciler.
//!
//! Each file is read and judged by itself ([`judging`]), which gives what it says to the rest of the tree
//! ([`facts`]); only then the tree comes together ([`assembly`]). So what a file says can be remembered
//! as long as it stays what it is ([`memory`], [`recall`]), and the verdict is the same.

mod assembly;
mod canonical;
mod ceilings;
mod definitions;
mod earlier;
mod edited;
mod facts;
mod idle_kinds;
mod judging;
mod memory;
mod parallel;
mod recall;
mod references;
mod select;
mod vendored;

use std::sync::Arc;

use crate::config::{Configuration, EnvironmentConfig};
use crate::delegation::Ceilings;
use crate::finding::{Finding, Severity};
use crate::object::Gvk;
use crate::policy::{self, Policies, PolicyFile};
use crate::schema::{Schemas, Scope, is_crd};
use crate::snapshot::{Declared, Digest};
use assembly::Assembly;
use judging::{Judged, Reading, Rules};

pub use canonical::canonical;
pub use definitions::Definitions;
pub use earlier::Earlier;
pub use edited::Edited;
pub use memory::{ContentId, Context, Leaf, Memory};
pub use recall::Recalled;
pub use select::{is_policy_file, is_schema_file, is_taken_out, looks_like_objects, nothing_there};

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

/// What is wrong with an environment's tree, and how much it declares.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Everything found, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// How many objects are declared.
    pub objects: usize,
    /// In how many files.
    pub files: usize,
}

/// A tree that was looked at.
struct Looked {
    findings: Vec<Finding>,
    is_declared: Vec<Vec<bool>>,
    schemas: Vec<Schemas>,
    readings: Vec<(Arc<str>, Reading)>,
}

/// A configuration made ready: everything that one commit says about judging.
#[derive(Clone)]
pub struct Judge {
    configuration: Configuration,
    schemas: Vec<Schemas>,
    policies: Policies,
    /// Likely mistakes in them.
    lints: Vec<Finding>,
    /// Of the policies' texts.
    digest: blake3::Hash,
    /// What the custom resources of files in `crds` were before.
    held_to: Option<Definitions>,
    /// What objects were before.
    earlier: Option<Earlier>,
}

impl Judge {
    /// Compiles the policies and loads the schemas that a configuration names. `files` is the
    /// tree, or the part of it with the policies.
    ///
    /// # Errors
    /// One finding for each policy that cannot be evaluated, or that a delegation names and that is not
    /// there, and each Kubernetes version that is not known.
    pub fn new(mut configuration: Configuration, files: &[TreeFile]) -> Result<Self, Vec<Finding>> {
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
            Ok(policies) if findings.is_empty() => {
                let starters = if configuration.starter_policies { policy::starter().len() } else { 0 };
                let added_to = policies.added_to_first(starters);
                if !added_to.is_empty() {
                    return Err(added_to);
                }
                let missing = ceilings::missing(&configuration, &policies);
                if !missing.is_empty() {
                    return Err(missing);
                }
                let digest = digest(&sources);
                if configuration.ceilings_named().next().is_some() {
                    configuration.ceilings = Ceilings::of(&policies, digest);
                }
                let mut lints = policies.lints().to_vec();
                lints.extend(ceilings::idle(&configuration, &policies));
                Ok(Self { configuration, schemas, policies, lints, digest, held_to: None, earlier: None })
            }
            Ok(_) => Err(findings),
            Err(broken) => {
                findings.extend(broken);
                Err(findings)
            }
        }
    }

    /// The same rules, by which files in `crds` change nothing of a custom resource that these define.
    #[must_use]
    pub fn held_to(&self, before: Definitions) -> Self {
        Self { held_to: Some(before), ..self.clone() }
    }

    /// The same rules, by which objects are compared with what they were, where their CRD asks for it.
    #[must_use]
    pub fn after(&self, earlier: Earlier) -> Self {
        Self { earlier: Some(earlier), ..self.clone() }
    }

    /// The configuration that it was made from.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Likely mistakes in the policies; they change no verdict.
    pub fn lints(&self) -> &[Finding] {
        &self.lints
    }

    /// Whether a built-in kind is cluster-scoped.
    pub fn is_cluster_scoped(&self, gvk: &Gvk) -> bool {
        self.schemas.first().and_then(|s| s.scope(gvk)) == Some(Scope::Cluster)
    }

    /// Judges an environment's tree: by every Kubernetes version of the configuration, and by its
    /// policies once.
    ///
    /// A tree without configuration ([`Configuration::unconfigured`]) is judged more mildly: it may
    /// hold files that are no manifests, several environments, objects of which another step sets the
    /// namespace, and custom resources whose CRD is elsewhere.
    pub fn environment(&self, environment: &EnvironmentConfig, files: &[TreeFile]) -> Evaluation {
        let looked = self.look(environment, files);
        let declared = looked.schemas.first().map(|first| declared(first, looked.readings, &looked.is_declared));
        Evaluation { declared: declared.unwrap_or_default(), findings: looked.findings }
    }

    /// The same verdict, where nobody asks for the objects themselves.
    pub fn verdict(&self, environment: &EnvironmentConfig, files: &[TreeFile]) -> Verdict {
        let looked = self.look(environment, files);
        let of_files = looked.is_declared.iter().map(|file| file.iter().filter(|is_declared| **is_declared).count());
        let (objects, files) = of_files.fold((0, 0), |(o, f), count| (o + count, f + usize::from(count > 0)));
        Verdict { findings: looked.findings, objects, files }
    }

    fn look(&self, environment: &EnvironmentConfig, files: &[TreeFile]) -> Looked {
        let paths: Vec<&Arc<str>> = files.iter().map(|file| &file.path).collect();
        let texts = select::kustomizations(environment, &paths).into_iter().rev();
        let texts = texts.map(|index| (&*files[index].path, files[index].bytes.clone())).collect();
        let selected = select::manifests(environment, &self.configuration, &paths, &texts);
        let chosen = |indices: &[usize]| indices.iter().map(|index| &files[*index]).collect::<Vec<_>>();
        let mut readings = self.read(&chosen(&selected.files));
        let vendored = self.read(&chosen(&select::schemas(environment, &self.configuration, &paths)));
        let (schemas, findings) = self.schemas_of(&vendored, &mut readings);
        let rules = self.rules(environment, &schemas);

        let mut judged = Judged::of(&readings, &rules);
        let facts: Vec<_> = readings.iter().map(|(path, _)| path).zip(judged.facts()).collect();
        let findings = selected.findings.into_iter().chain(findings).collect();
        let assembly = Assembly { environment, configuration: &self.configuration, findings, files: &facts };
        let assembled = assembly.together();
        drop(facts);
        drop(judged);
        Looked { findings: assembled.findings, is_declared: assembled.is_declared, schemas, readings }
    }

    fn read(&self, files: &[&TreeFile]) -> Vec<(Arc<str>, Reading)> {
        let paths = files.iter().map(|file| file.path.clone());
        paths.zip(Reading::of(files, self.configuration.unconfigured)).collect()
    }

    /// The schemas of every Kubernetes version, with the custom resources that the tree defines, and what
    /// is wrong with the definitions that are not the tree's own. What is wrong with a file's own is added
    /// to what else was found in it.
    fn schemas_of(
        &self,
        vendored: &[(Arc<str>, Reading)],
        files: &mut [(Arc<str>, Reading)],
    ) -> (Vec<Schemas>, Vec<Finding>) {
        let Some((first, others)) = self.schemas.split_first() else { return Default::default() };
        let (first, mut findings) = first.with_crds(vendored.iter().flat_map(|(_, reading)| &reading.manifests));
        findings.extend(vendored::unusable(&first, vendored));
        let first = self.held_to.as_ref().map_or_else(|| first.clone(), |before| first.held_to(&before.0));
        // What the tree declares is what the cluster itself will judge by.
        let (first, problems) = first.with_each_crd(files.iter().flat_map(|(_, reading)| &reading.manifests));
        let mut problems = problems.into_iter();
        for (_, reading) in files {
            reading.findings.extend(problems.by_ref().take(reading.manifests.len()).flatten());
        }
        let others: Vec<Schemas> = others.iter().map(|schemas| schemas.with_custom_of(&first)).collect();
        let schemas: Vec<Schemas> = [first].into_iter().chain(others).collect();
        findings.extend(idle_kinds::warnings(&self.configuration, &self.policies, &schemas));
        (schemas, findings)
    }

    /// Whether what is said of a kind may hang on definitions of custom resources, or is one.
    fn hangs_on_definitions(&self, gvk: &Gvk) -> bool {
        is_crd(gvk) || self.schemas.iter().any(|schemas| schemas.hangs_on_crds(gvk))
    }

    fn rules<'a>(&'a self, environment: &'a EnvironmentConfig, schemas: &'a [Schemas]) -> Rules<'a> {
        let (unconfigured, earlier) = (self.configuration.unconfigured, self.earlier.as_ref());
        Rules { environment, unconfigured, schemas, policies: &self.policies, earlier }
    }
}

/// The objects that are declared, made ready for the API server.
fn declared(schemas: &Schemas, readings: Vec<(Arc<str>, Reading)>, is_declared: &[Vec<bool>]) -> Vec<Declared> {
    let manifests = readings.into_iter().flat_map(|(_, reading)| reading.manifests).zip(is_declared.iter().flatten());
    let mut manifests: Vec<_> =
        manifests.filter(|(_, is_declared)| **is_declared).map(|(manifest, _)| manifest).collect();
    for manifest in &mut manifests {
        if schemas.scope(&manifest.gvk) == Some(Scope::Cluster) {
            manifest.key.namespace.clear();
        }
    }
    let canonical = parallel::map(&manifests, |manifest| {
        let canonical = canonical(manifest, schemas.scope(&manifest.gvk));
        (Digest::of(&canonical), canonical)
    });
    let declared = manifests.into_iter().zip(canonical).map(|(manifest, (digest, canonical))| Declared {
        digest,
        has_status_subresource: schemas.has_status_subresource(&manifest.gvk),
        canonical,
        manifest,
        expected: None,
        learnt: None,
        before: None,
    });
    declared.collect()
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

/// Tells policies apart.
fn digest(sources: &[PolicyFile]) -> blake3::Hash {
    let mut digest = blake3::Hasher::new();
    for source in sources {
        digest.update(format!("{} {} {}\n", source.file.len(), source.file, source.text.len()).as_bytes());
        digest.update(source.text.as_bytes());
    }
    digest.finalize()
}

#[cfg(test)]
mod tests;
