//! Orphans that controllers adopt, and owners that Git lets others make.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::is_adoptable;
use super::pods::{pod_of, template};
use super::world::{PERSON, World, object, owner, with};
use crate::config::{Configuration, Exemption};
use crate::object::ObjectKey;

const HASH: &str = "5597669dc4";

fn deployment() -> Value {
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template()});
    object("apps/v1", "Deployment", "web", json!({"spec": spec}))
}

fn hashed() -> Value {
    with(&template(), json!({"metadata": {"labels": {"pod-template-hash": HASH}}}))
}

fn replica_set() -> Value {
    let labels = json!({"app": "web", "pod-template-hash": HASH});
    object(
        "apps/v1",
        "ReplicaSet",
        &format!("web-{HASH}"),
        json!({
            "metadata": {"labels": labels, "ownerReferences": owner(&deployment())},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": hashed()},
        }),
    )
}

fn orphan() -> Value {
    let mut pod = pod_of(&replica_set(), &format!("web-{HASH}-xk7lp"), &hashed());
    pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    pod
}

fn adoptable(world: &World, object: &Value) -> bool {
    world.asks(|context| is_adoptable(&ObjectKey::of(object).unwrap(), object, context))
}

#[test]
fn an_orphan_is_adoptable_only_if_it_is_what_its_next_owner_makes() {
    let mut with_set = World::new();
    with_set.declare(deployment());
    // The next ReplicaSet has yet to come.
    let mut without = World::new();
    without.declare(deployment());
    with_set.put(replica_set());
    for world in [&with_set, &without] {
        assert!(adoptable(world, &orphan()));
        assert!(world.there(&orphan()).is_err(), "it is explained before it is adopted");
        assert!(world.create("@replicaset-controller", &orphan()).is_err(), "nobody makes orphans");
        let forgeries = [
            json!({"spec": {"containers": [{"name": "app", "image": "evil"}]}}),
            json!({"spec": {"hostNetwork": true}}),
            json!({"metadata": {"labels": {"app": "other"}}}),
            json!({"metadata": {"labels": {"more": "x"}}}),
            json!({"metadata": {"labels": {"pod-template-hash": "other"}}}),
            json!({"metadata": {"annotations": {"more": "x"}}}),
            json!({"metadata": {"finalizers": ["evil/stay"]}}),
        ];
        for forgery in forgeries {
            assert!(!adoptable(world, &with(&orphan(), forgery.clone())), "{forgery}");
        }
    }
    assert!(!adoptable(&World::new(), &orphan()), "nobody is there to adopt it");
}

#[test]
fn a_replica_set_is_adoptable_by_its_deployment() {
    let mut world = World::new();
    world.declare(deployment());
    let mut orphan = replica_set();
    orphan["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    assert!(adoptable(&world, &orphan));
    assert!(!adoptable(&world, &with(&orphan, json!({"metadata": {"name": "web-other"}}))));
    let other = json!({"spec": {"selector": {"matchLabels": {"app": "other"}}}});
    assert!(!adoptable(&world, &with(&orphan, other)));
}

fn exempt(world: &mut World, fields: &[&str], namespace: &str) {
    let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let exemption = Exemption {
        name: "reruns".into(),
        accounts: strings(&["sre"]),
        kinds: strings(&["Job.batch"]),
        namespaces: strings(&[namespace]),
        fields: strings(fields),
        until: None,
        reason: String::new(),
    };
    let configuration = Configuration { exemptions: vec![exemption], ..Configuration::default() };
    world.snapshot.configuration = Arc::new(configuration);
}

/// A Job that Git does not declare, and its Pod.
fn job_and_pod() -> (Value, Value) {
    let mut template = template();
    template["spec"]["restartPolicy"] = "Never".into();
    let job = object("batch/v1", "Job", "rerun", json!({"spec": {"completions": 1, "template": template}}));
    let mut pod = pod_of(&job, "rerun-xk7lp", &template);
    pod["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    (job, pod)
}

#[test]
fn a_controller_works_on_what_git_lets_others_make() {
    let (job, pod) = job_and_pod();
    let mut world = World::new();
    world.put(job.clone());
    assert!(world.create("@job-controller", &pod).is_err(), "nobody may make that Job");
    exempt(&mut world, &["metadata.labels"], "shop");
    assert!(world.create("@job-controller", &pod).is_err(), "others may change one field alone");
    exempt(&mut world, &[], "elsewhere");
    assert!(world.create("@job-controller", &pod).is_err(), "it is exempted elsewhere");
    exempt(&mut world, &[], "shop");
    assert_eq!(world.create("@job-controller", &pod).unwrap(), "Derived pod.create (by identity)");
    let forged = with(&pod, json!({"spec": {"containers": [{"name": "app", "image": "evil"}]}}));
    assert!(world.create("@job-controller", &forged).is_err(), "the Pod is not the Job's");
    assert!(world.create(PERSON, &job).is_err(), "the rule makes nobody's Job right");
    world.remove(&job);
    assert!(world.create("@job-controller", &pod).is_err(), "the Job is gone");
}
