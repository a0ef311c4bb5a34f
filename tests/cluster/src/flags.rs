//! The files of a control plane and the command lines of its components.

use std::path::{Path, PathBuf};

use crate::certificates::{Authority, Identity, token_key};
use crate::component::Component;
use crate::kubeconfig::{self, Credential, write_private};
use crate::options::Options;
use crate::{Error, Result};

/// A Unix socket's path may not be longer, in bytes.
const LONGEST_SOCKET_PATH: usize = 107;
/// What simulated nodes do with Nodes and Pods.
const STAGES: &str = include_str!("stages.yaml");

/// The folder of one control plane, its port, and what stands where in it.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    /// That of [`Component::ApiServerBeside`].
    pub(crate) port_beside: u16,
}

impl Layout {
    pub(crate) fn server(&self) -> String {
        server_at(self.port)
    }

    pub(crate) fn server_beside(&self) -> String {
        server_at(self.port_beside)
    }

    /// etcd listens on a socket in this folder only: no port to fight over, and nobody else gets at
    /// the data behind the API server's back.
    pub(crate) fn etcd_socket(&self) -> PathBuf {
        self.folder.join("etcd.sock")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn log(&self, component: Component) -> PathBuf {
        self.folder.join(format!("{component}.log"))
    }

    pub(crate) fn kubeconfig(&self, component: Component) -> PathBuf {
        self.folder.join(format!("{component}.kubeconfig"))
    }

    /// Writes keys, certificates, kubeconfigs and configuration that the components read.
    pub(crate) fn write(&self, authority: &Authority, tokens: &str, options: &Options) -> Result<()> {
        if self.etcd_socket().as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(Error::Invalid(format!("{} is too long a path for a socket", self.etcd_socket().display())));
        }
        let Identity { certificate, key } = authority.server()?;
        let (token_key, token_public_key) = token_key()?;
        let mut files = vec![
            ("ca.crt", authority.certificate()),
            ("ca.key", authority.key().to_owned()),
            ("server.crt", certificate),
            ("server.key", key),
            ("service-account.key", token_key),
            ("service-account.pub", token_public_key),
            ("stages.yaml", STAGES.to_owned()),
            ("tokens.csv", tokens.to_owned()),
        ];
        files.extend(options.authorization_config.clone().map(|text| ("authorization.yaml", text)));
        files.extend(options.admission_config.clone().map(|text| ("admission.yaml", text)));
        for (name, text) in files {
            write_private(&self.file(name), &text)?;
        }
        self.write_kubeconfigs(authority, options)
    }

    fn write_kubeconfigs(&self, authority: &Authority, options: &Options) -> Result<()> {
        let write = |path: &Path, user: &str, group: Option<&str>| {
            let identity = authority.client(user, group)?;
            let credential = Credential::Certificate(&identity);
            kubeconfig::write(path, &self.server(), &authority.certificate(), &credential)
        };
        write(&self.file("admin.kubeconfig"), "admin", Some("system:masters"))?;
        write(&self.kubeconfig(Component::ControllerManager), "system:kube-controller-manager", None)?;
        write(&self.kubeconfig(Component::Scheduler), "system:kube-scheduler", None)?;
        for node in (0..options.simulated_nodes).map(Component::Node) {
            write(&self.kubeconfig(node), &format!("system:node:{node}"), Some("system:nodes"))?;
        }
        Ok(())
    }

    /// The command line of `component`.
    pub(crate) fn flags(&self, component: Component, options: &Options) -> Vec<String> {
        match component {
            Component::Etcd => self.etcd(),
            Component::ApiServer => self.api_server(self.port, options),
            Component::ApiServerBeside => self.api_server(self.port_beside, options),
            Component::ControllerManager => self.controller_manager(options),
            Component::Scheduler => self.scheduler(options),
            Component::Node(number) => self.node(component, number),
        }
    }

    fn flag(&self, name: &str, file: &str) -> String {
        format!("--{name}={}", self.file(file).display())
    }

    fn etcd(&self) -> Vec<String> {
        // Nobody connects by these addresses, but etcd wants some of this form.
        let nowhere = "http://127.0.0.1:0";
        vec![
            self.flag("data-dir", "etcd"),
            format!("--listen-client-urls=unix://{}", self.etcd_socket().display()),
            format!("--advertise-client-urls={nowhere}"),
            format!("--listen-peer-urls={nowhere}"),
            format!("--initial-advertise-peer-urls={nowhere}"),
            format!("--initial-cluster=default={nowhere}"),
            // The data outlives a killed process, which is all that is asked of it; not a power cut.
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
        ]
    }

    fn api_server(&self, port: u16, options: &Options) -> Vec<String> {
        let mut flags = vec![
            format!("--etcd-servers=unix://{}", self.etcd_socket().display()),
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            "--endpoint-reconciler-type=none".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            "--allow-privileged=true".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
            self.flag("cert-dir", "api-server"),
            self.flag("tls-cert-file", "server.crt"),
            self.flag("tls-private-key-file", "server.key"),
            self.flag("client-ca-file", "ca.crt"),
            self.flag("service-account-key-file", "service-account.pub"),
            self.flag("service-account-signing-key-file", "service-account.key"),
            "--profiling=false".into(),
        ];
        // An empty token file is refused.
        if !options.people.is_empty() {
            flags.push(self.flag("token-auth-file", "tokens.csv"));
        }
        flags.push(match &options.authorization_config {
            Some(_) => self.flag("authorization-config", "authorization.yaml"),
            None => "--authorization-mode=Node,RBAC".into(),
        });
        if options.admission_config.is_some() {
            flags.push(self.flag("admission-control-config-file", "admission.yaml"));
        }
        flags.extend(joined("runtime-config", &options.runtime_config));
        flags.extend(joined("feature-gates", &options.feature_gates));
        flags.extend(options.api_server_flags.iter().cloned());
        flags
    }

    fn controller_manager(&self, options: &Options) -> Vec<String> {
        let mut flags = vec![
            format!("--kubeconfig={}", self.kubeconfig(Component::ControllerManager).display()),
            // Each controller acts as its own service account, as in every installed cluster.
            "--use-service-account-credentials=true".into(),
            self.flag("service-account-private-key-file", "service-account.key"),
            self.flag("root-ca-file", "ca.crt"),
            self.flag("cluster-signing-cert-file", "ca.crt"),
            self.flag("cluster-signing-key-file", "ca.key"),
            "--leader-elect=false".into(),
            // Serves nothing: what it has done tells whether it is ready.
            "--secure-port=0".into(),
            "--profiling=false".into(),
        ];
        flags.extend(joined("feature-gates", &options.feature_gates));
        flags.extend(options.controller_manager_flags.iter().cloned());
        flags
    }

    fn scheduler(&self, options: &Options) -> Vec<String> {
        let mut flags = vec![
            format!("--kubeconfig={}", self.kubeconfig(Component::Scheduler).display()),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            "--profiling=false".into(),
        ];
        flags.extend(joined("feature-gates", &options.feature_gates));
        flags
    }

    fn node(&self, node: Component, number: usize) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.kubeconfig(node).display()),
            format!("--manage-single-node={node}"),
            self.flag("config", "stages.yaml"),
            format!("--node-name={node}"),
            "--node-ip=127.0.0.1".into(),
            // Pods of two nodes do not share addresses.
            format!("--cidr=10.{}.{}.0/24", 128 + number / 256 % 128, number % 256),
            "--node-lease-duration-seconds=40".into(),
        ]
    }
}

fn server_at(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

fn joined(name: &str, values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| format!("--{name}={}", values.join(",")))
}
