//! Schemas: what a valid object looks like, by Kubernetes version and by the tree's own CRDs.

use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::object::Gvk;

/// Whether objects of a kind live in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// The schemas of one Kubernetes version and of custom resources.
#[derive(Debug, Clone)]
pub struct Schemas {}

impl Schemas {
    /// The built-in schemas of a Kubernetes minor version, for example `1.36`.
    ///
    /// # Errors
    /// A finding that lists the versions there are.
    pub fn builtin(_version: &str) -> Result<Self, Box<Finding>> {
        Ok(Self {})
    }

    /// These schemas and those of the CustomResourceDefinitions among the manifests.
    #[must_use]
    pub fn with_crds<'a>(&self, _manifests: impl Iterator<Item = &'a Manifest>) -> (Self, Vec<Finding>) {
        (self.clone(), Vec::new())
    }

    /// Whether a kind is namespaced; `None` if it is not known.
    pub fn scope(&self, _gvk: &Gvk) -> Option<Scope> {
        None
    }

    /// Whether a kind keeps its status in a subresource. Built-in kinds with a status all do; a
    /// custom resource does if its CRD says so; an unknown kind is taken not to.
    pub fn has_status_subresource(&self, _gvk: &Gvk) -> bool {
        false
    }

    /// Everything in a manifest that its schema does not allow; unknown fields are errors.
    pub fn check(&self, _manifest: &Manifest) -> Vec<Finding> {
        Vec::new()
    }
}
