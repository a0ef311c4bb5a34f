//! A small cluster to judge writes in.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::{Context, recognise, recognise_change, recognise_live};
use crate::change::{changes, normalised};
use crate::config::Configuration;
use crate::lookup::Overlay;
use crate::manifest::Manifest;
use crate::object::{Gvk, ObjectKey};
use crate::path::FieldPath;
use crate::request::{Operation, Request, User};
use crate::snapshot::{Declared, Digest, Expected, Former, Snapshot};

pub(crate) const PERSON: &str = "admin";
pub(crate) const SCHEDULER: &str = "system:kube-scheduler";
pub(crate) const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";
pub(crate) const API_SERVER: &str = "system:apiserver";
pub(crate) const KUBELET: &str = "system:node:n1";

/// What was decided: the rule, or the reason of the refusal.
pub(crate) type Decided = Result<String, String>;

pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    live: Overlay<'static>,
    pub(crate) now: Timestamp,
}

impl World {
    /// A cluster with the namespace `shop` and the node `n1`.
    pub(crate) fn new() -> Self {
        let configuration = Configuration { node_accounts: vec!["kwok".to_owned()], ..Configuration::default() };
        let snapshot = Snapshot { configuration: Arc::new(configuration), ..Snapshot::of_nothing() };
        let mut world = Self { snapshot, live: Overlay::default(), now: "2026-05-01T10:00:30Z".parse().unwrap() };
        world.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
        world.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "node-uid",
            "labels": {"topology.kubernetes.io/zone": "z1", "disk": "ssd"}}, "spec": {}}));
        world.put(json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "shop"}}));
        world
    }

    /// A live object that Git does not declare.
    pub(crate) fn put(&mut self, object: Value) {
        self.live.set(ObjectKey::of(&object).unwrap(), Some(Arc::new(object)));
    }

    /// A live object went a short while ago.
    pub(crate) fn went(&mut self, object: &Value) {
        self.live.set_gone(ObjectKey::of(object).unwrap(), Arc::new(object.clone()));
    }

    /// Git declares an object no longer.
    pub(crate) fn undeclare(&mut self, object: &Value) {
        self.snapshot.declared.remove(&ObjectKey::of(object).unwrap());
    }

    /// A live object is gone.
    pub(crate) fn remove(&mut self, object: &Value) {
        self.live.set(ObjectKey::of(object).unwrap(), None);
    }

    /// A live object that Git declares.
    pub(crate) fn declare(&mut self, object: Value) {
        let key = ObjectKey::of(&object).unwrap();
        let manifest = Manifest {
            gvk: Gvk::of(&object).unwrap(),
            key: key.clone(),
            value: object.clone().into(),
            file: "a.yaml".into(),
            spans: Arc::default(),
            base: FieldPath::root(),
        };
        let declared = Declared {
            manifest,
            canonical: object.clone().into(),
            digest: Digest::of(&object),
            has_status_subresource: true,
            expected: None,
            learnt: None,
            before: None,
        };
        self.snapshot.declared.insert(key, Arc::new(declared));
        self.put(object);
    }

    /// What Git declared until so many seconds ago.
    pub(crate) fn declared_until(&mut self, object: Value, seconds: i64) {
        let key = ObjectKey::of(&object).unwrap();
        let uid = Some(crate::object::uid(&object).to_owned());
        let expected = Arc::new(Expected { object, uid, record: None });
        let former = Former { replaced: self.now - SignedDuration::from_secs(seconds), expected };
        self.snapshot.former.entry(key).or_default().push(former);
    }

    pub(crate) fn create(&self, who: &str, object: &Value) -> Decided {
        self.judge(who, Operation::Create, "", &ObjectKey::of(object).unwrap(), Some(object), None)
    }

    pub(crate) fn update(&self, who: &str, old: &Value, new: &Value) -> Decided {
        self.judge(who, Operation::Update, "", &ObjectKey::of(old).unwrap(), Some(new), Some(old))
    }

    pub(crate) fn status(&self, who: &str, old: &Value, new: &Value) -> Decided {
        self.judge(who, Operation::Update, "status", &ObjectKey::of(old).unwrap(), Some(new), Some(old))
    }

    pub(crate) fn delete(&self, who: &str, old: &Value) -> Decided {
        self.judge(who, Operation::Delete, "", &ObjectKey::of(old).unwrap(), None, Some(old))
    }

    /// Something is posted to a subresource of an object.
    pub(crate) fn post(&self, who: &str, to: &Value, subresource: &str, body: &Value) -> Decided {
        self.judge(who, Operation::Create, subresource, &ObjectKey::of(to).unwrap(), Some(body), None)
    }

    /// A subresource of an object changes.
    pub(crate) fn change(&self, who: &str, of: &Value, subresource: &str, old: &Value, new: &Value) -> Decided {
        self.judge(who, Operation::Update, subresource, &ObjectKey::of(of).unwrap(), Some(new), Some(old))
    }

    pub(crate) fn connect(&self, who: &str, to: &Value, subresource: &str) -> Decided {
        self.judge(who, Operation::Connect, subresource, &ObjectKey::of(to).unwrap(), None, None)
    }

    /// Each change of a declared object by itself.
    pub(crate) fn changes(&self, who: &str, old: &Value, new: &Value) -> Decided {
        let key = ObjectKey::of(old).unwrap();
        let resource = plural(&key.kind);
        let request = request(who, Operation::Update, "", &key, &resource, Some(new), Some(old));
        let context = Context { snapshot: &self.snapshot, live: &self.live, now: self.now };
        let mut found = String::new();
        for change in changes(&normalised(old, false), &normalised(new, false)) {
            found = recognise_change(&request, &change, &context).map_err(|r| r.reason)?.to_string();
        }
        Ok(found)
    }

    /// Whatever else is asked of the rules.
    pub(crate) fn asks<T>(&self, ask: impl FnOnce(&Context<'_>) -> T) -> T {
        ask(&Context { snapshot: &self.snapshot, live: &self.live, now: self.now })
    }

    /// Whether a live object may be there.
    pub(crate) fn there(&self, object: &Value) -> Decided {
        let context = Context { snapshot: &self.snapshot, live: &self.live, now: self.now };
        let found = recognise_live(&ObjectKey::of(object).unwrap(), object, &context);
        found.map(|o| o.to_string()).map_err(|r| r.reason)
    }

    fn judge(
        &self,
        who: &str,
        operation: Operation,
        subresource: &str,
        key: &ObjectKey,
        object: Option<&Value>,
        old: Option<&Value>,
    ) -> Decided {
        let resource = plural(&key.kind);
        let request = request(who, operation, subresource, key, &resource, object, old);
        let context = Context { snapshot: &self.snapshot, live: &self.live, now: self.now };
        recognise(&request, &context).map(|o| o.to_string()).map_err(|r| r.reason)
    }
}

