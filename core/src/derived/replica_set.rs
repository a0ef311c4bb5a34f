//! ReplicaSets of Deployments. Source: `pkg/controller/deployment` (sync, util).

use serde_json::Value;

use super::accounts::Account::{self, Controller};
use super::case::{Act, Case};
use super::compare::{at, entries, is_hash, is_number, map, only, prefix, same_but, text};
use super::owner::{self, Owner, Reference};
use super::template::{self, Standing};
use super::{Judged, Refusal, metadata, scale};
use crate::change::Change;
use crate::object;

pub(super) const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations of the Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

const WRITER: &[Account] = &[Controller("deployment-controller")];
const DEPLOYMENT: &[(&str, &str)] = &[("apps", "Deployment")];

/// A ReplicaSet is made, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let set = case.object()?;
    let deployment = owner::of(case, DEPLOYMENT, Reference::Blocking)?;
    follows_name_and_labels(set, &deployment.object)?;
    let standing = standing(case, set, &deployment);
    if case.is(Act::Create) {
        created(case, set, &deployment, standing)?;
        return Ok(deployment.proof);
    }
    Ok(match standing {
        // What was replaced may run until the rollout is over, however long that takes, and stays
        // as history. That it came in properly was judged then; here it rests on the controller.
        Standing::Unknown => {
            // One that still has replicas may be what a rollback through Git is leaving.
            ensure!(
                replicas(set, 0) > 0 || !is_newer(case, set, &deployment.object),
                "its template is not Git's, and it was made after the ReplicaSet whose template is"
            );
            case.by(WRITER)?
        }
        Standing::Current | Standing::Recent | Standing::Former => deployment.proof,
    })
}

/// Whether a ReplicaSet came after the one that has the Deployment's template.
fn is_newer(case: &Case<'_>, set: &Value, deployment: &Value) -> bool {
    let (wanted, all) = (at(deployment, &["spec", "template"]), siblings(case, deployment));
    let follows = |s: &&Value| template::same(wanted, at(s, &["spec", "template"]), &[HASH_LABEL]);
    template::is_no_history(case, set, all.iter().map(AsRef::as_ref).filter(follows))
}

fn standing(case: &Case<'_>, set: &Value, deployment: &Owner) -> Standing {
    let own = at(set, &["spec", "template"]);
    template::standing(case, deployment, &["spec", "template"], |t| template::same(t, own, &[HASH_LABEL]))
}

/// Name, labels, selector and template all carry one hash. It hashes a Go value and cannot be
/// recomputed; that it is the same everywhere is what matters.
fn follows_name_and_labels(set: &Value, deployment: &Value) -> Result<(), Refusal> {
    let hash = object::label(set, HASH_LABEL).unwrap_or_default();
    ensure!(is_hash(hash), "{HASH_LABEL} is no hash");
    let name = format!("{}-{hash}", prefix(object::name(deployment), 252 - hash.len()));
    ensure!(object::name(set) == name, "the name does not follow the hash");
    let labels = map(set, &["spec", "template", "metadata", "labels"]);
    ensure!(labels.and_then(|l| l.get(HASH_LABEL)).is_some_and(|h| h == hash), "the template has another hash");
    ensure!(same_but(labels, object::labels(set), &[]), "the labels are not the template's");
    let selector = at(set, &["spec", "selector"]);
    ensure!(text(selector, &["matchLabels", HASH_LABEL]) == hash, "the selector has another hash");
    let wanted = at(deployment, &["spec", "selector"]);
    ensure!(
        same_but(map(wanted, &["matchLabels"]), map(selector, &["matchLabels"]), &[HASH_LABEL])
            && same_but(wanted.as_object(), selector.as_object(), &["matchLabels"]),
        "the selector is not the Deployment's"
    );
    ensure!(
        only(at(set, &["spec"]), &["replicas", "minReadySeconds", "selector", "template"]),
        "the spec has a field that no ReplicaSet of a Deployment has"
    );
    Ok(())
}

fn created(case: &Case<'_>, set: &Value, deployment: &Owner, standing: Standing) -> Result<(), Refusal> {
    ensure!(
        matches!(standing, Standing::Current | Standing::Recent),
        "the template of {} is not the one that {} has now",
        case.key(),
        deployment.key
    );
    ensure!(object::finalizers(set).next().is_none(), "it has finalizers");
    let own = at(set, &["spec", "template"]);
    let mut total: i64 = 0;
    for sibling in siblings(case, &deployment.object) {
        ensure!(
            !template::same(at(&sibling, &["spec", "template"]), own, &[HASH_LABEL]),
            "ReplicaSet {} has this template already",
            object::name(&sibling)
        );
        total = replicas(&sibling, 0).saturating_add(total);
    }
    let size = replicas(set, 0);
    if size != 0 {
        fits(total.saturating_add(size), &deployment.object)?;
    }
    ensure!(
        at(set, &["spec", "minReadySeconds"]).as_i64().unwrap_or(0)
            == at(&deployment.object, &["spec", "minReadySeconds"]).as_i64().unwrap_or(0),
        "minReadySeconds is not the Deployment's"
    );
    for (key, value) in entries(object::annotations(set)) {
        let value = value.as_str().unwrap_or_default();
        let right = counted(key, value, &deployment.object).unwrap_or_else(|| copied(key, value, &deployment.object));
        ensure!(right, "the annotation {key} is not the Deployment's");
    }
    Ok(())
}

