//! Defaults of a Pod's resources. Source: `SetDefaults_Pod` in `pkg/apis/core/v1/defaults.go`,
//! `k8s.io/component-helpers/resource`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::compare::{entries, map, text};
use super::container::{self, Spec, map_in};
use crate::quantity::Quantity;

type Amounts = BTreeMap<String, Quantity>;

/// Requests that a Pod, unlike a template, gets from its limits.
pub(super) fn default(spec: &mut Spec) {
    container::each(spec, |container| {
        if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) {
            requests_from_limits(resources);
        }
    });
    default_pod_level(spec);
}

fn requests_from_limits(resources: &mut Map<String, Value>) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let requests = map_in(resources, "requests");
    for (name, amount) in limits {
        requests.entry(name).or_insert(amount);
    }
}

/// A Pod that declares resources for itself as a whole, in part, gets the rest of them from its
/// containers.
fn default_pod_level(spec: &mut Spec) {
    let own = |field: &str| spec.get("resources").and_then(|r| r.get(field)).and_then(Value::as_object);
    let is_set = |field: &str| own(field).is_some_and(|m| !m.is_empty());
    if !is_set("limits") && !is_set("requests") {
        return;
    }
    let (all_requests, all_limits) = (total(spec, "requests"), total(spec, "limits"));
    let resources = map_in(spec, "resources");
    let requested = map_in(resources, "requests").clone();
    let limits = map_in(resources, "limits");
    for (name, amount) in all_limits.into_iter().filter(|(n, _)| is_huge(n) && !requested.contains_key(n)) {
        limits.entry(name).or_insert_with(|| amount.into());
    }
    if limits.is_empty() {
        return;
    }
    let limits = limits.clone();
    let requests = map_in(resources, "requests");
    for (name, amount) in all_requests.into_iter().filter(|(n, _)| is_plain(n)) {
        requests.entry(name).or_insert_with(|| amount.into());
    }
    for (name, amount) in limits.into_iter().filter(|(n, _)| is_plain(n) || is_huge(n)) {
        requests.entry(name).or_insert(amount);
    }
}

fn is_plain(name: &str) -> bool {
    matches!(name, "cpu" | "memory")
}

fn is_huge(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// What all containers need together: those that run on, and before them, one after another, those
/// that only start up, beside the sidecars that are running by then.
fn total(spec: &Spec, field: &str) -> Amounts {
    let mut running = Amounts::new();
    for container in container::of(spec, "containers") {
        add(&mut running, &amounts(container, field));
    }
    let mut sidecars = Amounts::new();
    let mut starting = Amounts::new();
    for container in container::of(spec, "initContainers") {
        let own = amounts(container, field);
        let mut then = sidecars.clone();
        add(&mut then, &own);
        if text(container, &["restartPolicy"]) == "Always" {
            add(&mut running, &own);
            sidecars = then.clone();
        }
        most(&mut starting, then);
    }
    most(&mut running, starting);
    running
}

fn amounts(container: &Value, field: &str) -> Amounts {
    entries(map(container, &["resources", field]))
        .filter_map(|(name, amount)| Some((name.to_owned(), Quantity::of(amount)?)))
        .collect()
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let entry = sum.entry(name.clone()).or_default();
        *entry = *entry + *amount;
    }
}

fn most(a: &mut Amounts, b: Amounts) {
    for (name, amount) in b {
        let entry = a.entry(name).or_insert(amount);
        *entry = (*entry).max(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::super::expected_pod::same_amounts;
    use super::*;
    use serde_json::json;

    fn check(spec: Value, wanted: Value) {
        let mut spec = spec.as_object().cloned().unwrap();
        default(&mut spec);
        assert!(same_amounts(&Value::Object(spec.clone()), &wanted, false), "{spec:?}");
    }

    #[test]
    fn requests_come_from_limits() {
        check(
            json!({"containers": [{"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}]}),
            json!({"containers": [{"resources": {"limits": {"cpu": "1", "memory": "1Gi"},
                "requests": {"cpu": "500m", "memory": "1Gi"}}}]}),
        );
    }

    #[test]
    fn a_pods_own_requests_come_from_its_containers_then_from_its_limits() {
        check(
            json!({"resources": {"limits": {"cpu": "4", "memory": "4Gi"}},
                "containers": [{"resources": {"requests": {"cpu": "500m"}}}, {"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}]}),
            json!({"resources": {"limits": {"cpu": "4", "memory": "4Gi"}, "requests": {"cpu": "1600m", "memory": "4Gi"}},
                "containers": [{"resources": {"requests": {"cpu": "500m"}}}, {"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}]}),
        );
    }

    #[test]
    fn a_large_init_container_counts_beside_the_sidecars_before_it() {
        check(
            json!({"resources": {"limits": {"cpu": "4"}},
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
                    {"resources": {"requests": {"cpu": "2500m"}}}]}),
            json!({"resources": {"limits": {"cpu": "4"}, "requests": {"cpu": "3500m"}},
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
                    {"resources": {"requests": {"cpu": "2500m"}}}]}),
        );
    }
}
