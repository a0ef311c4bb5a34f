//! ControllerRevisions of StatefulSets and DaemonSets. Source: `pkg/controller/history`.

use serde_json::{Map, Value};

use super::accounts::Account::{self, Controller};
use super::case::{Act, Case};
use super::compare::{at, entries, is_hash, map, only, prefix, same_but, text};
use super::owner::{self, Reference};
use super::stateful_set::REVISION_LABEL;
use super::template::{self, Standing};
use super::{Judged, Refusal, metadata};
use crate::change::Change;
use crate::object;

const HASH_LABEL: &str = "controller.kubernetes.io/hash";
const OWNERS: &[(&str, &str)] = &[("apps", "StatefulSet"), ("apps", "DaemonSet")];
const WRITERS: &[Account] = &[Controller("statefulset-controller"), Controller("daemon-set-controller")];

/// A revision is made, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let revision = case.object()?;
    let owner = owner::of(case, OWNERS, Reference::Blocking)?;
    let hash = hash(revision);
    ensure!(is_hash(hash), "it carries no hash");
    let name = format!("{}-{hash}", prefix(&owner.key.name, 223));
    ensure!(object::name(revision) == name, "the name does not follow the hash");
    let data = at(revision, &["data"]);
    ensure!(only(data, &["spec"]) && only(at(data, &["spec"]), &["template"]), "its data holds more than a template");
    ensure!(at(data, &["spec", "template", "$patch"]) == "replace", "its template does not replace the owner's");
    let template = template(revision);
    labels_follow(revision, &template, &owner.key.kind)?;
    let standing = template::standing(case, &owner, &["spec", "template"], |t| template::same(t, &template, &[]));
    if case.is(Act::Create) {
        ensure!(
            matches!(standing, Standing::Current | Standing::Recent),
            "the template is not the one that {} has now",
            owner.key
        );
        created(revision, &owner.object)?;
        return Ok(owner.proof);
    }
    // An update may be held back by a partition for as long as people like. That the revision came
    // in properly was judged then; which one still counts is in the set's status, which only its
    // controller writes.
    Ok(match standing {
        Standing::Unknown => {
            ensure!(
                counts(revision, &owner.object) || !is_newer(case, revision, &owner.object),
                "its template is not Git's, and it was made after the revision whose template is"
            );
            case.by(WRITERS)?
        }
        Standing::Current | Standing::Recent | Standing::Former => owner.proof,
    })
}

/// Whether the owner's status names a revision.
fn counts(revision: &Value, owner: &Value) -> bool {
    ["currentRevision", "updateRevision"].iter().any(|f| text(owner, &["status", f]) == object::name(revision))
}

/// Whether a revision came after the one that holds the owner's template.
fn is_newer(case: &Case<'_>, revision: &Value, owner: &Value) -> bool {
    let wanted = at(owner, &["spec", "template"]);
    let all = case.list("apps", "ControllerRevision", case.namespace);
    let follows = |sibling: &&Value| {
        owner::controller_uid(sibling) == object::uid(owner) && template::same(wanted, &template(sibling), &[])
    };
    template::is_no_history(case, revision, all.iter().map(AsRef::as_ref).filter(follows))
}

fn created(revision: &Value, owner: &Value) -> Result<(), Refusal> {
    ensure!(object::finalizers(revision).next().is_none(), "it has finalizers");
    for (key, value) in entries(object::annotations(revision)) {
        ensure!(
            object::annotations(owner).and_then(|a| a.get(key)) == Some(value),
            "the annotation {key} is not the owner's"
        );
    }
    Ok(())
}

fn hash(revision: &Value) -> &str {
    [HASH_LABEL, REVISION_LABEL].iter().find_map(|l| object::label(revision, l)).unwrap_or_default()
}

fn labels_follow(revision: &Value, template: &Value, owner_kind: &str) -> Result<(), Refusal> {
    let own: &[&str] = if owner_kind == "DaemonSet" { &[HASH_LABEL, REVISION_LABEL] } else { &[HASH_LABEL] };
    ensure!(
        same_but(map(template, &["metadata", "labels"]), object::labels(revision), own),
        "its labels are not the template's"
    );
    Ok(())
}

/// The template that a revision keeps, without the directive that makes it a patch.
pub(super) fn template(revision: &Value) -> Value {
    let mut template = at(revision, &["data", "spec", "template"]).clone();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("creationTimestamp");
        } else {
            fields.insert("metadata".to_owned(), Value::Object(Map::new()));
        }
    }
    template
}

/// The number changes when an old revision becomes the newest again.
pub(super) fn number_changed(case: &Case<'_>, change: &Change) -> Judged {
    ensure!(change.new.as_ref().is_some_and(Value::is_i64), "a revision's number is a number");
    case.by(WRITERS)
}

/// The DaemonSet controller completes the hash label of revisions that it adopts.
pub(super) fn label_changed(case: &Case<'_>, change: &Change) -> Judged {
    let value = change.new.as_ref().and_then(Value::as_str).unwrap_or_default();
    ensure!(
        metadata::key(&change.path)? == REVISION_LABEL && is_hash(value) && case.name.ends_with(&format!("-{value}")),
        "no controller sets {}",
        change.path
    );
    case.by(&[Controller("daemon-set-controller")])
}
