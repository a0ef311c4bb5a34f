//! What is not asked about is let through by the rules, whoever tries.

use kube_cel::cel::{Context, Program, Value as Cel, to_value};
use serde_json::{Value, json};

use super::super::unasked::asked;
use super::world::{
    API_SERVER, CONTROLLER_MANAGER, Decided, KUBELET, PERSON, SCHEDULER, World, object, owner, review, with,
};

/// Whether the API server asks about a request, given as in a review.
fn is_asked(request: &Value) -> bool {
    let mut context = Context::default();
    for (name, value) in [("request", request), ("object", &request["object"]), ("oldObject", &request["oldObject"])] {
        context.add_variable_from_value(name, to_value(value).unwrap());
    }
    asked().iter().all(|(name, expression)| {
        let result = Program::compile(expression).unwrap().execute(&context);
        match result {
            Ok(Cel::Bool(holds)) => holds,
            other => panic!("{name}: {other:?} of {request}"),
        }
    })
}

const EVERYBODY: [&str; 13] = [
    PERSON,
    KUBELET,
    "system:node:n2",
    "kwok",
    SCHEDULER,
    CONTROLLER_MANAGER,
    API_SERVER,
    "@deployment-controller",
    "as:@deployment-controller",
    "@namespace-controller",
    "@persistent-volume-binder",
    "@job-controller",
    "as:@job-controller",
];

/// What a write through the status may try besides, on any kind.
fn tries() -> Vec<Value> {
    let nothing = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}]);
    vec![
        json!({"spec": {"replicas": 9}}),
        json!({"spec": null}),
        json!({"data": {"x": "y"}}),
        json!({"metadata": {"labels": {"x": "y"}}}),
        json!({"metadata": {"labels": {"app": "other"}}}),
        json!({"metadata": {"annotations": {"x": "y"}}}),
        json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "2"}}}),
        json!({"metadata": {"finalizers": ["x/y"]}}),
        json!({"metadata": {"finalizers": ["foregroundDeletion"]}}),
        json!({"metadata": {"ownerReferences": nothing}}),
        json!({"metadata": {"ownerReferences": null}}),
    ]
}

fn things() -> Vec<Value> {
    let parent = object(
        "apps/v1",
        "Deployment",
        "web",
        json!({"metadata": {"labels": {"app": "web"}},
        "spec": {"replicas": 2}, "status": {"replicas": 1}}),
    );
    let pod = |name: &str, node: Option<&str>| {
        object(
            "v1",
            "Pod",
            name,
            json!({"metadata": {"labels": {"app": "web"}, "ownerReferences": owner(&parent)},
            "spec": node.map_or(json!({}), |n| json!({"nodeName": n})), "status": {"phase": "Pending"}}),
        )
    };
    vec![
        parent.clone(),
        pod("bound", Some("n1")),
        pod("unbound", None),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": {}, "status": {"a": 1}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        object("v1", "PersistentVolumeClaim", "data", json!({"spec": {"x": 1}})),
        object("batch/v1", "Job", "sum", json!({"spec": {"x": 1}, "status": {"active": 1}})),
        object("policy/v1", "PodDisruptionBudget", "web", json!({"spec": {"minAvailable": 1}})),
        object("v1", "Secret", "token", json!({"data": {"a": "b"}})),
        object("networking.k8s.io/v1", "Ingress", "web", json!({"spec": {"x": 1}})),
        object("example.com/v1", "Deployment", "web", json!({"spec": {"x": 1}})),
    ]
}

fn status_of(object: &Value) -> Value {
    with(object, json!({"metadata": {"resourceVersion": "2"}, "status": {"observed": 2}}))
}

/// Each request that is not asked about, with what the rules say.
fn unasked(world: &World) -> Vec<(String, Decided)> {
    let mut found = Vec::new();
    for old in things() {
        let mut news = vec![status_of(&old)];
        news.extend(tries().into_iter().map(|t| with(&status_of(&old), t)));
        let going = with(&old, json!({"metadata": {"deletionTimestamp": "2026-05-01T10:00:00Z"}}));
        for who in EVERYBODY {
            for new in &news {
                for subresource in ["status", "scale", ""] {
                    if !is_asked(&review(who, "UPDATE", subresource, Some(new), Some(&old))) {
                        assert_eq!(subresource, "status");
                        found.push((format!("{who}: {old} to {new}"), world.status(who, &old, new)));
                    }
                }
            }
            for old in [&old, &going] {
                if !is_asked(&review(who, "DELETE", "", None, Some(old))) {
                    found.push((format!("{who} deletes {old}"), world.delete(who, old)));
                }
            }
        }
    }
    found
}

#[test]
fn what_is_not_asked_about_is_let_through() {
    let mut world = World::new();
    for thing in things() {
        world.declare(thing);
    }
    let found = unasked(&world);
    for (what, decided) in &found {
        assert!(decided.is_ok(), "{what}: {decided:?}");
    }
    let deletions = found.iter().filter(|(what, _)| what.contains(" deletes ")).count();
    assert_eq!(deletions, things().len() * EVERYBODY.len());
    assert!(found.len() > deletions + 10, "{} statuses", found.len() - deletions);
}

#[test]
fn what_makes_no_difference_need_not_be_asked() {
    let deployment = &things()[0];
    let asked = |who: &str, new: &Value| is_asked(&review(who, "UPDATE", "status", Some(new), Some(deployment)));
    assert!(!asked("@deployment-controller", &status_of(deployment)));
    assert!(!asked(CONTROLLER_MANAGER, &status_of(deployment)));
    for who in ["as:@deployment-controller", "@job-controller", PERSON, API_SERVER, KUBELET] {
        assert!(asked(who, &status_of(deployment)), "{who}");
    }
    for tried in tries() {
        assert!(asked("@deployment-controller", &with(&status_of(deployment), tried.clone())), "{tried}");
    }
}

#[test]
fn a_kubelet_is_asked_about_the_pods_of_others() {
    let [_, bound, unbound, ..] = &things()[..] else { unreachable!() };
    let asked = |who: &str, pod: &Value| is_asked(&review(who, "UPDATE", "status", Some(&status_of(pod)), Some(pod)));
    assert!(!asked(KUBELET, bound));
    assert!(asked("system:node:n2", bound) && asked(KUBELET, unbound) && asked("kwok", bound));
}

#[test]
fn reviews_without_objects_are_asked_about() {
    for operation in ["CREATE", "UPDATE", "DELETE", "CONNECT"] {
        for subresource in ["", "status"] {
            assert!(is_asked(&review("@job-controller", operation, subresource, None, None)), "{operation}");
        }
    }
}
