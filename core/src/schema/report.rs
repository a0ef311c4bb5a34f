//! Where the walk stands, and what it says about it.

use serde_json::Value;

use super::node::Fields;
use crate::finding::{Finding, Severity};
use crate::manifest::Manifest;
use crate::path::{FieldPath, Step};

/// Findings of one object; the rest is summed up in a note.
const MOST_FINDINGS: usize = 50;

/// A point in an object, linked to the points it is reached through. It lives on the stack; a path
/// is made of it only for a finding.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    up: Option<&'a At<'a>>,
    step: AtStep<'a>,
    /// What the schema allows here, if it is a map.
    pub(super) fields: Option<&'a Fields>,
}

#[derive(Clone, Copy)]
enum AtStep<'a> {
    Root,
    Field(&'a str),
    Item { index: usize, list: &'a [Value], keys: &'a [String] },
}

impl<'a> At<'a> {
    pub(super) const ROOT: At<'static> = At { up: None, step: AtStep::Root, fields: None };

    pub(super) fn field(&'a self, name: &'a str) -> At<'a> {
        At { up: Some(self), step: AtStep::Field(name), fields: None }
    }

    pub(super) fn item(&'a self, index: usize, list: &'a [Value], keys: &'a [String]) -> At<'a> {
        At { up: Some(self), step: AtStep::Item { index, list, keys }, fields: None }
    }

    pub(super) fn with_fields(self, fields: Option<&'a Fields>) -> At<'a> {
        At { fields, ..self }
    }

    /// The nearest enclosing map.
    pub(super) fn enclosing(&self) -> Option<&'a At<'a>> {
        std::iter::successors(self.up, |at| at.up).find(|at| at.fields.is_some())
    }

    /// The path as text; the whole object if it is the root.
    pub(super) fn path_or_object(&self) -> String {
        match self.up {
            None => "the object".to_owned(),
            Some(_) => format!("`{}`", self.path()),
        }
    }

    pub(super) fn path(&self) -> FieldPath {
        let mut steps: Vec<Step> =
            std::iter::successors(Some(self), |at| at.up).filter_map(|at| at.step.step()).collect();
        steps.reverse();
        FieldPath(steps)
    }
}

impl AtStep<'_> {
    fn step(self) -> Option<Step> {
        match self {
            AtStep::Root => None,
            AtStep::Field(name) => Some(Step::Field(name.to_owned())),
            AtStep::Item { index, list, keys } => {
                Some(merge_key(index, list, keys).map_or(Step::Index(index), Step::Key))
            }
        }
    }
}

/// The merge key of an element, unless it lacks one of the keys' values or another element before
/// it answers to the same key.
fn merge_key(index: usize, list: &[Value], keys: &[String]) -> Option<Vec<(String, Value)>> {
    let item = list.get(index)?;
    let key: Vec<_> = keys
        .iter()
        .filter_map(|k| item.get(k).filter(|v| v.is_string() || v.is_number()).map(|v| (k.clone(), v.clone())))
        .collect();
    let first = list.iter().position(|other| key.iter().all(|(k, v)| other.get(k) == Some(v)))?;
    (!key.is_empty() && first == index).then_some(key)
}

/// Collects the findings of one object.
pub(super) struct Report<'m> {
    manifest: &'m Manifest,
    findings: Vec<Finding>,
    beyond: usize,
}

impl<'m> Report<'m> {
    pub(super) fn new(manifest: &'m Manifest) -> Self {
        Self { manifest, findings: Vec::new(), beyond: 0 }
    }

    /// A report on the same object with nothing in it.
    pub(super) fn empty(&self) -> Self {
        Self::new(self.manifest)
    }

    /// What the object is called in messages.
    pub(super) fn kind(&self) -> &'m str {
        &self.manifest.gvk.kind
    }

    /// Whether nothing was found that keeps the API server from asking the rules of a CRD.
    pub(super) fn fits(&self) -> bool {
        self.findings.iter().all(|f| f.severity < Severity::Error || f.rule == "schema/unknown-field")
    }

    /// Whether more findings would only be counted.
    pub(super) fn is_full(&self) -> bool {
        self.findings.len() >= MOST_FINDINGS
    }

    pub(super) fn add(&mut self, finding: Finding, path: FieldPath) {
        if self.is_full() {
            self.beyond += 1;
            return;
        }
        let place = match &*finding.rule {
            "schema/unknown-field" => self.manifest.key_place(&path),
            _ => self.manifest.place(&path),
        };
        self.findings.push(finding.with_object(self.manifest.key.clone()).with_field(path).with_place(Some(place)));
    }

    pub(super) fn finish(mut self) -> Vec<Finding> {
        if self.beyond > 0 {
            let note = Finding::new(
                Severity::Info,
                "schema/more",
                format!("{} further findings of this object are not shown", self.beyond),
            );
            self.findings.push(note.with_object(self.manifest.key.clone()));
        }
        self.findings
    }
}
