//! An object that is looked at, and what is found in it.

use serde_json::{Map, Value};

use super::On;
use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::path::FieldPath;

/// Findings of one object; more are most likely the same mistake.
const MOST: usize = 100;

/// The field that holds a Pod template, by group and kind; of a Pod the object itself.
const TEMPLATES: [(&str, &str, &[&str]); 9] = [
    ("", "Pod", &[]),
    ("", "PodTemplate", &["template"]),
    ("", "ReplicationController", &["spec", "template"]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// An object and what was found in it so far.
pub(super) struct Object<'m> {
    pub(super) manifest: &'m Manifest,
    /// The object as it is written.
    pub(super) value: &'m Value,
    pub(super) findings: Vec<Finding>,
    template: Option<(&'m Value, FieldPath)>,
    /// Containers and init containers.
    containers: Vec<(&'m Value, FieldPath)>,
}

impl<'m> Object<'m> {
    pub(super) fn new(manifest: &'m Manifest) -> Self {
        let template = template(manifest);
        let containers = template.iter().flat_map(|(value, at)| each(value, at, "spec.containers|initContainers[]"));
        let containers = containers.collect();
        Self { manifest, value: &manifest.value, findings: Vec::new(), template, containers }
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.manifest.gvk.kind == kind
    }

    /// The Pod template, or the Pod, and its path.
    pub(super) fn template(&self) -> Option<(&'m Value, FieldPath)> {
        self.template.clone()
    }

    /// What a row of a table looks at, and where it stands: the object, its Pod template, or each of the containers.
    pub(super) fn parts(&self, on: &On) -> Vec<(&'m Value, FieldPath)> {
        match on {
            On::Everything | On::Kinds(..) if self.counts(on) => vec![(self.value, FieldPath::root())],
            On::Everything | On::Kinds(..) => Vec::new(),
            On::Pods => self.template.iter().cloned().collect(),
            On::Containers => self.containers.clone(),
        }
    }

    /// Whether there is anything to look at.
    pub(super) fn counts(&self, on: &On) -> bool {
        let gvk = &self.manifest.gvk;
        match on {
            On::Everything => true,
            On::Kinds(group, kinds) => gvk.group == *group && kinds.contains(&gvk.kind.as_str()),
            On::Pods => self.template.is_some(),
            On::Containers => !self.containers.is_empty(),
        }
    }

    /// Tells of a value, at its place.
    pub(super) fn say(&mut self, rule: &'static str, at: &FieldPath, what: impl std::fmt::Display, hint: &str) {
        let place = self.manifest.place(at);
        self.tell(rule, at, what, hint, place);
    }

    /// Tells of a key, at its place.
    pub(super) fn say_of_key(&mut self, rule: &'static str, at: &FieldPath, what: impl std::fmt::Display, hint: &str) {
        let place = self.manifest.key_place(at);
        self.tell(rule, at, what, hint, place);
    }

    /// Tells that a map has no such field. What the object itself lacks is told at its name.
    pub(super) fn say_missing(&mut self, at: &FieldPath, field: &str) {
        if at == &FieldPath::root() {
            let place = self.manifest.place(&FieldPath::of(["metadata", "name"]));
            self.tell("valid/missing", &at.field(field), "is missing", "add it", place);
        } else {
            self.say("valid/missing", at, format!("needs `{field}`"), "add it");
        }
    }

    fn tell(
        &mut self,
        rule: &'static str,
        at: &FieldPath,
        what: impl std::fmt::Display,
        hint: &str,
        place: crate::finding::Place,
    ) {
        if self.findings.len() < MOST {
            let finding = Finding::error(rule, format!("`{at}` {what}"))
                .with_object(self.manifest.key.clone())
                .with_field(at.clone())
                .with_place(Some(place))
                .with_hint(hint);
            self.findings.push(finding);
        }
    }
}

fn template(manifest: &Manifest) -> Option<(&Value, FieldPath)> {
    let gvk = &manifest.gvk;
    let (_, _, fields) = TEMPLATES.iter().find(|(group, kind, _)| *group == gvk.group && *kind == gvk.kind)?;
    let value = fields.iter().try_fold(&*manifest.value, |value, field| value.get(field))?;
    Some((value, fields.iter().fold(FieldPath::root(), |path, field| path.field(field))))
}

/// The elements of a list, with their positions; none if it is no list.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate()
}

/// The fields of a map; none if it is no map.
pub(super) fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The values that a path leads to, and where they stand: fields with `.` between them, `a|b` for either of two,
/// `[]` for the elements of a list. What is absent or null is left out.
pub(super) fn each<'v>(value: &'v Value, at: &FieldPath, path: &str) -> Vec<(&'v Value, FieldPath)> {
    let mut found = Vec::new();
    walk(value, path, &mut Vec::new(), &mut |value, steps: &[At<'_>]| {
        let step = |path: FieldPath, step: &At<'_>| match step {
            At::Field(name) => path.field(name),
            At::Index(index) => path.index(*index),
        };
        found.push((value, steps.iter().fold(at.clone(), step)));
    });
    found
}

/// A step on the way. Most ways lead nowhere, and cost no path.
enum At<'p> {
    Field(&'p str),
    Index(usize),
}

fn walk<'v, 'p>(
    value: &'v Value,
    path: &'p str,
    steps: &mut Vec<At<'p>>,
    found: &mut impl FnMut(&'v Value, &[At<'p>]),
) {
    if value.is_null() {
        return;
    }
    if path.is_empty() {
        return found(value, steps);
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let (names, is_list) = step.strip_suffix("[]").map_or((step, false), |names| (names, true));
    for name in names.split('|') {
        let Some(value) = value.get(name) else { continue };
        steps.push(At::Field(name));
        if is_list {
            for (index, value) in elements(value) {
                steps.push(At::Index(index));
                walk(value, rest, steps, found);
                steps.pop();
            }
        } else {
            walk(value, rest, steps, found);
        }
        steps.pop();
    }
}

/// Whether a field says something: the API server takes an empty text, an empty list and zero for nothing.
pub(super) fn is_given(value: &Value) -> bool {
    !is_unset(value) && value.as_i64() != Some(0) && value.as_array().is_none_or(|list| !list.is_empty())
}

/// Whether a field is absent, null or an empty text.
pub(super) fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}
