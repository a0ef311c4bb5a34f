//! What the webhook let through, asked of each of its replicas where the API server asks it: it writes
//! nothing of that into the cluster.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gitward_core::object::Gvk;
use gitward_index::bounds::{self, Used};
use gitward_index::registration;
use http::{Request, Uri};
use k8s_openapi::api::admissionregistration::v1::{ServiceReference, WebhookClientConfig};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client, Config};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::time::timeout;

use super::ledger::{Declaration, Kind};
use crate::state::State;

/// Time for all of it.
const WITHIN: Duration = Duration::from_secs(5);

/// The counts of the webhook's replicas, each as it shows them, by where it is.
pub(super) struct Counts(BTreeMap<String, String>);

impl Counts {
    /// How many requests a declaration let through since the start of each replica; of those that
    /// know the declaration.
    pub(super) fn of(&self, declaration: &Declaration) -> BTreeMap<String, u64> {
        let kind = match declaration.kind {
            Kind::Exemption => "Exempted",
            Kind::Delegation => "Delegated",
            Kind::BreakGlass => "BreakGlass",
        };
        let name = declaration.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let start = format!("gitward_webhook_declaration_uses_total{{kind=\"{kind}\",name=\"{name}\"}} ");
        let count = |text: &str| text.lines().find_map(|line| line.strip_prefix(start.as_str())?.trim().parse().ok());
        self.0.iter().filter_map(|(replica, text)| Some((replica.clone(), count(text)?))).collect()
    }
}

/// What each of the webhook's replicas says of the bounds of delegations, by their names; or why one does
/// not: it may be of an earlier version.
pub(super) type Bounds = Result<Vec<BTreeMap<String, Used>>, String>;

/// Asks the webhook of an environment: what it counted, and what it saw of the bounds of delegations.
///
/// # Errors
/// Why it gave no answer.
pub(super) async fn ask(state: &State, environment: &str) -> Result<(Counts, Bounds), String> {
    let asked = timeout(WITHIN, answers(state, environment)).await;
    asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
}

async fn answers(state: &State, environment: &str) -> Result<(Counts, Bounds), String> {
    let gvk = Gvk::new("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration");
    let key = registration::key(environment);
    let found = state.api.get(&gvk, &key).await.map_err(|e| e.to_string())?;
    let reached = found.as_ref().and_then(|r| r.pointer("/webhooks/0/clientConfig"));
    let reached = reached.ok_or_else(|| format!("{key} is not there"))?.clone();
    let reached: WebhookClientConfig = serde_json::from_value(reached).map_err(|e| e.to_string())?;
    let (replicas, name) = match (&reached.url, &reached.service) {
        (Some(url), _) => (vec![url.clone()], None),
        (None, Some(service)) => (behind(state.api.client(), service).await?, Some(certified_name(service))),
        (None, None) => return Err(format!("{key} does not say where it is")),
    };
    let (mut counts, mut of_replicas) = (BTreeMap::new(), Vec::new());
    for url in replicas {
        let client = client(&url, name.clone(), &reached)?;
        of_replicas.push(bounds_of(&client).await);
        counts.insert(url, text(&client, "/metrics").await?);
    }
    Ok((Counts(counts), of_replicas.into_iter().collect()))
}

async fn bounds_of(client: &Client) -> Result<BTreeMap<String, Used>, String> {
    serde_json::from_str(&text(client, bounds::PATH).await?).map_err(|e| e.to_string())
}

async fn text(client: &Client, path: &str) -> Result<String, String> {
    let request = Request::get(path).body(Vec::new()).map_err(|e| e.to_string())?;
    client.request_text(request).await.map_err(|e| e.to_string())
}

