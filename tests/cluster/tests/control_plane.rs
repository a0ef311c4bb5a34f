//! Real control planes: started, used, broken, and gone afterwards.
#![allow(clippy::print_stderr)]

use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::FutureExt;
use gitward_test_cluster::{Cluster, Component, ControlPlane, Error, Options, Progress};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, PostParams};

fn options() -> Options {
    Options { progress: Progress::to(|line| eprintln!("{line}")), ..Options::default() }
}

/// How many processes, zombies aside, have `word` in their command line.
fn running(word: &str) -> usize {
    let output = Command::new("ps").args(["-eo", "stat=,args="]).output().unwrap();
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    listing.lines().filter(|line| !line.starts_with('Z') && line.contains(word)).count()
}

async fn who_am_i(cluster: &Cluster, kubeconfig: &std::path::Path) -> (String, Vec<String>) {
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client_for(kubeconfig).await.unwrap());
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await.unwrap();
    let user = review.status.unwrap().user_info.unwrap();
    (user.username.unwrap(), user.groups.unwrap_or_default())
}

#[tokio::test]
async fn people_and_accounts_are_who_their_kubeconfig_says() {
    let started = Instant::now();
    let people = vec![("carol".to_owned(), vec!["dev".to_owned(), "ops".to_owned()])];
    let cluster = ControlPlane::start(Options { people, ..options() }).await.unwrap();
    eprintln!("ready after {:?}", started.elapsed());

    let (name, groups) = who_am_i(&cluster, cluster.admin_kubeconfig()).await;
    assert_eq!((name.as_str(), groups[0].as_str()), ("admin", "system:masters"));

    let bob = cluster.person_kubeconfig("bob", &["dev"]).unwrap();
    assert_eq!(who_am_i(&cluster, &bob).await, ("bob".into(), vec!["dev".into(), "system:authenticated".into()]));

    let carol = cluster.person_kubeconfig("carol", &["dev", "ops"]).unwrap();
    let (name, groups) = who_am_i(&cluster, &carol).await;
    assert_eq!((name.as_str(), &groups[..2]), ("carol", &["dev".to_owned(), "ops".to_owned()][..]));

    assert!(matches!(cluster.person_kubeconfig("carol", &["dev"]), Err(Error::Invalid(_))));
    assert!(matches!(cluster.person_kubeconfig("dave", &["dev", "ops"]), Err(Error::Invalid(_))));

    let account = cluster.kubeconfig_for_service_account("default", "default").await.unwrap();
    assert_eq!(who_am_i(&cluster, &account).await.0, "system:serviceaccount:default:default");

    let refused = cluster.kubectl_as(&bob, &["get", "secrets"], "").await.unwrap();
    assert!(!refused.success() && refused.stderr.contains("Forbidden"), "{}", refused.stderr);
    assert!(cluster.kubectl(&["get", "secrets"]).await.unwrap().success());

    // The same cluster, as one that was there before.
    let external = Cluster::from_kubeconfig(cluster.admin_kubeconfig(), "kubectl").unwrap();
    let erin = external.person_kubeconfig("erin", &["dev", "ops"]).unwrap();
    let (name, groups) = who_am_i(&external, &erin).await;
    assert_eq!((name.as_str(), &groups[..2]), ("erin", &["dev".to_owned(), "ops".to_owned()][..]));
}

const WORKLOADS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      initContainers: [{ name: first, image: first:1 }]
      containers: [{ name: web, image: web:1 }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: once, image: once:1 }]
";

#[tokio::test]
async fn workloads_run_on_simulated_nodes() {
    let nodes = Options { simulated_nodes: 2, ..options() };
    let cluster = ControlPlane::start(nodes).await.unwrap();
    cluster.apply(WORKLOADS).await.unwrap().checked().unwrap();
    for wanted in [
        ["deployment/web", "--for=condition=Available"],
        ["job/once", "--for=condition=Complete"],
        ["node/node-1", "--for=condition=Ready"],
    ] {
        let waited = cluster.kubectl(&["wait", wanted[0], wanted[1], "--timeout=60s"]).await.unwrap();
        assert!(waited.success(), "{} {}", waited.stderr, cluster.log(Component::Node(0)).unwrap());
    }
    cluster.kubectl(&["delete", "deployment/web", "--wait"]).await.unwrap().checked().unwrap();
    let left = cluster.kubectl(&["wait", "pod", "-l", "app=web", "--for=delete", "--timeout=60s"]).await.unwrap();
    assert!(left.success(), "{}", left.stderr);
}

