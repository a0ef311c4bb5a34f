//! What webhook and reconciler need before they start, with the way to put right what is wrong with
//! it: later nobody looks.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use gitward_core::object::is_dns_label;
use kube::client::Body;
use kube::client::retry::RetryPolicy;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use tower::Layer;
use tower::retry::RetryLayer;

use crate::fault::Fault;

/// A client of the API server that a kubeconfig names, or, without one, the Pod's own.
pub(crate) async fn client(kubeconfig: Option<&Path>) -> anyhow::Result<kube::Client> {
    Ok(clients(kubeconfig).await?()?)
}

/// Makes such clients, each with connections of its own.
pub(crate) async fn clients(
    kubeconfig: Option<&Path>,
) -> anyhow::Result<impl Fn() -> Result<kube::Client, kube::Error> + Send + Sync + 'static> {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = match kubeconfig {
        Some(file) => {
            let read = Kubeconfig::read_from(file).map_err(|error| unusable(file, &error))?;
            let config = kube::Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
            config.map_err(|error| unusable(file, &error))?
        }
        None => kube::Config::infer().await.map_err(|error| {
            Fault::new(
                format!("no cluster is named: {error}"),
                "name a kubeconfig with --kubeconfig, or run in a Pod with a service account",
            )
        })?,
    };
    patient(config.clone()).map_err(|error| {
        let file = kubeconfig.map_or_else(|| "the account of the Pod".to_owned(), |f| f.display().to_string());
        Fault::new(format!("{file} cannot be used: {error}"), "check the certificates and keys in it")
    })?;
    Ok(move || patient(config.clone()))
}

/// Times that a request is made again where the API server is too busy, and the pauses before.
const AGAIN: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A client that makes a request again for at most a second where the API server answers that it
/// cannot now. By itself kube's does so for minutes, and nobody hears why nothing happens.
fn patient(mut config: kube::Config) -> Result<kube::Client, kube::Error> {
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    let once = kube::Client::try_from(config)?;
    let send = tower::service_fn(move |request: http::Request<Body>| {
        let once = once.clone();
        async move { once.send(request).await.map_err(tower::BoxError::from) }
    });
    let policy = RetryPolicy::new(FIRST_PAUSE, LONGEST_PAUSE, AGAIN, false)
        .map_err(|error| kube::Error::Service(error.into()))?;
    Ok(kube::Client::new(RetryLayer::new(policy).layer(send), namespace))
}

/// Says of a kubeconfig what is wrong, and nothing of what it holds: there are keys in it.
fn unusable(file: &Path, error: &KubeconfigError) -> Fault {
    let file = file.display();
    match error {
        KubeconfigError::ReadConfig(why, _) => Fault::new(
            format!("the kubeconfig {file} cannot be read: {why}"),
            "name one that is there with --kubeconfig",
        ),
        KubeconfigError::Parse(error) => {
            let at = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
            Fault::new(
                format!("{file}{at}: this is no kubeconfig"),
                "name the file that `kubectl --kubeconfig FILE get namespaces` works with",
            )
        }
        KubeconfigError::CurrentContextNotSet => no_context(&file),
        KubeconfigError::LoadContext(name) if name.is_empty() => no_context(&file),
        KubeconfigError::LoadContext(name) => Fault::new(
            format!("the kubeconfig {file} has no context {name:?}, which it names as the current one"),
            format!("choose one that it has: kubectl --kubeconfig {file} config use-context NAME"),
        ),
        other => Fault::new(
            format!("the kubeconfig {file} cannot be used: {other}"),
            "correct it until `kubectl --kubeconfig FILE get namespaces` works",
        ),
    }
}

fn no_context(file: &impl std::fmt::Display) -> Fault {
    Fault::new(
        format!("the kubeconfig {file} has no current context"),
        format!("choose one: kubectl --kubeconfig {file} config use-context NAME"),
    )
}

/// Holds a state directory for this process until it ends.
#[must_use]
pub(crate) struct Held(#[expect(dead_code, reason = "the lock goes with the file")] File);

/// Makes the state directory, for this account alone, sees whether it can be written, and that no
/// other process works with it.
pub(crate) fn state_dir(directory: &Path) -> Result<Held, Fault> {
    let probe = directory.join(".writable");
    let tried = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .and_then(|()| fs::write(&probe, b""))
        .and_then(|()| fs::remove_file(&probe));
    let unwritable = |error: io::Error| {
        Fault::new(
            format!("the state directory {} cannot be written: {error}", directory.display()),
            "name a directory that this account may write with --state-dir",
        )
    };
    tried.map_err(unwritable)?;
    let lock = File::create(directory.join(".lock")).map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => Ok(Held(lock)),
        Err(TryLockError::WouldBlock) => Err(Fault::new(
            format!("another process works with the state directory {}", directory.display()),
            "give each webhook and each reconciler a directory of its own with --state-dir",
        )),
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

/// The name of an Environment.
pub(crate) fn environment(name: &str) -> Result<String, String> {
    if is_dns_label(name) {
        return Ok(name.to_owned());
    }
    Err("an Environment's name has at most 63 lower-case letters, digits and `-`".to_owned())
}
