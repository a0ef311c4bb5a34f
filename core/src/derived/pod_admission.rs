//! What the API server and its built-in admission plugins make of a Pod that a controller asks
//! for: a closed list, in the order in which they run. Source: `SetDefaults_Pod`,
//! `plugin/pkg/admission` (limitranger, serviceaccount, runtimeclass, priority,
//! defaulttolerationseconds), `pkg/registry/core/pod/strategy.go`.
//!
//! A living Pod was completed by what was in force when it was made. Where that may have changed
//! since, its own value is taken: no Pod can have it changed after its creation.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::case::{Act, Case};
use super::compare::{at, entries, is_suffix, list, map, text};
use super::container::{self, Spec, default_to, list_in, map_in};
use super::expected_pod::ExpectedPod;
use super::{Refusal, pod_resources};
use crate::change;
use crate::delegation;
use crate::object;

const TOKEN_VOLUME: &str = "kube-api-access-";
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const LIMIT_RANGER: &str = "kubernetes.io/limit-ranger";
const PREEMPTING: &str = "PreemptLowerPriority";

/// Completes the expected Pod as admission does, and compares the real one with it, but for what
/// declared mutators add.
pub(super) fn compare(case: &Case<'_>, expected: ExpectedPod, pod: &Value) -> Result<(), Refusal> {
    let own = delegation::Own { labels: &expected.labels, annotations: &expected.annotations, spec: &expected.spec };
    let bare = delegation::without(&own, pod, case.context).map_err(Refusal::new)?;
    let pod = bare.as_ref().unwrap_or(pod);
    let ranges = case.list("", "LimitRange", case.namespace);
    if ranges.len() < 2 {
        return complete(case, expected, pod, &ranges)?.compare(case, pod);
    }
    // Several ranges apply in no certain order, and the first to set a value wins.
    let forward = complete(case, expected.clone(), pod, &ranges)?.compare(case, pod);
    forward.or_else(|refusal| {
        let reversed: Vec<_> = ranges.into_iter().rev().collect();
        complete(case, expected, pod, &reversed)?.compare(case, pod).map_err(|_| refusal)
    })
}

fn complete(
    case: &Case<'_>,
    mut expected: ExpectedPod,
    pod: &Value,
    ranges: &[Arc<Value>],
) -> Result<ExpectedPod, Refusal> {
    defaults(&mut expected.spec);
    if case.is(Act::Live) {
        limits_as_made(&mut expected, pod);
    } else {
        limits(&mut expected, ranges);
    }
    service_account(case, &mut expected.spec, pod)?;
    runtime_class(case, &mut expected.spec)?;
    priority(case, &mut expected.spec, pod)?;
    default_tolerations(&mut expected.spec);
    merge_label_keys(&mut expected);
    app_armor(&mut expected);
    Ok(expected)
}

fn defaults(spec: &mut Spec) {
    pod_resources::default(spec);
    default_to(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        container::each(spec, |container| {
            let ports = container.get_mut("ports").and_then(Value::as_array_mut);
            for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
                let container_port = port.get("containerPort").cloned().unwrap_or(Value::Null);
                default_to(port, "hostPort", container_port);
            }
        });
    }
}

/// LimitRanger: default requests and limits, and an annotation that names them.
fn limits(expected: &mut ExpectedPod, ranges: &[Arc<Value>]) {
    for range in ranges {
        let (mut requests, mut limits) = (Map::new(), Map::new());
        for item in list(range, &["spec", "limits"]).iter().filter(|l| l["type"] == "Container") {
            requests.extend(map(item, &["defaultRequest"]).cloned().unwrap_or_default());
            limits.extend(map(item, &["default"]).cloned().unwrap_or_default());
        }
        let mut notes = Vec::new();
        for (containers, what) in container::LISTS.into_iter().zip(["container", "init container"]) {
            let containers = expected.spec.get_mut(containers).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
                let name = container.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let resources = map_in(container, "resources");
                for (field, word, amounts) in [("requests", "request", &requests), ("limits", "limit", &limits)] {
                    let set = set_missing(map_in(resources, field), amounts);
                    if !set.is_empty() {
                        notes.push(format!("{} {word} for {what} {name}", set.join(", ")));
                    }
                }
            }
        }
        if !notes.is_empty() {
            let note = format!("LimitRanger plugin set: {}", notes.join("; "));
            expected.annotations.insert(LIMIT_RANGER.to_owned(), note.into());
        }
    }
}

/// Adds what is not there; returns the names of what was added, sorted.
fn set_missing(to: &mut Map<String, Value>, amounts: &Map<String, Value>) -> Vec<String> {
    let mut set: Vec<String> = amounts.keys().filter(|k| !to.contains_key(*k)).cloned().collect();
    set.sort_unstable();
    for name in &set {
        to.insert(name.clone(), amounts[name].clone());
    }
    set
}

