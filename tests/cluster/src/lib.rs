//! A real control plane and a real Git host, for the end-to-end tests and for `gitward demo`.
//!
//! - [`Binaries`] finds, builds or downloads etcd, the Kubernetes programs (a node's too) and kwok.
//! - [`ControlPlane`] runs them as a fresh, isolated control plane that its handle tears down;
//!   [`Cluster`] is what a test sees of it: kubeconfigs, clients, `kubectl`. [`TestCluster`] is
//!   either such a control plane or a cluster that is already there.
//! - [`Debian`] has programs of Debian's packages without installing them, and [`pause()`] a program
//!   that waits, for tests that run a real node.
//! - [`GitHost`] serves bare repositories over HTTP through Git's own server program, and
//!   [`WorkTree`] is a clone that a test commits in and pushes from.
//!
//! Nothing here needs root, a container engine, or the user's own Git and Kubernetes settings.

mod binaries;
mod cache;
mod cert_manager;
mod certificates;
mod cgi;
mod cluster;
mod component;
mod control_plane;
mod debian;
mod download;
mod earlier;
mod error;
mod flags;
mod flux;
mod folder;
mod git_host;
mod gitea;
mod go_build;
mod helm;
mod kubeconfig;
mod operators;
mod options;
mod output;
mod pause;
mod peers;
mod ports;
mod process;
mod progress;
mod readiness;
mod simulated_node;
mod stage;
mod test_cluster;
mod tool;
mod version;
mod vertical_pod_autoscaler;
mod work_tree;

pub use binaries::{Binaries, Program, Sources};
pub use cert_manager::{CertManager, Part as CertManagerPart};
pub use cluster::Cluster;
pub use component::Component;
pub use control_plane::ControlPlane;
pub use debian::Debian;
pub use download::Mirrors;
pub use earlier::KUBERNETES_BEFORE;
pub use error::Error;
pub use flux::{Flux, RunningFlux};
pub use git_host::{GitHost, Repository};
pub use gitea::{Gitea, RunningGitea};
pub use helm::Helm;
pub use operators::{PrometheusOperator, RunningOperator};
pub use options::Options;
pub use output::Output;
pub use pause::pause;
pub use peers::Peers;
pub use progress::Progress;
pub use stage::{BRANCH, DEPLOY, ENVIRONMENT, Stage};
pub use test_cluster::TestCluster;
pub use vertical_pod_autoscaler::VerticalPodAutoscaler;
pub use work_tree::WorkTree;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
