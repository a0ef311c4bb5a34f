//! A cluster as its users see it: kubeconfigs, clients and `kubectl`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::certificates::Authority;
use crate::kubeconfig::{self, Credential};
use crate::output::Output;
use crate::{Error, Result};

/// How long a service account's token made here holds, in seconds.
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

/// A cluster as its users see it. Its kubeconfig files live as long as it does.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    admin: PathBuf,
    kubectl: PathBuf,
    people: People,
    _owned_folder: Option<tempfile::TempDir>,
}

/// How other users than the administrator come about.
#[derive(Debug)]
pub(crate) enum People {
    /// By tokens made beforehand, or certificates made as needed.
    Own { server: String, authority: Box<Authority>, tokens: BTreeMap<String, Person> },
    /// By the administrator's leave to impersonate.
    Impersonated,
}

/// Someone with a token.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) groups: Vec<String>,
    pub(crate) token: String,
}

impl Cluster {
    pub(crate) fn own(folder: &Path, admin: PathBuf, kubectl: PathBuf, people: People) -> Self {
        Self { folder: folder.to_owned(), admin, kubectl, people, _owned_folder: None }
    }

    /// A cluster that is already there, with `kubeconfig`'s current context as its administrator
    /// and `kubectl` as its client program. Other people are impersonated by the administrator.
    ///
    /// # Errors
    /// If the file cannot be read as a kubeconfig.
    pub fn from_kubeconfig(kubeconfig: impl AsRef<Path>, kubectl: impl Into<PathBuf>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("gitward-cluster-").tempdir();
        let folder = folder.map_err(Error::io("create a temporary folder"))?;
        let path = folder.path().to_owned();
        let admin = path.join("admin.kubeconfig");
        let (cluster, user) = current_context(kubeconfig.as_ref())?;
        kubeconfig::write_parts(&admin, &cluster, &user)?;
        Ok(Self {
            folder: path,
            admin,
            kubectl: kubectl.into(),
            people: People::Impersonated,
            _owned_folder: Some(folder),
        })
    }

    /// A folder of this cluster's own for files that are to go with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The `kubectl` that is used.
    pub fn kubectl_program(&self) -> &Path {
        &self.kubectl
    }

