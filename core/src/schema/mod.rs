//! Schemas: what a valid object looks like, by Kubernetes version and by the tree's own CRDs.
//!
//! A manifest is refused here for what the API server refuses while it *decodes* an object, for
//! fields that it would silently drop, and, for custom resources, for what their schema says.
//! Kubernetes' own validation of built-in kinds goes further; what is known of it is in
//! [`crate::validity`]. The findings' rules:
//!
//! | rule | meaning |
//! | --- | --- |
//! | `schema/unknown-field` | no such field |
//! | `schema/deprecated-api` | a warning: the kind will not be served for ever |
//! | `schema/type` | a value of another type |
//! | `schema/required` | a field is missing |
//! | `schema/enum` | none of the values there are |
//! | `schema/invalid` | a pattern, format, range, size or combination does not hold |
//! | `schema/unknown-kind` | no such kind |
//! | `schema/removed-api` | the kind is no longer served in this version |
//! | `schema/rule` | a rule that the CRD writes in CEL does not hold |
//! | `schema/crd` | the schema in a CRD cannot be used |
//! | `schema/unchecked` | a warning: a pattern or a rule in a CRD is not understood |
//! | `schema/limit` | too deep or too large to be checked |
//! | `schema/more` | a note: further findings are not shown |
//! | `schema/version` | no schemas for this version of Kubernetes |

mod catalog;
mod crd;
mod defaults;
mod format;
mod lifecycle;
mod messages;
mod node;
mod pattern;
mod report;
mod rules;
mod scalar;
mod structural;
mod suggest;
mod unknown;
mod validation;
pub mod vendor;
mod walk;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use catalog::{Catalog, Embedded, VERSIONS};
use node::{Kind, Resource};

use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::object::Gvk;
use crate::path::{FieldPath, Step};

pub(crate) use crd::is_crd;
pub(crate) use suggest::{listed, nearest};

/// Whether objects of a kind live in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// The schemas of one Kubernetes version and of custom resources. Cheap to clone and to share
/// between threads; the built-in schemas are read when first asked for, once for the process.
#[derive(Clone)]
pub struct Schemas {
    builtin: &'static Embedded,
    custom: Arc<HashMap<Gvk, Resource>>,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas").field("version", &self.version()).field("custom", &self.custom.len()).finish()
    }
}

impl Schemas {
    /// The built-in schemas of a Kubernetes minor version, for example `1.36`. A `v` in front and a
    /// patch version behind are allowed.
    ///
    /// # Errors
    /// A finding that lists the versions there are.
    pub fn builtin(version: &str) -> Result<Self, Box<Finding>> {
        let mut parts = version.trim_start_matches('v').split('.');
        let minor = [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()].join(".");
        match VERSIONS.iter().find(|embedded| embedded.minor == minor) {
            Some(builtin) => Ok(Self { builtin, custom: Arc::default() }),
            None => {
                let finding = Finding::error("schema/version", format!("there are no schemas of Kubernetes {version}"));
                Err(Box::new(
                    finding.with_hint(format!("Versions: {}.", Self::versions().collect::<Vec<_>>().join(", "))),
                ))
            }
        }
    }

