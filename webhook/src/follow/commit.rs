//! From a commit in the mirror to what it declares. Everything here blocks; it runs on a thread
//! of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitward_core::config::{self, Configuration, EnvironmentConfig};
use gitward_core::evaluate::{self, TreeFile};
use gitward_core::finding::{Finding, Severity};
use gitward_core::snapshot::{Commit, Declared};
use gitward_index::environment::EnvironmentSpec;
use gitward_repo::{CommitId, Credentials, Fetched, Limits, Mirror, Selection};

/// Where an environment's commits come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the environment.
    pub environment: String,
    /// What the cluster says of it.
    pub spec: EnvironmentSpec,
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
}

/// Why there is no declaration.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Git could not be reached, or the mirror is damaged.
    #[error(transparent)]
    Git(#[from] gitward_repo::Error),
    /// The commit has errors.
    #[error("commit {commit} cannot be used: {count} errors, the first: {first}")]
    Findings {
        /// First digits of the commit.
        commit: String,
        /// How many errors.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// The ref was rewound or rewritten, and the commit in force does not allow it.
    #[error(
        "{git_ref} was moved from {old} to {new}, which does not follow from it, and gitward.yaml at {old} does not \
         have allowForcePush"
    )]
    Rewound {
        /// The ref.
        git_ref: String,
        /// First digits of the commit in force.
        old: String,
        /// First digits of the ref's commit.
        new: String,
    },
}

impl Source {
    fn open(&self) -> Result<Mirror, Unusable> {
        let mirror = Mirror::open_or_create(&self.mirror, &self.spec.repository)?;
        Ok(mirror.with_credentials(self.credentials.clone()))
    }

    /// What the last good commit declares; needs no network. `None` if there is none yet.
    ///
    /// # Errors
    /// The mirror is damaged, or this version of gitward cannot use the commit any more.
    pub fn accepted(&self) -> Result<Option<Declaration>, Unusable> {
        let mirror = self.open()?;
        match mirror.accepted(&self.environment)? {
            Some(commit) => self.evaluate(&mirror, &commit).map(Some),
            None => Ok(None),
        }
    }

    /// Fetches the ref and evaluates its commit, unless that is `known` already (`Ok(None)`). A
    /// good commit is remembered.
    ///
    /// # Errors
    /// Git could not be reached, or the commit cannot be used; the last good commit stays.
    pub fn fetch(&self, known: Option<&Known>, timeout: Duration) -> Result<Option<Declaration>, Unusable> {
        let mirror = self.open()?;
        let fetched = mirror.fetch(&self.environment, &self.spec.git_ref, timeout)?;
        if let Fetched::Rewound { old, new } = &fetched
            && !known.is_some_and(|k| k.allows_rewinding)
        {
            return Err(Unusable::Rewound {
                git_ref: self.spec.git_ref.clone(),
                old: old.short().to_owned(),
                new: new.short().to_owned(),
            });
        }
        let head = fetched.head();
        if known.is_some_and(|k| k.commit == head.as_str()) {
            return Ok(None);
        }
        let declaration = self.evaluate(&mirror, head)?;
        mirror.accept(&self.environment, head)?;
        Ok(Some(declaration))
    }

    fn evaluate(&self, mirror: &Mirror, id: &CommitId) -> Result<Declaration, Unusable> {
        let repository = mirror.repository()?;
        let commit = repository.commit(id)?;
        let tree = repository.files(id, &Selection::everything(), &Limits::default())?;
        let unusable = |findings: &[Finding]| Unusable::Findings {
            commit: id.short().to_owned(),
            count: findings.len(),
            first: findings.first().map(told).unwrap_or_default(),
        };
        let (environment, configuration, declared) =
            evaluate(&self.environment, &self.spec, &tree.files).map_err(|findings| unusable(&findings))?;
        Ok(Declaration { commit, environment, configuration, declared })
    }
}

/// What the follower knows of the commit in force.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub commit: String,
    /// Whether it lets its ref be rewound.
    pub allows_rewinding: bool,
}

fn told(finding: &Finding) -> String {
    match &finding.place {
        Some(place) => format!("{place}: {} [{}]", finding.message, finding.rule),
        None => format!("{} [{}]", finding.message, finding.rule),
    }
}

/// Reads what a tree declares for an environment.
///
/// # Errors
/// The errors found: a tree that has some is not used at all, since half a tree would make the
/// other half look undeclared.
pub fn evaluate(
    name: &str,
    spec: &EnvironmentSpec,
    files: &[TreeFile],
) -> Result<(EnvironmentConfig, Arc<Configuration>, Vec<Declared>), Vec<Finding>> {
    let one = |message: String, hint: &str| vec![Finding::error("environment/mismatch", message).with_hint(hint)];
    let Some(file) = files.iter().find(|f| &*f.path == config::FILE) else {
        return Err(one(format!("the tree has no {}", config::FILE), "add it at the root of the repository"));
    };
    let configuration = config::parse(&file.path, &file.bytes)?;
    let Some(environment) = configuration.environments.iter().find(|e| e.name == name).cloned() else {
        let message = format!("{} does not name an environment {name}", config::FILE);
        return Err(one(message, "name it there, or name the Environment in the cluster alike"));
    };
    if environment.git_ref != spec.git_ref {
        let message = format!(
            "{} feeds environment {name} from {}, the Environment in the cluster from {}",
            config::FILE,
            environment.git_ref,
            spec.git_ref
        );
        return Err(one(message, "let both name the same ref"));
    }
    let trimmed = |path: &str| path.trim_matches('/').to_owned();
    if spec.path.as_deref().is_some_and(|path| trimmed(path) != trimmed(&environment.path)) {
        let message = format!("{} has another path for environment {name} than the cluster", config::FILE);
        return Err(one(message, "let both name the same path"));
    }
    let judge = evaluate::Judge::new(configuration, files)?;
    let evaluation = judge.environment(&environment, files);
    let errors: Vec<Finding> = evaluation.findings.into_iter().filter(|f| f.severity == Severity::Error).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok((environment, Arc::new(judge.configuration().clone()), evaluation.declared))
}
