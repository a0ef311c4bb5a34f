use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::config::parse;
use crate::derived::tests::world::{Forgery, World, check, object, owner, with};
use crate::request::User;
use crate::trace::{Judged, judge as judge_request, judge_live};

mod bounds;
mod injector;
mod policies;
mod ready_made;

const OPERATOR: &str = "system:serviceaccount:shop:operator";

const CONFIGURATION: &str = r#"apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: prod, ref: refs/heads/main, namespaces: [shop]}
delegations:
- name: monitoring
  accounts: ["system:serviceaccount:shop:operator"]
  reason: makes what a Prometheus asks for
  makes:
  - kinds: [StatefulSet.apps]
    owners: [{kind: Prometheus.monitoring.example.org}]
    images: ["registry.example.org/prometheus/*"]
    serviceAccounts: [prometheus]
  - kinds: [Secret, ConfigMap, Service]
    names: ["prometheus-*"]
    owners: [{kind: Prometheus.monitoring.example.org}]
  - kinds: [Secret]
    owners: [{kind: Certificate.cert.example.org, annotation: cert.example.org/certificate, nameField: spec.secretName}]
  - kinds: [PersistentVolume, Rollout.example.org, ConfigMap]
    owners: [{kind: Prometheus.monitoring.example.org}]
    images: ["registry.example.org/app:*"]
    podSecurity: baseline
  sets:
  - kinds: [Prometheus.monitoring.example.org]
    fields: [status, 'metadata.annotations["monitoring.example.org/seen"]']
- name: others
  accounts: ["system:serviceaccount:shop:other-operator"]
  reason: makes what a Certificate asks for
  makes:
  - kinds: [ConfigMap]
    owners: [{kind: Certificate.cert.example.org}]
"#;

fn prometheus() -> Value {
    object("monitoring.example.org/v1", "Prometheus", "main", json!({"spec": {"replicas": 1}}))
}

fn certificate() -> Value {
    object("cert.example.org/v1", "Certificate", "web", json!({"spec": {"secretName": "web-tls"}}))
}

fn stateful_set() -> Value {
    object(
        "apps/v1",
        "StatefulSet",
        "prometheus-main",
        json!({"metadata": {"ownerReferences": owner(&prometheus())}, "spec": {
            "template": {"metadata": {"labels": {"app": "prometheus"}}, "spec": {
                "serviceAccountName": "prometheus",
                "initContainers": [{"name": "init", "image": "registry.example.org/prometheus/reloader:1"}],
                "containers": [{"name": "prometheus", "image": "registry.example.org/prometheus/prometheus:3"}],
            }},
        }}),
    )
}

fn secret(name: &str) -> Value {
    object("v1", "Secret", name, json!({"data": {"a": "Yg=="}}))
}

fn world() -> World {
    let mut world = World::new();
    let mut configuration = parse(&"gitward.yaml".into(), CONFIGURATION.as_bytes()).unwrap();
    world.snapshot.environment = configuration.environments.remove(0);
    world.snapshot.configuration = Arc::new(configuration);
    world.declare(prometheus());
    world.declare(certificate());
    world
}

fn user(name: &str, genuine: bool) -> User {
    let uid = if genuine { "uid" } else { "" };
    User { name: name.to_owned(), uid: uid.to_owned(), has_credential_id: genuine, ..User::default() }
}

type Decided = Result<String, String>;

fn decide(
    world: &World,
    user: &User,
    operation: Operation,
    subresource: &str,
    object: Option<&Value>,
    old: Option<&Value>,
) -> Decided {
    let about = object.or(old).unwrap();
    let resource = format!("{}s", about["kind"].as_str().unwrap().to_lowercase());
    let request = Request {
        operation,
        key: ObjectKey::of(about).unwrap(),
        resource: &resource,
        subresource,
        user: user.clone(),
        object,
        old_object: old,
        options: None,
        dry_run: false,
    };
    let verdict = world.asks(|context| judge_request(&request, context));
    match verdict.findings.first() {
        Some(finding) => Err(finding.message.clone()),
        None => Ok(verdict.traced.iter().map(|t| t.origin.to_string()).collect::<Vec<_>>().join(", ")),
    }
}

