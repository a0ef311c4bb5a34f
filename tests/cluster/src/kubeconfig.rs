//! Kubeconfig files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
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

/// Writes a file that its owner alone may read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let write = || {
        let file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
    };
    write().map_err(Error::io(format!("write {}", path.display())))
}
