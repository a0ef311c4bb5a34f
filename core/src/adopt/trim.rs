//! Taking out of a manifest what comes back by itself, one subtree at a time.

use serde_json::Value;

use crate::path::{FieldPath, Step};

/// Fields that are never taken out, with all below them: what selects, what is named by others, what
/// holds content, and of what is allocated the part that somebody asked for. None of them is ever a default, or its removal would mean something else
/// where the object is made anew.
const KEPT: [&str; 25] = [
    "apiVersion",
    "args",
    "binaryData",
    "clusterIP",
    "clusterIPs",
    "command",
    "containerPort",
    "data",
    "healthCheckNodePort",
    "image",
    "key",
    "kind",
    "labelSelector",
    "matchExpressions",
    "matchLabels",
    "metadata",
    "mountPath",
    "name",
    "namespaceSelector",
    "nodePort",
    "podSelector",
    "rules",
    "selector",
    "value",
    "volumeName",
];

/// Of the fields above, those that are defaults below some others.
fn is_kept(field: &str, parents: &[&str]) -> bool {
    match (field, parents.last()) {
        // `fieldRef.apiVersion` is `v1` unless another is named; a claim's template is one without saying so.
        ("apiVersion" | "kind", Some(parent)) => !["fieldRef", "volumeClaimTemplates"].contains(parent),
        // Only a Role's content; an Ingress's or a HorizontalPodAutoscaler's rules hold defaults.
        ("rules", parent) => parent.is_none(),
        // A probe's or a mutator's, not a ConfigMap's.
        ("data" | "binaryData", parent) => parent.is_none(),
        _ => KEPT.contains(&field),
    }
}

/// A manifest that is being trimmed. Whoever drives it asks the API server of each
/// [candidate](Trimming::candidate) whether it comes out as before, and [tells](Trimming::tell).
#[derive(Debug, Clone)]
pub struct Trimming {
    manifest: Value,
    /// To be tried; the last one next.
    pending: Vec<FieldPath>,
    trying: Option<(FieldPath, Value)>,
    /// Plain values that did not come back, and those of them to be tried once more.
    refused: Vec<FieldPath>,
    again: Vec<FieldPath>,
    left: usize,
}

impl Trimming {
    /// A manifest, and how many candidates are tried at most.
    pub fn new(manifest: Value, most: usize) -> Self {
        let pending = below(&manifest, &FieldPath::root());
        Self { manifest, pending, trying: None, refused: Vec::new(), again: Vec::new(), left: most }
    }

    /// The next candidate; `None` when there is nothing left to try.
    pub fn candidate(&mut self) -> Option<&Value> {
        if self.left == 0 {
            return None;
        }
        if self.pending.is_empty() {
            self.pending = std::mem::take(&mut self.again);
        }
        let path = self.pending.pop()?;
        self.left -= 1;
        let mut without = self.manifest.clone();
        take_out(&mut without, &path.0);
        Some(&self.trying.insert((path, without)).1)
    }

    /// Whether the last candidate came out as the whole does.
    pub fn tell(&mut self, comes_back: bool) {
        match self.trying.take() {
            Some((path, without)) if comes_back => {
                self.manifest = without;
                self.try_again_beside(&path);
            }
            Some((path, _)) => {
                let kept = path.get(&self.manifest);
                if kept.is_some_and(|value| !value.is_object() && !value.is_array()) {
                    self.refused.push(path.clone());
                }
                self.pending.extend(kept.map(|value| below(value, &path)).into_iter().flatten());
            }
            None => {}
        }
    }

    /// Some fields are defaults only without each other, as a Job's completions and parallelism.
    fn try_again_beside(&mut self, path: &FieldPath) {
        let beside = |refused: &FieldPath| refused.parent() == path.parent();
        self.again.extend(self.refused.extract_if(.., |refused| beside(refused)));
    }

    /// Whether everything was tried.
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty() && self.again.is_empty()
    }

    /// What has to be declared.
    pub fn into_manifest(self) -> Value {
        self.manifest
    }
}

/// The subtrees right below a value that may be taken out, in reverse order. Elements of lists stay;
/// what is in them may go.
fn below(value: &Value, path: &FieldPath) -> Vec<FieldPath> {
    let mut found = Vec::new();
    match value {
        Value::Object(fields) => {
            let parents = path.fields();
            let tried = fields.keys().rev().filter(|field| !is_kept(field, &parents));
            found.extend(tried.map(|field| path.field(field)));
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate().rev() {
                found.extend(below(item, &path.index(n)));
            }
        }
        _ => {}
    }
    found
}

