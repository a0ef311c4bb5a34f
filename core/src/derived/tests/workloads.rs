//! ReplicaSets, ControllerRevisions, Jobs, scale.

use serde_json::{Value, json};

use super::world::{PERSON, World, check, object, owner, with};

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn deployment() -> Value {
    object(
        "apps/v1",
        "Deployment",
        "web",
        json!({
            "metadata": {"annotations": {"team": "a", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
            "spec": {"replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": template("app:1"),
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}},
        }),
    )
}

fn replica_set(hash: &str, image: &str, replicas: i64) -> Value {
    let labels = json!({"app": "web", "pod-template-hash": hash});
    object(
        "apps/v1",
        "ReplicaSet",
        &format!("web-{hash}"),
        json!({
            "metadata": {"labels": labels, "ownerReferences": owner(&deployment()), "annotations": {
                "team": "a", "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": "4", "deployment.kubernetes.io/max-replicas": "5"}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                "template": with(&template(image), json!({"metadata": {"labels": labels}}))},
        }),
    )
}

fn world() -> World {
    let mut world = World::new();
    world.declare(deployment());
    world
}

#[test]
fn a_replica_set_follows_its_deployment() {
    let world = world();
    let rule = check(
        &replica_set("5597669dc4", "app:1", 4),
        &[
            ("another image", |o| o["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into()),
            ("an added container", |o| {
                let containers = o["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
                containers.push(json!({"name": "evil", "image": "evil"}));
            }),
            ("an annotation on the template", |o| {
                o["spec"]["template"]["metadata"]["annotations"] = json!({"sidecar": "on"});
            }),
            ("more replicas than the surge allows", |o| o["spec"]["replicas"] = 6.into()),
            ("another name", |o| o["metadata"]["name"] = "web-other".into()),
            ("no hash", |o| o["metadata"]["labels"]["pod-template-hash"] = "aeiou".into()),
            ("another hash in the selector", |o| {
                o["spec"]["selector"]["matchLabels"]["pod-template-hash"] = "5597669dc5".into();
            }),
            ("a wider selector", |o| o["spec"]["selector"]["matchLabels"] = json!({"pod-template-hash": "5597669dc4"})),
            ("another label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation of its own", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("a skipped annotation", |o| {
                o["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}".into();
            }),
            ("a wrong count", |o| {
                o["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] = "9".into();
            }),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
            ("no owner", |o| o["metadata"]["ownerReferences"] = json!([])),
            ("two owners", |o| {
                let owners = o["metadata"]["ownerReferences"].as_array_mut().unwrap();
                owners.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}));
            }),
            ("an owner of another uid", |o| o["metadata"]["ownerReferences"][0]["uid"] = "old".into()),
            ("an owner that is not its controller", |o| {
                o["metadata"]["ownerReferences"][0]["controller"] = false.into()
            }),
            ("an owner that does not wait", |o| {
                o["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = false.into();
            }),
            ("an owner of another kind", |o| o["metadata"]["ownerReferences"][0]["kind"] = "StatefulSet".into()),
            ("other minReadySeconds", |o| o["spec"]["minReadySeconds"] = 5.into()),
        ],
        |o| world.create("@deployment-controller", o),
    );
    assert_eq!(rule, "Derived replica-set.create");
}

#[test]
fn a_replica_set_of_an_undeclared_deployment_is_refused() {
    let mut world = World::new();
    world.put(deployment());
    assert!(world.create("@deployment-controller", &replica_set("5597669dc4", "app:1", 4)).is_err());
}

#[test]
fn former_templates_count_for_a_while_only() {
    let before = with(&deployment(), json!({"spec": {"template": template("app:0")}}));
    let set = replica_set("5597669dc5", "app:0", 1);
    for (age, recognised) in [(10, true), (31, false)] {
        let mut world = world();
        world.declared_until(before.clone(), age);
        assert_eq!(world.create("@deployment-controller", &set).is_ok(), recognised, "{age} s");
        // What was made then may still be there.
        assert_eq!(world.there(&set).unwrap(), "Derived replica-set.create");
    }
}

#[test]
fn controllers_work_on_what_git_stopped_declaring_until_it_goes() {
    let set = replica_set("5597669dc5", "app:1", 1);
    let mut world = world();
    world.undeclare(&deployment());
    assert!(world.create("@deployment-controller", &set).is_err(), "Git never declared it");
    world.declared_until(deployment(), 3600);
    assert!(world.create("@deployment-controller", &set).is_ok());
    world.put(with(&deployment(), json!({"metadata": {"uid": "made-anew"}})));
    assert!(world.create("@deployment-controller", &set).is_err(), "another of that name");
    world.put(with(&deployment(), json!({"spec": {"template": template("evil")}})));
    assert!(world.create("@deployment-controller", &replica_set("5597669dc5", "evil", 1)).is_err(), "edited since");
}

#[test]
fn a_replica_set_whose_template_exists_already_is_refused() {
    let mut world = world();
    world.put(replica_set("5597669dc4", "app:1", 1));
    assert!(world.create("@deployment-controller", &replica_set("5597669dc5", "app:1", 1)).is_err());
}

#[test]
fn all_replica_sets_together_stay_within_the_surge() {
    let mut world = world();
    let old = replica_set("5597669dc5", "app:0", 4);
    world.put(old.clone());
    assert!(world.create("@deployment-controller", &replica_set("5597669dc4", "app:1", 1)).is_ok());
    assert!(world.create("@deployment-controller", &replica_set("5597669dc4", "app:1", 2)).is_err());
    let new = replica_set("5597669dc4", "app:1", 1);
    world.put(new.clone());
    let size = |set: &Value, replicas: i64| with(set, json!({"spec": {"replicas": replicas}}));
    let cases = [
        ("@deployment-controller", &new, 2, false),
        (PERSON, &old, 3, false),
        ("@deployment-controller", &old, 3, true),
        ("as:@deployment-controller", &old, 3, false),
        ("system:kube-controller-manager", &old, 3, true),
    ];
    for (who, set, replicas, recognised) in cases {
        assert_eq!(world.update(who, set, &size(set, replicas)).is_ok(), recognised, "{who} to {replicas}");
    }
    world.put(size(&old, 0));
    assert!(world.update(PERSON, &new, &size(&new, 5)).is_err());
    assert_eq!(world.update("@deployment-controller", &new, &size(&new, 5)).unwrap(), "Derived replica-set.scale");
    // An old revision does not grow from nothing.
    world.put(size(&new, 0));
    assert!(world.update("@deployment-controller", &size(&old, 0), &size(&old, 1)).is_err());
    assert!(world.update("@deployment-controller", &size(&old, 1), &size(&old, 2)).is_ok());
}

#[test]
fn the_template_of_a_replica_set_never_changes() {
    let world = world();
    let set = replica_set("5597669dc4", "app:1", 4);
    let rule = check(
        &with(&set, json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3"}}})),
        &[
            ("another image", |o| o["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation that is not the Deployment's", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("no annotation", |o| {
                o["metadata"]["annotations"].as_object_mut().unwrap().remove("team");
            }),
            ("a selector", |o| o["spec"]["selector"] = json!({"matchLabels": {}})),
        ],
        |o| world.update("@deployment-controller", &set, o),
    );
    assert_eq!(rule, "Derived replica-set.update (by identity)");
}

/// A planted finalizer would keep a controller's object for good: it shows, and anyone may take it off.
#[test]
fn a_strangers_finalizer_shows_on_what_a_controller_made() {
    let world = world();
    let set = replica_set("5597669dc4", "app:1", 4);
    let kept = with(&set, json!({"metadata": {"finalizers": ["evil.example.org/x"]}}));
    assert!(world.there(&set).is_ok());
    assert!(world.there(&kept).is_err());
    assert!(world.update(PERSON, &set, &kept).is_err());
    assert!(world.update(PERSON, &kept, &set).is_ok());
    let key = crate::object::ObjectKey::of(&kept).unwrap();
    let without = crate::derived::without_strange_finalizers(&key, &kept).unwrap();
    assert!(without["metadata"]["finalizers"].as_array().unwrap().is_empty());
    assert_eq!(crate::derived::without_strange_finalizers(&key, &set), None);
}

/// Which template a rollback goes back to is the controller's to count.
#[test]
fn a_revision_number_is_the_controllers() {
    let world = world();
    let set = replica_set("5597669dc4", "app:1", 4);
    let counted = with(&set, json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "77"}}}));
    assert!(world.update(PERSON, &set, &counted).is_err());
    assert!(world.update("@deployment-controller", &set, &counted).is_ok());
}

/// History lies before what is there now: the API server sets the time, and nobody can forge it.
#[test]
fn a_strange_template_without_replicas_is_history_only_if_it_is_older() {
    let made = |o: Value, at: &str| with(&o, json!({"metadata": {"creationTimestamp": at}}));
    let mut world = world();
    let old = |replicas, at| made(replica_set("5597669dc5", "evil", replicas), at);
    // With nothing to compare with, it may be what a rollout begins with.
    assert!(world.there(&old(0, "2026-01-01T00:00:09Z")).is_ok());
    world.put(made(replica_set("5597669dc4", "app:1", 4), "2026-01-01T00:00:05Z"));
    assert!(world.there(&old(0, "2026-01-01T00:00:01Z")).is_ok());
    assert!(world.there(&old(2, "2026-01-01T00:00:09Z")).is_ok(), "a rollback through Git may be under way");
    let forged = old(0, "2026-01-01T00:00:09Z");
    assert!(world.there(&forged).is_err());
    world.snapshot.commit.time = "2026-01-01T00:00:10Z".parse().unwrap();
    assert!(world.there(&forged).is_ok(), "what a rollback through Git left");
    world.snapshot.commit.time = "2026-01-01T00:00:08Z".parse().unwrap();
    assert!(world.there(&forged).is_err());
    world.declared_until(with(&deployment(), json!({"spec": {"template": template("evil")}})), 999);
    assert!(world.there(&forged).is_ok(), "Git remembers it");
}

fn stateful_set() -> Value {
    object(
        "apps/v1",
        "StatefulSet",
        "db",
        json!({
            "metadata": {"annotations": {"team": "a"}},
            "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "web"}},
                "template": template("app:1")},
        }),
    )
}

#[test]
fn a_revision_keeps_its_owners_template_and_nothing_else() {
    let mut world = World::new();
    world.declare(stateful_set());
    let revision = object(
        "apps/v1",
        "ControllerRevision",
        "db-5597669dc4",
        json!({
            "metadata": {"labels": {"app": "web", "controller.kubernetes.io/hash": "5597669dc4"},
                "ownerReferences": owner(&stateful_set()), "annotations": {"team": "a"}},
            "data": {"spec": {"template": with(&template("app:1"), json!({"$patch": "replace"}))}},
            "revision": 1,
        }),
    );
    let rule = check(
        &revision,
        &[
            ("another image", |o| o["data"]["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into()),
            ("more of the spec", |o| o["data"]["spec"]["replicas"] = 9.into()),
            ("more data", |o| o["data"]["metadata"] = json!({"labels": {"x": "y"}})),
            ("another directive", |o| o["data"]["spec"]["template"]["$patch"] = "merge".into()),
            ("another name", |o| o["metadata"]["name"] = "db-x".into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("no owner", |o| o["metadata"]["ownerReferences"] = json!([])),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
        ],
        |o| world.create("@statefulset-controller", o),
    );
    assert_eq!(rule, "Derived revision.create");
    let at = |o: &Value, at: &str| with(o, json!({"metadata": {"creationTimestamp": at}}));
    let forged = with(
        &revision,
        json!({"metadata": {"name": "db-666666", "labels": {"controller.kubernetes.io/hash": "666666"}},
        "data": {"spec": {"template": {"spec": {"hostNetwork": true}}}}}),
    );
    assert!(world.there(&at(&forged, "2026-01-01T00:00:09Z")).is_ok(), "nothing to compare with");
    let mut later = World::new();
    later.declare(stateful_set());
    later.put(at(&revision, "2026-01-01T00:00:05Z"));
    assert!(later.there(&at(&forged, "2026-01-01T00:00:09Z")).is_err());
    assert!(later.there(&at(&forged, "2026-01-01T00:00:01Z")).is_ok(), "history");
    later.snapshot.commit.time = "2026-01-01T00:00:10Z".parse().unwrap();
    assert!(later.there(&at(&forged, "2026-01-01T00:00:09Z")).is_ok(), "what a rollback through Git left");
    let newer = with(&revision, json!({"revision": 2}));
    assert!(world.update("@statefulset-controller", &revision, &newer).is_ok());
    assert!(world.update(PERSON, &revision, &newer).is_err());
}

fn cron_job() -> Value {
    object(
        "batch/v1",
        "CronJob",
        "tick",
        json!({
            "metadata": {"creationTimestamp": "2026-05-01T08:00:07Z"},
            "spec": {"schedule": "*/5 * * * *", "concurrencyPolicy": "Allow", "jobTemplate": {
                "metadata": {"annotations": {"team": "a"}},
                "spec": {"template": {"metadata": {"labels": {"app": "tick"}},
                    "spec": {"containers": [{"name": "app", "image": "tick:1"}], "restartPolicy": "Never"}}}}},
            "status": {"lastScheduleTime": "2026-05-01T09:55:00Z"},
        }),
    )
}

fn job() -> Value {
    // 2026-05-01T10:00:00Z is minute 29627160.
    let generated = json!({"app": "tick", "batch.kubernetes.io/controller-uid": "job-uid", "controller-uid": "job-uid",
        "batch.kubernetes.io/job-name": "tick-29627160", "job-name": "tick-29627160"});
    object(
        "batch/v1",
        "Job",
        "tick-29627160",
        json!({
            "metadata": {"uid": "job-uid", "labels": generated, "ownerReferences": owner(&cron_job()), "annotations": {
                "team": "a", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-05-01T10:00:00Z"}},
            "spec": {"parallelism": 1, "completions": 1, "backoffLimit": 6, "completionMode": "NonIndexed",
                "suspend": false, "podReplacementPolicy": "TerminatingOrFailed", "manualSelector": false,
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "job-uid"}},
                "template": {"metadata": {"labels": generated},
                    "spec": {"containers": [{"name": "app", "image": "tick:1"}], "restartPolicy": "Never"}}},
        }),
    )
}

#[test]
fn a_job_follows_its_cron_job_and_its_schedule() {
    let mut world = World::new();
    world.declare(cron_job());
    let rule = check(
        &job(),
        &[
            ("another image", |o| o["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into()),
            ("more Pods", |o| o["spec"]["parallelism"] = 50.into()),
            ("a foreign selector", |o| o["spec"]["selector"]["matchLabels"] = json!({"app": "web"})),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("a forged generated label", |o| o["metadata"]["labels"]["job-name"] = "other".into()),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("another name", |o| o["metadata"]["name"] = "tick-1".into()),
            ("a time off the schedule", |o| {
                o["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] =
                    "2026-05-01T10:00:01Z".into();
            }),
            ("a time to come", |o| schedule(o, "2026-05-01T10:05:00Z", 29_627_165)),
            ("a time long past", |o| schedule(o, "2026-05-01T09:50:00Z", 29_627_150)),
            ("no time", |o| {
                o["metadata"]["annotations"].as_object_mut().unwrap().clear();
            }),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
        ],
        |o| world.create("@cronjob-controller", o),
    );
    assert_eq!(rule, "Derived job.create");
    world.declare(with(&cron_job(), json!({"spec": {"suspend": true}})));
    assert!(world.create("@cronjob-controller", &job()).is_err());
    assert!(world.there(&job()).is_ok());
}

#[test]
fn a_job_of_a_former_template_runs_to_its_end() {
    let mut of_before = job();
    of_before["spec"]["template"]["spec"]["containers"][0]["image"] = "tick:0".into();
    let there = |made: &str| with(&of_before, json!({"metadata": {"creationTimestamp": made}}));
    let mut before = cron_job();
    before["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] = "tick:0".into();
    for (age, is_made) in [(10, true), (31, false)] {
        let mut world = World::new();
        world.declare(cron_job());
        let while_it_held = there("2026-05-01T09:59:00Z");
        assert!(world.there(&while_it_held).is_err(), "Git never said so");
        world.declared_until(before.clone(), age);
        assert_eq!(world.create("@cronjob-controller", &of_before).is_ok(), is_made, "{age} s");
        assert_eq!(world.there(&while_it_held).unwrap(), "Derived job.create");
        assert!(world.there(&job()).is_ok());
        assert_eq!(world.there(&there("2026-05-01T10:00:30Z")).is_ok(), is_made, "made when it held no more");
        assert!(world.there(&of_before).is_err(), "nobody says when it was made");
    }
}

fn schedule(job: &mut Value, time: &str, minute: i64) {
    let name = format!("tick-{minute}");
    job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] = time.into();
    job["metadata"]["name"] = name.as_str().into();
    for label in ["job-name", "batch.kubernetes.io/job-name"] {
        job["metadata"]["labels"][label] = name.as_str().into();
        job["spec"]["template"]["metadata"]["labels"][label] = name.as_str().into();
    }
}

#[test]
fn scale_stays_within_a_declared_autoscaler() {
    let mut world = world();
    let scaler = object(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "web",
        json!({"spec": {
        "minReplicas": 2, "maxReplicas": 6,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}),
    );
    let scale = |n: i64| object("autoscaling/v1", "Scale", "web", json!({"spec": {"replicas": n}}));
    let to =
        |world: &World, n| world.change("@horizontal-pod-autoscaler", &deployment(), "scale", &scale(4), &scale(n));
    world.put(scaler.clone());
    assert!(to(&world, 5).is_err(), "an autoscaler that Git does not declare");
    world.declare(scaler);
    for (replicas, recognised) in [(0, false), (1, false), (2, true), (6, true), (7, false)] {
        assert_eq!(to(&world, replicas).is_ok(), recognised, "{replicas}");
    }
    let labelled = with(&scale(5), json!({"metadata": {"labels": {"x": "y"}}}));
    assert!(world.change("@horizontal-pod-autoscaler", &deployment(), "scale", &scale(4), &labelled).is_err());
    // The same in the object itself, as the reconciler carries it.
    let scaled = with(&deployment(), json!({"spec": {"replicas": 5}}));
    assert_eq!(world.changes("gitward", &deployment(), &scaled).unwrap(), "Derived scale.hpa");
}