    /// The kubeconfig of `admin`, in the group `system:masters` (of a cluster that was there: of
    /// its administrator).
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin
    }

    /// The kubeconfig of a person. In a control plane of our own, those listed in
    /// [`Options::people`](crate::Options::people) use their token, others a client certificate.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more than one group of someone who is not listed, or for other groups
    /// of someone who is.
    pub fn person_kubeconfig(&self, name: &str, groups: &[&str]) -> Result<PathBuf> {
        let path = self.folder.join(format!("{}.kubeconfig", file_name(&[&[name], groups].concat())));
        let People::Own { server, authority, tokens } = &self.people else {
            let (cluster, mut user) = current_context(&self.admin)?;
            user["as"] = json!(name);
            user["as-groups"] = json!(groups);
            kubeconfig::write_parts(&path, &cluster, &user)?;
            return Ok(path);
        };
        let ca = authority.certificate();
        match (tokens.get(name), groups) {
            (Some(person), _) if person.groups == groups => {
                kubeconfig::write(&path, server, &ca, &Credential::Token(&person.token))?;
            }
            (None, [] | [_]) => {
                let identity = authority.client(name, groups.first().copied())?;
                kubeconfig::write(&path, server, &ca, &Credential::Certificate(&identity))?;
            }
            _ => return Err(Error::Invalid(format!("list {name} with the groups {groups:?} in Options::people"))),
        }
        Ok(path)
    }

    /// The kubeconfig of a service account that exists, with a token of a day.
    ///
    /// # Errors
    /// [`Error::Kube`] if the API server gives no token.
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let spec = TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let answer = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let answer = answer.map_err(Error::kube(format!("get a token of {namespace}/{name}")))?;
        let token = answer.status.unwrap_or_default().token;
        let (cluster, _) = current_context(&self.admin)?;
        let path = self.service_account_kubeconfig(namespace, name);
        kubeconfig::write_parts(&path, &cluster, &json!({ "token": token }))?;
        Ok(path)
    }

    /// Where the kubeconfig of a service account is, once
    /// [`kubeconfig_for_service_account`](Self::kubeconfig_for_service_account) made it.
    pub fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> PathBuf {
        self.folder.join(format!("{}.kubeconfig", file_name(&["serviceaccount", namespace, name])))
    }

    /// A client with the administrator's rights.
    ///
    /// # Errors
    /// If the kubeconfig cannot be used.
    pub async fn client(&self) -> Result<kube::Client> {
        self.client_for(&self.admin).await
    }

    /// A client that uses `kubeconfig`.
    ///
    /// # Errors
    /// If the kubeconfig cannot be used.
    pub async fn client_for(&self, kubeconfig: impl AsRef<Path>) -> Result<kube::Client> {
        let path = kubeconfig.as_ref();
        let refused = |why: String| Error::Kubeconfig { path: path.to_owned(), why };
        // Whoever installed a provider before us is fine too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = Kubeconfig::read_from(path).map_err(|error| refused(error.to_string()))?;
        let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
        let mut config = config.map_err(|error| refused(error.to_string()))?;
        if matches!(self.people, People::Own { .. }) {
            config.proxy_url = None;
        }
        kube::Client::try_from(config).map_err(Error::kube("make a client"))
    }

    /// Runs the real `kubectl` as the administrator.
    ///
    /// # Errors
    /// If it cannot be run; that it fails is in the [`Output`].
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<Output> {
        self.kubectl_as(&self.admin, arguments, "").await
    }

    /// Applies manifests as the administrator with `kubectl apply`.
    ///
    /// # Errors
    /// If `kubectl` cannot be run; that it fails is in the [`Output`].
    pub async fn apply(&self, manifests: &str) -> Result<Output> {
        self.kubectl_as(&self.admin, &["apply", "-f", "-"], manifests).await
    }

    /// Runs the real `kubectl` with `kubeconfig` and `input` on its standard input.
    ///
    /// # Errors
    /// If it cannot be run; that it fails is in the [`Output`].
    pub async fn kubectl_as(&self, kubeconfig: impl AsRef<Path>, arguments: &[&str], input: &str) -> Result<Output> {
        self.kubectl_with_editor(kubeconfig, arguments, input, "false").await
    }

    /// Runs the real `kubectl` with `editor` as the command that `kubectl edit` calls on a file.
    ///
    /// # Errors
    /// If it cannot be run; that it fails is in the [`Output`].
    pub async fn kubectl_with_editor(
        &self,
        kubeconfig: impl AsRef<Path>,
        arguments: &[&str],
        input: &str,
        editor: &str,
    ) -> Result<Output> {
        let command = format!("kubectl {}", arguments.join(" "));
        let doing = format!("run {command}");
        let mut kubectl = Command::new(&self.kubectl);
        kubectl
            .args(arguments)
            .env("KUBECONFIG", kubeconfig.as_ref())
            // Its cache of what the server offers goes with the cluster.
            .env("KUBECACHEDIR", self.folder.join("kubectl-cache"))
            .env("KUBECTL_KUBERC", "false")
            .env("KUBE_EDITOR", editor)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = kubectl.spawn().map_err(Error::io(&doing))?;
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A kubectl that does not read its input is no error.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        Ok(Output::new(command, output.map_err(Error::io(doing))?))
    }
}

/// A file name for a list of names, each made harmless; two lists never share one.
fn file_name(names: &[&str]) -> String {
    let escape = |name: &&str| -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        name.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:x}%", u32::from(c)) }).collect()
    };
    names.iter().map(escape).collect::<Vec<_>>().join("_")
}

/// Why a kubeconfig cannot be read, without anything that it holds: a parser quotes the line.
fn unreadable(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(why, _) => why.to_string(),
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!("it cannot be read at {}:{}", at.line(), at.column()),
            None => "it cannot be read".to_owned(),
        },
        other => other.to_string(),
    }
}

/// The cluster and user of a kubeconfig's current context, with files it points to read in.
fn current_context(path: &Path) -> Result<(Value, Value)> {
    let refused = |why: &str| Error::Kubeconfig { path: path.to_owned(), why: why.to_owned() };
    // Reading also makes the paths in it absolute.
    let file = Kubeconfig::read_from(path).map_err(|error| refused(&unreadable(&error)))?;
    let name = file
        .current_context
        .as_deref()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| refused("it has no current context"))?;
    let context = file.contexts.iter().find(|context| context.name == name).and_then(|named| named.context.as_ref());
    let context = context.ok_or_else(|| refused("its current context is not in it"))?;
    let cluster = file.clusters.iter().find(|named| named.name == context.cluster).map(|named| &named.cluster);
    let user = file.auth_infos.iter().find(|named| Some(&named.name) == context.user.as_ref());
    let value = |value: serde_json::Result<Value>| value.map_err(|error| refused(&error.to_string()));
    Ok((value(serde_json::to_value(cluster))?, value(serde_json::to_value(user.map(|named| &named.auth_info)))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_harmless_and_differ() {
        assert_eq!(file_name(&["alice"]), "alice");
        assert_eq!(file_name(&["alice", "dev"]), "alice_dev");
        assert_eq!(file_name(&["alice_dev"]), "alice%5f%dev");
        assert_eq!(file_name(&["../x"]), "..%2f%x");
        assert_eq!(file_name(&["system:node"]), "system%3a%node");
    }
}
