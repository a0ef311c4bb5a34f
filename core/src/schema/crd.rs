//! Kinds out of CustomResourceDefinitions.

use std::sync::Arc;

use serde_json::Value;

use super::node::{Arena, Dialect, Resource};
use super::report::Report;
use super::structural::{Compiler, Root};
use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::object::Gvk;
use crate::path::FieldPath;

/// Whether a manifest is a CustomResourceDefinition in the version that is served.
pub(crate) fn is_crd(gvk: &Gvk) -> bool {
    gvk.group == "apiextensions.k8s.io" && gvk.version == "v1" && gvk.kind == "CustomResourceDefinition"
}

/// The kinds that a CRD defines, one a served version, and what is wrong with their schemas. A
/// field of the CRD that is missing or of another type is left to the check of the CRD itself.
pub(super) fn kinds(crd: &Manifest) -> (Vec<(Gvk, Resource)>, Vec<Finding>) {
    let mut report = Report::new(crd);
    let kinds = read(&crd.value["spec"], &mut report).unwrap_or_default();
    (kinds, report.finish())
}

fn read(spec: &Value, report: &mut Report<'_>) -> Option<Vec<(Gvk, Resource)>> {
    let group = spec["group"].as_str()?;
    let kind = spec["names"]["kind"].as_str()?;
    let plural = spec["names"]["plural"].as_str()?;
    let namespaced = spec["scope"].as_str()? == "Namespaced";
    let mut kinds = Vec::new();
    for (index, version) in spec["versions"].as_array()?.iter().enumerate() {
        let Some(name) = version["name"].as_str() else { continue };
        if version["served"] != Value::Bool(true) {
            continue;
        }
        let path = FieldPath::of(["spec", "versions"]).index(index);
        let status = version["subresources"]["status"].is_object();
        let (arena, root) = compile(&version["schema"]["openAPIV3Schema"], path, status, report);
        let gvk = Gvk { group: group.to_owned(), version: name.to_owned(), kind: kind.to_owned() };
        let (plural, deprecated) = (plural.to_owned(), deprecated(version));
        kinds.push((gvk, Resource { plural, namespaced, status, root, arena: Arc::new(arena), deprecated }));
    }
    Some(kinds)
}

fn compile(schema: &Value, version: FieldPath, status: bool, report: &mut Report<'_>) -> (Arena, u32) {
    let path = version.field("schema").field("openAPIV3Schema");
    let mut arena = Arena::new(Dialect::Custom);
    if !schema.is_object() {
        let message = format!("`{version}` has no schema");
        report.add(Finding::error("schema/crd", message).with_hint("Add `schema.openAPIV3Schema`."), path);
        let root = arena.add(super::node::Node::default());
        return (arena, root);
    }
    let root = Compiler::new(&mut arena, path, report).root(schema, Root { status_subresource: status });
    (arena, root)
}

/// What a CRD says of a version that goes; empty where it says no more.
fn deprecated(version: &Value) -> Option<Arc<str>> {
    let is_deprecated = version["deprecated"].as_bool() == Some(true);
    is_deprecated.then(|| version["deprecationWarning"].as_str().unwrap_or_default().into())
}
