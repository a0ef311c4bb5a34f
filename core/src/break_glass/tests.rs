use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::config::EnvironmentConfig;
use crate::lookup::Overlay;
use crate::snapshot::Snapshot;

const NOW: &str = "2026-05-01T10:00:00Z";

fn snapshot() -> Snapshot {
    let declaration = |name: &str, kinds: &[&str], namespaces: &[&str]| config::BreakGlass {
        name: name.to_owned(),
        accounts: vec!["ada".to_owned()],
        groups: vec!["on-call".to_owned()],
        kinds: kinds.iter().map(|k| (*k).to_owned()).collect(),
        namespaces: namespaces.iter().map(|n| (*n).to_owned()).collect(),
        maximum: SignedDuration::from_hours(1),
    };
    let configuration = Configuration {
        break_glass: vec![declaration("shop", &[], &["shop"]), declaration("pods", &["Pod"], &[])],
        ..Configuration::default()
    };
    let environment = EnvironmentConfig {
        name: "prod".to_owned(),
        namespaces: vec!["shop".to_owned(), "data".to_owned()],
        ..EnvironmentConfig::default()
    };
    Snapshot { environment, configuration: Arc::new(configuration), ..Snapshot::of_nothing() }
}

fn glass(declaration: &str, duration: &str) -> Value {
    json!({"apiVersion": "gitward.dev/v1alpha1", "kind": "BreakGlass",
        "metadata": {"name": "fire", "uid": "u", "creationTimestamp": NOW},
        "spec": {"environment": "prod", "declaration": declaration, "reason": "the shop is down", "duration": duration}})
}

fn with_receipt(mut glass: Value, until: &str) -> Value {
    glass["status"] = json!({"receipt": {"uid": "u", "account": "ada", "until": until}});
    glass
}

struct World(Snapshot, Overlay<'static>, Timestamp);

impl World {
    fn with(glass: Option<Value>) -> Self {
        let mut live = Overlay::default();
        if let Some(glass) = glass {
            live.set(ObjectKey::of(&glass).unwrap(), Some(Arc::new(glass)));
        }
        Self(snapshot(), live, NOW.parse().unwrap())
    }

    fn context(&self) -> Context<'_> {
        Context { snapshot: &self.0, live: &self.1, now: self.2 }
    }

    fn at(mut self, now: &str) -> Self {
        self.2 = now.parse().unwrap();
        self
    }

    fn reaches(&self, key: (&str, &str, &str), account: &str) -> bool {
        over(&ObjectKey::new(key.0, key.1, key.2, "x"), Some(account), &self.context()).is_some()
    }
}

fn request<'a>(operation: Operation, subresource: &'a str, user: &str, group: &str, object: &'a Value) -> Request<'a> {
    Request {
        operation,
        key: ObjectKey::of(object).unwrap(),
        resource: "breakglasses",
        subresource,
        user: User { name: user.to_owned(), groups: vec![group.to_owned()], ..User::default() },
        object: Some(object),
        old_object: None,
        options: None,
        dry_run: false,
    }
}

#[test]
fn the_glass_is_broken_by_whom_git_names_with_a_reason_and_for_no_longer_than_git_says() {
    let world = World::with(None);
    let asked = |user: &str, group: &str, glass: &Value| {
        crate::trace::judge(&request(Operation::Create, "", user, group, glass), &world.context()).allowed()
    };
    assert!(asked("ada", "", &glass("shop", "1h")));
    assert!(asked("bob", "on-call", &glass("shop", "")));
    assert!(!asked("bob", "others", &glass("shop", "1h")));
    assert!(!asked("ada", "", &glass("shop", "61m")));
    assert!(!asked("ada", "", &glass("shop", "-1h")));
    assert!(!asked("ada", "", &glass("shop", "soon")));
    assert!(!asked("ada", "", &glass("elsewhere", "1h")));
    let mut silent = glass("shop", "1h");
    silent["spec"]["reason"] = json!(" ");
    assert!(!asked("ada", "", &silent));
}

#[test]
fn what_was_asked_for_and_its_receipt_are_nobody_elses_to_write() {
    let world = World::with(None);
    let (old, longer) = (glass("shop", "5m"), glass("shop", "1h"));
    let mut update = request(Operation::Update, "", "ada", "on-call", &longer);
    update.old_object = Some(&old);
    assert!(!judge(&update, &world.context()).allowed());
    let forged = with_receipt(glass("shop", "1h"), "2026-05-01T11:00:00Z");
    assert!(!judge(&request(Operation::Update, "status", "ada", "on-call", &forged), &world.context()).allowed());
    let mut webhook =
        request(Operation::Update, "status", "system:serviceaccount:gitward-system:gitward-webhook", "", &forged);
    assert!(!judge(&webhook, &world.context()).allowed(), "impersonated, without a token of its own");
    webhook.user.has_credential_id = true;
    assert!(judge(&webhook, &world.context()).allowed());
    let mut end = request(Operation::Delete, "", "anybody", "", &forged);
    end.object = None;
    assert!(judge(&end, &world.context()).allowed());
}

