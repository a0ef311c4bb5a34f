//! Jobs run once for their content.

use serde_json::Value;

use super::{GIVE_UP, Traps};

const LASTING: &str = "job/lasting -n traps";
const BRIEF: &str = "job/brief -n traps";
const WAITING: &str = "job/waiting -n traps";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_once_for_its_content() {
    let mut traps = Traps::set(&[("prod/jobs.yaml", include_str!("../fixtures/traps/jobs.yaml"))]).await;
    let runs_again = other_content_is_another_run(&traps).await;
    what_removed_itself_stays_away(&mut traps).await;
    let other_content = what_removed_itself_comes_again_with_other_content(&traps).await;
    assert_ne!(runs_again, other_content);
    traps.without_webhook().await;
    a_job_deleted_before_its_end_runs_again(&traps).await;
    what_others_run_under_its_name_goes(&traps).await;
}

async fn other_content_is_another_run(traps: &Traps) -> Value {
    let first = finished(traps, LASTING).await;
    let pod = pods(traps, "lasting").await;
    assert_eq!(pod, [(first.clone(), "registry.example.org/lasting:1".to_owned())]);
    traps.replace("prod/jobs.yaml", "lasting:1", "lasting:2");
    traps.push("Another image of a Job").await;
    let second = finished(traps, LASTING).await;
    assert_ne!(first, second, "the Job was not made anew");
    let alone = async || {
        let pods = pods(traps, "lasting").await;
        Ok((pods == [(second.clone(), "registry.example.org/lasting:2".to_owned())]).then_some(()))
    };
    traps.stage.wait_for("the new run's Pod alone", GIVE_UP, alone).await.unwrap();
    traps.in_peace(&[LASTING]).await;
    second
}

/// Neither the guard nor another commit nor a restart make it anew.
async fn what_removed_itself_stays_away(traps: &mut Traps) {
    traps.until(BRIEF, "the brief Job removed itself", Value::is_null).await;
    traps.in_peace(&[BRIEF, LASTING]).await;
    traps.replace("prod/base.yaml", "a: \"1\"", "a: \"2\"");
    let message = traps.push("Something else").await;
    assert!(message.contains("0 created, 1 changed"), "{message}");
    assert_eq!(traps.get(BRIEF).await, Value::Null);
    traps.stage.kill_reconciler();
    traps.stage.start_reconciler().await.unwrap();
    traps.replace("prod/base.yaml", "a: \"2\"", "a: \"3\"");
    let message = traps.push("Something else, after a restart").await;
    assert!(message.contains("0 created, 1 changed"), "{message}");
    traps.in_peace(&[BRIEF, LASTING]).await;
    assert_eq!(traps.get(BRIEF).await, Value::Null);
}

async fn what_removed_itself_comes_again_with_other_content(traps: &Traps) -> Value {
    traps.replace("prod/jobs.yaml", "brief:1", "brief:2");
    let message = traps.push("Another image of a Job that is gone").await;
    assert!(message.contains("1 created"), "{message}");
    let ran = finished(traps, BRIEF).await;
    traps.until(BRIEF, "it removed itself again", Value::is_null).await;
    traps.in_peace(&[BRIEF, LASTING]).await;
    ran
}

/// It asks to be removed when it is done, but it was not done.
async fn a_job_deleted_before_its_end_runs_again(traps: &Traps) {
    let uid = traps.get(WAITING).await["metadata"]["uid"].clone();
    traps.attack("delete job/waiting -n traps --wait=false", "").await;
    traps
        .until(WAITING, "a Job deleted before its end", |j| {
            j["metadata"]["uid"].is_string() && j["metadata"]["uid"] != uid
        })
        .await;
    traps.told("Diverged", "waiting").await;
    assert_eq!(traps.get(BRIEF).await, Value::Null);
}

/// The name of a Job that is gone is nobody's.
async fn what_others_run_under_its_name_goes(traps: &Traps) {
    traps.attack("create job brief -n traps --image=registry.example.org/evil", "").await;
    let evil = async || {
        let live = traps.get(BRIEF).await;
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        Ok((image != "registry.example.org/evil").then_some(()))
    };
    traps.stage.wait_for("the end of another's Job", GIVE_UP, evil).await.unwrap();
    let gone = async || {
        let pods = pods(traps, "brief").await;
        Ok(pods.iter().all(|(_, image)| image != "registry.example.org/evil").then_some(()))
    };
    traps.stage.wait_for("the end of another's Pod", GIVE_UP, gone).await.unwrap();
}

/// Waits until a Job is complete; its uid.
async fn finished(traps: &Traps, job: &str) -> Value {
    let done = |job: &Value| {
        let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|c| c["type"] == "Complete" && c["status"] == "True")
    };
    traps.until(job, "the Job is complete", done).await["metadata"]["uid"].clone()
}

/// The Pods of a Job: their owner's uid and their image.
async fn pods(traps: &Traps, job: &str) -> Vec<(Value, String)> {
    let selector = format!("batch.kubernetes.io/job-name={job}");
    let list = ["get", "pods", "-n", "traps", "-l", &selector, "-o", "json"];
    let list = traps.stage.cluster.kubectl(&list).await.unwrap().checked().unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let pod = |p: &Value| {
        let image = p["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
        (p["metadata"]["ownerReferences"][0]["uid"].clone(), image)
    };
    list["items"].as_array().into_iter().flatten().map(pod).collect()
}
