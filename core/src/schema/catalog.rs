//! The built-in kinds of the Kubernetes versions that gitward carries.
//!
//! The data is made by `tools/schemas` and embedded; a version is read when first used, once for
//! the whole process.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::node::{Arena, Dialect, Fields, Items, Kind, Node, NodeId, Resource, Rest, Unique};
use crate::object::Gvk;

/// The node of `ObjectMeta`: the generator writes it first.
pub(super) const OBJECT_META: NodeId = 0;

/// A Kubernetes version whose kinds are embedded.
pub(super) struct Embedded {
    /// For example `1.36`.
    pub(super) minor: &'static str,
    packed: &'static [u8],
    catalog: OnceLock<Catalog>,
}

impl Embedded {
    const fn new(minor: &'static str, packed: &'static [u8]) -> Self {
        Self { minor, packed, catalog: OnceLock::new() }
    }

    /// The kinds. Data that cannot be read gives none, so that every manifest is refused; a test
    /// proves that all of it can be read.
    pub(super) fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| Catalog::read(self.packed).unwrap_or_default())
    }
}

/// Newest first.
pub(super) static VERSIONS: [Embedded; 3] = [
    Embedded::new("1.36", include_bytes!("../../schemas/v1.36.json.gz")),
    Embedded::new("1.35", include_bytes!("../../schemas/v1.35.json.gz")),
    Embedded::new("1.34", include_bytes!("../../schemas/v1.34.json.gz")),
];

/// The kinds of one version.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) arena: Arc<Arena>,
    pub(super) kinds: HashMap<Gvk, Resource>,
}

#[derive(Deserialize)]
struct File {
    kinds: Vec<KindEntry>,
    types: Vec<Value>,
}

#[derive(Deserialize)]
struct KindEntry {
    g: String,
    v: String,
    k: String,
    p: String,
    n: bool,
    s: bool,
    t: NodeId,
}

impl Catalog {
    fn read(packed: &[u8]) -> Option<Self> {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut text).ok()?;
        let file: File = serde_json::from_slice(&text).ok()?;
        let mut arena = Arena::new(Dialect::BuiltIn);
        // A reference is the number of a type, so the types' own nodes come first.
        for _ in &file.types {
            arena.add(Node::default());
        }
        for (id, written) in (0..).zip(&file.types) {
            let node = read_node(&mut arena, written)?;
            arena.set(id, node);
        }
        let arena = Arc::new(arena);
        let kinds = file.kinds.into_iter().map(|entry| {
            let resource = Resource {
                plural: entry.p,
                namespaced: entry.n,
                status: entry.s,
                root: entry.t,
                arena: arena.clone(),
                deprecated: None,
            };
            (Gvk { group: entry.g, version: entry.v, kind: entry.k }, resource)
        });
        let kinds = kinds.collect();
        Some(Self { arena, kinds })
    }
}

/// The number of a node that is written in place or as a reference.
fn read_child(arena: &mut Arena, written: &Value) -> Option<NodeId> {
    if let Some(reference) = written.as_u64() {
        return NodeId::try_from(reference).ok();
    }
    let node = read_node(arena, written)?;
    Some(arena.add(node))
}

fn read_node(arena: &mut Arena, written: &Value) -> Option<Node> {
    if let Some(scalar) = written.as_str() {
        return Some(Node::of(scalar_kind(scalar)?));
    }
    if let Some(fields) = written.get("fields") {
        let mut named = Vec::new();
        for (name, child) in fields.as_object()? {
            named.push((name.as_str().into(), read_child(arena, child)?));
        }
        let required = written.get("required").map_or(Some(Vec::new()), strings)?;
        let required = required.into_iter().map(String::into_boxed_str).collect();
        return Some(object(Fields::new(named, required, Rest::Unknown)));
    }
    if let Some(values) = written.get("map") {
        let values = read_child(arena, values)?;
        return Some(object(Fields::new(Vec::new(), Vec::new(), Rest::Values(values))));
    }
    if let Some(items) = written.get("list") {
        let node = read_child(arena, items)?;
        let keys = written.get("keys").map_or(Some(Vec::new()), strings)?;
        let items = Some(Box::new(Items { node, keys, unique: Unique::Nothing }));
        return Some(Node { items, ..Node::of(Kind::List) });
    }
    if let Some(like) = written.get("like") {
        let like = read_child(arena, like)?;
        let node = match written.get("or")?.as_str()? {
            "boolean" => Node::of(Kind::ObjectOrBoolean),
            _ => {
                let items = Items { node: like, keys: Vec::new(), unique: Unique::Nothing };
                Node { items: Some(Box::new(items)), ..Node::default() }
            }
        };
        return Some(Node { like: Some(like), ..node });
    }
    let values = strings(written.get("enum")?)?;
    Some(Node::of(Kind::OneOf(values.into_iter().map(String::into_boxed_str).collect())))
}

fn object(fields: Fields) -> Node {
    Node { object: Some(Box::new(fields)), ..Node::of(Kind::Object) }
}

fn strings(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|v| v.as_str().map(str::to_owned)).collect()
}

fn scalar_kind(name: &str) -> Option<Kind> {
    Some(match name {
        "any" => Kind::Any,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "int-or-string" => Kind::IntOrString,
        "quantity" => Kind::Quantity,
        "time" => Kind::Time,
        "micro-time" => Kind::MicroTime,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_version_can_be_read() {
        for version in &VERSIONS {
            let catalog = Catalog::read(version.packed).expect(version.minor);
            assert!(catalog.kinds.len() > 80, "{} has {} kinds", version.minor, catalog.kinds.len());
            let meta = catalog.arena.get(OBJECT_META).and_then(|n| n.object.as_ref()).expect("ObjectMeta");
            assert!(meta.get("ownerReferences").is_some());
        }
    }
}
