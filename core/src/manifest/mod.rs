//! Manifests: YAML as Kubernetes reads it, with the place of every value.

use std::sync::Arc;

use serde_json::Value;

use crate::finding::{Finding, Place};
use crate::object::{Gvk, ObjectKey};
use crate::path::FieldPath;

/// Bounds on one file, since everything in it is a pusher's to choose.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a file.
    pub bytes: usize,
    /// Nesting depth.
    pub depth: usize,
    /// Nodes of a file after alias expansion.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 8 << 20, depth: 100, nodes: 2_000_000 }
    }
}

/// The places of all values of a document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans {}

/// One YAML document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its content as JSON.
    pub value: Value,
    /// The place of every value in it.
    pub spans: Spans,
}

/// An object in a tree: content and place of every field.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// What it is called in the cluster. The namespace is what the manifest says, empty if it says
    /// none.
    pub key: ObjectKey,
    /// The object as written (not defaulted, not canonical).
    pub value: Value,
    /// The file, relative to the tree's root.
    pub file: Arc<str>,
    /// Places, shared by all objects of a document (a `List` holds several).
    pub spans: Arc<Spans>,
    /// Where in the document the object stands: the root, or `items[3]` of a list.
    pub base: FieldPath,
}

impl Manifest {
    /// The place of a field, or of the nearest enclosing one that is written in the file.
    pub fn place(&self, _path: &FieldPath) -> Place {
        Place { file: self.file.clone(), line: 1, column: 1 }
    }
}

/// Reads all objects of a file. Whatever cannot be read becomes a finding; the rest is returned.
pub fn read(_file: &Arc<str>, _text: &[u8], _limits: &Limits) -> (Vec<Manifest>, Vec<Finding>) {
    (Vec::new(), Vec::new())
}