fn request<'a>(
    who: &str,
    operation: Operation,
    subresource: &'a str,
    key: &ObjectKey,
    resource: &'a str,
    object: Option<&'a Value>,
    old_object: Option<&'a Value>,
) -> Request<'a> {
    let user = user(who);
    Request {
        operation,
        key: key.clone(),
        resource,
        subresource,
        user,
        object,
        old_object,
        options: None,
        dry_run: false,
    }
}

/// The request of a review about an object, as the API server writes it.
pub(crate) fn review(
    who: &str,
    operation: &str,
    subresource: &str,
    object: Option<&Value>,
    old_object: Option<&Value>,
) -> Value {
    let user = user(who);
    let mut user_info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        user_info["uid"] = user.uid.into();
    }
    if user.has_credential_id {
        user_info["extra"] = json!({crate::request::CREDENTIAL_ID: ["JTI=6d5b"]});
    }
    let of = object.or(old_object).and_then(Gvk::of).unwrap_or_else(|| Gvk::new("v1", "Pod"));
    let mut request = json!({
        "uid": "u", "kind": {"group": of.group, "version": of.version, "kind": of.kind},
        "resource": {"group": of.group, "version": of.version, "resource": plural(&of.kind)},
        "operation": operation, "userInfo": user_info, "object": object, "oldObject": old_object,
    });
    if !subresource.is_empty() {
        request["subResource"] = subresource.into();
    }
    request
}

/// `@x` is the controller of that name, `as:@x` somebody who impersonates it.
fn user(who: &str) -> User {
    let (genuine, name) = match who.strip_prefix("as:") {
        Some(name) => (false, name),
        None => (true, who),
    };
    let controller = name.strip_prefix('@');
    let group = match name {
        API_SERVER | PERSON => "system:masters",
        _ if name.starts_with("system:node:") => "system:nodes",
        _ => "system:authenticated",
    };
    User {
        name: controller.map_or(name.to_owned(), |c| format!("system:serviceaccount:kube-system:{c}")),
        groups: vec![group.to_owned()],
        uid: if genuine && controller.is_some() { "account-uid".to_owned() } else { String::new() },
        has_credential_id: genuine && controller.is_some(),
        ..User::default()
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "Endpoints" => "endpoints".to_owned(),
        "IPAddress" => "ipaddresses".to_owned(),
        "StorageClass" => "storageclasses".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    }
}

/// A change that turns a legitimate object into a forged one.
pub(crate) type Forgery<'a> = (&'a str, fn(&mut Value));

/// Demands that a judge lets an object pass, and none of its forgeries.
pub(crate) fn check(legitimate: &Value, forgeries: &[Forgery<'_>], judge: impl Fn(&Value) -> Decided) -> String {
    let rule = judge(legitimate).unwrap_or_else(|r| panic!("the legitimate write was refused: {r}"));
    for (what, forge) in forgeries {
        let mut forged = legitimate.clone();
        forge(&mut forged);
        assert_ne!(&forged, legitimate, "{what}: the forgery changes nothing");
        if let Ok(rule) = judge(&forged) {
            panic!("{what}: recognised as {rule}");
        }
    }
    rule
}

/// A controller's reference to its child's owner.
pub(crate) fn owner(object: &Value) -> Value {
    json!([{
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"],
        "uid": object["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }])
}

/// An object of the namespace `shop`, with a uid made of its kind and name.
pub(crate) fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {
        "name": name, "namespace": "shop", "uid": format!("{kind}-{name}"),
    }});
    merge(&mut object, rest);
    object
}

/// Lays one value over another.
pub(crate) fn merge(value: &mut Value, over: Value) {
    match (value, over) {
        (Value::Object(map), Value::Object(over)) => {
            for (key, value) in over {
                merge(map.entry(key).or_insert(Value::Null), value);
            }
        }
        (value, over) => *value = over,
    }
}

/// A copy with something laid over it.
pub(crate) fn with(value: &Value, over: Value) -> Value {
    let mut copy = value.clone();
    merge(&mut copy, over);
    copy
}
