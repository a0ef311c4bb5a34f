//! Kubeconfig files.

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificates::Identity;
use crate::{Error, Result};

/// How a client proves who it is.
pub(crate) enum Credential<'a> {
    Certificate(&'a Identity),
    Token(&'a str),
}

impl Credential<'_> {
    fn user(&self) -> Value {
        match self {
            Credential::Token(token) => json!({ "token": token }),
            Credential::Certificate(identity) => json!({
                "client-certificate-data": STANDARD.encode(&identity.certificate),
                "client-key-data": STANDARD.encode(&identity.key),
            }),
        }
    }
}

/// Writes a kubeconfig for a server whose certificate `authority` (PEM) signed.
pub(crate) fn write(path: &Path, server: &str, authority: &str, credential: &Credential<'_>) -> Result<()> {
    let cluster = json!({ "server": server, "certificate-authority-data": STANDARD.encode(authority) });
    write_parts(path, &cluster, &credential.user())
}

/// Writes a kubeconfig of one cluster and one user. JSON is YAML, so every client reads it.
pub(crate) fn write_parts(path: &Path, cluster: &Value, user: &Value) -> Result<()> {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "gitward", "cluster": cluster }],
        "users": [{ "name": "gitward", "user": user }],
        "contexts": [{ "name": "gitward", "context": { "cluster": "gitward", "user": "gitward" } }],
        "current-context": "gitward",
    });
    write_private(path, &format!("{kubeconfig:#}\n"))
}

/// Writes a file that its owner alone may read, all of it at once: a client may be reading it.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map(drop).map_err(|e| e.error)
    };
    write().map_err(Error::io(format!("write {}", path.display())))
}
