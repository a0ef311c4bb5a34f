//! What a commit of an environment's ref declares: the same for webhook and reconciler. Everything
//! here blocks; callers give it a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::config::{self, Configuration, EnvironmentConfig};
use gitward_core::evaluate::{Judge, TreeFile};
use gitward_core::finding::{Finding, Place, Severity};
use gitward_core::manifest;
use gitward_core::path::FieldPath;
use gitward_core::snapshot::{Commit, Declared};

use crate::{CommitId, Credentials, Error, Fetched, Limits, Mirror, Repository, Selection};

/// Where an environment's commits come from, as the cluster says.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the environment.
    pub environment: String,
    /// URL of the repository.
    pub repository: String,
    /// Full name of the ref.
    pub git_ref: String,
    /// Directory that `gitward.yaml` has to name for the environment, if the cluster fixes one.
    pub path: Option<String>,
    /// Directory of the mirror.
    pub mirror: PathBuf,
    /// How Git is told who asks.
    pub credentials: Credentials,
}

/// What a commit declares.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The commit.
    pub commit: Commit,
    /// The environment as the commit's `gitward.yaml` has it.
    pub environment: EnvironmentConfig,
    /// The whole `gitward.yaml`.
    pub configuration: Arc<Configuration>,
    /// The declared objects.
    pub declared: Vec<Declared>,
    /// What was found and does not keep the commit from being used.
    pub findings: Vec<Finding>,
}

/// Why there is no declaration.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Git could not be reached, or the mirror is damaged.
    #[error(transparent)]
    Git(#[from] Error),
    /// The commit has errors that leave open what it declares.
    #[error("commit {} cannot be used: {}: {}", .commit.short(), counted(.findings), first(.findings))]
    Findings {
        /// The commit.
        commit: CommitId,
        /// The errors.
        findings: Vec<Finding>,
    },
    /// The ref was rewound or rewritten, and the commit in force does not allow it.
    #[error(
        "{git_ref} was moved from {} to {}, which does not follow from it, and gitward.yaml at {} does not have \
         allowForcePush", .old.short(), .new.short(), .old.short()
    )]
    Rewound {
        /// The ref.
        git_ref: String,
        /// The commit in force.
        old: CommitId,
        /// The ref's commit.
        new: CommitId,
    },
}

fn first(findings: &[Finding]) -> String {
    findings.first().map(Finding::line).unwrap_or_default()
}

fn counted(findings: &[Finding]) -> String {
    match findings.len() {
        1 => "1 error".to_owned(),
        n => format!("{n} errors, the first"),
    }
}

impl Unusable {
    /// How to put it right, where the message does not say it already.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Unusable::Git(error) => error.hint(),
            Unusable::Findings { .. } => None,
            Unusable::Rewound { .. } => {
                Some("push a commit that follows from the one in force, or allow it with allowForcePush before")
            }
        }
    }
}

/// What is known of the commit in force.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub commit: String,
    /// Whether it lets its ref be rewound.
    pub allows_rewinding: bool,
}

impl Declaration {
    /// What a later fetch has to know of this commit.
    pub fn known(&self) -> Known {
        Known { commit: self.commit.id.clone(), allows_rewinding: self.environment.allow_force_push }
    }
}

impl Source {
    fn open(&self) -> Result<Mirror, Unusable> {
        let mirror = Mirror::open_or_create(&self.mirror, &self.repository)?;
        Ok(mirror.with_credentials(self.credentials.clone()))
    }

    /// The mirror as it is.
    pub(crate) fn mirrored(&self) -> Result<Repository, Unusable> {
        Ok(self.open()?.repository()?)
    }

    /// What the last good commit declares; needs no network. `None` if there is none yet.
    ///
    /// # Errors
    /// The mirror is damaged, or this version of gitward cannot use the commit any more.
    pub fn accepted(&self) -> Result<Option<Declaration>, Unusable> {
        let mirror = self.open()?;
        match mirror.accepted(&self.environment)? {
            Some(commit) => self.declaration(&mirror.repository()?, &commit).map(Some),
            None => Ok(None),
        }
    }

    /// Remembers a commit as the one that the cluster is held to.
    ///
    /// # Errors
    /// The mirror cannot be written.
    pub fn hold(&self, commit: &str) -> Result<(), Unusable> {
        Ok(self.open()?.hold(&self.environment, &CommitId::parse(commit)?)?)
    }

    /// What the commit declares that the cluster was held to last; needs no network. A later one
    /// may have been accepted and then been refused by the API server.
    ///
    /// # Errors
    /// As [`Source::accepted`].
    pub fn held(&self) -> Result<Option<Declaration>, Unusable> {
        let mirror = self.open()?;
        match mirror.held(&self.environment)? {
            Some(commit) => self.declaration(&mirror.repository()?, &commit).map(Some),
            None => Ok(None),
        }
    }

    /// What a commit declares that was fetched before; needs no network.
    ///
    /// # Errors
    /// As [`Source::accepted`], or the mirror does not hold it.
    pub fn at(&self, commit: &str) -> Result<Declaration, Unusable> {
        self.declaration(&self.mirrored()?, &CommitId::parse(commit)?)
    }