/// An annotation is set, changed or removed.
pub(super) fn annotation_changed(case: &Case<'_>, change: &Change) -> Judged {
    let key = metadata::key(&change.path)?;
    let Some(new) = &change.new else {
        return Err(Refusal::new(format!("no controller removes the annotation {key}")));
    };
    let new = new.as_str().unwrap_or_default();
    let deployment = owner::of(case, DEPLOYMENT, Reference::Blocking)?;
    if matches!(key, REVISION | REVISION_HISTORY) {
        // Which template a rollback goes back to: it counts, and follows from nothing.
        ensure!(counted(key, new, &deployment.object) == Some(true), "{key} is no revision");
        return case.by(WRITER);
    }
    let right = counted(key, new, &deployment.object).unwrap_or_else(|| copied(key, new, &deployment.object));
    ensure!(right, "the annotation {key} is not what the Deployment says");
    Ok(deployment.proof)
}

/// Whether one of the controller's own annotations is right; `None` if the key is not one of them.
fn counted(key: &str, value: &str, deployment: &Value) -> Option<bool> {
    let is = |number: i64| value.parse() == Ok(number);
    Some(match key {
        REVISION => is_number(value),
        REVISION_HISTORY => !value.is_empty() && value.split(',').all(is_number),
        DESIRED => is(replicas(deployment, 1)),
        MAX => is(most(deployment)),
        _ => return None,
    })
}

fn copied(key: &str, value: &str, deployment: &Value) -> bool {
    !NOT_COPIED.contains(&key) && object::annotation(deployment, key) == Some(value)
}

/// The size changes: growing adds Pods and is bounded by the Deployment; shrinking is its
/// controller's business alone.
pub(super) fn replicas_changed(case: &Case<'_>, change: &Change) -> Judged {
    let (old, new) = (case.old()?, case.object()?);
    if object::owner_references(new).is_empty() {
        return scale::replicas_changed(case, change);
    }
    let deployment = owner::of(case, DEPLOYMENT, Reference::Blocking)?;
    let (before, after) = (replicas(old, 0), replicas(new, 0));
    if after <= before {
        return case.by(WRITER);
    }
    let others = siblings(case, &deployment.object);
    let all = others.iter().fold(after, |sum, sibling| sum.saturating_add(replicas(sibling, 0)));
    fits(all, &deployment.object)?;
    case.by(WRITER)?;
    if standing(case, new, &deployment) == Standing::Current {
        return Ok(deployment.proof);
    }
    let paused = at(&deployment.object, &["spec", "paused"]).as_bool() == Some(true);
    ensure!(paused || before > 0, "a ReplicaSet of an old revision grows from nothing");
    case.by(WRITER)
}

/// The Deployment's `minReadySeconds` is passed on.
pub(super) fn min_ready_changed(case: &Case<'_>, change: &Change) -> Judged {
    let deployment = owner::of(case, DEPLOYMENT, Reference::Blocking)?;
    let wanted = at(&deployment.object, &["spec", "minReadySeconds"]).as_i64().unwrap_or(0);
    ensure!(
        change.new.as_ref().and_then(Value::as_i64).unwrap_or(0) == wanted,
        "minReadySeconds is not the Deployment's"
    );
    Ok(deployment.proof)
}

/// The Deployment's other ReplicaSets that stay.
fn siblings(case: &Case<'_>, deployment: &Value) -> Vec<std::sync::Arc<Value>> {
    let mut sets = case.list("apps", "ReplicaSet", case.namespace);
    sets.retain(|s| {
        owner::controller_uid(s) == object::uid(deployment)
            && object::name(s) != case.name
            && !object::is_terminating(s)
    });
    sets
}

fn replicas(object: &Value, default: i64) -> i64 {
    at(object, &["spec", "replicas"]).as_i64().unwrap_or(default)
}

/// Demands that all ReplicaSets together do not have too many replicas.
fn fits(all: i64, deployment: &Value) -> Result<(), Refusal> {
    let most = most(deployment);
    ensure!(all <= most, "all ReplicaSets together would have {all} replicas, {most} at most");
    Ok(())
}

/// How many replicas all ReplicaSets of a Deployment may have together.
fn most(deployment: &Value) -> i64 {
    let wanted = replicas(deployment, 1);
    wanted.saturating_add(max_surge(deployment, wanted))
}

/// How many Pods a rolling update may have too many; percentages are rounded up.
fn max_surge(deployment: &Value, wanted: i64) -> i64 {
    if text(deployment, &["spec", "strategy", "type"]) != "RollingUpdate" {
        return 0;
    }
    match at(deployment, &["spec", "strategy", "rollingUpdate", "maxSurge"]) {
        Value::Number(n) => n.as_i64().unwrap_or(0),
        Value::String(s) => {
            let percent: i64 = s.strip_suffix('%').and_then(|p| p.parse().ok()).unwrap_or(0);
            percent.saturating_mul(wanted).saturating_add(99) / 100
        }
        _ => 0,
    }
}

/// Whether a ReplicaSet has no Pods and is to have none.
pub(super) fn is_empty(set: &Value) -> bool {
    replicas(set, 1) == 0 && at(set, &["status", "replicas"]).as_i64().unwrap_or(0) == 0
}
