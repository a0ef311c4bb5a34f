//! A webhook that lets everything pass, on the same server as gitward's.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use gitward_webhook::certificate::{Certificate, CertificateSource};
use gitward_webhook::serve::listen;
use gitward_webhook::state_dir::StateDir;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// Its registration's name.
pub(crate) const NAME: &str = "no-op";

/// The webhook; it serves as long as the process lives.
pub(crate) struct Noop {
    address: SocketAddr,
    ca: String,
}

impl Noop {
    /// Starts it, with its certificate in a folder.
    pub(crate) async fn start(folder: &Path) -> Self {
        let state = StateDir::open(&folder.join("no-op")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let source = CertificateSource::own(state, vec!["127.0.0.1".to_owned()]);
        let certificate = Certificate::load(source, jiff::Timestamp::now()).await.unwrap();
        let (tls, ca) = (certificate.server_config().unwrap(), certificate.bundle().borrow().clone());
        let app = axum::Router::new().route("/", post(pass));
        tokio::spawn(listen(listener, tls, app, CancellationToken::new()));
        Self { address, ca }
    }

    /// Everything in the governed namespace.
    pub(crate) fn registration(&self) -> String {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": NAME},
            "webhooks": [{
                "name": "no-op.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {
                    "url": format!("https://{}/", self.address),
                    "caBundle": base64::engine::general_purpose::STANDARD.encode(&self.ca),
                },
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
                "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}],
            }],
        })
        .to_string()
    }
}

/// Finds the uid without parsing anything else.
async fn pass(body: Bytes) -> Response {
    const BEFORE: &str = "\"request\":{\"uid\":\"";
    let text = String::from_utf8_lossy(&body);
    match text.split_once(BEFORE).and_then(|(_, rest)| rest.split_once('"')) {
        Some((uid, _)) => axum::Json(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": {"uid": uid, "allowed": true}}))
        .into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}
