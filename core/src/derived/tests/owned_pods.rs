//! What each kind of owner adds to its Pods.

use serde_json::{Value, json};

use super::pods::{pod_of, template};
use super::world::{World, check, object, owner, with};

fn stateful_set() -> Value {
    object(
        "apps/v1",
        "StatefulSet",
        "db",
        json!({
            "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "web"}},
                "template": template(), "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]},
            "status": {"currentRevision": "db-5597669dc4", "updateRevision": "db-5597669dc4"},
        }),
    )
}

fn revision(set: &Value, hash: &str, template: &Value) -> Value {
    let name = format!("{}-{hash}", set["metadata"]["name"].as_str().unwrap());
    object(
        "apps/v1",
        "ControllerRevision",
        &name,
        json!({
        "metadata": {"labels": with(&template["metadata"]["labels"], json!({"controller.kubernetes.io/hash": hash})),
            "ownerReferences": owner(set)},
        "data": {"spec": {"template": with(template, json!({"$patch": "replace"}))}}, "revision": 1}),
    )
}

fn stateful_pod(hash: &str, template: &Value) -> Value {
    let mut pod = pod_of(&stateful_set(), "db-1", template);
    pod["metadata"]["labels"] = with(
        &pod["metadata"]["labels"],
        json!({
        "statefulset.kubernetes.io/pod-name": "db-1", "apps.kubernetes.io/pod-index": "1",
        "controller-revision-hash": format!("db-{hash}")}),
    );
    pod["spec"]["hostname"] = "db-1".into();
    pod["spec"]["subdomain"] = "db".into();
    pod["spec"]["volumes"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}));
    pod
}

#[test]
fn a_stateful_pod_follows_a_revision_that_counts() {
    let mut world = World::new();
    world.declare(stateful_set());
    world.put(revision(&stateful_set(), "5597669dc4", &template()));
    let old = with(&template(), json!({"spec": {"restartPolicy": "Never"}}));
    world.put(revision(&stateful_set(), "4444444444", &old));
    let rule = check(
        &stateful_pod("5597669dc4", &template()),
        &[
            ("another image", |o| o["spec"]["containers"][0]["image"] = "evil".into()),
            ("another ordinal", |o| o["metadata"]["name"] = "db-2".into()),
            ("another hostname", |o| o["spec"]["hostname"] = "db-0".into()),
            ("another claim", |o| {
                let volumes = o["spec"]["volumes"].as_array_mut().unwrap();
                volumes.last_mut().unwrap()["persistentVolumeClaim"]["claimName"] = "data-db-0".into();
            }),
            ("no claim", |o| {
                o["spec"]["volumes"].as_array_mut().unwrap().pop();
            }),
            ("another subdomain", |o| o["spec"]["subdomain"] = "x".into()),
            ("a revision that is not there", |o| {
                o["metadata"]["labels"]["controller-revision-hash"] = "db-5555555555".into();
            }),
        ],
        |o| world.create("@statefulset-controller", o),
    );
    assert_eq!(rule, "Derived pod.create");
    let of_old = stateful_pod("4444444444", &old);
    assert!(world.create("@statefulset-controller", &of_old).is_err(), "an old revision");
    // A partition keeps the old revision current for as long as people like.
    world.declare(with(&stateful_set(), json!({"status": {"currentRevision": "db-4444444444"}})));
    assert_eq!(world.create("@statefulset-controller", &of_old).unwrap(), "Derived pod.create (by identity)");
}

#[test]
fn a_daemon_is_pinned_to_one_node() {
    let set = object(
        "apps/v1",
        "DaemonSet",
        "agent",
        json!({
        "metadata": {"annotations": {"deprecated.daemonset.template.generation": "1"}},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template()}}),
    );
    let mut world = World::new();
    world.declare(set.clone());
    let mut pod = pod_of(&set, "agent-xk7lp", &template());
    pod["metadata"]["labels"]["controller-revision-hash"] = "5597669dc4".into();
    pod["metadata"]["labels"]["pod-template-generation"] = "1".into();
    pod["spec"]["tolerations"] = ["not-ready", "unreachable"]
        .iter()
        .map(|k| (k, "NoExecute"))
        .chain(["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"].iter().map(|k| (k, "NoSchedule")))
        .map(|(k, effect)| json!({"key": format!("node.kubernetes.io/{k}"), "operator": "Exists", "effect": effect}))
        .collect();
    pod["spec"]["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}});
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    assert!(pod.pointer(terms).is_some());
    let rule = check(
        &pod,
        &[
            ("another image", |o| o["spec"]["containers"][0]["image"] = "evil".into()),
            ("no affinity", |o| o["spec"]["affinity"] = json!({})),
            ("a node that is not there", |o| term(o)["matchFields"][0]["values"][0] = "n9".into()),
            ("two nodes", |o| term(o)["matchFields"][0]["values"] = json!(["n1", "n2"])),
            ("any node", |o| term(o)["matchFields"][0]["operator"] = "NotIn".into()),
            ("no hash", |o| o["metadata"]["labels"]["controller-revision-hash"] = "!".into()),
            ("a toleration fewer", |o| {
                o["spec"]["tolerations"].as_array_mut().unwrap().pop();
            }),
        ],
        |o| world.create("@daemon-set-controller", o),
    );
    assert_eq!(rule, "Derived pod.create");
}