#[test]
fn a_receipt_reaches_what_its_declaration_names_and_ends() {
    let pod = ("", "Pod", "shop");
    let open = || World::with(Some(with_receipt(glass("shop", "1h"), "2026-05-01T10:30:00Z")));
    assert!(open().reaches(pod, "ada"));
    assert!(open().reaches(("apps", "Deployment", "shop"), "ada"));
    assert!(!open().reaches(("", "Pod", "data"), "ada"), "another namespace");
    assert!(!open().reaches(("", "Namespace", ""), "ada"), "what holds others");
    assert!(!open().reaches(pod, "bob"), "broken by another");
    assert!(!open().at("2026-05-01T10:30:00Z").reaches(pod, "ada"), "its end");
    assert!(!World::with(Some(glass("shop", "1h"))).reaches(pod, "ada"), "nobody judged it");
    let forever = World::with(Some(with_receipt(glass("shop", "1h"), "2099-01-01T00:00:00Z")));
    assert!(!forever.at("2026-05-01T11:00:00Z").reaches(pod, "ada"), "longer than Git says");
    let mut other = with_receipt(glass("shop", "1h"), "2026-05-01T10:30:00Z");
    other["metadata"]["uid"] = json!("another");
    assert!(!World::with(Some(other)).reaches(pod, "ada"), "made anew under the same name");
    let pods = World::with(Some(with_receipt(glass("pods", "1h"), "2026-05-01T10:30:00Z")));
    assert!(pods.reaches(("", "Pod", "data"), "ada"));
    assert!(!pods.reaches(("", "Secret", "data"), "ada"));
}

#[test]
fn what_a_broken_glass_lets_pass_is_warned_of_and_names_its_line() {
    let world = World::with(Some(with_receipt(glass("shop", "1h"), "2026-05-01T10:30:00Z")));
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "debug", "namespace": "shop"}, "spec": {}});
    let mut create = request(Operation::Create, "", "ada", "", &pod);
    create.resource = "pods";
    let verdict = crate::trace::judge(&create, &world.context());
    assert!(verdict.allowed());
    assert_eq!(verdict.origin_summary(), "BreakGlass=1");
    let first = &verdict.findings[0].message;
    assert!(first.contains("gitward.yaml:1:1") && first.contains("until 2026-05-01T10:30:00Z"), "{first}");
    create.user.name = "bob".to_owned();
    assert!(!crate::trace::judge(&create, &world.context()).allowed());
}

#[test]
fn the_receipt_is_for_the_object_that_was_judged() {
    let world = World::with(None);
    let glass = glass("shop", "10m");
    let mut create = request(Operation::Create, "", "ada", "", &glass);
    let receipt = receipt(&create, &world.context()).unwrap();
    assert_eq!((receipt.uid.as_str(), receipt.account.as_str()), ("u", "ada"));
    assert_eq!(receipt.until.to_string(), "2026-05-01T10:10:00Z");
    create.dry_run = true;
    assert_eq!(super::receipt(&create, &world.context()), None);
}

#[test]
fn what_nobody_could_take_back_does_not_pass() {
    let world = World::with(Some(with_receipt(glass("shop", "1h"), "2026-05-01T10:30:00Z")));
    let token = |seconds: i64| {
        let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "metadata": {"name": "web", "namespace": "shop"}, "spec": {"expirationSeconds": seconds}});
        let mut create = request(Operation::Create, "token", "ada", "", &asked);
        create.key = ObjectKey::new("", "ServiceAccount", "shop", "web");
        crate::trace::judge(&create, &world.context())
    };
    assert!(token(600).allowed() && token(1800).allowed());
    let longer = token(1801);
    assert!(!longer.allowed());
    assert!(longer.findings[0].message.contains("good for longer"), "{}", longer.findings[0].message);
    let secret = |kind: &str| {
        let object =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "type": kind});
        crate::trace::judge(&request(Operation::Create, "", "ada", "", &object), &world.context()).allowed()
    };
    assert!(secret("Opaque") && !secret("kubernetes.io/service-account-token"));
}
