//! What Git says before: the commit that the branch goes out from, and what it declares.

use std::path::PathBuf;
use std::sync::Arc;

use gitward_core::adopt::Planned;
use gitward_core::config::{self, Configuration, EnvironmentConfig};
use gitward_repo::{CommitId, Credentials, Limits, Repository, Selection, Source};

use super::Args;
use crate::fault::Fault;

/// What Git says before.
pub(super) struct Base {
    pub(super) repository: Repository,
    /// The checked-out commit; `None` while there is none.
    pub(super) commit: Option<CommitId>,
    /// What it declares, and for whom.
    pub(super) plan: Planned,
    /// Where the manifests go.
    pub(super) directory: String,
}

impl Base {
    /// Reads the repository.
    pub(super) fn open(args: &Args) -> anyhow::Result<Self> {
        let repository = Repository::discover(&args.repo)?;
        let commit = repository.head()?;
        let mut plan = match (&args.environment, &commit) {
            (Some(name), Some(commit)) => declared(&repository, commit, name)?,
            (Some(name), None) => {
                let hint = "commit a gitward.yaml that names it, or leave --environment out";
                return Err(Fault::new(format!("there is no commit yet, and so no environment {name}"), hint).into());
            }
            (None, _) => Planned::default(),
        };
        let directory = directory(args, &plan.environment)?;
        if !plan.environment.namespaces.contains(&args.namespace) {
            plan.environment.namespaces.push(args.namespace.clone());
        }
        Ok(Self { repository, commit, plan, directory })
    }

    /// The ref that feeds the environment, if one is named.
    pub(super) fn git_ref(&self) -> Option<String> {
        let git_ref = &self.plan.environment.git_ref;
        (!git_ref.is_empty()).then(|| git_ref.clone())
    }
}

/// What a commit declares for an environment.
fn declared(repository: &Repository, commit: &CommitId, name: &str) -> anyhow::Result<Planned> {
    let git_ref = environment(&configuration(repository, commit)?, name)?.git_ref;
    let source = Source {
        environment: name.to_owned(),
        repository: String::new(),
        git_ref,
        path: None,
        mirror: PathBuf::from(repository.git_dir()),
        credentials: Credentials::None,
    };
    let declaration = source.declaration(repository, commit)?;
    let (environment, configuration) = (declaration.environment, declaration.configuration);
    Ok(Planned { environment, configuration, declared: declaration.declared })
}

fn configuration(repository: &Repository, commit: &CommitId) -> anyhow::Result<Configuration> {
    let only = Selection::under([config::FILE.to_owned()]);
    let tree = repository.files(commit, &only, &Limits::default())?;
    let Some(file) = tree.files.iter().find(|f| &*f.path == config::FILE) else {
        let short = commit.short();
        return Err(Fault::new(
            format!("commit {short} has no {}", config::FILE),
            "`gitward init` writes a first one; commit it, or leave --environment out",
        )
        .into());
    };
    config::parse(&Arc::from(config::FILE), &file.bytes).map_err(|findings| {
        let first = findings.first().map(gitward_core::finding::Finding::line).unwrap_or_default();
        Fault::new(first, "`gitward check` says more").into()
    })
}

fn environment(configuration: &Configuration, name: &str) -> Result<EnvironmentConfig, Fault> {
    let known: Vec<&str> = configuration.environments.iter().map(|e| e.name.as_str()).collect();
    configuration.environments.iter().find(|e| e.name == name).cloned().ok_or_else(|| {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Fault::new(
            format!("{} does not name an environment {name}", config::FILE),
            format!("it names: {known}; name one of them, or add it there first"),
        )
    })
}

/// Where the manifests go: under the environment's path, or nobody would read them.
fn directory(args: &Args, environment: &EnvironmentConfig) -> Result<String, Fault> {
    let root = environment.path.trim_matches('/');
    let joined = |name: &str| if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
    let directory = args.path.as_deref().map_or_else(|| joined(&args.namespace), |p| p.trim_matches('/').to_owned());
    if directory.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Err(Fault::new(
            format!("{directory:?} is no directory of manifests"),
            "name one from the root of the repository, without `..` and without parts that begin with a dot",
        ));
    }
    let is_under = root.is_empty() || directory == root || directory.starts_with(&format!("{root}/"));
    if !is_under {
        return Err(Fault::new(
            format!("{directory} is not under {root}, where the manifests of environment {} are", environment.name),
            format!("name a directory under {root} with --path"),
        ));
    }
    Ok(directory)
}
