use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Field, Source, fields};
use crate::config::{BreakGlass, Configuration, Delegation, EnvironmentConfig, Exemption, Sets};
use crate::derived::Context;
use crate::finding::Place;
use crate::lookup::Overlay;
use crate::manifest::{self, Limits};
use crate::object::ObjectKey;
use crate::snapshot::{Autoscalers, Commit, Declared, Digest, Expected, Snapshot};
use crate::trace::{Judged, judge_live};

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: side
        image: side:1
      - name: web
        image: web:1
        ports:
        - containerPort: 80
";

fn declared(text: &str, additions: impl FnOnce(&mut Value)) -> Declared {
    let manifest = manifest::read(&"web.yaml".into(), text.as_bytes(), &Limits::default()).0.remove(0);
    let canonical = manifest.value.clone();
    let mut object = canonical.as_ref().clone();
    additions(&mut object);
    Declared {
        manifest,
        digest: Digest::of(&canonical),
        canonical,
        has_status_subresource: true,
        expected: Some(Arc::new(Expected { object, uid: Some("u".into()), record: None })),
        learnt: None,
        before: None,
    }
}

fn web() -> Declared {
    declared(WEB, |web| {
        web["spec"]["strategy"] = json!({"type": "RollingUpdate"});
        web["spec"]["template"]["spec"]["containers"][1]["ports"][0]["protocol"] = json!("TCP");
    })
}

/// The object as the cluster holds it.
fn live(declared: &Declared) -> Value {
    let mut live = declared.expected.as_ref().unwrap().object.clone();
    live["metadata"]["uid"] = json!("u");
    live["status"] = json!({"replicas": 2, "conditions": [{"type": "Available"}]});
    live
}

fn snapshot(declared: Declared) -> Snapshot {
    let exemption = Exemption {
        name: "restarts".into(),
        accounts: vec!["sre".into()],
        kinds: vec!["Deployment.apps".into()],
        namespaces: vec![],
        fields: vec!["spec.template.metadata.annotations".into()],
        until: None,
        reason: "restarts".into(),
    };
    let sets = Sets {
        policies: Vec::new(),
        kinds: vec!["Deployment.apps".into()],
        namespaces: vec![],
        names: vec![],
        fields: vec!["metadata.annotations.operator".into()],
    };
    let delegation = Delegation {
        name: "operator".into(),
        accounts: vec!["operator".into()],
        makes: vec![],
        sets: vec![sets],
        injects: vec![],
        until: None,
        reason: "annotations".into(),
    };
    Snapshot {
        environment: EnvironmentConfig { namespaces: vec!["shop".into()], ..EnvironmentConfig::default() },
        configuration: Arc::new(Configuration {
            exemptions: vec![exemption],
            exemption_places: vec![Place { file: "gitward.yaml".into(), line: 9, column: 3 }],
            delegations: vec![delegation],
            delegation_places: vec![Place { file: "gitward.yaml".into(), line: 15, column: 3 }],
            ..Configuration::default()
        }),
        commit: Commit {
            id: "0".repeat(40),
            author: String::new(),
            time: Timestamp::UNIX_EPOCH,
            subject: String::new(),
        },
        declared: HashMap::from([(declared.manifest.key.clone(), Arc::new(declared))]),
        former: HashMap::new(),
        autoscalers: Autoscalers::default(),
    }
}

