//! A mutating webhook of a third party's: what it adds, it adds at creation alone.

use std::net::SocketAddr;

use axum::routing::post;
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What it adds to the metadata of everything.
pub(super) const LABEL: &str = "added.example.org/label";

/// What it adds to the environment of every container of a Deployment.
pub(super) const VARIABLE: &str = "ADDED";

/// The container that it adds to a Deployment.
pub(super) const SIDECAR: &str = "sidecar";

/// A webhook that runs until it is dropped.
pub(super) struct Served {
    address: SocketAddr,
    certificate: String,
    handle: Handle<SocketAddr>,
}

impl Served {
    /// Serves on a free port.
    pub(super) async fn start(routes: Router) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = signed.cert.pem();
        let key = signed.signing_key.serialize_pem();
        let tls = RustlsConfig::from_pem(certificate.clone().into_bytes(), key.into_bytes()).await.unwrap();
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
        tokio::spawn(server.serve(routes.into_make_service()));
        Self { address, certificate, handle }
    }

    /// How the API server reaches it.
    pub(super) fn client_config(&self, path: &str) -> Value {
        json!({"url": format!("https://{}{path}", self.address), "caBundle": STANDARD.encode(&self.certificate)})
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// A mutating webhook that adds to whole objects.
pub(super) struct Mutator(Served);

impl Mutator {
    pub(super) async fn start() -> Self {
        Self(Served::start(Router::new().route("/mutate", post(mutate))).await)
    }

    /// Its registration for these resources of the namespace `traps`.
    pub(super) fn registration(&self, name: &str, operations: &[&str]) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "added.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": self.0.client_config("/mutate"),
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traps"}},
                "rules": [{
                    "apiGroups": ["", "apps"], "apiVersions": ["v1"], "operations": operations,
                    "resources": ["configmaps", "services", "deployments"],
                }],
            }],
        })
    }
}

async fn mutate(Json(review): Json<Value>) -> Json<Value> {
    let request = &review["request"];
    let patch = STANDARD.encode(Value::Array(additions(&request["object"])).to_string());
    Json(json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": request["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch},
    }))
}

fn additions(object: &Value) -> Vec<Value> {
    let mut labels = object["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(LABEL.to_owned(), json!("yes"));
    let mut patch = vec![json!({"op": "add", "path": "/metadata/labels", "value": labels})];
    let template = &object["spec"]["template"]["spec"];
    if let Some(containers) = template["containers"].as_array() {
        let mut containers: Vec<Value> = containers.iter().cloned().map(with_variable).collect();
        containers.retain(|c| c["name"] != SIDECAR);
        containers.push(json!({"name": SIDECAR, "image": "registry.example.org/sidecar:1"}));
        patch.push(json!({"op": "add", "path": "/spec/template/spec/containers", "value": containers}));
    }
    patch
}

fn with_variable(mut container: Value) -> Value {
    let mut variables = container["env"].as_array().cloned().unwrap_or_default();
    variables.retain(|v| v["name"] != VARIABLE);
    variables.push(json!({"name": VARIABLE, "value": "yes"}));
    container["env"] = Value::Array(variables);
    container
}
