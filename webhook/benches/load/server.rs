//! The server under load: the gate, and two handlers that judge nothing.

use std::net::TcpListener;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use gitward_index::{Discovery, LiveIndex};
use gitward_repo::Credentials;
use gitward_webhook::certificate::{Certificate, CertificateSource};
use gitward_webhook::follow::{Follower, SnapshotStore};
use gitward_webhook::judge::Gate;
use gitward_webhook::metrics::Metrics;
use gitward_webhook::readiness::Readiness;
use gitward_webhook::review;
use gitward_webhook::serve::{App, Limits, listen, router};
use gitward_webhook::state_dir::StateDir;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::shop::{Shop, Write};

/// Reads the body and lets it pass.
pub(crate) const NOTHING: &str = "/nothing";

/// Reads and parses the body and lets it pass.
pub(crate) const PARSE: &str = "/parse";

/// Serves until its standard input ends, with a snapshot of so many declared objects. Prints its
/// port and its authority's certificates.
pub(crate) async fn serve(objects: usize) {
    let away = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        Err::<http::Response<kube::client::Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
    });
    let client = kube::Client::new(away, "default");
    let index = LiveIndex::start(client.clone(), Discovery::new(client), &[], &[]);
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let source = CertificateSource::own(state.clone(), vec!["localhost".into()]);
    let certificate = Certificate::load(source, Timestamp::now()).await.unwrap();
    let (snapshots, metrics) = (Arc::new(SnapshotStore::default()), Arc::new(Metrics::default()));
    snapshots.swap(Shop::with(objects).snapshot);
    let (_follower, looker) = Follower::new("prod", state, Credentials::None, snapshots.clone(), metrics.clone());
    let readiness = Arc::new(Readiness::new(snapshots.clone(), index.clone()));
    let gate =
        Gate::new(snapshots, index, looker, metrics.clone(), "system:serviceaccount:gitward-system:gitward-reconciler");
    let conversions = Arc::default();
    let (limits, draining) = (Limits::default(), Arc::default());
    let app = App { gate, readiness, metrics, environment: "prod".into(), limits, conversions, draining };
    let app = router(app).route(NOTHING, post(nothing)).route(PARSE, post(parse));

    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    println!("{}\n{}\n", address.port(), certificate.bundle().borrow().trim());
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().lines().count();
        stop.cancel();
    });
    listen(std::net::TcpListener::bind(address).unwrap(), certificate.server_config().unwrap(), app, shutdown)
        .await
        .unwrap();
}

const PASS: &str =
    r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u-1","allowed":true}}"#;

async fn nothing(body: Bytes) -> impl IntoResponse {
    std::hint::black_box(body);
    ([(CONTENT_TYPE, "application/json")], PASS)
}

async fn parse(body: Bytes) -> impl IntoResponse {
    axum::Json(review::let_through(&review::parse(&body).unwrap()))
}

/// A review of an UPDATE that brings a Deployment back to what Git says.
pub(crate) fn convergence() -> Vec<u8> {
    body(&Write::convergence())
}

/// A review of an UPDATE that changes nothing.
pub(crate) fn nothing_changes() -> Vec<u8> {
    body(&Write::nothing())
}

fn body(write: &Write) -> Vec<u8> {
    let key = &write.key;
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "9bc1c0b4-8d3d-4a51-8d4c-2f8c1a2b3c4d",
        "kind": {"group": key.group, "version": "v1", "kind": key.kind},
        "resource": {"group": key.group, "version": "v1", "resource": write.resource},
        "name": key.name, "namespace": key.namespace, "operation": "UPDATE",
        "userInfo": {"username": write.account, "uid": "u", "groups": ["system:authenticated"]},
        "object": write.new, "oldObject": write.old, "dryRun": false,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "UpdateOptions"},
    }})
    .to_string()
    .into_bytes()
}