    /// The Kubernetes minor versions there are, newest first.
    pub fn versions() -> impl Iterator<Item = &'static str> {
        VERSIONS.iter().map(|embedded| embedded.minor)
    }

    /// The Kubernetes minor version of the built-in schemas.
    pub fn version(&self) -> &'static str {
        self.builtin.minor
    }

    /// These schemas and those of the CustomResourceDefinitions among the manifests.
    ///
    /// The findings (`schema/crd`) say which parts of a schema cannot be used; such a part allows
    /// anything. That a CRD is a valid object is [`Schemas::check`]'s business.
    #[must_use]
    pub fn with_crds<'a>(&self, manifests: impl Iterator<Item = &'a Manifest>) -> (Self, Vec<Finding>) {
        let (schemas, findings) = self.with_each_crd(manifests);
        (schemas, findings.into_iter().flatten().collect())
    }

    /// As [`Schemas::with_crds`], with the findings of each manifest.
    pub(crate) fn with_each_crd<'a>(&self, manifests: impl Iterator<Item = &'a Manifest>) -> (Self, Vec<Vec<Finding>>) {
        let mut custom = (*self.custom).clone();
        let mut findings = Vec::new();
        for manifest in manifests {
            let (kinds, problems) = if is_crd(&manifest.gvk) { crd::kinds(manifest) } else { Default::default() };
            custom.extend(kinds);
            findings.push(problems);
        }
        (Self { builtin: self.builtin, custom: Arc::new(custom) }, findings)
    }

    /// These built-in schemas with the custom resources of others.
    pub(crate) fn with_custom_of(&self, others: &Self) -> Self {
        Self { builtin: self.builtin, custom: others.custom.clone() }
    }

    /// These schemas, with the custom resources that others define too as those define them.
    pub(crate) fn held_to(&self, others: &Self) -> Self {
        let custom = self.custom.iter().map(|(gvk, own)| (gvk.clone(), others.custom.get(gvk).unwrap_or(own).clone()));
        Self { builtin: self.builtin, custom: Arc::new(custom.collect()) }
    }

    /// Whether what is said of a kind may hang on the CRDs of the tree: it is none of Kubernetes' own, or
    /// one that has to be replaced by another.
    pub(crate) fn hangs_on_crds(&self, gvk: &Gvk) -> bool {
        !self.catalog().kinds.contains_key(gvk) || lifecycle::is_deprecated(self, gvk)
    }

    /// Reads the built-in schemas now, and not when they are first asked for.
    pub fn load(&self) {
        self.catalog();
    }

    fn catalog(&self) -> &'static Catalog {
        self.builtin.catalog()
    }

    /// A CRD cannot take the place of a built-in kind.
    fn resource_of(&self, gvk: &Gvk) -> Option<&Resource> {
        self.catalog().kinds.get(gvk).or_else(|| self.custom.get(gvk))
    }

    /// All kinds that can be created, built-in and custom, in no particular order.
    pub fn kinds(&self) -> impl Iterator<Item = &Gvk> {
        self.catalog().kinds.keys().chain(self.custom.keys())
    }

    /// Whether a kind is namespaced; `None` if it is not known.
    pub fn scope(&self, gvk: &Gvk) -> Option<Scope> {
        Some(if self.resource_of(gvk)?.namespaced { Scope::Namespaced } else { Scope::Cluster })
    }

    /// Whether a kind keeps its status in a subresource. Built-in kinds with a status all do; a
    /// custom resource does if its CRD says so; an unknown kind is taken not to.
    pub fn has_status_subresource(&self, gvk: &Gvk) -> bool {
        self.resource_of(gvk).is_some_and(|resource| resource.status)
    }

    /// The name of a kind in paths and RBAC rules, for example `deployments`.
    pub fn resource(&self, gvk: &Gvk) -> Option<&str> {
        Some(&self.resource_of(gvk)?.plural)
    }

    /// The fields that tell the elements of a list apart, for example `name` for containers; `None`
    /// if it is no list or positions tell them apart.
    pub fn list_keys(&self, gvk: &Gvk, path: &FieldPath) -> Option<&[String]> {
        let resource = self.resource_of(gvk)?;
        let mut arena = &*resource.arena;
        let mut node = arena.get(resource.root)?;
        for step in &path.0 {
            if node.kind == Kind::ObjectMeta {
                arena = &self.catalog().arena;
                node = arena.get(catalog::OBJECT_META)?;
            }
            if let Some(like) = node.like.filter(|_| matches!(step, Step::Field(_))) {
                node = arena.get(like)?;
            }
            let next = match step {
                Step::Field(name) => node.object.as_ref()?.child(name)?,
                Step::Index(_) | Step::Key(_) => node.items.as_ref()?.node,
            };
            node = arena.get(next)?;
        }
        let keys = &node.items.as_ref()?.keys;
        (!keys.is_empty()).then_some(keys)
    }

    /// Whether a CRD has rules for changes of a kind's objects.
    pub(crate) fn judges_changes(&self, gvk: &Gvk) -> bool {
        self.resource_of(gvk).is_some_and(|resource| resource.arena.has_transitions)
    }

    /// What the rules of a CRD that compare with the object before (`oldSelf`) have against the change of an object.
    pub fn check_change(&self, before: &Manifest, manifest: &Manifest) -> Vec<Finding> {
        let resource = self.resource_of(&manifest.gvk).filter(|resource| resource.arena.has_transitions);
        resource.map(|resource| walk::check_change(self.catalog(), resource, before, manifest)).unwrap_or_default()
    }

    /// Everything in a manifest that its schema does not allow; unknown fields are errors.
    pub fn check(&self, manifest: &Manifest) -> Vec<Finding> {
        match self.resource_of(&manifest.gvk) {
            Some(resource) => {
                let mut findings = walk::check(self.catalog(), resource, manifest);
                findings.extend(lifecycle::deprecation(self, manifest));
                findings
            }
            None => vec![unknown::finding(self, manifest)],
        }
    }
}