fn term(pod: &mut Value) -> &mut Value {
    let affinity = &mut pod["spec"]["affinity"]["nodeAffinity"];
    &mut affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]
}

fn job(indexed: bool) -> Value {
    let mode = if indexed { "Indexed" } else { "NonIndexed" };
    object(
        "batch/v1",
        "Job",
        "sum",
        json!({"spec": {"completionMode": mode, "completions": 3, "template": template()}}),
    )
}

#[test]
fn a_jobs_pod_is_tracked_and_knows_its_index() {
    let mut world = World::new();
    world.declare(job(true));
    let mut pod = pod_of(&job(true), "sum-2-xk7lp", &template());
    pod["metadata"]["generateName"] = "sum-2-".into();
    pod["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    for field in ["labels", "annotations"] {
        pod["metadata"][field]["batch.kubernetes.io/job-completion-index"] = "2".into();
    }
    pod["spec"]["hostname"] = "sum-2".into();
    pod["spec"]["containers"][0]["env"].as_array_mut().unwrap().push(json!({"name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"apiVersion": "v1",
            "fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}}}));
    let rule = check(
        &pod,
        &[
            ("an index out of range", |o| {
                o["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] = "3".into()
            }),
            ("another hostname", |o| o["spec"]["hostname"] = "sum-1".into()),
            ("no finalizer", |o| o["metadata"]["finalizers"] = json!([])),
            ("another finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
            ("a count that is not kept", |o| {
                o["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] = "1".into();
            }),
        ],
        |o| world.create("@job-controller", o),
    );
    assert_eq!(rule, "Derived pod.create");
}

#[test]
fn job_tracking_ends_with_the_pod_or_the_job() {
    let tracked = with(
        &pod_of(&job(false), "sum-xk7lp", &template()),
        json!({"metadata": {"finalizers": ["batch.kubernetes.io/job-tracking"]}}),
    );
    let untracked = with(&tracked, json!({"metadata": {"finalizers": []}}));
    let condition = |kind: &str, status: &str| json!({"status": {"conditions": [{"type": kind, "status": status}]}});
    let phase = |phase: &str| json!({"status": {"phase": phase}});
    let cases = [
        (json!({}), phase("Running"), false),
        (json!({}), phase("Succeeded"), true),
        (condition("Complete", "True"), phase("Running"), true),
        (condition("Suspended", "False"), phase("Running"), false),
    ];
    for (of_job, of_pod, recognised) in cases {
        let mut world = World::new();
        world.declare(with(&job(false), of_job.clone()));
        let (old, new) = (with(&tracked, of_pod.clone()), with(&untracked, of_pod));
        assert_eq!(world.update("@job-controller", &old, &new).is_ok(), recognised, "{of_job}");
    }
}

#[test]
fn job_tracking_ends_with_a_pod_that_is_one_too_many() {
    let pod = |name: &str, over: Value| {
        let tracking = json!({"metadata": {"uid": name, "finalizers": ["batch.kubernetes.io/job-tracking"],
            "labels": {"batch.kubernetes.io/job-completion-index": name.rsplit_once('-').unwrap().1}}});
        with(&with(&pod_of(&job(false), name, &template()), tracking), over)
    };
    let spec = |spec: Value| json!({"spec": spec});
    let running = || pod("sum-2", json!({"status": {"phase": "Running"}}));
    let none = || json!({});
    let done = || json!({"status": {"phase": "Succeeded"}});
    let going = || json!({"metadata": {"deletionTimestamp": "2026-05-01T10:00:00Z"}});
    let untracked = || json!({"metadata": {"finalizers": []}});
    // What the Job asks for, the Pods sum-0 and sum-1 beside the one in question.
    let cases = [
        ("as many as asked for", spec(json!({"parallelism": 3, "completions": 3})), none(), none(), false),
        ("suspended", spec(json!({"parallelism": 3, "completions": 3, "suspend": true})), none(), none(), true),
        ("one too many", spec(json!({"parallelism": 2, "completions": 3})), none(), none(), true),
        ("one that has ended", spec(json!({"parallelism": 2, "completions": 3})), done(), none(), false),
        ("one that ends", spec(json!({"parallelism": 2, "completions": 3})), going(), none(), false),
        ("one let go already", spec(json!({"parallelism": 2, "completions": 3})), untracked(), none(), false),
        ("enough have ended", spec(json!({"parallelism": 3, "completions": 2})), done(), done(), true),
        ("one of a work queue", spec(json!({"parallelism": 2, "completions": null})), none(), none(), true),
        ("the rest of a work queue", spec(json!({"parallelism": 2, "completions": null})), done(), none(), false),
        (
            "an index out of range",
            spec(json!({"parallelism": 3, "completions": 2, "completionMode": "Indexed"})),
            going(),
            going(),
            true,
        ),
        (
            "an index of its own",
            spec(json!({"parallelism": 3, "completions": 3, "completionMode": "Indexed"})),
            none(),
            none(),
            false,
        ),
    ];
    for (what, asked, first, second, lets_go) in cases {
        let mut world = World::new();
        world.declare(with(&job(false), asked));
        world.put(pod("sum-0", first));
        world.put(pod("sum-1", second));
        world.put(running());
        let decided = world.update("@job-controller", &running(), &with(&running(), untracked()));
        assert_eq!(decided.is_ok(), lets_go, "{what}: {decided:?}");
    }
}
