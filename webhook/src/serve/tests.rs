use super::*;
use axum::body::Body;
use axum::http::Request;
use gitward_core::config::{EnvironmentConfig, Mode};
use gitward_core::snapshot::Snapshot;
use gitward_index::{Discovery, LiveIndex};
use gitward_repo::Credentials;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::follow::{Follower, SnapshotStore};
use crate::state_dir::StateDir;

/// A webhook whose API server answers nothing.
struct Webhook {
    router: Router,
    snapshots: Arc<SnapshotStore>,
    draining: Arc<Draining>,
    _follower: Follower,
    _dir: tempfile::TempDir,
}

fn webhook(limits: Limits) -> Webhook {
    let away = tower::service_fn(|_: Request<kube::client::Body>| async {
        Err::<axum::http::Response<kube::client::Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
    });
    let client = kube::Client::new(away, "default");
    let index = LiveIndex::start(client.clone(), Discovery::new(client), &[], &[]);
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let (snapshots, metrics) = (Arc::new(SnapshotStore::default()), Arc::new(Metrics::default()));
    let (follower, looker) = Follower::new("prod", state, Credentials::None, snapshots.clone(), metrics.clone());
    let readiness = Arc::new(Readiness::new(snapshots.clone(), index.clone()));
    readiness.scoped();
    let gate = Gate::new(
        snapshots.clone(),
        index,
        looker,
        metrics.clone(),
        "system:serviceaccount:gitward-system:gitward-reconciler",
    );
    let draining = Arc::<Draining>::default();
    let router = router(App {
        gate,
        readiness,
        metrics,
        environment: "prod".into(),
        limits,
        conversions: Arc::default(),
        draining: draining.clone(),
    });
    Webhook { router, snapshots, draining, _follower: follower, _dir: dir }
}

fn snapshot(mode: Mode) -> Snapshot {
    let environment = EnvironmentConfig {
        name: "prod".into(),
        git_ref: "refs/heads/main".into(),
        namespaces: vec!["shop".into()],
        mode,
        ..EnvironmentConfig::default()
    };
    Snapshot { environment, ..crate::review::tests::snapshot() }
}

fn review() -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1",
        "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
        "resource": {"group": "", "version": "v1", "resource": "configmaps"},
        "name": "evil", "namespace": "shop", "operation": "CREATE",
        "userInfo": {"username": "mallory", "groups": ["system:authenticated"]},
        "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "evil", "namespace": "shop"}},
    }})
}

impl Webhook {
    async fn call(&self, method: &str, path: &str, body: Vec<u8>) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).header("content-length", body.len());
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn judge(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.call("POST", path, review().to_string().into_bytes()).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }
}

#[tokio::test]
async fn nothing_known_denies_and_says_so_but_never_the_control_plane() {
    let webhook = webhook(Limits::default());
    let (status, answer) = webhook.judge("/admit?timeout=1s").await;
    assert_eq!(status, 200);
    assert_eq!(answer["response"]["allowed"], false);
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("has not loaded any commit of environment prod"), "{message}");
    assert_eq!(webhook.judge("/admit/control-plane?timeout=1s").await.0, 503);
    assert_eq!(webhook.call("GET", "/readyz", Vec::new()).await.0, 503);
    assert_eq!(webhook.call("GET", "/livez", Vec::new()).await.0, 200);
}

