//! The cluster that a test runs against: a fresh control plane, or one that is already there.

use std::env;
use std::ops::Deref;
use std::path::PathBuf;

use crate::cluster::Cluster;
use crate::control_plane::ControlPlane;
use crate::options::Options;
use crate::{Error, Result};

/// The cluster that a test runs against.
#[derive(Debug)]
pub enum TestCluster {
    /// A fresh control plane, whose components can be stopped and started.
    Own(Box<ControlPlane>),
    /// A cluster that was there before.
    External(Box<Cluster>),
}

impl TestCluster {
    /// The cluster of `KUBECONFIG` where `GITWARD_TEST_CLUSTER` is `external`, else a fresh control
    /// plane with these options. External clusters need `kubectl` on `PATH`.
    ///
    /// # Errors
    /// As [`ControlPlane::start`] and [`Cluster::from_kubeconfig`].
    pub async fn start(options: Options) -> Result<Self> {
        if env::var_os("GITWARD_TEST_CLUSTER").is_none_or(|value| value != "external") {
            return Ok(Self::Own(Box::new(ControlPlane::start(options).await?)));
        }
        let kubeconfig = env::var_os("KUBECONFIG").map(PathBuf::from);
        let kubeconfig = kubeconfig
            .ok_or_else(|| Error::Invalid("GITWARD_TEST_CLUSTER is external, but KUBECONFIG is not set".into()))?;
        Cluster::from_kubeconfig(kubeconfig, "kubectl").map(|cluster| Self::External(Box::new(cluster)))
    }

    /// The control of the components, where they are ours.
    pub fn control_plane(&mut self) -> Option<&mut ControlPlane> {
        match self {
            Self::Own(control_plane) => Some(control_plane),
            Self::External(_) => None,
        }
    }
}

impl Deref for TestCluster {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        match self {
            Self::Own(control_plane) => control_plane,
            Self::External(cluster) => cluster,
        }
    }
}
