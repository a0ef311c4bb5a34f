//! Mutators in force. A dry run learns an attacker's mutator as readily as a friend's, so nothing
//! is learnt while one is in force that Git does not know.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gitward_core::config::Mode;
use gitward_core::derived::Context;
use gitward_core::lookup::{Lookup, Question};
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Snapshot;
use gitward_core::trace::{Judged, judge_declared};
use gitward_index::{Event, EventKind, read_live};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::fight::Memory;
use crate::guard::Poke;
use crate::report::Reason;
use crate::state::State;

/// How long a mutator that is gone may go on: the API server takes notice of policies once a second.
const LINGERS: Duration = Duration::from_secs(5);

/// Time for reading all mutators.
const READ_BUDGET: Duration = Duration::from_secs(5);

/// Kinds that change other objects as they are written: group, kind, whether only the governed
/// namespaces matter.
const KINDS: [(&str, &str, bool); 7] = [
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", false),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", false),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", false),
    ("", "LimitRange", true),
    // Of these, the default of what names none.
    ("scheduling.k8s.io", "PriorityClass", false),
    ("storage.k8s.io", "StorageClass", false),
    ("networking.k8s.io", "IngressClass", false),
];

/// Whether an object changes others as they are written. Such objects are learnt first, whatever
/// is in force.
pub fn is_mutator(key: &ObjectKey) -> bool {
    KINDS.iter().any(|(group, kind, _)| key.group == *group && key.kind == *kind)
}

fn in_force(context: &Context<'_>) -> Vec<(ObjectKey, Arc<Value>)> {
    let mut found = Vec::new();
    for (group, kind, governed) in KINDS {
        for object in context.live.list(group, kind, "") {
            let key = ObjectKey::new(group, kind, object::namespace(&object), object::name(&object));
            let here = !governed || context.snapshot.governs(&key);
            if here && changes_others(kind, &object, context.snapshot) {
                found.push((key, object));
            }
        }
    }
    found
}

/// Whether an object of these kinds changes anything: a class does as the default of what is declared.
fn changes_others(kind: &str, object: &Value, snapshot: &Snapshot) -> bool {
    let is_default = || object::is_default_class(kind, object);
    let declares =
        |test: fn(&str, &Value) -> bool| snapshot.declared.values().any(|d| test(&d.manifest.key.kind, &d.canonical));
    match kind {
        "PriorityClass" => is_default(),
        "StorageClass" => is_default() && declares(wants_storage_class),
        "IngressClass" => is_default() && declares(wants_ingress_class),
        _ => true,
    }
}

/// Whether a claim, or the claims of a workload, name no class.
fn wants_storage_class(kind: &str, declared: &Value) -> bool {
    let unnamed = |spec: Option<&Value>| spec.is_some_and(|s| s.get("storageClassName").is_none_or(Value::is_null));
    let list = |path| declared.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let mut volumes = ["/spec/volumes", "/spec/template/spec/volumes", "/spec/jobTemplate/spec/template/spec/volumes"]
        .into_iter()
        .flat_map(list);
    (kind == "PersistentVolumeClaim" && unnamed(declared.get("spec")))
        || list("/spec/volumeClaimTemplates").any(|claim| unnamed(claim.get("spec")))
        || volumes.any(|v| unnamed(v.pointer("/ephemeral/volumeClaimTemplate/spec")))
}

fn wants_ingress_class(kind: &str, declared: &Value) -> bool {
    let named = object::annotation(declared, "kubernetes.io/ingress.class").is_some();
    kind == "Ingress" && !named && declared.pointer("/spec/ingressClassName").is_none_or(Value::is_null)
}