fn told(snapshot: &Snapshot, live: &Value, cluster: &[Value]) -> Vec<Field> {
    let mut index = Overlay::default();
    for object in cluster {
        index.set(ObjectKey::of(object).unwrap(), Some(Arc::new(object.clone())));
    }
    let context = Context { snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    let key = ObjectKey::of(live).unwrap();
    let found = fields(&key, live, &context).unwrap();
    // The same verdict, told in another way.
    let right =
        matches!(judge_live(&key, live, &context), Judged::Converged | Judged::Explained(_) | Judged::NotLearnt);
    assert_eq!(right, !found.iter().any(|f| matches!(f.source, Source::Nobody { .. })), "{found:#?}");
    found
}

/// One line a field, without those that are never compared.
fn lines(fields: &[Field]) -> Vec<String> {
    let line = |field: &Field| {
        let source = match &field.source {
            Source::Kept => return None,
            Source::Declared { place } => format!("declared {}:{}", place.line, place.column),
            Source::Defaulted => "defaulted".to_owned(),
            Source::Carried { rule } => format!("carried {rule}"),
            Source::Derived { rule, from: Some(from), .. } => {
                format!("derived {rule} {} {}:{}", from.object.kind, from.place.line, from.place.column)
            }
            Source::Exempted { name, place } => format!("exempted {name} {place}"),
            Source::Delegated { name, place } => format!("delegated {name} {place}"),
            Source::Nobody { expected, place, reason } => {
                let place = place.as_ref().map(|p| format!(" {}:{}", p.line, p.column)).unwrap_or_default();
                let reason = reason.as_deref().map(|r| format!(" ({r})")).unwrap_or_default();
                format!("nobody, not {}{place}{reason}", expected.as_ref().unwrap_or(&Value::Null))
            }
            other => format!("{other:?}"),
        };
        Some(format!("{}: {source}", field.path))
    };
    fields.iter().filter_map(line).collect()
}

#[test]
fn each_field_of_a_converged_object_has_its_line_or_its_rule() {
    let web = web();
    let mut live = live(&web);
    live["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1", "operator": "was here"});
    live["spec"]["template"]["metadata"]["annotations"] = json!({"restarted": "now"});
    let fields = told(&snapshot(web), &live, &[]);
    assert_eq!(
        lines(&fields),
        [
            "apiVersion: declared 1:13",
            "kind: declared 2:7",
            "metadata.annotations[\"deployment.kubernetes.io/revision\"]: carried revision",
            "metadata.annotations.operator: delegated operator gitward.yaml:15:3",
            "metadata.name: declared 4:9",
            "metadata.namespace: declared 5:14",
            "spec.replicas: declared 7:13",
            "spec.selector.matchLabels.app: declared 8:33",
            "spec.strategy.type: defaulted",
            "spec.template.metadata.annotations.restarted: exempted restarts gitward.yaml:9:3",
            "spec.template.metadata.labels.app: declared 10:30",
            "spec.template.spec.containers[name=side].image: declared 14:16",
            "spec.template.spec.containers[name=side].name: declared 13:15",
            "spec.template.spec.containers[name=web].image: declared 16:16",
            "spec.template.spec.containers[name=web].name: declared 15:15",
            "spec.template.spec.containers[name=web].ports[containerPort=80,protocol=TCP].containerPort: declared 18:26",
            "spec.template.spec.containers[name=web].ports[containerPort=80,protocol=TCP].protocol: defaulted",
        ]
    );
    let kept: Vec<_> = fields.iter().filter(|f| f.source == Source::Kept).map(|f| f.path.to_string()).collect();
    assert_eq!(kept, ["metadata.uid", "status"]);
}

