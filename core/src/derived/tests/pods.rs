//! Pods as templates and admission make them, bindings, evictions, connections.

use serde_json::{Value, json};

use super::world::{Decided, KUBELET, PERSON, SCHEDULER, World, check, object, owner, with};

const DEFAULT_TOLERATIONS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

pub(crate) fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}, "annotations": {"team": "a"}},
        "spec": {
            "containers": [{"name": "app", "image": "app:1", "env": [{"name": "A", "value": "1"}],
                "resources": {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "500m"}}}],
            "restartPolicy": "Always",
        },
    })
}

/// What admission adds to every Pod.
fn admitted(mut pod: Value) -> Value {
    let spec = pod["spec"].as_object_mut().unwrap();
    spec.insert("enableServiceLinks".into(), true.into());
    spec.insert("serviceAccountName".into(), "default".into());
    spec.insert("serviceAccount".into(), "default".into());
    spec.insert("priority".into(), 0.into());
    spec.insert("preemptionPolicy".into(), "PreemptLowerPriority".into());
    for container in spec["containers"].as_array_mut().unwrap() {
        container["resources"]["requests"]["memory"] = "64Mi".into();
        container["volumeMounts"] = json!([{"name": "kube-api-access-bcdfg", "readOnly": true,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
    }
    let volumes = spec.entry("volumes").or_insert_with(|| json!([])).as_array_mut().unwrap();
    volumes.push(json!({"name": "kube-api-access-bcdfg", "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace",
            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}));
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([])).as_array_mut().unwrap();
    for key in DEFAULT_TOLERATIONS {
        if !tolerations.iter().any(|t| t["key"] == key) {
            tolerations
                .push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
    pod
}

pub(crate) fn pod_of(owner_object: &Value, name: &str, template: &Value) -> Value {
    let generate_name = format!("{}-", owner_object["metadata"]["name"].as_str().unwrap());
    let pod = object(
        "v1",
        "Pod",
        name,
        json!({
            "metadata": with(&template["metadata"], json!({"generateName": generate_name, "ownerReferences": owner(owner_object)})),
            "spec": template["spec"], "status": {"phase": "Pending", "qosClass": "Burstable"},
        }),
    );
    admitted(pod)
}

fn replica_set() -> Value {
    object(
        "apps/v1",
        "ReplicaSet",
        "web",
        json!({
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template()}}),
    )
}

fn world() -> World {
    let mut world = World::new();
    world.declare(replica_set());
    world
}

fn pod() -> Value {
    pod_of(&replica_set(), "web-xk7lp", &template())
}

fn created(world: &World) -> impl Fn(&Value) -> Decided + '_ {
    |pod| world.create("@replicaset-controller", pod)
}

#[test]
fn a_pod_is_what_its_template_and_admission_make_of_it() {
    let world = world();
    let rule = check(
        &pod(),
        &[
            ("another image", |o| o["spec"]["containers"][0]["image"] = "evil".into()),
            ("a container more", |o| {
                o["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "evil", "image": "evil"}));
            }),
            ("an init container", |o| o["spec"]["initContainers"] = json!([{"name": "evil", "image": "evil"}])),
            ("an ephemeral container", |o| o["spec"]["ephemeralContainers"] = json!([{"name": "x", "image": "x"}])),
            ("another variable", |o| o["spec"]["containers"][0]["env"][0]["value"] = "2".into()),
            ("a command", |o| o["spec"]["containers"][0]["command"] = json!(["sh"])),
            ("other limits", |o| o["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "2".into()),
            ("other requests", |o| o["spec"]["containers"][0]["resources"]["requests"]["memory"] = "1Mi".into()),
            ("privileges", |o| o["spec"]["containers"][0]["securityContext"] = json!({"privileged": true})),
            ("the host's network", |o| o["spec"]["hostNetwork"] = true.into()),
            ("another account", |o| o["spec"]["serviceAccountName"] = "root".into()),
            ("a host path", |o| {
                o["spec"]["volumes"].as_array_mut().unwrap().push(json!({"name": "h", "hostPath": {"path": "/"}}));
            }),
            ("another token", |o| {
                o["spec"]["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "x".into();
            }),
            ("a toleration more", |o| {
                o["spec"]["tolerations"].as_array_mut().unwrap().push(json!({"operator": "Exists"}));
            }),
            ("another toleration", |o| o["spec"]["tolerations"][0]["tolerationSeconds"] = 1.into()),
            ("a node of its choice", |o| o["spec"]["nodeName"] = "n1".into()),
            ("a node selector", |o| o["spec"]["nodeSelector"] = json!({"disk": "ssd"})),
            ("a scheduling gate", |o| o["spec"]["schedulingGates"] = json!([{"name": "x"}])),
            ("a priority", |o| o["spec"]["priority"] = 1000.into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("another label", |o| o["metadata"]["labels"]["app"] = "y".into()),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"])),
            ("a name of its own", |o| o["metadata"]["name"] = "web-evil".into()),
            ("another generateName", |o| o["metadata"]["generateName"] = "we".into()),
            ("an address", |o| o["status"]["podIP"] = "10.0.0.9".into()),
            ("pull secrets", |o| o["spec"]["imagePullSecrets"] = json!([{"name": "x"}])),
            ("no owner", |o| o["metadata"]["ownerReferences"] = json!([])),
            ("a mirror's annotation", |o| o["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x".into()),
        ],
        created(&world),
    );
    assert_eq!(rule, "Derived pod.create");
    // Content decides, and nobody else has any business with it.
    assert!(world.create(PERSON, &pod()).is_err());
    assert!(world.there(&pod()).is_ok());
    assert!(world.create("as:@replicaset-controller", &with(&pod(), json!({"spec": {"hostPID": true}}))).is_err());
}

#[test]
fn amounts_and_orders_that_mean_the_same_are_the_same() {
    let mut pod = pod();
    pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "1000m".into();
    pod["spec"]["tolerations"].as_array_mut().unwrap().reverse();
    assert!(world().create("@replicaset-controller", &pod).is_ok());
}

#[test]
fn a_refusal_says_no_value() {
    let mut pod = pod();
    pod["spec"]["containers"][0]["env"][0]["value"] = "hunter2".into();
    let reason = world().create(PERSON, &pod).unwrap_err();
    assert!(reason.contains("env[name=A].value") && !reason.contains("hunter2"), "{reason}");
}

#[test]
fn mirror_pods_are_refused_whoever_asks() {
    let pod = object(
        "v1",
        "Pod",
        "static-n1",
        json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}},
        "spec": {"nodeName": "n1"}}),
    );
    assert!(world().create(KUBELET, &pod).is_err());
}

#[test]
fn long_names_are_cut_before_they_are_completed() {
    let name = "w".repeat(70);
    let mut set = replica_set();
    set["metadata"]["name"] = name.as_str().into();
    let mut world = World::new();
    world.declare(set.clone());
    let cut = format!("{}xk7lp", "w".repeat(58));
    assert!(world.create("@replicaset-controller", &pod_of(&set, &cut, &template())).is_ok());
    assert!(world.create("@replicaset-controller", &pod_of(&set, &format!("{name}-xk7lp"), &template())).is_err());
}

#[test]
fn admission_plugins_are_recomputed() {
    let mut world = world();
    world.put(object(
        "v1",
        "LimitRange",
        "limits",
        json!({"spec": {"limits": [{"type": "Container",
        "default": {"ephemeral-storage": "1Gi"}, "defaultRequest": {"ephemeral-storage": "512Mi"}}]}}),
    ));
    let evil = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "evil"},
        "globalDefault": true, "value": 5});
    world.put(evil.clone());
    assert!(
        world.create(PERSON, &with(&pod(), json!({"spec": {"priorityClassName": "evil", "priority": 5}}))).is_err()
    );
    world.remove(&evil);
    world.declare(json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "usual"},
        "globalDefault": true, "value": 10}));
    world.put(object("v1", "ServiceAccount", "default", json!({"imagePullSecrets": [{"name": "registry"}]})));
    let mut pod = pod();
    assert!(world.create(PERSON, &pod).is_err());
    pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"] =
        "LimitRanger plugin set: ephemeral-storage request for container app; ephemeral-storage limit for container app"
            .into();
    pod["spec"]["containers"][0]["resources"]["requests"]["ephemeral-storage"] = "512Mi".into();
    pod["spec"]["containers"][0]["resources"]["limits"]["ephemeral-storage"] = "1Gi".into();
    pod["spec"]["priorityClassName"] = "usual".into();
    pod["spec"]["priority"] = 10.into();
    pod["spec"]["imagePullSecrets"] = json!([{"name": "registry"}]);
    check(
        &pod,
        &[
            ("another note", |o| o["metadata"]["annotations"]["kubernetes.io/limit-ranger"] = "x".into()),
            ("another amount", |o| {
                o["spec"]["containers"][0]["resources"]["limits"]["ephemeral-storage"] = "2Gi".into();
            }),
            ("another class", |o| o["spec"]["priorityClassName"] = "system-node-critical".into()),
            ("another secret", |o| o["spec"]["imagePullSecrets"][0]["name"] = "x".into()),
        ],
        created(&world),
    );
}

