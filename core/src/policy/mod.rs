//! Policies: Rego, written once, with the same verdict at every gate.

use std::sync::Arc;

use crate::finding::Finding;
use crate::manifest::Manifest;

/// A Rego file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Path in the tree.
    pub file: Arc<str>,
    /// Its text.
    pub text: String,
}

/// Compiled policies.
#[derive(Clone)]
pub struct Policies {}

impl Policies {
    /// Compiles policies.
    ///
    /// # Errors
    /// One finding for each policy that cannot be evaluated, with its place.
    pub fn compile(_files: &[PolicyFile]) -> Result<Self, Vec<Finding>> {
        Ok(Self {})
    }

    /// What the policies say of an object.
    pub fn evaluate(&self, _manifest: &Manifest) -> Vec<Finding> {
        Vec::new()
    }
}

/// The starter policies that come with gitward.
pub fn starter() -> Vec<PolicyFile> {
    Vec::new()
}
