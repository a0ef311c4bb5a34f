//! What can keep a person from seeing, and what to do about it.

use std::path::PathBuf;

use gitward_core::path::Unreadable;
use gitward_index::environment;
use gitward_index::trouble::says;
use gitward_repo::Unusable;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refuses something that nothing can be told without, or cannot be asked.
    #[error("{what} cannot be read: {}", says(.error))]
    Api {
        /// What was asked for.
        what: String,
        /// What came of it.
        error: Box<kube::Error>,
    },
    /// The cluster does not know Environments.
    #[error("{}", environment::NOT_INSTALLED)]
    NotInstalled,
    /// There is no Environment, or none of that name.
    #[error("the cluster has no Environment{}", .name.as_ref().map(|n| format!(" {n}")).unwrap_or_default())]
    NoEnvironment {
        /// The name asked for.
        name: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It is not clear which Environment is meant.
    #[error("the cluster has several Environments: {}", .0.join(", "))]
    SeveralEnvironments(Vec<String>),
    /// The Environment names no commit.
    #[error("no commit is in force in environment {environment} yet{}", .why.as_ref().map(|w| format!(": {w}")).unwrap_or_default())]
    NothingInForce {
        /// Its name.
        environment: String,
        /// What its condition `Converged` says.
        why: Option<String>,
    },
    /// The clone lacks the commit that is in force.
    #[error("the clone {} lacks commit {commit}, which is in force in environment {environment}", .clone.display())]
    NoCommit {
        /// The commit.
        commit: String,
        /// Name of the Environment.
        environment: String,
        /// The clone.
        clone: PathBuf,
        /// Where the commit comes from.
        repository: String,
        /// By which ref.
        git_ref: String,
    },
    /// The commit in force cannot be evaluated.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The clone cannot be read.
    #[error(transparent)]
    Git(#[from] gitward_repo::Error),
    /// An object is not named as it has to be.
    #[error("{0:?} names no object")]
    Target(String),
    /// A path of fields cannot be read.
    #[error(transparent)]
    Path(#[from] Unreadable),
    /// The API server serves no such kind.
    #[error("the API server serves no kind {0:?}")]
    NoKind(String),
    /// There is no such object.
    #[error("there is no {object}{}", .declared.as_ref().map(|p| format!(", though Git declares it at {p}")).unwrap_or_default())]
    NoObject {
        /// Kind, name and namespace.
        object: String,
        /// Where Git declares it, if it does.
        declared: Option<String>,
    },
    /// The environment says nothing of the object.
    #[error("{object} is not governed by environment {environment}: Git says nothing of it")]
    NotGoverned {
        /// Kind, name and namespace.
        object: String,
        /// Name of the environment.
        environment: String,
        /// The namespaces that it governs.
        namespaces: Vec<String>,
    },
    /// The object has no such field.
    #[error("{object} has no field {path}")]
    NoField {
        /// Kind, name and namespace.
        object: String,
        /// The path.
        path: String,
    },
}

impl Error {
    pub(crate) fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        |error| Error::Api { what, error: Box::new(error) }
    }

    /// How to put it right, where that is known and not said already.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Api { error, .. } => match error.as_ref() {
                kube::Error::Api(status) if status.code == 401 => "log in again: tokens expire".to_owned(),
                kube::Error::Api(status) if status.code == 403 => {
                    "ask for the right to read it; docs/guide/seeing.md has the role".to_owned()
                }
                kube::Error::Api(_) => return None,
                _ => "name the kubeconfig of a cluster that runs with --kubeconfig".to_owned(),
            },
            Error::NoEnvironment { known, .. } if known.is_empty() => {
                "create one (docs/guide/cluster.md), or name another cluster with --kubeconfig".to_owned()
            }
            Error::NoEnvironment { known, .. } => format!("it has these: {}", known.join(", ")),
            Error::SeveralEnvironments(_) => "name one with --environment".to_owned(),
            Error::NothingInForce { .. } => "`gitward status` says how far it is".to_owned(),
            Error::NoCommit { repository, git_ref, .. } => {
                format!("run `git fetch {repository} {git_ref}` in it, or name another clone with --repo")
            }
            Error::Unusable(error) => return error.hint().map(str::to_owned),
            Error::Git(gitward_repo::Error::Open { .. }) => {
                "run inside a clone of the environment's repository, or name one with --repo".to_owned()
            }
            Error::Git(error) => return error.hint().map(str::to_owned),
            Error::Target(_) => "write KIND/NAME, as in deploy/web or deployments.apps/web.spec.replicas".to_owned(),
            Error::Path(_) => "write it as spec.containers[name=web].image or metadata.labels[\"a.b/c\"]".to_owned(),
            Error::NoKind(_) => "`kubectl api-resources` names those that it serves".to_owned(),
            Error::NoObject { .. } => "check the name, and the namespace with -n".to_owned(),
            Error::NotGoverned { namespaces, .. } => {
                format!(
                    "it governs the namespaces {}; name another with -n, or another environment",
                    namespaces.join(", ")
                )
            }
            Error::NoField { .. } => "leave the path out to see all fields".to_owned(),
            Error::NotInstalled => return None,
        })
    }
}
