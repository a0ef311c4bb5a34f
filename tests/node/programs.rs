//! The programs of a node: Kubernetes' own, built like those of the control plane, and Debian's.

use std::path::PathBuf;

use gitward_test_cluster::{Binaries, Debian, Program, Progress, Sources, pause};

/// Debian's packages, with the libraries that a machine may lack.
const PACKAGES: [&str; 12] = [
    "containerd",
    "runc",
    "containernetworking-plugins",
    "nftables",
    "libnftables1",
    "libnftnl11",
    "libmnl0",
    "libjansson4",
    "libxtables12",
    "libedit2",
    "libbsd0",
    "libseccomp2",
];

/// Those of the control plane, which are built before there is no way out.
const OF_THE_CONTROL_PLANE: [Program; 5] =
    [Program::Etcd, Program::KubeApiserver, Program::KubeControllerManager, Program::KubeScheduler, Program::Kubectl];

/// The programs of a node.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) kubelet: PathBuf,
    pub(crate) kube_proxy: PathBuf,
    /// Holds a Pod's namespaces.
    pub(crate) pause: PathBuf,
    debian: Debian,
}

impl Programs {
    /// Finds, builds or fetches them.
    pub(crate) fn provide() -> Result<Self, String> {
        let (sources, progress) = (Sources::from_env(), Progress::to(|line| eprintln!("{line}")));
        let debian = Debian::provide(&PACKAGES, &sources, &progress, |_, _| Ok(())).map_err(|e| e.to_string())?;
        let needed = [&[Program::Kubelet, Program::KubeProxy], &OF_THE_CONTROL_PLANE[..]].concat();
        let binaries = Binaries::provide(&needed, &sources, &progress).map_err(|e| e.to_string())?;
        let path = |program| binaries.path(program).map(ToOwned::to_owned).map_err(|e| e.to_string());
        Ok(Self {
            kubelet: path(Program::Kubelet)?,
            kube_proxy: path(Program::KubeProxy)?,
            pause: pause(&sources, &progress).map_err(|e| e.to_string())?,
            debian,
        })
    }

    /// A program or file of Debian's packages.
    pub(crate) fn debian(&self, path: &str) -> PathBuf {
        self.debian.path(path)
    }

    /// The environment in which Debian's programs find each other and their libraries.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let here = ["usr/sbin", "usr/bin"].map(|folder| self.debian.path(folder).display().to_string());
        let path = std::env::var("PATH").unwrap_or_default();
        [("PATH", format!("{}:{path}", here.join(":"))), ("LD_LIBRARY_PATH", self.debian.libraries())]
    }
}
