//! Jobs of CronJobs, and Pods of Jobs. Source: `pkg/controller/cronjob`, `pkg/controller/job`,
//! `pkg/apis/batch/v1/defaults.go`, `pkg/registry/batch/job/strategy.go`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::case::{Act, Case, has_uid};
use super::compare::{at, differs, entries, is_number, list, map, same_but, text};
use super::container::{self, default_to, list_in, map_in};
use super::expected_pod::{ExpectedPod, same_amounts};
use super::finalizers::{JOB_TRACKING, is_finished};
use super::owner::{self, Owner, Reference};
use super::{Judged, Refusal, template};
use crate::cron::Schedule;
use crate::object;

const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
const MAX_GENERATED_PREFIX: usize = 58;

/// How far the controller's clock may be ahead of ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// A Job is made, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let job = case.object()?;
    let owner = owner::of(case, &[("batch", "CronJob")], Reference::Blocking)?;
    follows_a_template(case, job, &owner)?;
    let Some(scheduled) = object::annotation(job, SCHEDULED).and_then(|t| t.parse::<Timestamp>().ok()) else {
        return Err(Refusal::new("it does not say for when it was scheduled"));
    };
    let name = format!("{}-{}", owner.key.name, scheduled.as_second().div_euclid(60));
    ensure!(object::name(job) == name, "its name does not follow the time of its schedule");
    if case.is(Act::Create) {
        ensure!(object::finalizers(job).next().is_none(), "it has finalizers");
        on_schedule(case, &owner.object, scheduled)?;
    }
    Ok(owner.proof)
}

/// A Job that was made before Git changed the template runs to its end.
fn follows_a_template(case: &Case<'_>, job: &Value, owner: &Owner) -> Result<(), Refusal> {
    let follows = |template: &Value| {
        compare_spec(case, job, template)?;
        compare_labels(job, template)?;
        let annotations = map(template, &["metadata", "annotations"]);
        ensure!(
            same_but(annotations, object::annotations(job), &[SCHEDULED]),
            "its annotations are not the template's"
        );
        Ok(())
    };
    let mut answers = template::candidates(case, owner, &["spec", "jobTemplate"]).into_iter().map(follows);
    // Why it is not what the owner has now is what is told.
    let Some(now) = answers.next() else { return Err(Refusal::new("its owner has no template")) };
    if now.is_err() && answers.any(|answer| answer.is_ok()) { Ok(()) } else { now }
}