#[test]
fn what_nobody_says_is_nobodys_and_what_is_missing_is_named() {
    let web = web();
    let mut live = live(&web);
    live["metadata"]["labels"] = json!({"owner": "me"});
    live["spec"]["template"]["spec"]["containers"][1]["image"] = json!("web:2");
    live["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "miner", "image": "m"}));
    live["spec"].as_object_mut().unwrap().remove("strategy");
    let fields = told(&snapshot(web), &live, &[]);
    let found: Vec<String> = lines(&fields).into_iter().filter(|l| l.contains("nobody")).collect();
    assert_eq!(
        found,
        [
            "metadata.labels.owner: nobody, not null 3:1",
            "spec.template.spec.containers[name=web].image: nobody, not \"web:1\" 16:16",
            "spec.template.spec.containers[name=miner]: nobody, not null 12:7",
            "spec.strategy.type: nobody, not \"RollingUpdate\" 6:1",
        ]
    );
}

#[test]
fn what_is_not_learnt_cannot_be_told() {
    let mut web = web();
    let live = live(&web);
    web.expected = None;
    let found = lines(&told(&snapshot(web), &live, &[]));
    assert!(found.contains(&"spec.replicas: declared 7:13".to_owned()), "{found:?}");
    assert!(found.contains(&"spec.strategy.type: Unknown".to_owned()), "{found:?}");
}

#[test]
fn what_a_controller_makes_goes_back_to_the_lines_of_its_template() {
    let web = web();
    let deployment = live(&web);
    let template = json!({"metadata": {"labels": {"app": "web", "pod-template-hash": "5d4f6"}},
        "spec": deployment["spec"]["template"]["spec"]});
    let owner = |kind: &str, name: &str, uid: &str| {
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid,
        "controller": true, "blockOwnerDeletion": true}])
    };
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-5d4f6", "namespace": "shop", "uid": "r", "labels": {"app": "web", "pod-template-hash": "5d4f6"},
            "annotations": {"deployment.kubernetes.io/revision": "1", "deployment.kubernetes.io/desired-replicas": "2",
                "deployment.kubernetes.io/max-replicas": "3"},
            "ownerReferences": owner("Deployment", "web", "u")},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web", "pod-template-hash": "5d4f6"}}, "template": template}});
    let found = lines(&told(&snapshot(web), &set, &[deployment, set.clone()]));
    let image = "spec.template.spec.containers[name=web].image: derived replica-set.create Deployment 16:16";
    assert!(found.contains(&image.to_owned()), "{found:#?}");
    let hash = "spec.selector.matchLabels.pod-template-hash: derived replica-set.create Deployment 1:1";
    assert!(found.contains(&hash.to_owned()), "{found:#?}");
}

#[test]
fn what_is_done_under_a_broken_glass_names_its_declaration() {
    let web = web();
    let mut live = live(&web);
    live["metadata"]["labels"] = json!({"owner": "me"});
    let mut snapshot = snapshot(web);
    let configuration = Arc::make_mut(&mut snapshot.configuration);
    configuration.break_glass = vec![BreakGlass {
        name: "on-call".into(),
        accounts: vec!["ada".into()],
        groups: vec![],
        kinds: vec![],
        namespaces: vec![],
        maximum: jiff::SignedDuration::from_hours(1),
    }];
    configuration.break_glass_places = vec![Place { file: "gitward.yaml".into(), line: 20, column: 3 }];
    let glass = json!({"apiVersion": "gitward.dev/v1alpha1", "kind": "BreakGlass",
        "metadata": {"name": "fire", "uid": "g", "creationTimestamp": "1970-01-01T00:00:00Z"},
        "spec": {"environment": "", "declaration": "on-call", "reason": "fire"},
        "status": {"receipt": {"uid": "g", "account": "ada", "until": "1970-01-01T00:30:00Z"}}});
    let mut index = Overlay::default();
    index.set(ObjectKey::of(&glass).unwrap(), Some(Arc::new(glass)));
    let context = Context { snapshot: &snapshot, live: &index, now: Timestamp::UNIX_EPOCH };
    let found = fields(&ObjectKey::of(&live).unwrap(), &live, &context).unwrap();
    let label = found.iter().find(|f| f.path.to_string() == "metadata.labels.owner").unwrap();
    let place = Place { file: "gitward.yaml".into(), line: 20, column: 3 };
    assert_eq!(label.source, Source::BreakGlass { name: "on-call".into(), place });
}

#[test]
fn what_nobody_makes_is_nobodys_as_a_whole() {
    let backdoor = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "shop"}});
    let found = told(&snapshot(web()), &backdoor, &[]);
    assert_eq!(
        lines(&found),
        [": nobody, not null (ConfigMap/b in shop is not declared in Git, and no controller makes it)"]
    );
    let mut elsewhere = backdoor;
    elsewhere["metadata"]["namespace"] = json!("default");
    let snapshot = snapshot(web());
    let context = Context { snapshot: &snapshot, live: &Overlay::default(), now: Timestamp::UNIX_EPOCH };
    assert_eq!(fields(&ObjectKey::of(&elsewhere).unwrap(), &elsewhere, &context), None);
}
