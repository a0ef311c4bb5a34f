//! The admission gate: whatever a cluster administrator does past Git is denied with a message that
//! says what Git says and where; what Kubernetes' own controllers do goes on.

use std::time::Duration;

use futures::StreamExt;
use gitward_test_cluster::Stage;

use crate::edits::{self, EDITS, Edit, Editor, MALLORY, SRE, line_of};
use crate::fleet::converged_with;
use crate::picture::{self, differences};

/// Edits at a time.
const AT_ONCE: usize = 3;

const NAMESPACES: [&str; 2] = ["shop", "data"];

#[tokio::test(flavor = "multi_thread")]
async fn edits_past_git_are_denied_and_change_nothing() {
    let (stage, commit) = converged_with(edits::options(), edits::plant).await.unwrap();
    edits::empower(&stage).await.unwrap();
    stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    job_is_gone(&stage).await;
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    replicas(&stage, &mallory, 2).await;
    let client = stage.cluster.client().await.unwrap();
    let before = picture::take(&client, &NAMESPACES).await.unwrap();

    let answers = EDITS.iter().enumerate().map(async |(n, edit)| {
        let found = denied(&stage, &mallory, edit, n, &commit).await;
        println!("{} {}", if found.is_empty() { "denied:" } else { "NOT AS IT MUST BE:" }, edit.name);
        found.into_iter().map(|f| format!("{}: {f}", edit.name)).collect::<Vec<_>>()
    });
    let mut failures: Vec<String> = futures::stream::iter(answers).buffered(AT_ONCE).concat().await;
    let after = picture::take(&client, &NAMESPACES).await.unwrap();
    failures.extend(differences(&before, &after));
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with the answer to one edit.
async fn denied(stage: &Stage, mallory: &Editor<'_>, edit: &Edit, n: usize, commit: &str) -> Vec<String> {
    let names = mallory.names(n).await.unwrap();
    let output = mallory.make(edit, n).await.unwrap();
    if output.success() {
        return vec!["it was let through".to_owned()];
    }
    let text = &output.stderr;
    let mut expected: Vec<String> = edit.says.iter().map(|s| names.fill(s)).collect();
    expected.push("gitward.dev\" denied the request".to_owned());
    expected.push(format!("commit {} by Ada Author", &commit[..12]));
    if let Some((file, line)) = edit.place {
        let file = names.fill(file);
        expected.push(format!("{file}:{}:", line_of(stage, &file, line)));
        expected.push("and push to main".to_owned());
    }
    let missing: Vec<String> = expected.into_iter().filter(|e| !text.contains(e.as_str())).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![format!("its denial does not say {missing:?}:\n{text}")]
}

/// The demo's Job asks to be removed when it is done: that is nobody's edit, and it stays removed.
async fn job_is_gone(stage: &Stage) {
    let gone = async || {
        let job = stage.cluster.kubectl(&["get", "job/migrate-1", "-n", "data", "--ignore-not-found", "-o", "name"]);
        Ok(job.await?.checked()?.trim().is_empty().then_some(()))
    };
    stage.wait_for("the Job's removal", Duration::from_secs(60), gone).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(gone().await.unwrap(), Some(()), "the Job was made again");
}

/// Waits until the autoscaled Deployment has so many replicas.
async fn replicas(stage: &Stage, editor: &Editor<'_>, wanted: i64) {
    let reached = async || {
        let live = editor.get("deployment/checkout -n shop").await?;
        Ok((live["spec"]["replicas"] == wanted && live["status"]["readyReplicas"] == wanted).then_some(()))
    };
    stage.wait_for(&format!("{wanted} replicas"), Duration::from_secs(60), reached).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_meant_to_change_changes() {
    let (stage, _) = converged_with(edits::options(), edits::plant).await.unwrap();
    edits::empower(&stage).await.unwrap();
    stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    let (mallory, sre) = (Editor::new(&stage, MALLORY).unwrap(), Editor::new(&stage, SRE).unwrap());

    // The autoscaler's own account scales to its lower bound, which is more than Git's default.
    replicas(&stage, &mallory, 2).await;
    println!("passed: the autoscaler scales");

    // The exempted account restarts; the new Pods come up through the gate.
    sre.kubectl("rollout restart deployment/web -n shop", "").await.unwrap().checked().unwrap();
    sre.kubectl("rollout status deployment/web -n shop --timeout=60s", "").await.unwrap().checked().unwrap();
    let live = sre.get("deployment/web -n shop").await.unwrap();
    let restarted = &live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"];
    assert!(restarted.is_string(), "{live}");
    println!("passed: a restart by the exempted account");

    // Anyone may evict: the disruption budget bounds it, and the controller makes another Pod.
    let names = mallory.names(0).await.unwrap();
    let eviction =
        names.fill(r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"{pod}","namespace":"shop"}}"#);
    let path = names.fill("create --raw /api/v1/namespaces/shop/pods/{pod}/eviction -f -");
    mallory.kubectl(&path, &eviction).await.unwrap().checked().unwrap();
    mallory.kubectl("rollout status deployment/web -n shop --timeout=60s", "").await.unwrap().checked().unwrap();
    println!("passed: an eviction");

    // What changes nothing, what is only tried, and what nobody declares elsewhere.
    for line in [
        "label deployment/web -n shop --overwrite team=storefront",
        "get secrets -n shop",
        "create configmap mine -n default --from-literal=a=b",
        "scale deployment/web -n shop --replicas=2",
        "cordon node-1",
        "uncordon node-1",
    ] {
        mallory.kubectl(line, "").await.unwrap().checked().unwrap();
        println!("passed: {line}");
    }
    job_is_gone(&stage).await;
    println!("passed: a finished Job goes and stays away");

    // None of this was taken for a divergence.
    replicas(&stage, &mallory, 2).await;
    let live = sre.get("deployment/web -n shop").await.unwrap();
    assert!(live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"].is_string());
    let log = std::fs::read_to_string(stage.reconciler_log()).unwrap();
    let diverged: Vec<&str> = log.lines().filter(|l| l.contains("Diverged") || l.contains("Reverted")).collect();
    assert!(diverged.is_empty(), "{}", diverged.join("\n"));
}
