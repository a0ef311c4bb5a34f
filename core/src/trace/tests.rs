use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Excuse, Judged, excuses, judge, judge_live};
use crate::config::{Configuration, EnvironmentConfig, Exemption, Mode};
use crate::derived::Context;
use crate::derived::tests::world::World;
use crate::finding::Place;
use crate::lookup::Overlay;
use crate::manifest::{Manifest, Spans};
use crate::object::{Gvk, ObjectKey};
use crate::path::FieldPath;
use crate::request::{Operation, Request, User};
use crate::snapshot::{Commit, Declared, Digest, Expected, Snapshot};
use crate::verdict::{Origin, Verdict};

fn declared_deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})
}

fn expected_deployment() -> Value {
    let mut object = declared_deployment();
    object["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("IfNotPresent");
    object["spec"]["strategy"] = json!({"type": "RollingUpdate"});
    object
}

fn restarts() -> Exemption {
    Exemption {
        name: "restarts".into(),
        accounts: vec!["sre".into()],
        kinds: vec!["Deployment.apps".into()],
        namespaces: vec![],
        fields: vec!["spec.template.metadata.annotations[\"kubectl.kubernetes.io/restartedAt\"]".into()],
        until: None,
        reason: "restarts".into(),
    }
}

fn snapshot(mode: Mode) -> Snapshot {
    let value = declared_deployment();
    let key = ObjectKey::of(&value).unwrap();
    let manifest = Manifest {
        gvk: Gvk::new("apps/v1", "Deployment"),
        key: key.clone(),
        value: value.clone().into(),
        file: "prod/web.yaml".into(),
        spans: Arc::new(Spans::default()),
        base: FieldPath::root(),
    };
    let declared = Declared {
        manifest,
        digest: Digest::of(&value),
        canonical: value.into(),
        has_status_subresource: true,
        expected: Some(Arc::new(Expected { object: expected_deployment(), uid: None, record: None })),
        learnt: None,
        before: None,
    };
    Snapshot {
        environment: EnvironmentConfig {
            name: "prod".into(),
            git_ref: "refs/heads/main".into(),
            namespaces: vec!["shop".into()],
            mode,
            ..EnvironmentConfig::default()
        },
        configuration: Arc::new(Configuration {
            exemptions: vec![restarts()],
            exemption_places: vec![Place { file: "gitward.yaml".into(), line: 9, column: 3 }],
            ..Configuration::default()
        }),
        commit: Commit {
            id: "0123456789abcdef".repeat(3),
            author: "Ada <ada@example.org>".into(),
            time: Timestamp::UNIX_EPOCH,
            subject: "web".into(),
        },
        declared: HashMap::from([(key, Arc::new(declared))]),
        former: HashMap::new(),
        autoscalers: Default::default(),
    }
}

fn update(edit: impl FnOnce(&mut Value)) -> Verdict {
    update_as("eve", Mode::Enforce, edit)
}

fn update_as(user: &str, mode: Mode, edit: impl FnOnce(&mut Value)) -> Verdict {
    let old = expected_deployment();
    let mut new = old.clone();
    edit(&mut new);
    judge_update(&snapshot(mode), user, &old, &new)
}

fn judge_update(snapshot: &Snapshot, user: &str, old: &Value, new: &Value) -> Verdict {
    let request = Request {
        operation: Operation::Update,
        key: ObjectKey::of(old).unwrap(),
        resource: "deployments",
        subresource: "",
        user: User { name: user.into(), ..User::default() },
        object: Some(new),
        old_object: Some(old),
        options: None,
        dry_run: false,
    };
    judge(&request, &Context { snapshot, live: &Overlay::default(), now: Timestamp::UNIX_EPOCH })
}

fn denied_fields(verdict: &Verdict) -> Vec<String> {
    assert!(!verdict.allowed(), "{verdict:?}");
    verdict.findings.iter().map(|f| f.field.as_ref().unwrap().to_string()).collect()
}

#[test]
fn a_changed_image_is_denied_and_the_message_names_the_line() {
    let verdict = update(|d| d["spec"]["template"]["spec"]["containers"][0]["image"] = json!("evil:1"));
    assert_eq!(denied_fields(&verdict), ["spec.template.spec.containers[name=app].image"]);
    let message = &verdict.findings[0].message;
    for part in ["\"app:1\"", "prod/web.yaml:", "0123456789ab", "Ada <ada@example.org>", "\"evil:1\""] {
        assert!(message.contains(part), "{message} lacks {part}");
    }
}

/// A selector of everything, an empty security context: what is empty may mean something.
#[test]
fn an_empty_value_is_a_value() {
    let verdict = update(|d| d["spec"]["template"]["spec"]["containers"][0]["securityContext"] = json!({}));
    assert_eq!(denied_fields(&verdict), ["spec.template.spec.containers[name=app].securityContext"]);
    assert!(update(|d| d["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({})).allowed());
}

/// A Namespace's finalizers are put right through a subresource.
#[test]
fn what_is_finalized_as_git_says_is_let_through() {
    let snapshot = snapshot(Mode::Enforce);
    let index = Overlay::default();
    let expected = expected_deployment();
    let mut foreign = expected.clone();
    foreign["spec"]["finalizers"] = json!(["evil.example.org/x"]);
    for (old, new, allowed) in [(&foreign, &expected, true), (&expected, &foreign, false)] {
        let request = Request {
            operation: Operation::Update,
            key: ObjectKey::of(new).unwrap(),
            resource: "deployments",
            subresource: "finalize",
            user: User { name: "eve".into(), ..User::default() },
            object: Some(new),
            old_object: Some(old),
            options: None,
            dry_run: false,
        };
        let verdict = judge(&request, &Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH });
        assert_eq!(verdict.allowed(), allowed, "{verdict:?}");
    }
}

#[test]
fn fields_that_git_does_not_declare_may_not_be_set_either() {
    let verdict = update(|d| {
        d["metadata"]["labels"] = json!({"team": "x"});
        let containers = d["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
        containers.push(json!({"name": "miner", "image": "x"}));
        d["spec"]["strategy"]["type"] = json!("Recreate");
    });
    assert_eq!(
        denied_fields(&verdict),
        ["metadata.labels.team", "spec.strategy.type", "spec.template.spec.containers[name=miner]"]
    );
}

#[test]
fn another_version_cannot_be_compared() {
    let snapshot = snapshot(Mode::Enforce);
    let index = Overlay::default();
    let mut old = expected_deployment();
    old["apiVersion"] = json!("apps/v2");
    // What Git says, by field; in the other version it may mean something else.
    let mut before = old.clone();
    before["spec"]["replicas"] = json!(7);
    for (operation, old, new) in [
        (Operation::Update, Some(&before), &old),
        (Operation::Create, None, &old),
        (Operation::Update, Some(&old), &old),
    ] {
        let request = Request {
            operation,
            key: ObjectKey::of(new).unwrap(),
            resource: "deployments",
            subresource: "",
            user: User::default(),
            object: Some(new),
            old_object: old,
            options: None,
            dry_run: false,
        };
        let verdict = judge(&request, &Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH });
        if old == Some(new) {
            assert!(verdict.allowed(), "nothing changes: {verdict:?}");
        } else {
            assert_eq!(verdict.findings[0].rule, "trace/other-version");
        }
    }
}

/// A definition without conversion gives the same content under another name.
#[test]
fn a_version_that_differs_in_its_name_alone_is_compared() {
    let snapshot = snapshot(Mode::Enforce);
    let mut old = expected_deployment();
    old["apiVersion"] = json!("apps/v2");
    let mut new = old.clone();
    new["spec"]["replicas"] = json!(7);
    for (strategy, back, away) in [
        (json!({}), None, Some("spec.replicas")),
        (json!({"strategy": "None"}), None, Some("spec.replicas")),
        (json!({"strategy": "Webhook"}), Some("trace/other-version"), Some("trace/other-version")),
    ] {
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "deployments.apps"}, "spec": {"conversion": strategy}});
        let mut live = Overlay::default();
        live.set(ObjectKey::of(&definition).unwrap(), Some(Arc::new(definition)));
        for (from, to, told) in [(&new, &old, back), (&old, &new, away)] {
            let request = Request {
                operation: Operation::Update,
                key: ObjectKey::of(to).unwrap(),
                resource: "deployments",
                subresource: "",
                user: User::default(),
                object: Some(to),
                old_object: Some(from),
                options: None,
                dry_run: false,
            };
            let verdict = judge(&request, &Context { snapshot: &snapshot, live: &live, now: Timestamp::UNIX_EPOCH });
            let finding = verdict.findings.first();
            let found = finding.map(|f| f.field.as_ref().map_or_else(|| f.rule.to_string(), ToString::to_string));
            assert_eq!(found.as_deref(), told, "{strategy}");
        }
    }
}