/// A client of the webhook that trusts it as the API server does and shows no credentials.
fn client(url: &str, name: Option<String>, reached: &WebhookClientConfig) -> Result<Client, String> {
    let mut parts = url.parse::<Uri>().map_err(|e| e.to_string())?.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let mut config = Config::new(Uri::from_parts(parts).map_err(|e| e.to_string())?);
    config.tls_server_name = name;
    if let Some(bundle) = &reached.ca_bundle {
        let roots = CertificateDer::pem_slice_iter(&bundle.0).map(|c| c.map(|c| c.to_vec()));
        config.root_cert = Some(roots.collect::<Result<_, _>>().map_err(|e| e.to_string())?);
    }
    Client::try_from(config).map_err(|e| e.to_string())
}

/// What the certificate of a webhook behind a Service is for.
fn certified_name(service: &ServiceReference) -> String {
    format!("{}.{}.svc", service.name, service.namespace)
}

/// Where the replicas behind a Service are: each counts apart, and a Service picks any of them. Not
/// by way of the API server: the fence lets nobody but administrators connect to anything in
/// gitward's namespace.
async fn behind(client: &Client, service: &ServiceReference) -> Result<Vec<String>, String> {
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), &service.namespace);
    let of_it = ListParams::default().labels(&format!("kubernetes.io/service-name={}", service.name));
    let slices = slices.list(&of_it).await.map_err(|e| e.to_string())?;
    let found: Vec<String> = slices.iter().flat_map(ready).collect();
    if found.is_empty() { Err("no replica of it is ready".to_owned()) } else { Ok(found) }
}

/// The addresses of one slice that take requests. The webhook serves at one port.
fn ready(slice: &EndpointSlice) -> Vec<String> {
    let port = slice.ports.iter().flatten().find_map(|p| p.port).and_then(|p| u16::try_from(p).ok());
    let Some(port) = port else { return Vec::new() };
    let ready =
        slice.endpoints.iter().flatten().filter(|e| e.conditions.as_ref().is_none_or(|c| c.ready != Some(false)));
    let addresses = ready.filter_map(|e| e.addresses.first()?.parse::<IpAddr>().ok());
    addresses.map(|address| format!("https://{}", SocketAddr::new(address, port))).collect()
}

#[cfg(test)]
mod tests {
    use gitward_core::finding::Place;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn counts_are_found_by_replica_kind_and_name() {
        let text = "# TYPE gitward_webhook_declaration_uses counter\n\
                    gitward_webhook_declaration_uses_total{kind=\"Exempted\",name=\"a \\\"b\\\"\"} 3\n\
                    gitward_webhook_declaration_uses_total{kind=\"BreakGlass\",name=\"on-call\"} 0\n";
        let replica = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let counts = Counts(BTreeMap::from([replica("one", text), replica("other", "")]));
        let of = |kind, name: &str| {
            let place = Place { file: "gitward.yaml".into(), line: 1, column: 1 };
            counts.of(&Declaration { kind, name: name.to_owned(), place, over: None })
        };
        assert_eq!(of(Kind::Exemption, "a \"b\""), BTreeMap::from([("one".to_owned(), 3)]));
        assert_eq!(of(Kind::BreakGlass, "on-call"), BTreeMap::from([("one".to_owned(), 0)]));
        assert_eq!(of(Kind::Exemption, "on-call"), BTreeMap::new());
    }

    #[test]
    fn each_replica_that_is_ready_is_asked_and_by_the_name_of_the_certificate() {
        let slice = |addresses: Value| -> EndpointSlice {
            serde_json::from_value(json!({
                "addressType": "IPv4", "metadata": {}, "ports": [{"port": 9443}], "endpoints": addresses,
            }))
            .unwrap()
        };
        let endpoints = json!([
            {"addresses": ["10.0.0.1"], "conditions": {"ready": true}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
            {"addresses": ["fd00::3"]},
            {"addresses": ["no address"]},
        ]);
        assert_eq!(ready(&slice(endpoints)), ["https://10.0.0.1:9443", "https://[fd00::3]:9443"]);
        let service = ServiceReference { namespace: "a".into(), name: "w".into(), path: None, port: Some(443) };
        assert_eq!(certified_name(&service), "w.a.svc");
    }
}
