//! Two recordings of a real control plane's admission requests, replayed: every legitimate one has
//! to get an origin.
//!
//! The recordings stand beside the checkout (`../shared/data`), or where `GITWARD_TEST_DATA` says.
//! Without them the tests count as ignored.

mod additions;
mod cluster;
mod recording;
mod unasked;

use std::collections::BTreeMap;

use gitward_core::change::{changes, normalised};
use gitward_core::derived::{Context, recognise, recognise_change};
use gitward_core::request::{Operation, Request};
use gitward_core::verdict::Origin;

use libtest_mimic::{Arguments, Failed, Trial};

use cluster::Cluster;
use recording::{Recorded, Recording};

/// What became of one request: a class and, below it, a rule.
type Outcome = Result<String, String>;

/// Replays a recording; whatever `git` writes is taken for Git's, whatever `kubelets` write for the
/// simulated nodes'.
fn replay(recording: &Recording, git: &str, kubelets: &str) -> Vec<Outcome> {
    let mut cluster = Cluster::before(recording, kubelets);
    recording
        .requests
        .iter()
        .zip(recording.times())
        .map(|(recorded, time)| {
            cluster.now = time;
            let outcome = judge(&cluster, recorded, git, kubelets);
            if outcome.as_deref() == Ok("Declared create") {
                cluster.declare(recorded);
            }
            cluster.apply(recorded, git);
            outcome
        })
        .collect()
}

fn judge(cluster: &Cluster, recorded: &Recorded, git: &str, kubelets: &str) -> Outcome {
    let request = recorded.request();
    if request.dry_run {
        return Ok("Outside dry run".to_owned());
    }
    let difference = difference(&request);
    let plain_update = request.operation == Operation::Update && request.subresource.is_empty();
    if plain_update && difference.is_empty() {
        return Ok("Unchanged".to_owned());
    }
    // Where one account plays Git and the nodes, what nodes write is not Git's.
    let of_nodes = git == kubelets && matches!(request.resource, "pods" | "nodes");
    if request.user.name == git && !of_nodes && matches!(request.subresource, "" | "scale") {
        let what = match request.operation {
            Operation::Create => "create",
            Operation::Delete => "delete",
            Operation::Update | Operation::Connect => "update",
        };
        return Ok(format!("Declared {what}"));
    }
    let context = Context { snapshot: &cluster.snapshot, live: cluster, now: cluster.now };
    let origins = if plain_update && cluster.snapshot.is_declared(&request.key) {
        difference.iter().map(|c| recognise_change(&request, c, &context)).collect::<Result<Vec<_>, _>>()
    } else {
        recognise(&request, &context).map(|origin| vec![origin])
    };
    match origins {
        Ok(origins) => Ok(summary(&origins)),
        Err(refusal) => Err(refusal.reason),
    }
}

fn difference(request: &Request<'_>) -> Vec<gitward_core::change::Change> {
    match (request.old_object, request.object) {
        (Some(old), Some(new)) => changes(&normalised(old, false), &normalised(new, false)),
        _ => Vec::new(),
    }
}

fn summary(origins: &[Origin]) -> String {
    let mut names: Vec<String> = origins.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    names.join(" + ")
}

fn counts(recording: &Recording, outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (recorded, outcome) in recording.requests.iter().zip(outcomes) {
        let line = match outcome {
            Ok(origin) => origin.clone(),
            Err(reason) => format!("untraced: {} by {}: {reason}", recorded.what(), recorded.user()),
        };
        *counts.entry(line).or_default() += 1;
    }
    counts.iter().map(|(line, count)| format!("{count:5}  {line}\n")).collect()
}

fn every_request_of_the_first_recording_has_an_origin(recording: &Recording) {
    let outcomes = replay(recording, "admin", "admin");
    insta::assert_snapshot!("first", counts(recording, &outcomes));
    let untraced = outcomes.iter().filter(|o| o.is_err()).count();
    assert_eq!(untraced, 0);
}

fn of_the_second_recording_only_people_are_refused(recording: &Recording) {
    let outcomes = replay(recording, "gitward", "kwok");
    insta::assert_snapshot!("second", counts(recording, &outcomes));
}

fn what_was_added_to_creations_is_on_the_closed_list(recording: &Recording) {
    let (seen, found) = additions::not_listed(recording);
    assert!(seen > 10, "{seen} creations");
    assert!(found.is_empty(), "{found:#?}");
}

/// Those by people who play Git or the nodes are taken for theirs, as above.
#[allow(clippy::print_stdout, reason = "the figure is what a reader of the test's output is after")]
fn what_is_not_asked_about_has_an_origin(recording: &Recording) {
    let outcomes = replay(recording, "admin", "admin");
    let unasked = unasked::of(recording);
    let refused = unasked.iter().filter(|i| outcomes[**i].is_err()).count();
    println!("{} of {} requests need not be asked about", unasked.len(), recording.requests.len());
    assert_eq!(refused, 0);
    assert!(unasked.len() > recording.requests.len() / 5);
}

fn trial(name: &str, file: &'static str, test: fn(&Recording)) -> Trial {
    let runner = move || {
        test(&Recording::read(file).ok_or_else(|| Failed::from("the recording is not there"))?);
        Ok(())
    };
    Trial::test(name, runner).with_ignored_flag(recording::path(file).is_none())
}

fn main() {
    let trials = vec![
        trial(
            "every_request_of_the_first_recording_has_an_origin",
            "admission-reviews.jsonl.gz",
            every_request_of_the_first_recording_has_an_origin,
        ),
        trial(
            "of_the_second_recording_only_people_are_refused",
            "admission-reviews-2.jsonl.gz",
            of_the_second_recording_only_people_are_refused,
        ),
        trial(
            "what_is_not_asked_about_has_an_origin",
            "admission-reviews.jsonl.gz",
            what_is_not_asked_about_has_an_origin,
        ),
        trial(
            "what_was_added_to_creations_is_on_the_closed_list",
            "admission-reviews.jsonl.gz",
            what_was_added_to_creations_is_on_the_closed_list,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