#[test]
fn a_runtime_class_and_label_keys_are_merged_in() {
    let spread = json!([{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}}, "matchLabelKeys": ["app"]}]);
    let template =
        with(&template(), json!({"spec": {"runtimeClassName": "kata", "topologySpreadConstraints": spread}}));
    let mut set = replica_set();
    set["spec"]["template"] = template.clone();
    let mut world = World::new();
    world.declare(set.clone());
    world.put(json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata"},
        "overhead": {"podFixed": {"cpu": "10m"}},
        "scheduling": {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "kata", "operator": "Exists"}]}}));
    let mut pod = pod_of(&set, "web-xk7lp", &template);
    pod["spec"]["overhead"] = json!({"cpu": "10m"});
    pod["spec"]["nodeSelector"] = json!({"disk": "ssd"});
    pod["spec"]["tolerations"].as_array_mut().unwrap().push(json!({"key": "kata", "operator": "Exists"}));
    pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchExpressions"] =
        json!([{"key": "app", "operator": "In", "values": ["web"]}]);
    check(
        &pod,
        &[
            ("no overhead", |o| o["spec"]["overhead"] = json!({})),
            ("another node", |o| o["spec"]["nodeSelector"]["disk"] = "hdd".into()),
            ("another class", |o| o["spec"]["runtimeClassName"] = "runc".into()),
            ("another selector", |o| {
                o["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchExpressions"][0]["values"] =
                    json!(["db"]);
            }),
        ],
        created(&world),
    );
}