#[tokio::test]
async fn what_git_does_not_declare_is_denied_in_the_time_that_is_given() {
    let webhook = webhook(Limits::default());
    webhook.snapshots.swap(snapshot(Mode::Enforce));
    assert_eq!(webhook.call("GET", "/readyz", Vec::new()).await.0, 200);
    let began = std::time::Instant::now();
    let (status, answer) = webhook.judge("/admit?timeout=1s").await;
    assert!(began.elapsed() < Duration::from_secs(1), "neither API server nor Git answer here");
    assert_eq!(status, 200);
    assert_eq!(answer["response"]["uid"], "u-1");
    assert_eq!(answer["response"]["allowed"], false);
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    for part in ["ConfigMap/evil in shop", "commit 0123456789ab by Ada", "push to main", "Git could not be asked"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let (_, text) = webhook.call("GET", "/metrics", Vec::new()).await;
    assert!(text.contains("gitward_webhook_decisions_total{decision=\"Denied\"} 1"), "{text}");
}

#[tokio::test]
async fn observing_lets_through_with_a_warning() {
    let webhook = webhook(Limits::default());
    webhook.snapshots.swap(snapshot(Mode::Observe));
    let (_, answer) = webhook.judge("/admit?timeout=1s").await;
    assert_eq!(answer["response"]["allowed"], true);
    assert!(answer["response"]["warnings"][0].as_str().unwrap().contains("ConfigMap/evil in shop"));
}

#[tokio::test]
async fn what_is_not_governed_is_none_of_its_business() {
    let webhook = webhook(Limits::default());
    let mut snapshot = snapshot(Mode::Enforce);
    snapshot.environment.namespaces = vec!["blog".into()];
    webhook.snapshots.swap(snapshot);
    assert_eq!(webhook.judge("/admit").await.1["response"]["allowed"], true);
}

#[tokio::test]
async fn what_is_no_review_is_a_bad_request() {
    let webhook = webhook(Limits::default());
    for body in [&b""[..], b"{}", b"\xff\xfe", &[b'['; 300_000]] {
        let (status, text) = webhook.call("POST", "/admit", body.to_vec()).await;
        assert_eq!(status, 400);
        assert!(text.contains("no AdmissionReview"), "{text}");
    }
}

#[tokio::test]
async fn bodies_and_their_number_are_bounded() {
    let webhook = webhook(Limits::new(1024, 64));
    assert_eq!(webhook.call("POST", "/admit", vec![b' '; 4096]).await.0, 413);
    let limits = Limits::new(1024, 63);
    let full = self::webhook(limits);
    let (status, text) = full.call("POST", "/admit", vec![b' '; 10]).await;
    assert_eq!(status, 503);
    assert!(text.contains("try again"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_no_longer_than_the_api_server_waits() {
    let webhook = webhook(Limits::default());
    let never = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/admit?timeout=200ms").header("content-length", 100).body(never).unwrap();
    let response = webhook.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 504);
    let (_, text) = webhook.call("GET", "/metrics", Vec::new()).await;
    assert!(text.contains("gitward_webhook_decisions_total{decision=\"Late\"} 1"), "{text}");
    assert!(text.contains("gitward_webhook_requests_under_way 0"), "{text}");
}

#[tokio::test]
async fn what_is_nested_without_end_is_judged_in_an_object_and_a_bad_request_elsewhere() {
    let webhook = webhook(Limits::default());
    let text = review().to_string();
    for (before, status) in [(r#""metadata":{"#, 200), (r#""operation":"#, 400)] {
        for depth in [200, 100_000] {
            let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let body = text.replacen(before, &format!(r#""options":{nested},{before}"#), 1);
            assert!(body.len() > text.len());
            assert_eq!(webhook.call("POST", "/admit", body.into_bytes()).await.0, status, "{before} {depth}");
        }
    }
}

#[tokio::test]
async fn about_to_end_it_is_not_ready_and_judges_on_with_each_answer_the_last_of_its_connection() {
    let webhook = webhook(Limits::default());
    webhook.snapshots.swap(snapshot(Mode::Observe));
    assert_eq!(webhook.call("GET", "/readyz", Vec::new()).await.0, 200);
    webhook.draining.begin();
    assert_eq!(webhook.call("GET", "/readyz", Vec::new()).await.0, 503);
    assert_eq!(webhook.call("GET", "/livez", Vec::new()).await.0, 200);
    let request = Request::post("/admit?timeout=1s").body(Body::from(review().to_string())).unwrap();
    let response = webhook.router.clone().oneshot(request).await.unwrap();
    assert_eq!((response.status(), &response.headers()["connection"]), (StatusCode::OK, &"close".parse().unwrap()));
}

#[tokio::test]
async fn look_now_is_heard() {
    let webhook = webhook(Limits::default());
    assert_eq!(webhook.call("POST", "/look-now", Vec::new()).await.0, 202);
    assert_eq!(webhook.call("GET", "/look-now", Vec::new()).await.0, 405);
}