/// The same, read afresh: an index that lags behind would let a mutator in unseen.
pub async fn unknown_now(state: &State, snapshot: &Snapshot) -> Vec<ObjectKey> {
    let list = |(group, kind, _): (&str, &str, bool)| Question::List(group.to_owned(), kind.to_owned(), String::new());
    let questions = KINDS.into_iter().map(list).collect();
    let fresh = read_live(state.api.client(), state.index.discovery(), &questions, READ_BUDGET).await;
    let overlay = fresh.over(&state.index);
    with_those_of_late(state, strangers(&Context { live: &overlay, ..state.context(snapshot) }))
}

/// Mutators that may be in force and are neither as Git declares them nor known by name in
/// `gitward.yaml`, as the index has them.
pub fn unknown(state: &State, snapshot: &Snapshot) -> Vec<ObjectKey> {
    with_those_of_late(state, strangers(&state.context(snapshot)))
}

/// What is gone or put right is in force for a moment yet, while the API server takes notice. What
/// is being written is about to be as Git declares it.
fn with_those_of_late(state: &State, mut found: Vec<ObjectKey>) -> Vec<ObjectKey> {
    let busy = state.busy().clone();
    found.retain(|key| !busy.contains(key));
    let now = Instant::now();
    let mut strangers = state.strangers();
    strangers.retain(|_, seen| now.duration_since(*seen) < LINGERS);
    strangers.extend(found.into_iter().map(|key| (key, now)));
    let mut keys: Vec<ObjectKey> = strangers.keys().cloned().collect();
    keys.sort();
    keys
}

fn strangers(context: &Context<'_>) -> Vec<ObjectKey> {
    in_force(context).into_iter().filter(|(key, live)| !is_of_git(context, key, live)).map(|(key, _)| key).collect()
}

/// A mutator came, changed or went. One that Git does not know is told at once, not only with the
/// next thing to be learnt; when none is in force any more, everything is looked at again, since
/// nothing could be put right against it.
pub(crate) fn came_or_went(state: &Arc<State>, event: &Event, memory: &Memory, poke: &Poke) {
    let Some(held) = state.held().filter(|h| h.environment.mode != Mode::Suspended) else { return };
    let key = &event.key;
    if event.kind == EventKind::Deleted {
        let listed = held.configuration.knows_mutator(&key.kind, &key.name);
        let governed = key.namespace.is_empty() || held.governs(key);
        let changed = event.last.as_ref().is_none_or(|last| changes_others(&key.kind, last, &held));
        if changed && governed && !listed && !held.is_declared(key) {
            state.strangers().insert(key.clone(), Instant::now());
        }
    } else if unknown(state, &held).contains(key) {
        tell_unknown(state, key, memory);
    }
    if !state.strangers().is_empty() && !state.waits_for_strangers.swap(true, Ordering::SeqCst) {
        tokio::spawn(look_again_without_strangers(state.clone(), poke.clone()));
    }
}

async fn look_again_without_strangers(state: Arc<State>, poke: Poke) {
    loop {
        sleep(Duration::from_secs(1)).await;
        if state.held().is_none_or(|held| unknown(&state, &held).is_empty()) {
            state.waits_for_strangers.store(false, Ordering::SeqCst);
            poke.everything();
            return;
        }
    }
}

fn tell_unknown(state: &State, key: &ObjectKey, memory: &Memory) {
    let Some(live) = state.index.get(key) else { return };
    let version = object::metadata_str(&live, "resourceVersion").unwrap_or_default();
    if memory.is_news(key, format!("{} {version}", object::uid(&live))) {
        state.reporter.about(key, "v1", object::uid(&live), Reason::UnknownMutator, what_it_is(key));
    }
}

/// What is said of a mutator that Git does not know.
pub(crate) fn what_it_is(key: &ObjectKey) -> String {
    format!(
        "{key} changes objects as they are written and is not as Git declares it: nothing is learnt while it is in force"
    )
}

fn is_of_git(context: &Context<'_>, key: &ObjectKey, live: &Value) -> bool {
    is_known(context.snapshot, key, live, context) || context.snapshot.configuration.knows_mutator(&key.kind, &key.name)
}

