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
            Kind::Delegation => "Delegated",
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
    let url = match (&reached.url, &reached.service) {
        (Some(url), _) => url.clone(),
        (None, Some(service)) => within_the_cluster(service),
        (None, None) => return Err(format!("{key} does not say where it is")),
    };
    let request = Request::get("/metrics").body(Vec::new()).map_err(|e| e.to_string())?;
    client(&url, &reached)?.request_text(request).await.map_err(|e| e.to_string())
}

/// A client of the webhook that trusts it as the API server does and shows no credentials.
fn client(url: &str, reached: &WebhookClientConfig) -> Result<Client, String> {
    let mut parts = url.parse::<Uri>().map_err(|e| e.to_string())?.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let mut config = Config::new(Uri::from_parts(parts).map_err(|e| e.to_string())?);
    if let Some(bundle) = &reached.ca_bundle {
        let roots = CertificateDer::pem_slice_iter(&bundle.0).map(|c| c.map(|c| c.to_vec()));
        config.root_cert = Some(roots.collect::<Result<_, _>>().map_err(|e| e.to_string())?);
    }
    Client::try_from(config).map_err(|e| e.to_string())
}

/// Where a Service is reached, and what its certificate is for. Not by way of the API server: the
/// fence lets nobody but administrators connect to anything in gitward's namespace.
fn within_the_cluster(service: &ServiceReference) -> String {
    let ServiceReference { namespace, name, port, .. } = service;
    format!("https://{name}.{namespace}.svc:{}", port.unwrap_or(443))
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
    fn a_webhook_behind_a_service_is_asked_by_the_name_of_its_certificate() {
        let service = ServiceReference { namespace: "a".into(), name: "w".into(), path: None, port: Some(9443) };
        assert_eq!(within_the_cluster(&service), "https://w.a.svc:9443");
    }
}
