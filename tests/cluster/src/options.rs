//! What a control plane is started with.

use std::time::Duration;

use crate::binaries::Sources;
use crate::progress::Progress;

/// What a control plane is started with. The default is etcd, API server and controller manager.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many simulated nodes `node-0`, `node-1`, … run Pods (with the scheduler, whatever
    /// `scheduler` says). Each acts as its own kubelet would: as `system:node:node-N`.
    pub simulated_nodes: usize,
    /// Whether the scheduler runs.
    pub scheduler: bool,
    /// Whether the controller manager runs.
    pub controller_manager: bool,
    /// People with any number of groups, who can use bearer tokens: name and groups.
    pub people: Vec<(String, Vec<String>)>,
    /// Values of the API server's `--runtime-config`, such as `api/alpha=true`.
    pub runtime_config: Vec<String>,
    /// Feature gates of all Kubernetes programs, such as `ManifestBasedAdmissionControlConfig=true`.
    pub feature_gates: Vec<String>,
    /// The text of an AuthorizationConfiguration, in place of the modes RBAC and Node.
    pub authorization_config: Option<String>,
    /// The text of an AdmissionConfiguration.
    pub admission_config: Option<String>,
    /// More flags of the API server, each `--name=value`; they come last and so override.
    pub api_server_flags: Vec<String>,
    /// Whether API servers are of the release before until
    /// [`be_of_the_release_before`](crate::ControlPlane::be_of_the_release_before) says otherwise.
    pub release_before: bool,
    /// More flags of the controller manager.
    pub controller_manager_flags: Vec<String>,
    /// How long to wait for one component to become ready.
    pub deadline: Duration,
    /// Where the programs come from.
    pub sources: Sources,
    /// Gets a line for each step.
    pub progress: Progress,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            simulated_nodes: 0,
            scheduler: false,
            controller_manager: true,
            people: Vec::new(),
            runtime_config: Vec::new(),
            feature_gates: Vec::new(),
            authorization_config: None,
            admission_config: None,
            api_server_flags: Vec::new(),
            release_before: false,
            controller_manager_flags: Vec::new(),
            deadline: Duration::from_secs(90),
            sources: Sources::from_env(),
            progress: Progress::default(),
        }
    }
}

impl Options {
    /// A control plane whose Pods run, on `nodes` simulated nodes.
    pub fn with_nodes(nodes: usize) -> Self {
        Self { simulated_nodes: nodes, ..Self::default() }
    }
}