fn create(world: &World, name: &str, object: &Value) -> Decided {
    decide(world, &user(name, true), Operation::Create, "", Some(object), None)
}

#[test]
fn an_operator_makes_what_its_declared_object_asks_for() {
    let world = world();
    let forgeries: Vec<Forgery<'_>> = vec![
        ("no owner", |o| o["metadata"]["ownerReferences"] = json!([])),
        ("an owner of another uid", |o| o["metadata"]["ownerReferences"][0]["uid"] = "x".into()),
        ("an owner that is not there", |o| o["metadata"]["ownerReferences"][0]["name"] = "other".into()),
        ("an owner of another kind", |o| o["metadata"]["ownerReferences"][0]["kind"] = "Alertmanager".into()),
        ("another image", |o| o["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into()),
        ("another image at first", |o| o["spec"]["template"]["spec"]["initContainers"][0]["image"] = "evil".into()),
        ("a container more", |o| {
            o["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().push(json!({"image": "evil"}))
        }),
        ("an image as a volume", |o| {
            o["spec"]["template"]["spec"]["volumes"] = json!([{"name": "v", "image": {"reference": "evil"}}])
        }),
        ("another service account", |o| o["spec"]["template"]["spec"]["serviceAccountName"] = "admin".into()),
        ("the host's network", |o| o["spec"]["template"]["spec"]["hostNetwork"] = true.into()),
        ("another kind", |o| o["kind"] = "DaemonSet".into()),
    ];
    let rule = check(&stateful_set(), &forgeries, |o| create(&world, OPERATOR, o));
    assert_eq!(rule, "Delegated monitoring gitward.yaml:6:3");
    for who in ["admin", "system:serviceaccount:shop:other"] {
        assert!(create(&world, who, &stateful_set()).is_err(), "{who}");
    }
    let impersonated = decide(&world, &user(OPERATOR, false), Operation::Create, "", Some(&stateful_set()), None);
    assert!(impersonated.is_err());
}

#[test]
fn the_denial_says_which_bound_was_passed() {
    let mut evil = stateful_set();
    evil["spec"]["template"]["spec"]["containers"][0]["image"] = "evil".into();
    let told = create(&world(), OPERATOR, &evil).unwrap_err();
    let wanted = "spec.template.spec.containers[0].image is \"evil\", which is none of the images allowed, as the delegation monitoring demands (gitward.yaml:6:3)";
    assert!(told.contains(wanted), "{told}");
}

#[test]
fn what_an_operator_made_is_its_own_to_change_and_to_remove() {
    let mut world = world();
    let set = stateful_set();
    world.put(set.clone());
    let more = with(&set, json!({"spec": {"replicas": 2}}));
    let evil = with(&set, json!({"spec": {"template": {"spec": {"hostPID": true}}}}));
    let by = |who: &str, operation, object: Option<&Value>| {
        decide(&world, &user(who, true), operation, "", object, Some(&set)).is_ok()
    };
    assert!(by(OPERATOR, Operation::Update, Some(&more)));
    assert!(!by(OPERATOR, Operation::Update, Some(&evil)));
    assert!(!by("admin", Operation::Update, Some(&more)));
    assert!(by(OPERATOR, Operation::Delete, None));
    assert!(!by("admin", Operation::Delete, None));
}

#[test]
fn nobody_is_taken_anything_from() {
    let mut world = world();
    world.put(object("v1", "ConfigMap", "kube-root-ca.crt", json!({"data": {"ca.crt": "x"}})));
    let root = object("v1", "ConfigMap", "kube-root-ca.crt", json!({"data": {"ca.crt": "x"}}));
    let theirs = object(
        "v1",
        "ConfigMap",
        "theirs",
        json!({"metadata": {"ownerReferences": owner(&certificate())}, "data": {}}),
    );
    let nobodys = object("v1", "ConfigMap", "nobodys", json!({"data": {}}));
    let own = object("v1", "ConfigMap", "own", json!({"metadata": {"ownerReferences": owner(&prometheus())}}));
    for (old, allowed) in [(&root, false), (&theirs, false), (&nobodys, true), (&own, true)] {
        let new = with(old, json!({"metadata": {"ownerReferences": owner(&prometheus())}, "data": {"mine": "now"}}));
        let told = decide(&world, &user(OPERATOR, true), Operation::Update, "", Some(&new), Some(old));
        assert_eq!(told.is_ok(), allowed, "{told:?}");
    }
}

#[test]
fn pods_are_found_wherever_a_kind_keeps_them() {
    let world = world();
    let owned = json!({"metadata": {"ownerReferences": owner(&prometheus())}});
    let pod = |image: &str| json!({"containers": [{"name": "a", "image": image}]});
    let good = pod("registry.example.org/app:1");
    let of = |spec: Value| with(&object("example.org/v1", "Rollout", "r", owned.clone()), json!({"spec": spec}));
    assert!(create(&world, OPERATOR, &of(json!({"template": {"spec": good}}))).is_ok());
    let unconfined = json!({"annotations": {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}});
    let forgeries = [
        json!({"jobTemplate": {"spec": {"template": {"spec": good}}}, "template": {"spec": pod("evil")}}),
        json!({"template": {"spec": good}, "podTemplate": {"spec": pod("evil")}}),
        json!({"sets": [{"template": {"spec": pod("evil")}}]}),
        json!({"template": {"spec": with(&good, json!({"serviceAccountName": "", "serviceAccount": "admin"}))}}),
        json!({"podTemplate": {"metadata": unconfined, "spec": good}}),
        json!({"template": {"spec": pod("registry.example.org/app:5000/evil")}}),
    ];
    for spec in forgeries {
        assert!(create(&world, OPERATOR, &of(spec.clone())).is_err(), "{spec}");
    }
}

#[test]
fn what_is_a_right_or_a_way_to_the_host_is_not_made() {
    let world = world();
    let owned = |object: Value| with(&object, json!({"metadata": {"ownerReferences": owner(&prometheus())}}));
    let secret = |kind: &str| owned(with(&secret("prometheus-a"), json!({"type": kind})));
    assert!(create(&world, OPERATOR, &secret("Opaque")).is_ok());
    assert!(create(&world, OPERATOR, &secret("kubernetes.io/service-account-token")).is_err());
    assert!(create(&world, OPERATOR, &secret("bootstrap.kubernetes.io/token")).is_err());
    let volume = |spec: Value| owned(object("v1", "PersistentVolume", "v", json!({"spec": spec})));
    let mine = |object: &Value| world.asks(|c| judge_live(&ObjectKey::of(object).unwrap(), object, c));
    let explained = |spec: Value| matches!(mine(&volume(spec)), Judged::Explained(_));
    assert!(explained(json!({"nfs": {"server": "a", "path": "/"}})));
    assert!(!explained(json!({"hostPath": {"path": "/"}})));
    assert!(!explained(json!({"local": {"path": "/"}})));
}

#[test]
fn only_so_many_owners_are_followed() {
    let mut many = stateful_set();
    let reference = many["metadata"]["ownerReferences"][0].clone();
    many["metadata"]["ownerReferences"] = vec![reference; 9].into();
    assert!(create(&world(), OPERATOR, &many).is_err_and(|told| told.contains("9 owners")));
}

#[test]
fn a_pattern_of_images_stays_in_its_repository() {
    let cases = [
        ("registry.example.org/app:*", "registry.example.org/app:1", true),
        ("registry.example.org/app:*", "registry.example.org/app:1@sha256:00", true),
        ("registry.example.org/app@*", "registry.example.org/app@sha256:00", true),
        ("registry.example.org/app:*", "registry.example.org/app-evil:1", false),
        ("registry.example.org/app:*", "REGISTRY.example.org/app:1", false),
        ("nginx:*", "nginx:1", true),
        ("nginx:*", "nginx:5000/evil", false),
        ("registry.example.org/team/*", "registry.example.org/team/a/b:1", true),
        ("registry.example.org*", "registry.example.org.evil.com/a", false),
        ("registry.example.org/app*", "registry.example.org/app-evil", false),
        ("registry.example.org/app", "registry.example.org/app:1", false),
    ];
    for (pattern, image, wanted) in cases {
        assert_eq!(matches_image(pattern, image), wanted, "{pattern} {image}");
    }
}

/// A bound that a reader takes for narrower than it is.
#[test]
fn a_careless_bound_is_refused() {
    let cases = [
        ("\"registry.example.org/prometheus/*\"", "\"registry.example.org/prometheus*\""),
        ("\"registry.example.org/prometheus/*\"", "\"registry.example.org*\""),
        ("\"registry.example.org/prometheus/*\"", "\"/*\""),
        ("PersistentVolume,", "MutatingAdmissionPolicyBinding,"),
        ("PersistentVolume,", "ValidatingAdmissionPolicyBinding,"),
        ("PersistentVolume,", "APIService,"),
        ("PersistentVolume,", "Environment.gitward.dev,"),
        ("fields: [status, ", "fields: ['status[0].a', "),
        ("nameField: spec.secretName", "nameField: 'spec[0].a'"),
    ];
    for (from, to) in cases {
        let text = CONFIGURATION.replacen(from, to, 1);
        assert_ne!(text, CONFIGURATION, "{from}");
        let findings = parse(&"gitward.yaml".into(), text.as_bytes()).unwrap_err();
        assert_eq!(findings.iter().map(|f| f.rule.as_ref()).collect::<Vec<_>>(), ["config/delegation"], "{to}");
    }
}

#[test]
fn an_owner_may_be_named_by_an_annotation_and_name_the_object() {
    let mut world = world();
    let annotated = |secret: Value, certificate: &str| {
        with(&secret, json!({"metadata": {"annotations": {"cert.example.org/certificate": certificate}}}))
    };
    assert!(create(&world, OPERATOR, &annotated(secret("web-tls"), "web")).is_ok());
    assert!(create(&world, OPERATOR, &annotated(secret("other"), "web")).is_err(), "the certificate asks for another");
    assert!(create(&world, OPERATOR, &annotated(secret("web-tls"), "none")).is_err());
    world.undeclare(&certificate());
    assert!(create(&world, OPERATOR, &annotated(secret("web-tls"), "web")).is_err(), "nobody declares the owner");
}

/// Lets it be known that the API server makes nothing else of a declared object.
fn learn(world: &mut World, object: &Value) {
    let key = ObjectKey::of(object).unwrap();
    let expected = Arc::new(crate::snapshot::Expected { object: object.clone(), uid: None, record: None });
    let mut declared = world.snapshot.declared(&key).unwrap().clone();
    declared.expected = Some(expected);
    world.snapshot.declared.insert(key, Arc::new(declared));
}

#[test]
fn fields_of_declared_objects_are_set_by_the_operator_alone() {
    let mut world = world();
    let live = prometheus();
    let key = ObjectKey::of(&live).unwrap();
    learn(&mut world, &live);
    let seen = with(&live, json!({"metadata": {"annotations": {"monitoring.example.org/seen": "yes"}}}));
    let other = with(&seen, json!({"metadata": {"annotations": {"x": "y"}}}));
    let status = with(&live, json!({"status": {"ready": 1}}));
    let status_and_more = with(&status, json!({"metadata": {"labels": {"x": "y"}}}));
    let cases =
        [("", &seen, true), ("", &other, false), ("status", &status, true), ("status", &status_and_more, false)];
    for (subresource, new, allowed) in cases {
        let by = |who: &str| decide(&world, &user(who, true), Operation::Update, subresource, Some(new), Some(&live));
        assert_eq!(by(OPERATOR).is_ok(), allowed, "{new}");
        assert!(by("admin").is_err(), "{new}");
    }
    // Who wrote it is not known any more.
    assert_eq!(world.asks(|context| judge_live(&key, &seen, context)), Judged::Converged);
    assert!(matches!(world.asks(|context| judge_live(&key, &other, context)), Judged::Diverged(_)));
}

#[test]
fn live_objects_are_held_to_the_bounds() {
    let world = world();
    let there = |object: &Value| world.asks(|c| judge_live(&ObjectKey::of(object).unwrap(), object, c));
    assert!(matches!(there(&stateful_set()), Judged::Explained(Origin::Delegated { .. })));
    let evil = with(&stateful_set(), json!({"spec": {"template": {"spec": {"serviceAccountName": "admin"}}}}));
    assert!(matches!(there(&evil), Judged::Undeclared(_)));
}

#[test]
fn controllers_work_on_what_an_operator_made() {
    let mut world = world();
    world.put(stateful_set());
    let template = &stateful_set()["spec"]["template"];
    let revision = object(
        "apps/v1",
        "ControllerRevision",
        "prometheus-main-1",
        json!({"metadata": {"ownerReferences": owner(&stateful_set())}, "revision": 1,
            "data": {"spec": {"template": with(template, json!({"$patch": "replace"}))}}}),
    );
    let made = world.create("@statefulset-controller", &revision);
    assert!(!made.clone().is_err_and(|r| r.contains("not declared")), "{made:?}");
    world.undeclare(&prometheus());
    assert!(world.create("@statefulset-controller", &revision).is_err_and(|r| r.contains("not declared")));
}

#[test]
fn a_delegation_ends() {
    let mut world = world();
    let mut configuration = world.snapshot.configuration.as_ref().clone();
    configuration.delegations[0].until = Some("2026-01-01T00:00:00Z".parse().unwrap());
    world.snapshot.configuration = Arc::new(configuration);
    assert!(create(&world, OPERATOR, &stateful_set()).is_err());
}

#[test]
fn what_a_workload_of_gits_would_count_as_its_own_no_operator_makes() {
    const RUNNER: &str = "system:serviceaccount:shop:runner";
    let more = format!(
        "{CONFIGURATION}- name: runs\n  accounts: ['{RUNNER}']\n  reason: runs what it is told to\n  makes:\n  - kinds: [Pod]\n    \
         images: ['registry.example.org/app:*']\n"
    );
    let mut world = world();
    let mut configuration = parse(&"gitward.yaml".into(), more.as_bytes()).unwrap();
    configuration.environments.clear();
    world.snapshot.configuration = Arc::new(configuration);
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "registry.example.org/app:1"}]}}});
    let set = object("apps/v1", "ReplicaSet", "web", json!({"spec": spec}));
    world.declare(set.clone());
    let spec = json!({"containers": [{"name": "app", "image": "registry.example.org/app:1"}]});
    let pod = object("v1", "Pod", "run-1", json!({"metadata": {"labels": {"app": "run"}}, "spec": spec}));
    assert_eq!(create(&world, RUNNER, &pod).unwrap(), "Delegated runs gitward.yaml:32:3");
    for (way, change) in
        [("its labels", json!({"labels": {"app": "web"}})), ("its owner", json!({"ownerReferences": owner(&set)}))]
    {
        let taken = crate::derived::tests::world::with(&pod, json!({"metadata": change}));
        let told = create(&world, RUNNER, &taken).unwrap_err();
        assert!(told.contains("ReplicaSet/web in shop would count it among its own"), "{way}: {told}");
        let there = world.asks(|context| judge_live(&ObjectKey::of(&taken).unwrap(), &taken, context));
        assert!(matches!(there, crate::trace::Judged::Undeclared(_)), "{way}: {there:?}");
    }
}
