//! What the API server is asked about a manifest, and what its answer means.

use serde::Serialize;
use serde_json::{Value, json};

use crate::carry::{self, Subject};
use crate::change::{Change, normalised, object_changes};
use crate::derived::Context;
use crate::object::{self, ObjectKey};
use crate::path::FieldPath;

/// One object that is about to be declared.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Which.
    pub key: &'a ObjectKey,
    /// As it is.
    pub live: &'a Value,
    /// Whether its kind keeps its status in a subresource.
    pub has_status_subresource: bool,
    /// What Git is going to declare, and what the cluster holds.
    pub context: &'a Context<'a>,
}

impl Asking<'_> {
    fn carry(&self, target: &mut Value, manifest: &Value) {
        let subject = Subject { key: self.key, declared: manifest, live: self.live, record: None };
        carry::carry(target, &subject, self.context);
    }

    /// The body of the replacement that is dry-run: what the reconciler would write of the manifest.
    pub fn body(&self, manifest: &Value) -> Value {
        let mut body = manifest.clone();
        self.carry(&mut body, manifest);
        for field in ["resourceVersion", "uid"] {
            if let Some(value) = object::metadata_str(self.live, field) {
                body["metadata"][field] = json!(value);
            }
        }
        body
    }

    /// What the gates would expect of the manifest, by the answer to its dry run.
    pub fn expected(&self, manifest: &Value, answer: &Value) -> Value {
        let mut expected = normalised(answer, self.has_status_subresource);
        self.carry(&mut expected, manifest);
        expected
    }

    /// Whether two manifests come out the same.
    pub fn is_same(&self, one: &Value, other: &Value) -> bool {
        object_changes(one, other, self.has_status_subresource).is_empty()
    }
}

/// A field of a live object that changes when Git governs it. Without values: they may be a Secret's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Which.
    pub path: FieldPath,
    /// `removed`, `added` or `changed`.
    pub how: &'static str,
    /// Whether it lies in the template of running Pods, which are then replaced.
    pub restarts: bool,
}

/// What becomes of a live object, from what differs between what is expected of it and what it is.
pub fn effects(key: &ObjectKey, differences: Vec<Change>) -> Vec<Effect> {
    let rolls = matches!((key.group.as_str(), key.kind.as_str()), ("apps", "Deployment" | "StatefulSet" | "DaemonSet"));
    let effect = |difference: Change| Effect {
        how: match (&difference.old, &difference.new) {
            (None, Some(_)) => "removed",
            (Some(_), None) => "added",
            _ => "changed",
        },
        restarts: rolls && difference.path.starts_with(&["spec", "template"]),
        path: difference.path,
    };
    let mut found: Vec<Effect> = differences.into_iter().map(effect).collect();
    found.sort_by_cached_key(|effect| effect.path.to_string());
    found
}
