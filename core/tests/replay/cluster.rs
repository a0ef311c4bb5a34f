//! What an index fed by the same traffic would hold.
//!
//! Reviews show attempts, not commits; the real index is fed by watches. Here nothing better is to
//! be had, so a Pod keeps every address that it was ever said to have.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;

use gitward_core::change::same;
use gitward_core::config::Configuration;
use gitward_core::lookup::Lookup;
use gitward_core::manifest::Manifest;
use gitward_core::object::{self, Gvk, ObjectKey};
use gitward_core::path::FieldPath;
use gitward_core::snapshot::{Commit, Declared, Digest, Expected, Former, Snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::recording::{Recorded, Recording, path};

pub(crate) struct Cluster {
    pub(crate) snapshot: Snapshot,
    pub(crate) now: Timestamp,
    objects: HashMap<ObjectKey, Arc<Value>>,
}

impl Lookup for Cluster {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        match self.objects.get(key) {
            Some(object) => Some(object.clone()),
            // Namespaces that were there before had their accounts.
            None if key.kind == "ServiceAccount" && key.name == "default" => {
                Some(Arc::new(json!({"metadata": {"name": "default", "uid": "?"}})))
            }
            None => None,
        }
    }

    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        let of_kind = |k: &ObjectKey| k.group == group && k.kind == kind;
        self.objects
            .iter()
            .filter(|(k, _)| of_kind(k) && (namespace.is_empty() || k.namespace == namespace))
            .map(|(_, o)| o.clone())
            .collect()
    }
}

impl Cluster {
    /// The cluster before the recording began: what is first heard of as an old object.
    pub(crate) fn before(recording: &Recording, kubelets: &str) -> Self {
        let configuration = Configuration { node_accounts: vec![kubelets.to_owned()], ..Configuration::default() };
        let snapshot = Snapshot {
            environment: gitward_core::config::EnvironmentConfig::default(),
            configuration: Arc::new(configuration),
            commit: Commit {
                id: "0".repeat(40),
                author: String::new(),
                time: Timestamp::UNIX_EPOCH,
                subject: String::new(),
            },
            declared: HashMap::new(),
            former: HashMap::new(),
            autoscalers: Default::default(),
        };
        let mut cluster = Self { snapshot, now: Timestamp::UNIX_EPOCH, objects: HashMap::new() };
        cluster.add_bootstrap_roles();
        let mut seen = HashSet::new();
        for recorded in &recording.requests {
            let first = seen.insert(&recorded.key);
            let whole = matches!(recorded.subresource(), "" | "status" | "finalize" | "approval");
            if let Some(old) = recorded.field("oldObject").filter(|_| first && whole) {
                cluster.objects.entry(recorded.key.clone()).or_insert_with(|| Arc::new(old.clone()));
                let made_here =
                    ["Endpoints", "IPAddress", "APIService", "Event", "Lease"].contains(&recorded.key.kind.as_str());
                if object::owner_references(old).is_empty() && !made_here {
                    cluster.declare_object(&recorded.key, old);
                }
            }
        }
        cluster
    }

    /// Roles that every API server makes at its first start, which is not recorded.
    fn add_bootstrap_roles(&mut self) {
        let Some(text) = path("../spike/bootstrap-clusterroles.json").and_then(|p| fs::read(p).ok()) else { return };
        let mut roles: Value = serde_json::from_slice(&text).unwrap();
        for role in roles["items"].as_array_mut().unwrap() {
            let key = ObjectKey::new("rbac.authorization.k8s.io", "ClusterRole", "", object::name(role));
            self.objects.insert(key, Arc::new(role.take()));
        }
    }

    /// Git declares an object.
    pub(crate) fn declare(&mut self, recorded: &Recorded) {
        let object = recorded.field("object").unwrap().clone();
        self.declare_object(&recorded.key, &object);
    }