/// The amounts that LimitRanger noted on a living Pod when it was made.
fn limits_as_made(expected: &mut ExpectedPod, pod: &Value) {
    let Some(note) = object::annotation(pod, LIMIT_RANGER).filter(|n| n.starts_with("LimitRanger plugin set: ")) else {
        return;
    };
    expected.annotations.insert(LIMIT_RANGER.to_owned(), note.into());
    for containers in container::LISTS {
        let real = list(pod, &["spec", containers]);
        let wanted = expected.spec.get_mut(containers).and_then(Value::as_array_mut);
        for container in wanted.into_iter().flatten().filter_map(Value::as_object_mut) {
            let Some(own) = real.iter().find(|c| Some(&c["name"]) == container.get("name")) else { continue };
            let resources = map_in(container, "resources");
            for field in ["requests", "limits"] {
                if let Some(amounts) = map(own, &["resources", field]) {
                    set_missing(map_in(resources, field), amounts);
                }
            }
        }
    }
}

/// The account's token, mounted at its usual place, and the account's pull secrets.
fn service_account(case: &Case<'_>, spec: &mut Spec, pod: &Value) -> Result<(), Refusal> {
    default_to(spec, "serviceAccountName", "default");
    let name = spec.get("serviceAccountName").and_then(Value::as_str).filter(|n| !n.is_empty());
    let name = name.unwrap_or("default").to_owned();
    spec.insert("serviceAccountName".to_owned(), name.as_str().into());
    spec.insert("serviceAccount".to_owned(), name.as_str().into());
    let Some(account) = case.get("", "ServiceAccount", case.namespace, &name) else {
        return Err(Refusal::new(format!("its service account {name} does not exist")));
    };
    let live = case.is(Act::Live);
    let generated = token_volume(pod);
    let own = spec.get("automountServiceAccountToken").and_then(Value::as_bool);
    let mounts = match own {
        Some(mounts) => mounts,
        None if live => generated.is_some(),
        None => at(&account, &["automountServiceAccountToken"]).as_bool().unwrap_or(true),
    };
    if mounts {
        mount_token(spec, generated.unwrap_or(TOKEN_VOLUME));
    }
    if spec.get("imagePullSecrets").is_none_or(change::is_empty) {
        let secrets = if live {
            at(pod, &["spec", "imagePullSecrets"]).clone()
        } else {
            list(&account, &["imagePullSecrets"]).iter().map(|s| json!({"name": s["name"]})).collect()
        };
        spec.insert("imagePullSecrets".to_owned(), secrets);
    }
    Ok(())
}

/// The name that admission generated for the token's volume.
fn token_volume(pod: &Value) -> Option<&str> {
    let mut names = list(pod, &["spec", "volumes"]).iter().filter_map(|v| v["name"].as_str());
    names.find(|n| n.strip_prefix(TOKEN_VOLUME).is_some_and(is_suffix))
}

fn mount_token(spec: &mut Spec, generated: &str) {
    let volumes = spec.get("volumes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let own = volumes.iter().filter_map(|v| v["name"].as_str()).find(|n| n.starts_with(TOKEN_VOLUME));
    let has_volume = own.is_some();
    let volume = own.unwrap_or(generated).to_owned();
    let mut mounted = false;
    container::each(spec, |container| {
        let mounts = list_in(container, "volumeMounts");
        if mounts.iter().all(|m| m["mountPath"] != TOKEN_PATH) {
            mounts.push(json!({"name": volume, "readOnly": true, "mountPath": TOKEN_PATH}));
            mounted = true;
        }
    });
    if mounted && !has_volume {
        list_in(spec, "volumes").push(json!({"name": volume, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}
        ]}}));
    }
}

fn runtime_class(case: &Case<'_>, spec: &mut Spec) -> Result<(), Refusal> {
    let Some(name) = spec.get("runtimeClassName").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    let Some(class) = case.get("node.k8s.io", "RuntimeClass", "", &name) else {
        return Err(Refusal::new(format!("its RuntimeClass {name} does not exist")));
    };
    if let Some(overhead) = map(&class, &["overhead", "podFixed"]) {
        spec.insert("overhead".to_owned(), Value::Object(overhead.clone()));
    }
    for (key, value) in entries(map(&class, &["scheduling", "nodeSelector"])) {
        map_in(spec, "nodeSelector").insert(key.to_owned(), value.clone());
    }
    for toleration in list(&class, &["scheduling", "tolerations"]) {
        let tolerations = list_in(spec, "tolerations");
        if !tolerations.iter().any(|t| change::same(t, toleration)) {
            tolerations.push(toleration.clone());
        }
    }
    Ok(())
}

