//! The parts of a control plane that can be stopped and started one by one.

use std::fmt;

use crate::binaries::Program;

/// A part of a control plane that runs as its own process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// etcd.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// A second kube-apiserver on the same etcd. It runs only where a test starts it.
    ApiServerBeside,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// The simulated node `node-N`.
    Node(usize),
}

impl Component {
    pub(crate) fn program(self) -> Program {
        match self {
            Component::Etcd => Program::Etcd,
            Component::ApiServer | Component::ApiServerBeside => Program::KubeApiserver,
            Component::ControllerManager => Program::KubeControllerManager,
            Component::Scheduler => Program::KubeScheduler,
            Component::Node(_) => Program::Kwok,
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Component::ApiServerBeside => f.write_str("kube-apiserver-beside"),
            Component::Node(number) => write!(f, "node-{number}"),
            other => f.write_str(other.program().name()),
        }
    }
}