    fn declare_object(&mut self, key: &ObjectKey, object: &Value) {
        let file: Arc<str> = "recorded.yaml".into();
        let manifest = Manifest {
            gvk: Gvk::of(object).unwrap_or_else(|| Gvk::new("v1", &key.kind)),
            key: key.clone(),
            value: object.clone().into(),
            file,
            spans: Arc::default(),
            base: FieldPath::root(),
        };
        let declared = Declared {
            manifest,
            canonical: object.clone().into(),
            digest: Digest::of(object),
            has_status_subresource: true,
            expected: None,
            learnt: None,
            before: None,
        };
        self.snapshot.declared.insert(key.clone(), Arc::new(declared));
    }

    /// Takes over what a request did.
    pub(crate) fn apply(&mut self, recorded: &Recorded, git: &str) {
        if recorded.field("dryRun").is_some_and(|d| d == true) {
            return;
        }
        let key = &recorded.key;
        let object = recorded.field("object").cloned().unwrap_or_default();
        match (recorded.subresource(), recorded.operation()) {
            ("status", "UPDATE") if self.objects.contains_key(key) => self.apply_status(key, &object),
            ("" | "status" | "finalize" | "approval" | "resize" | "ephemeralcontainers", "CREATE" | "UPDATE") => {
                if recorded.user() == git {
                    self.remember(key, &object);
                }
                let ended = object::is_terminating(&object) && object::finalizers(&object).next().is_none();
                if ended && recorded.operation() == "UPDATE" && !matches!(key.kind.as_str(), "Pod" | "Namespace") {
                    self.objects.remove(key);
                } else {
                    self.objects.insert(key.clone(), Arc::new(object));
                }
            }
            ("scale", _) => {
                let replicas = object["spec"]["replicas"].as_i64().unwrap_or(0);
                self.change(key, |o| o["spec"]["replicas"] = replicas.into());
            }
            ("binding", _) => self.change(key, |o| {
                o["spec"]["nodeName"] = object["target"]["name"].clone();
                for (label, value) in object::labels(&object).into_iter().flatten() {
                    o["metadata"]["labels"][label] = value.clone();
                }
            }),
            ("", "DELETE") => self.apply_deletion(recorded),
            _ => {}
        }
    }

    fn change(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Value)) {
        if let Some(object) = self.objects.get_mut(key) {
            change(Arc::make_mut(object));
        }
    }

    fn apply_status(&mut self, key: &ObjectKey, object: &Value) {
        self.change(key, |held| {
            let mut addresses = held["status"]["podIPs"].as_array().cloned().unwrap_or_default();
            held["status"] = object["status"].clone();
            for address in object["status"]["podIPs"].as_array().into_iter().flatten() {
                if !addresses.contains(address) {
                    addresses.push(address.clone());
                }
            }
            if !addresses.is_empty() {
                held["status"]["podIPs"] = addresses.into();
            }
            if object::annotations(object).is_some() {
                held["metadata"]["annotations"] = object["metadata"]["annotations"].clone();
            }
        });
    }

    /// What Git replaces counts for a while longer.
    fn remember(&mut self, key: &ObjectKey, new: &Value) {
        let Some(old) = self.objects.get(key) else { return };
        if same(&old["spec"]["template"], &new["spec"]["template"]) {
            return;
        }
        let expected = Expected { object: old.as_ref().clone(), uid: None, record: None };
        let former = Former { replaced: self.now, expected: Arc::new(expected) };
        self.snapshot.former.entry(key.clone()).or_default().push(former);
    }

    fn apply_deletion(&mut self, recorded: &Recorded) {
        let mut old = recorded.field("oldObject").cloned().unwrap_or_default();
        let options = recorded.field("options").cloned().unwrap_or_default();
        let waits = matches!(options["propagationPolicy"].as_str(), Some("Foreground" | "Orphan"));
        let on_node = recorded.key.kind == "Pod"
            && options["gracePeriodSeconds"].as_i64() != Some(0)
            && old["spec"]["nodeName"].is_string();
        let lingers = object::finalizers(&old).next().is_some() || waits || on_node || recorded.key.kind == "Namespace";
        if lingers {
            if !object::is_terminating(&old) {
                old["metadata"]["deletionTimestamp"] = self.now.to_string().into();
            }
            self.objects.insert(recorded.key.clone(), Arc::new(old));
        } else {
            self.objects.remove(&recorded.key);
        }
    }
}