fn priority(case: &Case<'_>, spec: &mut Spec, pod: &Value) -> Result<(), Refusal> {
    let name = spec.get("priorityClassName").and_then(Value::as_str).filter(|n| !n.is_empty()).map(str::to_owned);
    if case.is(Act::Live) {
        for field in ["priorityClassName", "priority", "preemptionPolicy"] {
            default_to(spec, field, at(pod, &["spec", field]).clone());
        }
        return Ok(());
    }
    let class = match &name {
        Some(name) => {
            let class = case.get("scheduling.k8s.io", "PriorityClass", "", name);
            let built_in = match name.as_str() {
                "system-cluster-critical" => Some(2_000_000_000),
                "system-node-critical" => Some(2_000_001_000),
                _ => None,
            };
            match (class, built_in) {
                (Some(class), _) => Some(class),
                (None, Some(value)) => Some(Arc::new(json!({"metadata": {"name": name}, "value": value}))),
                (None, None) => return Err(Refusal::new(format!("its PriorityClass {name} does not exist"))),
            }
        }
        None => {
            let classes = case.list("scheduling.k8s.io", "PriorityClass", "");
            let defaults = classes.into_iter().filter(|c| object::is_default_class("PriorityClass", c));
            // One that Git does not know shapes nothing: whoever makes it would raise every Pod.
            let defaults = defaults.filter(|c| is_known_class(case, object::name(c)));
            defaults.min_by_key(|c| c["value"].as_i64())
        }
    };
    let class = class.unwrap_or_default();
    if !object::name(&class).is_empty() {
        spec.insert("priorityClassName".to_owned(), object::name(&class).into());
    }
    let policy = match text(&class, &["preemptionPolicy"]) {
        "" => PREEMPTING,
        policy => policy,
    };
    spec.insert("priority".to_owned(), at(&class, &["value"]).as_i64().unwrap_or(0).into());
    spec.insert("preemptionPolicy".to_owned(), policy.into());
    Ok(())
}

fn is_known_class(case: &Case<'_>, name: &str) -> bool {
    case.is_declared("scheduling.k8s.io", "PriorityClass", "", name)
        || case.context.snapshot.configuration.knows_mutator("PriorityClass", name)
}

/// DefaultTolerationSeconds: five minutes on a node that is lost.
fn default_tolerations(spec: &mut Spec) {
    let tolerations = list_in(spec, "tolerations");
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|t| {
            matches!(text(t, &["effect"]), "" | "NoExecute")
                && (text(t, &["key"]) == key || text(t, &["key"]).is_empty())
        });
        if !tolerated {
            tolerations
                .push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
}

/// `matchLabelKeys` and `mismatchLabelKeys` are merged into the selectors beside them.
fn merge_label_keys(expected: &mut ExpectedPod) {
    let labels = &expected.labels;
    let constraints = expected.spec.get_mut("topologySpreadConstraints").and_then(Value::as_array_mut);
    for constraint in constraints.into_iter().flatten() {
        merge(constraint, "matchLabelKeys", "In", labels);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = expected.spec.get_mut("affinity").and_then(|a| a.get_mut(kind)) else { continue };
        let mut terms: Vec<&mut Value> = Vec::new();
        if let Some(affinity) = affinity.as_object_mut() {
            for (when, list) in affinity.iter_mut() {
                let list = list.as_array_mut().into_iter().flatten();
                match when.as_str() {
                    "requiredDuringSchedulingIgnoredDuringExecution" => terms.extend(list),
                    "preferredDuringSchedulingIgnoredDuringExecution" => {
                        terms.extend(list.filter_map(|t| t.get_mut("podAffinityTerm")));
                    }
                    _ => {}
                }
            }
        }
        for term in terms {
            merge(term, "matchLabelKeys", "In", labels);
            merge(term, "mismatchLabelKeys", "NotIn", labels);
        }
    }
}

fn merge(term: &mut Value, keys: &str, operator: &str, labels: &Map<String, Value>) {
    let Some(term) = term.as_object_mut() else { return };
    let keys: Vec<String> = term
        .get(keys)
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let Some(selector) = term.get_mut("labelSelector").and_then(Value::as_object_mut) else { return };
    for key in keys {
        if let Some(value) = labels.get(&key) {
            list_in(selector, "matchExpressions").push(json!({"key": key, "operator": operator, "values": [value]}));
        }
    }
}

/// AppArmor annotations of old are written into the fields that took their place.
fn app_armor(expected: &mut ExpectedPod) {
    const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";
    if !expected.annotations.keys().any(|k| k.starts_with(ANNOTATION)) {
        return;
    }
    let of_pod = expected.spec.get("securityContext").and_then(|s| s.get("appArmorProfile")).cloned();
    let annotations = &expected.annotations;
    container::each(&mut expected.spec, |container| {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        let profile = match annotations.get(&format!("{ANNOTATION}{name}")).and_then(Value::as_str) {
            Some("unconfined") => json!({"type": "Unconfined"}),
            Some("runtime/default") => json!({"type": "RuntimeDefault"}),
            Some(text) => match text.strip_prefix("localhost/") {
                Some(local) if !local.is_empty() => json!({"type": "Localhost", "localhostProfile": local}),
                _ => return,
            },
            None => return,
        };
        if of_pod.as_ref() != Some(&profile) {
            default_to(map_in(container, "securityContext"), "appArmorProfile", profile);
        }
    });
}
