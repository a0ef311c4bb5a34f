//! Jobs and CronJobs.

use serde_json::Value;

use super::manifests::job;
use super::scene::Scene;
use crate::edits::{MALLORY, SRE};

fn ended(job: &Value, how: &str) -> bool {
    let conditions = job["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|c| c["type"] == how && c["status"] == "True"))
}

pub(super) async fn two_contents(scene: Scene<'_>) {
    scene.declare("migrate", &job("jobs", "migrate").text()).await;
    let first = scene.until("it is complete", "job/migrate", |j| ended(j, "Complete")).await;
    scene.declare("migrate", &job("jobs", "migrate").version(2).text()).await;
    scene
        .until("the next is complete", "job/migrate", |j| {
            j["metadata"]["uid"] != first["metadata"]["uid"] && ended(j, "Complete")
        })
        .await;
}

pub(super) async fn indexed(scene: Scene<'_>) {
    let indexed =
        job("jobs", "indexed").spec("completions: 4, parallelism: 2, completionMode: Indexed, backoffLimitPerIndex: 1");
    scene.declare("indexed", &indexed.text()).await;
    let done = scene.until("it is complete", "job/indexed", |j| ended(j, "Complete")).await;
    assert_eq!(done["status"]["completedIndexes"], "0-3");
}

pub(super) async fn time_to_live(scene: Scene<'_>) {
    let brief = job("jobs", "brief").spec("ttlSecondsAfterFinished: 5").text();
    scene.declare("brief", &brief).await;
    scene.until("it is there", "job/brief", Value::is_object).await;
    scene.until("its time is over", "job/brief", Value::is_null).await;
    scene.quiet().await;
    assert_eq!(scene.get("job/brief").await, Value::Null, "the Job was made again");
}

pub(super) async fn resumed(scene: Scene<'_>) {
    let waiting = |suspend| job("jobs", "waiting").spec(&format!("suspend: {suspend}")).text();
    scene.declare("waiting", &waiting(true)).await;
    scene.until("it is suspended", "job/waiting", |j| ended(j, "Suspended")).await;
    scene.declare("waiting", &waiting(false)).await;
    scene.until("it is complete", "job/waiting", |j| ended(j, "Complete")).await;
    // Suspended while it runs: its Pods go, and come again.
    let long = |suspend| {
        let long = job("jobs", "long").pod("terminationGracePeriodSeconds: 1").spec("completions: 3, parallelism: 1");
        long.spec(&format!("suspend: {suspend}")).text()
    };
    scene.declare("long", &long(false)).await;
    scene.until("it runs", "job/long", |j| j["status"]["active"] == 1).await;
    scene.declare("long", &long(true)).await;
    scene.until("it is suspended or done", "job/long", |j| ended(j, "Suspended") || ended(j, "Complete")).await;
    scene.declare("long", &long(false)).await;
    scene.until("it is complete", "job/long", |j| ended(j, "Complete")).await;
}

pub(super) async fn fewer(scene: Scene<'_>) {
    // Its Pods wait for a node that there is not.
    let wide = |spec: &str| job("jobs", "wide").pod("nodeSelector: {no: where}").spec(spec).text();
    let active = |count: u64| move |job: &Value| job["status"]["active"].as_u64().unwrap_or(0) == count;
    scene.declare("wide", &wide("completions: 6, parallelism: 4")).await;
    scene.until("it is at work", "job/wide", active(4)).await;
    scene.declare("wide", &wide("completions: 6, parallelism: 1")).await;
    scene.until("fewer Pods are at work", "job/wide", active(1)).await;
    scene.declare("wide", &wide("completions: 6, parallelism: 1, suspend: true")).await;
    scene.until("it is suspended", "job/wide", |j| ended(j, "Suspended")).await;
    scene.until_all("its Pods are gone", "pod", "wide-", <[Value]>::is_empty).await;
}

pub(super) async fn failing(scene: Scene<'_>) {
    let bad = |name, spec| job("jobs", name).annotation("simulation.example.org/ends: badly").spec(spec);
    let plain = bad("failing", "backoffLimit: 1").text();
    let indexed =
        bad("failing-indexes", "completions: 8, parallelism: 8, completionMode: Indexed, backoffLimitPerIndex: 1")
            .text();
    scene.declare_all(&[("failing", Some(&plain)), ("failing-indexes", Some(&indexed))]).await;
    let done = scene.until("it has failed", "job/failing", |j| ended(j, "Failed")).await;
    assert_eq!(done["status"]["failed"], 2);
    let done = scene.until("all indexes have failed", "job/failing-indexes", |j| ended(j, "Failed")).await;
    assert_eq!(done["status"]["failedIndexes"], "0-7");
    // More have ended than are kept: the oldest are collected.
    scene
        .until_all("ended Pods are collected", "pod", "", |pods| {
            pods.iter().filter(|p| p["status"]["phase"] == "Failed").count() <= 12
        })
        .await;
}

pub(super) async fn too_long(scene: Scene<'_>) {
    let slow = job("jobs", "slow").spec("activeDeadlineSeconds: 1, backoffLimit: 0");
    // It waits for a node that there is not.
    let slow = slow.pod("nodeSelector: {no: where}").text();
    scene.declare("slow", &slow).await;
    scene.until("its time is over", "job/slow", |j| ended(j, "Failed")).await;
    scene.until_all("its Pods are gone", "pod", "slow-", <[Value]>::is_empty).await;
}

pub(super) async fn cron(scene: Scene<'_>) {
    let kept = job("cron", "kept").cron_job("successfulJobsHistoryLimit: 1");
    let forgotten = job("cron", "forgotten").cron_job("successfulJobsHistoryLimit: 0");
    // Its Pods wait for a node that there is not.
    let lasting = |version| {
        let job = job("cron", "lasting").version(version).pod("nodeSelector: {no: where}");
        job.cron_job("concurrencyPolicy: Forbid")
    };
    let all = [("kept", Some(&*kept)), ("forgotten", Some(&*forgotten)), ("lasting", Some(&*lasting(1)))];
    scene.declare_all(&all).await;
    let running = scene.until_all("one is at work", "job", "lasting-", |jobs| jobs.len() == 1).await;
    let number = scene.declare("lasting", &lasting(2)).await;
    scene.theatre.converged(number).await;
    scene.quiet().await;
    let still = scene.all("job", "lasting-").await;
    assert_eq!(still[0]["metadata"]["uid"], running[0]["metadata"]["uid"], "what ran by the former image was stopped");
    scene.until_all("it has fired", "job", "kept-", |jobs| jobs.iter().any(|j| ended(j, "Complete"))).await;
    scene.until("the other has fired", "cronjob/forgotten", |c| c["status"]["lastSuccessfulTime"].is_string()).await;
    scene.until_all("history is cut", "job", "forgotten-", <[Value]>::is_empty).await;
}

pub(super) async fn out_of_turn(scene: Scene<'_>) {
    let nightly = job("turns", "nightly").cron_job("suspend: true");
    let number = scene.declare("nightly", &nightly).await;
    scene.theatre.converged(number).await;
    let denied = scene.kubectl(MALLORY, "create job mine --from=cronjob/nightly").await;
    assert!(!denied.success() && denied.stderr.contains("gitward.dev"), "{}{}", denied.stdout, denied.stderr);
    scene.kubectl(SRE, "create job rerun --from=cronjob/nightly").await.checked().unwrap();
    scene.until("the job out of turn is complete", "job/rerun", |j| ended(j, "Complete")).await;
    scene.quiet().await;
    assert!(scene.get("job/rerun").await.is_object(), "the job out of turn was removed");
}
