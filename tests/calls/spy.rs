//! A webhook that counts what it is asked.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine;
use gitward_test_cluster::Stage;
use gitward_webhook::certificate::{Certificate, CertificateSource};
use gitward_webhook::serve::listen;
use gitward_webhook::state_dir::StateDir;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What is registered three times, from the narrowest to the widest.
const KINDS: [&str; 3] = ["asked", "rules", "everything"];

/// How often each call came, for each of [`KINDS`].
type Counts = BTreeMap<String, [u64; 3]>;

pub(crate) struct Spy {
    address: SocketAddr,
    ca: String,
    counts: Arc<Mutex<Counts>>,
}

impl Spy {
    /// Starts it, with its certificate in a folder. It serves as long as the process lives.
    pub(crate) async fn start(folder: &Path) -> Self {
        let state = StateDir::open(&folder.join("spy")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let source = CertificateSource::own(state, vec!["127.0.0.1".to_owned()]);
        let certificate = Certificate::load(source, jiff::Timestamp::now()).await.unwrap();
        let (tls, ca) = (certificate.server_config().unwrap(), certificate.bundle().borrow().clone());
        let counts = Arc::<Mutex<Counts>>::default();
        let mut app = axum::Router::new();
        for (i, kind) in KINDS.iter().enumerate() {
            let counted = move |State(counts), body| count(i, counts, body);
            app = app.route(&format!("/{kind}"), post(counted));
        }
        tokio::spawn(listen(listener, tls, app.with_state(counts.clone()), CancellationToken::new()));
        Self { address, ca, counts }
    }

    /// Registers it beside gitward, as it is registered now.
    pub(crate) async fn register(&self, stage: &Stage) {
        let name = stage.webhook_configuration();
        let output = stage.cluster.kubectl(&["get", "validatingwebhookconfiguration", &name, "-o", "json"]).await;
        let gitward: Value = serde_json::from_str(&output.unwrap().checked().unwrap()).unwrap();
        let own = gitward["webhooks"].as_array().unwrap();
        let asked = own.iter().map(|w| self.aimed(w, "asked")).collect();
        // One of each pair and of each split: together they are asked about everything by its rules.
        let whole = ["namespaced.gitward.dev", "cluster.gitward.dev"];
        let rules = own.iter().filter(|w| whole.contains(&w["name"].as_str().unwrap_or_default()));
        let rules = rules.map(|w| {
            let mut webhook = self.aimed(w, "rules");
            webhook.as_object_mut().unwrap().remove("matchConditions");
            webhook
        });
        let everything = json!({
            "name": "everything.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}],
        });
        let everything = vec![self.aimed(&everything, "everything")];
        for (kind, webhooks) in KINDS.iter().zip([asked, rules.collect(), everything]) {
            let configuration = json!({"apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration", "metadata": {"name": format!("spy-{kind}")},
                "webhooks": webhooks});
            stage.cluster.apply(&configuration.to_string()).await.unwrap().checked().unwrap();
        }
    }

    fn aimed(&self, webhook: &Value, path: &str) -> Value {
        let mut webhook = webhook.clone();
        webhook["failurePolicy"] = "Ignore".into();
        webhook["clientConfig"] = json!({
            "url": format!("https://{}/{path}", self.address),
            "caBundle": base64::engine::general_purpose::STANDARD.encode(&self.ca),
        });
        webhook
    }

    /// Begins to count anew.
    pub(crate) fn forget(&self) {
        self.counts.lock().unwrap().clear();
    }

    /// Prints what was asked in a while; `decided` is how many reviews gitward itself counted meanwhile.
    pub(crate) fn tell(&self, phase: &str, during: Duration, decided: u64) {
        let counts = self.counts.lock().unwrap();
        let minutes = during.as_secs_f64() / 60.0;
        let sum = |kind: usize| counts.values().map(|c| c[kind]).sum::<u64>();
        let each = |n: u64| format!("{:.1}", n as f64 / minutes);
        println!("\n{phase}, calls a minute      asked  no conditions  everything");
        println!("| {:70} | {:>7} | {:>7} | {:>7} |", "all", each(sum(0)), each(sum(1)), each(sum(2)));
        let mut rows: Vec<_> = counts.iter().filter(|(_, c)| c[0] + c[1] > 0).collect();
        rows.sort_by_key(|(what, c)| (std::cmp::Reverse((c[0], c[1])), (*what).clone()));
        for (what, [asked, rules, everything]) in rows {
            println!("| {what:70} | {:>7} | {:>7} | {:>7} |", each(*asked), each(*rules), each(*everything));
        }
        println!("gitward itself counted {decided} reviews, the copy of its registration {}", sum(0));
    }
}

async fn count(kind: usize, counts: Arc<Mutex<Counts>>, body: Bytes) -> impl IntoResponse {
    let review: Value = serde_json::from_slice(&body).unwrap();
    let request = &review["request"];
    counts.lock().unwrap().entry(what(request)).or_default()[kind] += 1;
    axum::Json(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": request["uid"], "allowed": true}}))
}

/// Operation, resource and account; all kubelets are one.
fn what(request: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let account = text(&request["userInfo"]["username"]);
    let account = match account.strip_prefix("system:serviceaccount:") {
        Some(rest) => rest.replace("kube-system:", "@").replace("gitward-system:", ""),
        None if account.starts_with("system:node:") => "kubelets".to_owned(),
        None => account,
    };
    let resource = text(&request["resource"]["resource"]);
    let subresource = text(&request["subResource"]);
    let slash = if subresource.is_empty() { "" } else { "/" };
    let dry = if request["dryRun"] == true { ", dry run" } else { "" };
    format!("{} {resource}{slash}{subresource} by {account}{dry}", text(&request["operation"]))
}