#[test]
fn a_living_pod_is_bound_and_labelled_by_its_node() {
    let mut world = world();
    let bound = with(
        &pod(),
        json!({"metadata": {"labels": {"topology.kubernetes.io/zone": "z1"}},
        "spec": {"nodeName": "n1"}, "status": {"podIP": "10.0.0.1"}}),
    );
    assert_eq!(world.there(&bound).unwrap(), "Derived pod.create");
    assert!(world.create(PERSON, &bound).is_err());
    assert!(world.there(&with(&bound, json!({"spec": {"hostPID": true}}))).is_err());
    // What was in force at its creation may have changed since.
    world.put(object("v1", "ServiceAccount", "default", json!({"imagePullSecrets": [{"name": "registry"}]})));
    world.put(object(
        "v1",
        "LimitRange",
        "limits",
        json!({"spec": {"limits": [{"type": "Container",
        "default": {"ephemeral-storage": "1Gi"}}]}}),
    ));
    assert!(world.there(&bound).is_ok());
}

#[test]
fn a_chain_of_owners_is_followed_to_git() {
    let deployment = object(
        "apps/v1",
        "Deployment",
        "web",
        json!({"spec": {"replicas": 1,
        "selector": {"matchLabels": {"app": "web"}}, "template": template()}}),
    );
    let labels = json!({"app": "web", "pod-template-hash": "5597669dc4"});
    let labelled = with(&template(), json!({"metadata": {"labels": labels}}));
    let set = object(
        "apps/v1",
        "ReplicaSet",
        "web-5597669dc4",
        json!({
        "metadata": {"labels": labels, "ownerReferences": owner(&deployment)},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": labelled}}),
    );
    let pod = pod_of(&set, "web-5597669dc4-xk7lp", &labelled);
    let mut world = World::new();
    world.put(set.clone());
    world.put(deployment.clone());
    assert!(world.create("@replicaset-controller", &pod).is_err(), "the Deployment is not declared");
    world.declare(deployment.clone());
    assert_eq!(world.create("@replicaset-controller", &pod).unwrap(), "Derived pod.create");
    // A rollout takes as long as it takes: the replaced ReplicaSet still replaces its Pods, which
    // then rests on it having come in properly.
    let newer = with(&deployment, json!({"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}));
    world.declare(newer);
    assert_eq!(world.create("@replicaset-controller", &pod).unwrap(), "Derived pod.create (by identity)");
    world.declared_until(deployment, 3600);
    assert_eq!(world.create("@replicaset-controller", &pod).unwrap(), "Derived pod.create");
    // An orphan that only looks like one.
    let orphan = with(&set, json!({"metadata": {"ownerReferences": []}}));
    world.put(orphan.clone());
    assert!(world.create("@replicaset-controller", &pod).is_err());
    assert!(world.there(&orphan).is_err());
}

#[test]
fn a_binding_puts_nothing_on_the_pod_but_its_node() {
    let mut world = world();
    world.put(pod());
    let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web-xk7lp",
        "labels": {"topology.kubernetes.io/zone": "z1"}}, "target": {"kind": "Node", "name": "n1"}});
    let rule = check(
        &binding,
        &[
            ("an annotation", |o| o["metadata"]["annotations"] = json!({"x": "y"})),
            ("a label", |o| o["metadata"]["labels"] = json!({"app": "x"})),
            ("another zone", |o| o["metadata"]["labels"]["topology.kubernetes.io/zone"] = "z2".into()),
            ("a node that is not there", |o| o["target"]["name"] = "n9".into()),
            ("no node", |o| o["target"]["kind"] = "Pod".into()),
        ],
        |o| world.post(SCHEDULER, &pod(), "binding", o),
    );
    assert_eq!(rule, "Derived pod.bind (by identity)");
    assert!(world.post(PERSON, &pod(), "binding", &binding).is_err());
    world.put(with(&pod(), json!({"spec": {"nodeSelector": {"disk": "hdd"}}})));
    assert!(world.post(SCHEDULER, &pod(), "binding", &binding).is_err());
}

#[test]
fn pods_that_are_replaced_may_be_evicted() {
    let mut world = world();
    world.put(pod());
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-xk7lp"}});
    let rule = check(
        &eviction,
        &[
            ("another name", |o| o["metadata"]["name"] = "x".into()),
            ("an annotation", |o| o["metadata"]["annotations"] = json!({"x": "y"})),
        ],
        |o| world.post(PERSON, &pod(), "eviction", o),
    );
    assert_eq!(rule, "Derived pod.evict");
    world.put(with(&pod(), json!({"metadata": {"ownerReferences": []}})));
    assert!(world.post(PERSON, &pod(), "eviction", &eviction).is_err());
}

#[test]
fn nobody_goes_around_git_into_a_pod() {
    let world = world();
    for subresource in ["exec", "attach", "portforward", "proxy"] {
        assert!(world.connect(PERSON, &pod(), subresource).is_err(), "{subresource}");
    }
    for subresource in ["ephemeralcontainers", "resize"] {
        assert!(world.change("@job-controller", &pod(), subresource, &pod(), &pod()).is_err(), "{subresource}");
    }
    let changed = with(&pod(), json!({"spec": {"activeDeadlineSeconds": 1}}));
    assert!(world.update("@replicaset-controller", &pod(), &changed).is_err());
}
