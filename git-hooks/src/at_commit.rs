//! What a commit says about judging: its `gitward.yaml` and its policies.

use std::sync::Arc;

use gitward_core::config::{self, Configuration};
use gitward_core::evaluate::{self, Judge, TreeFile};
use gitward_core::finding::{Finding, Place};
use gitward_repo::{CommitId, Limits, Repository, Selection};

use crate::Result;

/// Bytes of `gitward.yaml`.
const CONFIGURATION_LIMIT: u64 = 1 << 20;

/// The `gitward.yaml` of a commit.
#[derive(Debug)]
pub(crate) enum Configured {
    /// There is none.
    Absent,
    /// There is one that cannot be read.
    Broken { findings: Vec<Finding>, file: Option<TreeFile> },
    /// There is one.
    Good(Box<Configuration>),
}

impl Configured {
    pub(crate) fn at(repository: &Repository, commit: &CommitId) -> Self {
        match repository.file(commit, config::FILE, CONFIGURATION_LIMIT) {
            Ok(None) => Configured::Absent,
            Ok(Some(file)) => match config::parse(&file.path, &file.bytes) {
                Ok(configuration) => Configured::Good(Box::new(configuration)),
                Err(findings) => Configured::Broken { findings, file: Some(file) },
            },
            Err(error) => {
                let place = Place { file: Arc::from(config::FILE), line: 1, column: 1 };
                let finding = Finding::error("config/unreadable", error.to_string()).with_place(Some(place));
                Configured::Broken { findings: vec![finding], file: None }
            }
        }
    }

    pub(crate) fn good(&self) -> Option<&Configuration> {
        match self {
            Configured::Good(configuration) => Some(configuration),
            _ => None,
        }
    }

    /// Whether it says that a ref feeds some environment.
    pub(crate) fn feeds(&self, git_ref: &str) -> bool {
        self.good().is_some_and(|c| c.fed_from(git_ref).next().is_some())
    }
}

/// Why rules cannot be evaluated, and the files that the findings stand in.
pub(crate) struct Broken {
    pub(crate) findings: Vec<Finding>,
    pub(crate) files: Vec<TreeFile>,
}

/// The policies of a commit made ready.
///
/// # Errors
/// Outer: the repository cannot be read. Inner: which policies are broken.
pub(crate) fn judge_of(
    repository: &Repository,
    commit: &CommitId,
    configuration: &Configuration,
    limits: &Limits,
) -> Result<std::result::Result<Judge, Broken>> {
    let tree = repository.files(commit, &Selection::under(configuration.policies.clone()), limits)?;
    let unread: Vec<Finding> = tree.findings.into_iter().filter(|f| is_about_policy(configuration, f)).collect();
    Ok(match Judge::new(configuration.clone(), &tree.files) {
        Ok(judge) if unread.is_empty() => Ok(judge),
        Ok(_) => Err(Broken { findings: unread, files: tree.files }),
        Err(mut findings) => {
            findings.extend(unread);
            Err(Broken { findings, files: tree.files })
        }
    })
}

fn is_about_policy(configuration: &Configuration, finding: &Finding) -> bool {
    finding.place.as_ref().is_some_and(|p| evaluate::is_policy_file(configuration, &p.file))
}