#[test]
fn managed_fields_alone_change_nothing() {
    assert!(update(|d| d["metadata"]["managedFields"] = json!([{"manager": "gitward"}])).allowed());
}

#[test]
fn what_moves_towards_git_is_let_through() {
    let new = expected_deployment();
    let mut old = new.clone();
    old["metadata"]["labels"] = json!({"team": "x"});
    old["spec"]["replicas"] = json!(9);
    let verdict = judge_update(&snapshot(Mode::Enforce), "", &old, &new);
    assert!(verdict.allowed());
    assert_eq!(verdict.origin_summary(), "Removal=1 Declared=1");
}

#[test]
fn a_scaled_deployment_is_denied_and_the_message_names_the_line() {
    let snapshot = snapshot(Mode::Enforce);
    let index = Overlay::default();
    let scale = |replicas: u32| {
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": replicas}})
    };
    let (old, new, declared) = (scale(2), scale(7), expected_deployment());
    let request = Request {
        operation: Operation::Update,
        key: ObjectKey::of(&declared).unwrap(),
        resource: "deployments",
        subresource: "scale",
        user: User { name: "eve".into(), ..User::default() },
        object: Some(&new),
        old_object: Some(&old),
        options: None,
        dry_run: false,
    };
    let verdict = judge(&request, &Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH });
    assert_eq!(denied_fields(&verdict), ["spec.replicas"]);
    let message = &verdict.findings[0].message;
    for part in ["Git declares 2", "prod/web.yaml:", "0123456789ab", "the request sets 7"] {
        assert!(message.contains(part), "{message} lacks {part}");
    }
}