#[tokio::test]
async fn two_are_apart() {
    let (one, other) = ControlPlane::start_two(options(), options()).await.unwrap();
    assert_ne!(one.server(), other.server());
    one.kubectl(&["create", "namespace", "only-here"]).await.unwrap().checked().unwrap();
    let namespaces: Api<Namespace> = Api::all(other.client().await.unwrap());
    assert!(namespaces.get_opt("only-here").await.unwrap().is_none());
    // Nor does one trust the other's administrator.
    let stranger =
        one.kubectl_as(other.admin_kubeconfig(), &["--server", &one.server(), "get", "ns"], "").await.unwrap();
    assert!(!stranger.success());
}

#[tokio::test]
async fn a_panic_leaves_nothing_behind() {
    let mut folder = None;
    let test = async {
        let cluster = ControlPlane::start(options()).await.unwrap();
        folder = Some(cluster.folder().to_owned());
        assert!(running(&cluster.folder().display().to_string()) >= 3);
        panic!("as a failing test would");
    };
    assert!(AssertUnwindSafe(test).catch_unwind().await.is_err());
    let folder = folder.unwrap();
    assert!(!folder.exists());
    let started = Instant::now();
    while running(&folder.display().to_string()) > 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "processes are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn put(cluster: &Cluster, name: &str) {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client().await.unwrap(), "default");
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.into());
    maps.create(&PostParams::default(), &map).await.unwrap();
}

async fn is_there(cluster: &Cluster, name: &str) -> bool {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client().await.unwrap(), "default");
    maps.get_opt(name).await.unwrap().is_some()
}

#[tokio::test]
async fn data_and_credentials_outlive_restarts() {
    let mut cluster = ControlPlane::start(options()).await.unwrap();
    let account = cluster.kubeconfig_for_service_account("default", "default").await.unwrap();
    put(&cluster, "before").await;

    cluster.restart_api_server().await.unwrap();
    assert!(is_there(&cluster, "before").await);

    cluster.kill(Component::ApiServer);
    assert!(!cluster.kubectl(&["get", "ns", "--request-timeout=5s"]).await.unwrap().success());
    cluster.start_component(Component::ApiServer).await.unwrap();

    put(&cluster, "just-before").await;
    cluster.kill_all();
    cluster.start_again().await.unwrap();
    assert!(is_there(&cluster, "before").await && is_there(&cluster, "just-before").await);
    assert_eq!(who_am_i(&cluster, &account).await.0, "system:serviceaccount:default:default");
}

#[tokio::test]
async fn a_component_that_does_not_start_shows_its_log() {
    let mut broken = options();
    broken.api_server_flags.push("--no-such-flag".into());
    let error = ControlPlane::start(broken).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("kube-apiserver ended") && text.contains("no-such-flag"), "{text}");
}

const AUTHORIZATION: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
  - { type: Node, name: node }
  - { type: RBAC, name: rbac }
";

const ADMISSION: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
      defaults: { enforce: restricted, enforce-version: latest }
";

#[tokio::test]
async fn what_the_options_configure_is_in_force() {
    let cluster = ControlPlane::start(Options {
        authorization_config: Some(AUTHORIZATION.into()),
        admission_config: Some(ADMISSION.into()),
        runtime_config: vec!["scheduling.k8s.io/v1alpha2=true".into()],
        feature_gates: vec!["GenericWorkload=true".into()],
        ..options()
    });
    let cluster = cluster.await.unwrap();
    let pod = cluster.kubectl(&["run", "plain", "--image=plain:1"]).await.unwrap();
    assert!(pod.stderr.contains("violates PodSecurity"), "{}", pod.stderr);
    let served = cluster.kubectl(&["api-versions"]).await.unwrap().checked().unwrap();
    assert!(served.contains("scheduling.k8s.io/v1alpha2"), "{served}");
}
