//! Which objects of a namespace Git is going to declare, and what the others are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::clean::clean;
use super::installers::instructs;
use super::lineage::{self, Belongs};
use super::planned::{Planned, planned};
use crate::change::is_empty;
use crate::derived::{self, Context};
use crate::lookup::{Lookup, Question, Recording};
use crate::object::{self, ObjectKey};
use crate::snapshot::Snapshot;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Whether Secrets are taken, values and all.
    pub secrets: bool,
    /// Whether marks of restarts are dropped from templates.
    pub tidy: bool,
}

/// What an object is to adoption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Git is going to declare it.
    Taken,
    /// Git declares it already.
    Declared,
    /// A controller makes it of what is declared, or the cluster keeps it by itself.
    Derived,
    /// An operator made it for this custom resource.
    Operated(ObjectKey),
    /// Neither declared nor recognised, and left where it is: why.
    Left(&'static str),
    /// It says that a controller made it, and no rule recognises it: why not, and what was asked about it.
    Strange(String, BTreeSet<Question>),
}

/// All objects, sorted.
#[derive(Debug, Default)]
pub struct Sorted {
    /// What each is.
    pub choices: BTreeMap<ObjectKey, Choice>,
    /// Manifests of what is taken, before they are trimmed.
    pub manifests: BTreeMap<ObjectKey, Value>,
}

type Objects = BTreeMap<ObjectKey, Arc<Value>>;

/// Why Secrets stay out of Git unless they are asked for.
const SECRET: &str = "its values stay out of Git; gitward leaves Secrets alone that Git does not declare";

/// Sorts the objects of a namespace; `live` answers what rules ask besides. Also the snapshot of what is
/// going to be declared.
pub fn sort(
    objects: &Objects,
    plan: &Planned,
    selection: Selection,
    live: &dyn Lookup,
    now: Timestamp,
) -> (Sorted, Snapshot) {
    let mut sorted = Sorted::default();
    let already: BTreeSet<&ObjectKey> = plan.declared.iter().map(|d| &d.manifest.key).collect();
    for (key, object) in objects {
        let choice = if already.contains(key) { Choice::Declared } else { first_look(key, object, selection, live) };
        sorted.choices.insert(key.clone(), choice);
    }
    // What controllers make is recognised by what it is made of, so that is assumed to be declared first.
    let assumed = snapshot(objects, &mut sorted, plan, selection, live, now);
    let context = Context { snapshot: &assumed, live, now };
    for (key, object) in objects {
        if let Some(choice) = sorted.choices.get_mut(key) {
            second_look(choice, key, object, &context);
        }
    }
    let snapshot = snapshot(objects, &mut sorted, plan, selection, live, now);
    (sorted, snapshot)
}

fn snapshot(
    objects: &Objects,
    sorted: &mut Sorted,
    plan: &Planned,
    selection: Selection,
    live: &dyn Lookup,
    now: Timestamp,
) -> Snapshot {
    let taken = || objects.iter().filter(|(key, _)| sorted.choices.get(*key) == Some(&Choice::Taken));
    let whole = planned(plan, taken().map(|(_, object)| (object.as_ref(), object.as_ref())), live);
    let context = Context { snapshot: &whole, live, now };
    let cleaned =
        |(key, object): (&ObjectKey, &Arc<Value>)| (key.clone(), clean(key, object, selection.tidy, &context));
    let manifests: BTreeMap<ObjectKey, Value> = taken().map(cleaned).collect();
    let pairs = manifests.iter().filter_map(|(key, manifest)| Some((manifest, objects.get(key)?.as_ref())));
    let snapshot = planned(plan, pairs, live);
    sorted.manifests = manifests;
    snapshot
}

/// What can be said of an object by itself and its owners.
fn first_look(key: &ObjectKey, object: &Value, selection: Selection, live: &dyn Lookup) -> Choice {
    if object::is_terminating(object) {
        return Choice::Left("it is being deleted");
    }
    match lineage::of(object, live) {
        Belongs::Operator(owner) => return Choice::Operated(owner),
        Belongs::Operated => return Choice::Derived,
        Belongs::Controller => return Choice::Strange(String::new(), BTreeSet::new()),
        Belongs::Nobody => {}
    }
    if is_kept_by_the_cluster(key, object, live) {
        return Choice::Derived;
    }
    if is_helms(key, object) {
        return Choice::Left("Helm keeps its releases in it");
    }
    if let Some(why) = instructs(key) {
        return Choice::Left(why);
    }
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Secret") if !selection.secrets => Choice::Left(SECRET),
        ("", "Pod") => Choice::Left("no workload makes it; write a manifest for it by hand, or delete it"),
        _ => Choice::Taken,
    }
}

/// What can be said when it is known what is going to be declared.
fn second_look(choice: &mut Choice, key: &ObjectKey, object: &Value, context: &Context<'_>) {
    if !matches!(choice, Choice::Taken | Choice::Strange(..)) {
        return;
    }
    let recording = Recording::new(context.live);
    let judged = derived::recognise_live(key, object, &Context { live: &recording, ..*context });
    match (judged, &choice) {
        (Ok(_), _) => *choice = Choice::Derived,
        (Err(refusal), Choice::Strange(..)) => *choice = Choice::Strange(refusal.reason, recording.into_questions()),
        (Err(_), _) => {}
    }
}

const SLICE_MANAGER: &str = "endpointslice.kubernetes.io/managed-by";
const OWN_SLICES: [&str; 2] = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

/// Whether the cluster itself makes an object in every namespace, for every account or Service.
fn is_kept_by_the_cluster(key: &ObjectKey, object: &Value, live: &dyn Lookup) -> bool {
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Event") | ("events.k8s.io", "Event") | ("coordination.k8s.io", "Lease") => true,
        ("", "ConfigMap") => key.name == "kube-root-ca.crt",
        ("", "Secret") => object["type"] == "kubernetes.io/service-account-token",
        // Of a Service that selects nothing a person wrote them.
        ("", "Endpoints") => live
            .get(&ObjectKey::new("", "Service", &key.namespace, &key.name))
            .is_none_or(|service| service.pointer("/spec/selector").is_some_and(|s| !is_empty(s))),
        ("discovery.k8s.io", "EndpointSlice") => {
            object::label(object, SLICE_MANAGER).is_some_and(|manager| OWN_SLICES.contains(&manager))
        }
        _ => false,
    }
}

fn is_helms(key: &ObjectKey, object: &Value) -> bool {
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Secret") => object["type"] == "helm.sh/release.v1",
        ("", "ConfigMap") => {
            key.name.starts_with("sh.helm.release.v1.") && object::label(object, "owner") == Some("helm")
        }
        _ => false,
    }
}
