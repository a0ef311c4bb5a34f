//! What the webhook let through, asked of the webhook itself where the API server asks it: it writes
//! nothing of that into the cluster.

use std::time::Duration;

use gitward_core::object::{Gvk, ObjectKey};
use http::{Request, Uri};
use k8s_openapi::api::admissionregistration::v1::{ServiceReference, WebhookClientConfig};
use kube::{Client, Config};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::time::timeout;

use super::ledger::{Declaration, Kind};
use crate::state::State;

/// Time for all of it.
const WITHIN: Duration = Duration::from_secs(5);

/// The webhook's counts, as it shows them.
pub(super) struct Counts(String);

impl Counts {
    /// How many requests a declaration let through since the webhook's start; `None` if the webhook
    /// does not know the declaration yet.
    pub(super) fn of(&self, declaration: &Declaration) -> Option<u64> {
        let kind = match declaration.kind {
            Kind::Exemption => "Exempted",
            Kind::BreakGlass => "BreakGlass",
        };
        let name = declaration.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let start = format!("gitward_webhook_declaration_uses_total{{kind=\"{kind}\",name=\"{name}\"}} ");
        self.0.lines().find_map(|line| line.strip_prefix(start.as_str())?.trim().parse().ok())
    }
}

/// Asks the webhook of an environment.
///
/// # Errors
/// Why it gave no answer.
pub(super) async fn ask(state: &State, environment: &str) -> Result<Counts, String> {
    let asked = timeout(WITHIN, metrics(state, environment)).await;
    asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned())).map(Counts)
}

async fn metrics(state: &State, environment: &str) -> Result<String, String> {
    let gvk = Gvk::new("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration");
    let key = ObjectKey::new(&gvk.group, &gvk.kind, "", &format!("gitward-{environment}"));
    let registration = state.api.get(&gvk, &key).await.map_err(|e| e.to_string())?;
    let reached = registration.as_ref().and_then(|r| r.pointer("/webhooks/0/clientConfig"));
    let reached = reached.ok_or_else(|| format!("{key} is not there"))?.clone();
    let reached: WebhookClientConfig = serde_json::from_value(reached).map_err(|e| e.to_string())?;
    let (client, path) = match (&reached.url, &reached.service) {
        (Some(url), _) => (direct(url, &reached)?, "/metrics".to_owned()),
        // Its name may be known within the cluster alone; the API server knows the way.
        (None, Some(service)) => (state.api.client().clone(), by_proxy(service)),
        (None, None) => return Err(format!("{key} does not say where it is")),
    };
    let request = Request::get(path).body(Vec::new()).map_err(|e| e.to_string())?;
    client.request_text(request).await.map_err(|e| e.to_string())
}

/// A client of the webhook that trusts it as the API server does and shows no credentials.
fn direct(url: &str, reached: &WebhookClientConfig) -> Result<Client, String> {
    let mut parts = url.parse::<Uri>().map_err(|e| e.to_string())?.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let mut config = Config::new(Uri::from_parts(parts).map_err(|e| e.to_string())?);
    if let Some(bundle) = &reached.ca_bundle {
        let roots = CertificateDer::pem_slice_iter(&bundle.0).map(|c| c.map(|c| c.to_vec()));
        config.root_cert = Some(roots.collect::<Result<_, _>>().map_err(|e| e.to_string())?);
    }
    Client::try_from(config).map_err(|e| e.to_string())
}

fn by_proxy(service: &ServiceReference) -> String {
    let ServiceReference { namespace, name, port, .. } = service;
    format!("/api/v1/namespaces/{namespace}/services/https:{name}:{}/proxy/metrics", port.unwrap_or(443))
}

#[cfg(test)]
mod tests {
    use gitward_core::finding::Place;

    use super::*;

    #[test]
    fn counts_are_found_by_kind_and_name() {
        let counts = Counts(
            "# TYPE gitward_webhook_declaration_uses counter\n\
             gitward_webhook_declaration_uses_total{kind=\"Exempted\",name=\"a \\\"b\\\"\"} 3\n\
             gitward_webhook_declaration_uses_total{kind=\"BreakGlass\",name=\"on-call\"} 0\n"
                .to_owned(),
        );
        let of = |kind, name: &str| {
            let place = Place { file: "gitward.yaml".into(), line: 1, column: 1 };
            counts.of(&Declaration { kind, name: name.to_owned(), place, over: None })
        };
        assert_eq!(of(Kind::Exemption, "a \"b\""), Some(3));
        assert_eq!(of(Kind::BreakGlass, "on-call"), Some(0));
        assert_eq!(of(Kind::Exemption, "on-call"), None);
    }

    #[test]
    fn the_way_to_a_service_leads_through_the_api_server() {
        let service = ServiceReference { namespace: "a".into(), name: "w".into(), path: None, port: Some(9443) };
        assert_eq!(by_proxy(&service), "/api/v1/namespaces/a/services/https:w:9443/proxy/metrics");
    }
}
