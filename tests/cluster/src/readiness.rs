//! Waiting until components do their work.

use std::future::Future;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Node, ServiceAccount};
use kube::Client;
use kube::api::Api;

use crate::component::Component;
use crate::process::{self, Process};
use crate::{Error, Result};

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// No single look may hold up the next for longer.
const ONE_LOOK: Duration = Duration::from_secs(5);

/// Looks again and again until `look` finds nothing missing, the process ends, or `deadline` passes.
pub(crate) async fn wait<F>(
    component: Component,
    process: &mut Process,
    deadline: Duration,
    mut look: impl FnMut() -> F,
) -> Result<()>
where
    F: Future<Output = Result<(), String>>,
{
    let started = Instant::now();
    loop {
        let missing = match tokio::time::timeout(ONE_LOOK, look()).await {
            Ok(Ok(())) => None,
            Ok(Err(missing)) => Some(missing),
            Err(_) => Some("no answer".into()),
        };
        // Only now: whoever answered may not have been ours.
        if let Some(status) = process.ended() {
            let (log, log_tail) = (process.log().to_owned(), process::tail(process.log()));
            return Err(Error::Ended { component: component.to_string(), status, log, log_tail });
        }
        let Some(last) = missing else { return Ok(()) };
        if started.elapsed() >= deadline {
            let (log, log_tail) = (process.log().to_owned(), process::tail(process.log()));
            return Err(Error::NotReady { what: component.to_string(), waited: deadline, last, log, log_tail });
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Whether the API server says that it is ready, its store included.
pub(crate) async fn api_server(client: &Client) -> Result<(), String> {
    let request = http_get("/readyz?verbose")?;
    client.request_text(request).await.map(drop).map_err(text)
}

/// Whether the controllers have done what they do in every namespace.
pub(crate) async fn controller_manager(client: &Client) -> Result<(), String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    accounts.get("default").await.map_err(text)?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    maps.get("kube-root-ca.crt").await.map(drop).map_err(text)
}

/// Whether the node's Ready condition is True.
pub(crate) async fn node(client: &Client, name: &str) -> Result<(), String> {
    let node = Api::<Node>::all(client.clone()).get(name).await.map_err(text)?;
    let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
    let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    ready.then_some(()).ok_or_else(|| "its Ready condition is not True".into())
}

fn http_get(path: &str) -> Result<axum::http::Request<Vec<u8>>, String> {
    axum::http::Request::get(path).body(Vec::new()).map_err(text)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