    /// Fetches the ref and evaluates its commit, unless that is `known` already (`Ok(None)`). A
    /// good commit is remembered.
    ///
    /// # Errors
    /// Git could not be reached, or the commit cannot be used; the last good commit stays.
    pub fn fetch(&self, known: Option<&Known>, timeout: Duration) -> Result<Option<Declaration>, Unusable> {
        let mirror = self.open()?;
        let fetched = mirror.fetch(&self.environment, &self.git_ref, timeout)?;
        if let Fetched::Rewound { old, new } = &fetched
            && !known.is_some_and(|k| k.allows_rewinding)
        {
            return Err(Unusable::Rewound { git_ref: self.git_ref.clone(), old: old.clone(), new: new.clone() });
        }
        let head = fetched.head();
        if known.is_some_and(|k| k.commit == head.as_str()) {
            return Ok(None);
        }
        let declaration = self.declaration(&mirror.repository()?, head)?;
        mirror.accept(&self.environment, head)?;
        Ok(Some(declaration))
    }

    /// What a commit declares that a repository holds, be it the mirror or somebody's clone; needs no
    /// network.
    ///
    /// # Errors
    /// The repository lacks the commit, or it cannot be used.
    pub fn declaration(&self, repository: &Repository, id: &CommitId) -> Result<Declaration, Unusable> {
        let commit = repository.commit(id)?;
        let tree = repository.files(id, &Selection::everything(), &Limits::default())?;
        let unusable = |findings| Unusable::Findings { commit: id.clone(), findings };
        self.evaluate(commit, &tree.files, tree.findings).map_err(unusable)
    }

    fn evaluate(
        &self,
        commit: Commit,
        files: &[TreeFile],
        mut findings: Vec<Finding>,
    ) -> Result<Declaration, Vec<Finding>> {
        let (configuration, environment) = self.configuration(files)?;
        let judge = Judge::new(configuration, files)?;
        let evaluation = judge.environment(&environment, files);
        findings.extend(evaluation.findings);
        let under = |f: &Finding| f.place.as_ref().is_none_or(|p| is_under(&p.file, &environment.path));
        let blocking: Vec<Finding> =
            findings.iter().filter(|f| f.severity == Severity::Error && leaves_open(f) && under(f)).cloned().collect();
        if !blocking.is_empty() {
            return Err(blocking);
        }
        let configuration = Arc::new(judge.configuration().clone());
        Ok(Declaration { commit, environment, configuration, declared: evaluation.declared, findings })
    }

    fn configuration(&self, files: &[TreeFile]) -> Result<(Configuration, EnvironmentConfig), Vec<Finding>> {
        let name = &self.environment;
        let Some(file) = files.iter().find(|f| &*f.path == config::FILE) else {
            let finding = Finding::error("tree/no-configuration", format!("the tree has no {}", config::FILE));
            return Err(vec![
                finding.with_hint("add it at the root of the repository; `gitward init` writes a first one"),
            ]);
        };
        let configuration = config::parse(&file.path, &file.bytes)?;
        let one = |field: FieldPath, message: String, hint: String| {
            let finding = Finding::error("environment/mismatch", message).with_field(field.clone()).with_hint(hint);
            vec![finding.with_place(place(file, &field))]
        };
        let environments = FieldPath::of(["environments"]);
        let Some(position) = configuration.environments.iter().position(|e| e.name == *name) else {
            let message = format!("{} does not name an environment {name}", config::FILE);
            let known: Vec<&str> = configuration.environments.iter().map(|e| e.name.as_str()).collect();
            let named = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let hint = format!("name it there (it names: {named}), or name the Environment in the cluster alike");
            return Err(one(environments, message, hint));
        };
        let environment = configuration.environments[position].clone();
        let field = |name: &str| environments.index(position).field(name);
        if environment.git_ref != self.git_ref {
            let message = format!(
                "{} feeds environment {name} from {}, the Environment in the cluster from {}",
                config::FILE,
                environment.git_ref,
                self.git_ref
            );
            return Err(one(field("ref"), message, "let both name the same ref".to_owned()));
        }
        let trimmed = |path: &str| path.trim_matches('/').to_owned();
        if self.path.as_deref().is_some_and(|path| trimmed(path) != trimmed(&environment.path)) {
            let message = format!("{} has another path for environment {name} than the cluster", config::FILE);
            return Err(one(field("path"), message, "let both name the same path".to_owned()));
        }
        Ok((configuration, environment))
    }
}

/// Where a field of a file stands.
fn place(file: &TreeFile, field: &FieldPath) -> Option<Place> {
    let document = manifest::parse_document(&file.bytes, &manifest::Limits::default()).ok()?;
    Some(document.spans.place(&file.path, field))
}

/// Whether an error leaves open what the commit declares: half a tree would make the other half
/// look undeclared. Schemas and policies do not: the push gate judges by them, a repository's
/// history before it may hold what they refuse, and the API server has the last word on validity.
fn leaves_open(finding: &Finding) -> bool {
    !["schema/", "valid/", "policy/"].iter().any(|area| finding.rule.starts_with(area))
}

fn is_under(file: &str, path: &str) -> bool {
    let path = path.trim_matches('/');
    file == config::FILE || path.is_empty() || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}