fn is_known(snapshot: &Snapshot, key: &ObjectKey, live: &Value, context: &Context<'_>) -> bool {
    snapshot.declared(key).is_some_and(|declared| {
        // Not learnt yet: it is about to be, before anything that it could change.
        matches!(judge_declared(declared, live, context), Judged::Converged | Judged::NotLearnt)
    })
}

/// Whether webhooks or policies that mutate are in force at all: only then can a creation set
/// fields that no built-in rule foretells.
pub fn any_in_force(context: &Context<'_>) -> bool {
    in_force(context).iter().any(|(key, _)| key.group == "admissionregistration.k8s.io")
}

/// Whether a webhook or policy in force may change objects of a resource. What it adds cannot be told
/// from the built-in additions, and need not be if Git knows it.
pub fn may_change(context: &Context<'_>, group: &str, resource: &str) -> bool {
    in_force(context).iter().any(|(key, mutator)| {
        if !is_of_git(context, key, mutator) {
            return false;
        }
        let rules: Vec<&Value> = match key.kind.as_str() {
            "MutatingWebhookConfiguration" => {
                let webhooks = mutator["webhooks"].as_array().into_iter().flatten();
                webhooks.filter_map(|w| w["rules"].as_array()).flatten().collect()
            }
            "MutatingAdmissionPolicy" => {
                let rules = mutator.pointer("/spec/matchConstraints/resourceRules").and_then(Value::as_array);
                rules.into_iter().flatten().collect()
            }
            _ => return false,
        };
        rules.into_iter().any(|rule| covers(rule, group, resource))
    })
}

/// Whether a rule of admission covers objects of a resource, by `*` or by name.
fn covers(rule: &Value, group: &str, resource: &str) -> bool {
    let any = |field: &str, wanted: &[&str]| {
        let texts = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.into_iter().any(|text| wanted.contains(&text))
    };
    any("apiGroups", &["*", group]) && any("resources", &["*", "*/*", resource])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_covers_what_it_names() {
        let rule = json!({"apiGroups": ["apps"], "resources": ["deployments", "pods/exec"]});
        assert!(covers(&rule, "apps", "deployments"));
        assert!(!covers(&rule, "apps", "statefulsets") && !covers(&rule, "", "deployments"));
        assert!(covers(&json!({"apiGroups": ["*"], "resources": ["*/*"]}), "", "pods"));
        assert!(!covers(&json!({}), "", "pods"));
    }

    #[test]
    fn a_default_class_matters_to_what_names_none() {
        let claim = |spec: Value| json!({"spec": spec});
        let cases = [
            ("PersistentVolumeClaim", claim(json!({})), true),
            ("PersistentVolumeClaim", claim(json!({"storageClassName": "fast"})), false),
            ("PersistentVolumeClaim", claim(json!({"storageClassName": ""})), false),
            ("StatefulSet", json!({"spec": {"volumeClaimTemplates": [claim(json!({}))]}}), true),
            (
                "StatefulSet",
                json!({"spec": {"volumeClaimTemplates": [claim(json!({"storageClassName": "a"}))]}}),
                false,
            ),
            (
                "Deployment",
                json!({"spec": {"template": {"spec": {"volumes": [
                    {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]}}}}),
                true,
            ),
            ("Deployment", json!({"spec": {"template": {"spec": {"volumes": [{"emptyDir": {}}]}}}}), false),
        ];
        for (kind, declared, wanted) in cases {
            assert_eq!(wants_storage_class(kind, &declared), wanted, "{kind} {declared}");
        }
        assert!(wants_ingress_class("Ingress", &json!({"spec": {}})));
        assert!(!wants_ingress_class("Ingress", &json!({"spec": {"ingressClassName": "a"}})));
        let annotated = json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "a"}}, "spec": {}});
        assert!(!wants_ingress_class("Ingress", &annotated));
    }
}