#[test]
fn an_exemption_covers_its_field_and_account_only() {
    let restart = |d: &mut Value| {
        d["spec"]["template"]["metadata"] = json!({"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}});
    };
    let verdict = update_as("sre", Mode::Enforce, restart);
    assert_eq!(verdict.origin_summary(), "Exempted=1");
    assert!(!update_as("eve", Mode::Enforce, restart).allowed());
    let other = |d: &mut Value| d["spec"]["template"]["metadata"] = json!({"annotations": {"x": "now"}});
    assert!(!update_as("sre", Mode::Enforce, other).allowed());
}

#[test]
fn observe_mode_warns_and_lets_pass() {
    let verdict = update_as("eve", Mode::Observe, |d| d["spec"]["replicas"] = json!(5));
    assert!(verdict.allowed());
    assert_eq!(verdict.findings.len(), 1);
}

#[test]
fn where_others_live_too_only_what_git_declares_is_governed() {
    let mut snapshot = snapshot(Mode::Enforce);
    snapshot.environment.namespaces.clear();
    snapshot.environment.shared_namespaces = vec!["shop".into()];
    let index = Overlay::default();
    let context = Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    let mut live = expected_deployment();
    live["spec"]["replicas"] = json!(9);
    let declared = ObjectKey::of(&live).unwrap();
    assert!(matches!(judge_live(&declared, &live, &context), Judged::Diverged(_)));
    live["metadata"]["name"] = json!("theirs");
    let theirs = ObjectKey::of(&live).unwrap();
    assert_eq!(judge_live(&theirs, &live, &context), Judged::NotGoverned);
    let delete = |key: ObjectKey| {
        let request = Request {
            operation: Operation::Delete,
            key,
            resource: "deployments",
            subresource: "",
            user: User { name: "eve".into(), ..User::default() },
            object: None,
            old_object: Some(&live),
            options: None,
            dry_run: false,
        };
        judge(&request, &context)
    };
    assert!(!delete(declared).allowed());
    assert!(delete(theirs).allowed());
}

#[test]
fn a_live_object_is_compared_whole() {
    let snapshot = snapshot(Mode::Enforce);
    let index = Overlay::default();
    let context = Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    let mut live = expected_deployment();
    let key = ObjectKey::of(&live).unwrap();
    live["metadata"]["uid"] = json!("u");
    live["status"] = json!({"replicas": 2});
    assert_eq!(judge_live(&key, &live, &context), Judged::Converged);
    live["spec"]["paused"] = json!(true);
    let Judged::Diverged(changes) = judge_live(&key, &live, &context) else { panic!("not seen") };
    assert_eq!(changes[0].path.to_string(), "spec.paused");
}

#[test]
fn until_a_new_content_is_learnt_the_content_before_goes_on_counting() {
    let mut snapshot = snapshot(Mode::Enforce);
    let key = ObjectKey::of(&expected_deployment()).unwrap();
    let before = snapshot.declared[&key].clone();
    let mut newer = declared_deployment();
    newer["spec"]["replicas"] = json!(5);
    let unlearnt = Declared {
        canonical: newer.clone().into(),
        digest: Digest::of(&newer),
        expected: None,
        before: Some(before.clone()),
        ..(*before).clone()
    };
    snapshot.declared.insert(key.clone(), Arc::new(unlearnt));
    let verdict = |replicas: i64| {
        let mut old = expected_deployment();
        old["spec"]["replicas"] = json!(9);
        let mut new = expected_deployment();
        new["spec"]["replicas"] = json!(replicas);
        judge_update(&snapshot, "", &old, &new)
    };
    assert!(verdict(2).allowed(), "a revert to what was declared before");
    for other in [5, 7] {
        assert_eq!(verdict(other).findings[0].rule, "trace/not-learnt");
    }
}

#[test]
fn an_exemption_is_in_use_where_a_live_object_would_differ_without_it() {
    let mut snapshot = snapshot(Mode::Enforce);
    let whole = Exemption { name: "jobs".into(), kinds: vec!["Job".into()], fields: vec![], ..restarts() };
    let operator = "{name: operator, accounts: [o], sets: [{kinds: [Deployment], fields: [metadata.finalizers, status]}], \
                    reason: tests}";
    let text = format!("apiVersion: gitward.dev/v1alpha1\nkind: Configuration\ndelegations: [{operator}]\n");
    let delegations = crate::config::parse(&Arc::from("gitward.yaml"), text.as_bytes()).unwrap().delegations;
    let configuration = Arc::make_mut(&mut snapshot.configuration);
    configuration.exemptions.push(whole);
    configuration.delegations = delegations;
    let at = |live: &Value, now| {
        let live_key = ObjectKey::of(live).unwrap();
        excuses(&live_key, live, &Context { snapshot: &snapshot, live: &Overlay::default(), now })
    };
    let now = Timestamp::UNIX_EPOCH;
    let mut live = expected_deployment();
    live["spec"]["template"]["metadata"]["annotations"] = json!({});
    let exemption = |name: &str| vec![Excuse::Exemption(name.to_owned())];
    assert_eq!(at(&live, now), []);
    live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = json!("now");
    assert_eq!(at(&live, now), exemption("restarts"));
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": "shop"}});
    assert_eq!(at(&job, now), exemption("jobs"));
    live["metadata"]["finalizers"] = json!(["example.org/operator"]);
    assert_eq!(at(&live, now), [exemption("restarts"), vec![Excuse::Delegation("operator".to_owned())]].concat());
    let nobodys = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}});
    assert_eq!(at(&nobodys, now), []);
    let over = Timestamp::from_second(1).unwrap();
    let configuration = Arc::make_mut(&mut snapshot.configuration);
    (configuration.exemptions[0].until, configuration.delegations[0].until) = (Some(now), Some(now));
    let key = ObjectKey::of(&live).unwrap();
    let context = Context { snapshot: &snapshot, live: &Overlay::default(), now: over };
    assert_eq!(excuses(&key, &live, &context), [], "what is over explains nothing");
}