fn take_out(value: &mut Value, path: &[Step]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, step| match step {
        Step::Field(field) => value.get_mut(field),
        Step::Index(n) => value.get_mut(n),
        Step::Key(_) => None,
    });
    if let (Some(Value::Object(fields)), Step::Field(field)) = (parent, last) {
        fields.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Trims as an API server would that puts these defaults where they are missing.
    fn trimmed(manifest: Value, most: usize, defaulted: impl Fn(&Value) -> Value) -> (Value, bool, usize) {
        let whole = defaulted(&manifest);
        let mut trimming = Trimming::new(manifest, most);
        let mut asked = 0;
        while let Some(candidate) = trimming.candidate().cloned() {
            asked += 1;
            trimming.tell(defaulted(&candidate) == whole);
        }
        let complete = trimming.is_complete();
        (trimming.into_manifest(), complete, asked)
    }

    fn deployment(manifest: &Value) -> Value {
        let mut object = manifest.clone();
        let spec = &mut object["spec"];
        for (field, value) in [("replicas", json!(1)), ("strategy", json!({"type": "RollingUpdate", "max": 25}))] {
            if spec.get(field).is_none() {
                spec[field] = value;
            }
        }
        if let Some(containers) = spec.pointer_mut("/template/spec/containers").and_then(Value::as_array_mut) {
            for container in containers {
                if container.get("terminationMessagePath").is_none() {
                    container["terminationMessagePath"] = json!("/dev/termination-log");
                }
            }
        }
        object
    }

    #[test]
    fn what_comes_back_goes_and_the_rest_stays() {
        let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}},
            "spec": {"replicas": 3, "strategy": {"type": "RollingUpdate", "max": 25}, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}, "annotations": {"x": "y"}},
                    "spec": {"containers": [{"name": "web", "image": "i", "terminationMessagePath": "/dev/termination-log"},
                        {"name": "other", "image": "j", "terminationMessagePath": "/else"}]}}}});
        let (found, complete, asked) = trimmed(manifest, 100, deployment);
        assert!(complete);
        assert_eq!(
            found,
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}, "annotations": {"x": "y"}},
                    "spec": {"containers": [{"name": "web", "image": "i"},
                        {"name": "other", "image": "j", "terminationMessagePath": "/else"}]}}}})
        );
        // spec, replicas, strategy, template, its spec, containers, one field of each, and replicas again.
        assert_eq!(asked, 9);
    }

    #[test]
    fn what_selects_or_names_or_holds_content_is_not_even_tried() {
        let never = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "labels": {"x": "y"}},
            "data": {"a": "b"}, "binaryData": {}, "rules": [{"verbs": ["get"]}]});
        assert_eq!(trimmed(never.clone(), 100, |_| Value::Null), (never, true, 0));
        let service = json!({"spec": {"selector": {"a": "b"}}});
        // With its parent it may go: what the API server then puts there is the same.
        assert_eq!(trimmed(service.clone(), 100, Clone::clone), (service, true, 1));
    }

    #[test]
    fn what_comes_back_only_without_its_neighbour_is_tried_again() {
        let both = |object: &Value| {
            let mut object = object.clone();
            if object["spec"].get("a").is_none() && object["spec"].get("b").is_none() {
                object["spec"]["a"] = json!(1);
            }
            if object["spec"].get("b").is_none() {
                object["spec"]["b"] = json!(1);
            }
            object
        };
        let (found, complete, asked) = trimmed(json!({"spec": {"a": 1, "b": 1, "c": 2}}), 100, both);
        assert_eq!((found, complete, asked), (json!({"spec": {"c": 2}}), true, 6));
    }

    #[test]
    fn candidates_are_bounded() {
        let object = json!({"spec": {"a": 1, "b": 2, "c": 3}});
        let (kept, complete, asked) = trimmed(object.clone(), 2, Clone::clone);
        assert_eq!((kept, complete, asked), (object, false, 2));
    }

    #[test]
    fn nonsense_is_left_as_it_is() {
        for odd in [json!(null), json!([1, [2]]), json!("x"), json!([{"a": [{"b": []}]}])] {
            let (kept, complete, _) = trimmed(odd.clone(), 100, Clone::clone);
            assert_eq!((kept, complete), (odd, true));
        }
    }
}
