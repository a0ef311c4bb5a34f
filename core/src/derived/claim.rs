//! PersistentVolumeClaims of StatefulSets and of Pods with ephemeral volumes, and their binding.

use serde_json::{Map, Value};

use super::accounts::Account::Controller;
use super::case::{Act, Case, has_uid};
use super::compare::{at, differs, list, map, same_but, text};
use super::expected_pod::same_amounts;
use super::finalizers::CLAIM_PROTECTION;
use super::owner::{self, Reference};
use super::{Judged, Proof, Refusal, stateful_set};
use crate::change::Change;
use crate::object::{self, ObjectKey};

const BINDING: [&str; 6] = [
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-resizer",
];

/// A claim is made, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let claim = case.object()?;
    if object::controller_reference(claim).is_some_and(|r| text(r, &["kind"]) == "Pod") {
        return ephemeral(case, claim);
    }
    for set in case.list("apps", "StatefulSet", case.namespace) {
        for template in list(&set, &["spec", "volumeClaimTemplates"]) {
            let prefix = format!("{}-{}", object::name(template), object::name(&set));
            if let Some(ordinal) = stateful_set::ordinal(case.name, &prefix) {
                return of_set(case, claim, &set, template, ordinal);
            }
        }
    }
    Err(Refusal::new(format!("{} is not declared in Git and is no volume of a StatefulSet or Pod", case.key())))
}

fn ephemeral(case: &Case<'_>, claim: &Value) -> Judged {
    let owner = owner::of(case, &[("", "Pod")], Reference::Blocking)?;
    let volume = list(&owner.object, &["spec", "volumes"])
        .iter()
        .find(|v| case.name == format!("{}-{}", owner.key.name, text(v, &["name"])));
    let template = volume.map_or(&Value::Null, |v| at(v, &["ephemeral", "volumeClaimTemplate"]));
    ensure!(template.is_object(), "{} has no such ephemeral volume", owner.key);
    compare(case, claim, template, map(template, &["metadata", "labels"]))?;
    Ok(owner.proof)
}

fn of_set(case: &Case<'_>, claim: &Value, set: &Value, template: &Value, ordinal: i64) -> Judged {
    let key = ObjectKey::new("apps", "StatefulSet", case.namespace, object::name(set));
    let proof = owner::traced(case, &key, set)?;
    // A set that shrank leaves its claims.
    ensure!(case.is(Act::Live) || stateful_set::in_range(set, ordinal), "the ordinal {ordinal} is out of range");
    let mut labels = map(template, &["metadata", "labels"]).cloned().unwrap_or_default();
    labels.extend(map(set, &["spec", "selector", "matchLabels"]).cloned().unwrap_or_default());
    for reference in object::owner_references(claim) {
        let known = text(reference, &["uid"]) == object::uid(set)
            || (case.is(Act::Live) && text(reference, &["kind"]) == "Pod" && !owner::is_absent(case, reference));
        ensure!(known, "it has an owner that the StatefulSet does not give it");
    }
    compare(case, claim, template, Some(&labels))?;
    Ok(proof)
}

fn compare(
    case: &Case<'_>,
    claim: &Value,
    template: &Value,
    labels: Option<&Map<String, Value>>,
) -> Result<(), Refusal> {
    let mut wanted = map(template, &["spec"]).cloned().unwrap_or_default();
    super::container::default_to(&mut wanted, "volumeMode", "Filesystem");
    let class = text(claim, &["spec", "storageClassName"]);
    if text(at(template, &["spec"]), &["storageClassName"]).is_empty() && !class.is_empty() {
        ensure!(
            case.is(Act::Live) || is_default_class(case, class),
            "{class} is no default storage class that Git knows"
        );
        wanted.insert("storageClassName".to_owned(), class.into());
    }
    let live = case.is(Act::Live);
    if live {
        super::container::default_to(&mut wanted, "volumeName", at(claim, &["spec", "volumeName"]).clone());
    }
    let (wanted, found) = (Value::Object(wanted), at(claim, &["spec"]));
    if !same_amounts(&wanted, found, false) {
        return Err(differs("spec", &wanted, found));
    }
    let bound: &[&str] = if live { &BINDING } else { &[] };
    ensure!(same_but(labels, object::labels(claim), &[]), "its labels are not the template's");
    ensure!(
        same_but(map(template, &["metadata", "annotations"]), object::annotations(claim), bound),
        "its annotations are not the template's"
    );
    ensure!(
        object::finalizers(claim).all(|f| f == CLAIM_PROTECTION),
        "it has other finalizers than {CLAIM_PROTECTION}"
    );
    Ok(())
}

fn is_default_class(case: &Case<'_>, name: &str) -> bool {
    let class = case.get("storage.k8s.io", "StorageClass", "", name);
    let is_default = class.is_some_and(|c| object::is_default_class("StorageClass", &c));
    let is_known = case.is_declared("storage.k8s.io", "StorageClass", "", name)
        || case.context.snapshot.configuration.knows_mutator("StorageClass", name);
    is_default && is_known
}

/// A claim is bound to a volume that is reserved for it.
pub(super) fn volume_bound(case: &Case<'_>, change: &Change) -> Judged {
    ensure!(change.old.is_none(), "the claim is bound already");
    let name = change.new.as_ref().and_then(Value::as_str).unwrap_or_default();
    let volume = case.get("", "PersistentVolume", "", name).unwrap_or_default();
    let reserved = at(&volume, &["spec", "claimRef"]);
    ensure!(
        text(reserved, &["name"]) == case.name
            && text(reserved, &["namespace"]) == case.namespace
            && has_uid(case.object()?, text(reserved, &["uid"])),
        "the volume {name} is not reserved for this claim"
    );
    Ok(Proof::Content)
}

/// A claim that names no class gets the default one.
pub(super) fn class_chosen(case: &Case<'_>, change: &Change) -> Judged {
    let name = change.new.as_ref().and_then(Value::as_str).unwrap_or_default();
    ensure!(
        change.old.is_none() && is_default_class(case, name),
        "{name:?} is no default storage class that Git knows"
    );
    Ok(Proof::Content)
}

/// A StatefulSet takes its claims with it, if it is told to.
pub(super) fn adopted(case: &Case<'_>, reference: &Value, owner: &Value) -> Judged {
    let policy =
        |set: &Value, when: &str| text(set, &["spec", "persistentVolumeClaimRetentionPolicy", when]) == "Delete";
    let told = match text(reference, &["kind"]) {
        "StatefulSet" => policy(owner, "whenDeleted"),
        "Pod" => object::controller_reference(owner)
            .and_then(|r| case.get("apps", "StatefulSet", case.namespace, text(r, &["name"])))
            .is_some_and(|set| policy(&set, "whenScaled")),
        _ => false,
    };
    ensure!(told, "no StatefulSet says that its claims go with it");
    case.by(&[Controller("statefulset-controller")])
}