#[test]
fn a_strangers_pod_that_takes_its_time_to_end_does_not_go() {
    let mut world = World::new();
    world.snapshot.environment.namespaces = vec!["shop".to_owned()];
    let there = |kind: &str, until: &str| {
        let object = json!({"apiVersion": "v1", "kind": kind,
            "metadata": {"name": "x", "namespace": "shop", "uid": "u", "deletionTimestamp": until}});
        world.asks(|context| judge_live(&ObjectKey::of(&object).unwrap(), &object, context))
    };
    assert_eq!(there("Pod", "2026-05-01T10:30:00Z"), Judged::Explained(Origin::Removal));
    assert!(matches!(there("Pod", "2027-05-01T10:00:00Z"), Judged::Undeclared(_)));
    assert_eq!(there("ConfigMap", "2027-05-01T10:00:00Z"), Judged::Explained(Origin::Removal));
}

#[test]
fn a_denial_says_what_to_do_instead_of_what_no_manifest_does() {
    let snapshot = snapshot(Mode::Enforce);
    let context = Context { snapshot: &snapshot, live: &Overlay::default(), now: Timestamp::UNIX_EPOCH };
    let update = |change: &dyn Fn(&mut Value)| {
        let (old, mut new) = (expected_deployment(), expected_deployment());
        change(&mut new);
        judge(&persons(&old, Some(&new), Operation::Update), &context).findings[0].hint.clone().unwrap()
    };
    let applied = update(&|new| {
        new["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    });
    assert!(applied.contains("--server-side"), "{applied}");
    let restarted = update(&|new| {
        new["spec"]["template"]["metadata"] = json!({"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}});
    });
    assert!(restarted.contains("exempt the account for this field"), "{restarted}");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}});
    let deleted = super::denial::refused(&persons(&pod, None, Operation::Delete), "", &context).hint.unwrap();
    assert!(deleted.contains("whatever made it") && deleted.contains("break a glass"), "{deleted}");
}

fn persons<'a>(old: &'a Value, new: Option<&'a Value>, operation: Operation) -> Request<'a> {
    Request {
        key: ObjectKey::of(old).unwrap(),
        operation,
        resource: "",
        subresource: "",
        object: new,
        old_object: Some(old),
        user: User { name: "ann".into(), ..User::default() },
        dry_run: false,
        options: None,
    }
}

/// A snapshot that declares this object and expects it just so.
fn declaring(value: &Value) -> Snapshot {
    let mut snapshot = snapshot(Mode::Enforce);
    let template = snapshot.declared.values().next().unwrap().as_ref().clone();
    let (key, gvk) = (ObjectKey::of(value).unwrap(), Gvk::of(value).unwrap());
    let manifest = Manifest { gvk, key: key.clone(), value: value.clone().into(), ..template.manifest.clone() };
    let expected = Some(Arc::new(Expected { object: value.clone(), uid: None, record: None }));
    let declared =
        Declared { manifest, canonical: value.clone().into(), digest: Digest::of(value), expected, ..template };
    snapshot.declared = HashMap::from([(key, Arc::new(declared))]);
    snapshot.environment.cluster_kinds = vec!["PersistentVolume".to_owned()];
    snapshot
}

#[test]
fn what_a_controller_chooses_nobody_else_chooses_on_what_git_declares() {
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {}});
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": "shop", "uid": "u"}, "spec": {}});
    let reference =
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "shop", "name": "c", "uid": "u"});
    let mut live = Overlay::default();
    live.set(ObjectKey::of(&claim).unwrap(), Some(Arc::new(claim)));
    let allowed = |who: &str, old: &Value, new: &Value| {
        let snapshot = declaring(&volume);
        let mut request = persons(old, Some(new), Operation::Update);
        if let Some(controller) = who.strip_prefix('@') {
            let name = format!("system:serviceaccount:kube-system:{controller}");
            request.user = User { name, uid: "u".into(), has_credential_id: true, ..User::default() };
        }
        judge(&request, &Context { snapshot: &snapshot, live: &live, now: Timestamp::UNIX_EPOCH }).allowed()
    };
    let mut bound = volume.clone();
    bound["spec"]["claimRef"] = reference;
    bound["metadata"]["annotations"] = json!({"pv.kubernetes.io/bound-by-controller": "yes"});
    assert!(allowed("@persistent-volume-binder", &volume, &bound));
    assert!(!allowed("ann", &volume, &bound), "whom it is bound to is the binder's choice");
    assert!(!allowed("ann", &bound, &volume), "and so is whether it is bound");
    let mut held = volume.clone();
    held["metadata"]["finalizers"] = json!(["kubernetes.io/pv-protection"]);
    assert!(allowed("@pv-protection-controller", &volume, &held));
    assert!(!allowed("ann", &volume, &held));
}

#[test]
fn what_is_not_as_git_says_is_made_anew_by_nobody_but_the_reconciler() {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"},
        "data": {"a": "1"}});
    let snapshot = declaring(&map);
    let context = Context { snapshot: &snapshot, live: &Overlay::default(), now: Timestamp::UNIX_EPOCH };
    let mut other = map.clone();
    other["data"]["a"] = json!("2");
    let deleted = |live: &Value, is_reconciler: bool| {
        let mut request = persons(live, None, Operation::Delete);
        request.user.is_reconciler = is_reconciler;
        judge(&request, &context).allowed()
    };
    assert!(deleted(&other, true));
    assert!(!deleted(&other, false) && !deleted(&map, false) && !deleted(&map, true));
}
