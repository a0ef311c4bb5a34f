//! An object that is looked at, and what is found in it.

use serde_json::{Map, Value};

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
}

impl<'m> Object<'m> {
    pub(super) fn new(manifest: &'m Manifest) -> Self {
        Self { manifest, value: &manifest.value, findings: Vec::new() }
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.manifest.gvk.kind == kind
    }

    /// The Pod template, or the Pod, and its path.
    pub(super) fn template(&self) -> Option<(&'m Value, FieldPath)> {
        let gvk = &self.manifest.gvk;
        let (_, _, fields) = TEMPLATES.iter().find(|(group, kind, _)| *group == gvk.group && *kind == gvk.kind)?;
        let value = fields.iter().try_fold(self.value, |value, field| value.get(field))?;
        Some((value, fields.iter().fold(FieldPath::root(), |path, field| path.field(field))))
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

/// The elements of a list, with their positions; none if it is no list.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate()
}

/// The fields of a map; none if it is no map.
pub(super) fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// Whether a field is absent, null or an empty text.
pub(super) fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}