/// The template, completed as the API server completes a Job.
fn compare_spec(case: &Case<'_>, job: &Value, template: &Value) -> Result<(), Refusal> {
    let mut wanted = map(template, &["spec"]).cloned().unwrap_or_default();
    if !matches!(wanted.get("manualSelector"), Some(Value::Bool(true))) {
        let uid = object::uid(job);
        let labels = map_in(map_in(map_in(&mut wanted, "template"), "metadata"), "labels");
        for (key, value) in generated_labels(job) {
            default_to(labels, key, value);
        }
        wanted.insert("selector".to_owned(), json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    }
    let has = |wanted: &Map<String, Value>, field: &str| wanted.get(field).is_some_and(|v| !v.is_null());
    if !has(&wanted, "completions") && !has(&wanted, "parallelism") {
        wanted.insert("completions".to_owned(), json!(1));
    }
    let limit = if has(&wanted, "backoffLimitPerIndex") { i32::MAX } else { 6 };
    let replacement = if has(&wanted, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    default_to(&mut wanted, "parallelism", 1);
    default_to(&mut wanted, "backoffLimit", limit);
    default_to(&mut wanted, "completionMode", "NonIndexed");
    default_to(&mut wanted, "suspend", false);
    default_to(&mut wanted, "podReplacementPolicy", replacement);
    default_to(&mut wanted, "manualSelector", false);
    let (wanted, found) = (Value::Object(wanted), at(job, &["spec"]));
    // A Job that is there may have been suspended and resumed, which changes nothing that it runs.
    let except: &[&str] = if case.is(Act::Live) { &["suspend"] } else { &[] };
    if same_but(wanted.as_object(), found.as_object(), except) || same_amounts(&wanted, found, false) {
        return Ok(());
    }
    Err(differs("spec", &wanted, found))
}

fn generated_labels(job: &Value) -> [(&'static str, &str); 4] {
    let (name, uid) = (object::name(job), object::uid(job));
    [
        ("batch.kubernetes.io/controller-uid", uid),
        ("controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("job-name", name),
    ]
}

/// Without labels of its own a Job gets those of its Pod template, at times those included that are
/// generated into that template afterwards.
fn compare_labels(job: &Value, template: &Value) -> Result<(), Refusal> {
    let own = map(template, &["metadata", "labels"]).filter(|l| !l.is_empty());
    let wanted = own.or_else(|| map(template, &["spec", "template", "metadata", "labels"]));
    let found = object::labels(job);
    let generated = generated_labels(job);
    let without: Vec<&str> = generated.iter().map(|(k, _)| *k).collect();
    let added: Vec<(&str, &Value)> =
        entries(found).filter(|(k, _)| without.contains(k) && wanted.is_none_or(|w| !w.contains_key(*k))).collect();
    let own_kept =
        entries(wanted).filter(|(k, _)| without.contains(k)).all(|(k, v)| found.and_then(|f| f.get(k)) == Some(v));
    ensure!(
        same_but(wanted, found, &without)
            && own_kept
            && (own.is_none() || added.is_empty())
            && added.iter().all(|(k, v)| generated.iter().any(|(g, w)| g == k && *v == w)),
        "its labels are not the template's"
    );
    Ok(())
}

fn on_schedule(case: &Case<'_>, cron_job: &Value, scheduled: Timestamp) -> Result<(), Refusal> {
    let spec = at(cron_job, &["spec"]);
    ensure!(at(spec, &["suspend"]).as_bool() != Some(true), "the CronJob is suspended");
    ensure!(scheduled <= case.now() + CLOCK_SKEW, "it is scheduled for the future");
    let time = |path: &[&str]| text(cron_job, path).parse::<Timestamp>().ok();
    let last = time(&["status", "lastScheduleTime"]);
    let Some(since) = last.or_else(|| time(&["metadata", "creationTimestamp"])) else {
        return Err(Refusal::new("the CronJob does not say since when it is there"));
    };
    ensure!(scheduled >= since, "it is scheduled for before the last run");
    let schedule = Schedule::parse(text(spec, &["schedule"]), text(spec, &["timeZone"]));
    let Ok(schedule) = schedule else {
        return Err(Refusal::new("the schedule of the CronJob cannot be read"));
    };
    ensure!(schedule.includes(scheduled, since), "that time is not on the schedule of the CronJob");
    Ok(())
}

/// Completes the template of a Job's Pod.
pub(super) fn expected_pod(pod: &Value, owner: &Owner, mut expected: ExpectedPod) -> Result<ExpectedPod, Refusal> {
    expected.finalizers.push(JOB_TRACKING.into());
    let job = &owner.object;
    if text(job, &["spec", "completionMode"]) != "Indexed" {
        return Ok(expected);
    }
    let index = object::label(pod, INDEX).unwrap_or_default();
    let completions = at(job, &["spec", "completions"]).as_i64().unwrap_or(0);
    let in_range = index.parse::<i64>().is_ok_and(|i| i.to_string() == index && i < completions);
    ensure!(is_number(index) && in_range, "its completion index is out of range");
    expected.labels.insert(INDEX.to_owned(), index.into());
    expected.annotations.insert(INDEX.to_owned(), index.into());
    for key in [FAILURES, IGNORED_FAILURES] {
        if let Some(count) = object::annotation(pod, key) {
            let counts = at(job, &["spec", "backoffLimitPerIndex"]).is_i64();
            ensure!(counts && is_number(count), "{key} is not what the controller counts");
            expected.annotations.insert(key.to_owned(), count.into());
        }
    }
    let suffix = format!("-{index}-");
    let name = super::compare::prefix(&owner.key.name, MAX_GENERATED_PREFIX - suffix.len());
    expected.generate_name = format!("{name}{suffix}");
    if expected.spec.get("hostname").is_none_or(|h| h.as_str().is_none_or(str::is_empty)) {
        expected.spec.insert("hostname".to_owned(), format!("{}-{index}", owner.key.name).into());
    }
    container::each(&mut expected.spec, |container| {
        let env = list_in(container, "env");
        if env.iter().all(|e| e["name"] != "JOB_COMPLETION_INDEX") {
            let path = format!("metadata.labels['{INDEX}']");
            env.push(json!({
                "name": "JOB_COMPLETION_INDEX",
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}
            }));
        }
    });
    Ok(expected)
}

/// Whether a Pod that runs counts for its Job no longer: there is no such Job, it is over, or the Pod
/// is one too many, and the controller takes the tracking off before it deletes it.
pub(super) fn lets_go(case: &Case<'_>, pod: &Value) -> bool {
    let Some(reference) = object::controller_reference(pod) else { return true };
    let Some(job) = case.get("batch", "Job", case.namespace, text(reference, &["name"])) else { return true };
    !has_uid(&job, text(reference, &["uid"])) || is_over(&job) || is_one_too_many(case, pod, &job)
}

fn is_over(job: &Value) -> bool {
    const OVER: [&str; 5] = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet", "Suspended"];
    let holds = |c: &Value| OVER.contains(&text(c, &["type"])) && text(c, &["status"]) == "True";
    object::is_terminating(job) || list(job, &["status", "conditions"]).iter().any(holds)
}

/// Whether a Job runs more Pods that count than it asks for, or this one has an index that it does
/// not ask for or that another has as well.
fn is_one_too_many(case: &Case<'_>, pod: &Value, job: &Value) -> bool {
    let all = case.list("", "Pod", case.namespace);
    let own: Vec<&Value> =
        all.iter().map(AsRef::as_ref).filter(|p| owner::controller_uid(p) == object::uid(job)).collect();
    let counts = |p: &&&Value| object::finalizers(p).any(|f| f == JOB_TRACKING);
    let active = |p: &&&Value| !is_finished(p) && !object::is_terminating(p);
    let spec = |field: &str| at(job, &["spec", field]);
    if text(job, &["spec", "completionMode"]) == "Indexed" {
        let index = object::label(pod, INDEX);
        let in_range = index.and_then(|i| i.parse().ok()).is_some_and(|i: i64| Some(i) < spec("completions").as_i64());
        let has_index = |p: &&&Value| object::label(p, INDEX) == index;
        if !in_range || own.iter().filter(counts).filter(active).filter(has_index).count() > 1 {
            return true;
        }
    }
    let running = own.iter().filter(counts).filter(active).count();
    let succeeded = succeeded(job, own.iter().filter(counts).copied());
    let most = if spec("suspend") == true { 0 } else { spec("parallelism").as_i64().unwrap_or(1) };
    let wanted = match spec("completions").as_i64() {
        Some(completions) => most.min(completions.saturating_sub(succeeded)),
        // Once one has succeeded, the others run to their end.
        None if succeeded > 0 && most > 0 => return false,
        None => most,
    };
    i64::try_from(running).is_ok_and(|running| running > wanted.max(0))
}

/// How many Pods have succeeded: those that the Job counted, and those that it is about to count.
fn succeeded<'a>(job: &'a Value, tracked: impl Iterator<Item = &'a Value>) -> i64 {
    let counted = at(job, &["status", "succeeded"]).as_i64().unwrap_or(0);
    let noted = list(job, &["status", "uncountedTerminatedPods", "succeeded"]).iter().filter_map(Value::as_str);
    let done = tracked.filter(|p| text(p, &["status", "phase"]) == "Succeeded").map(object::uid);
    let all: BTreeSet<&str> = noted.chain(done).collect();
    counted.saturating_add(i64::try_from(all.len()).unwrap_or(i64::MAX))
}
