//! What a schema is in memory: nodes in one list, referring to each other by number.
//!
//! Built-in types (which refer to each other, some to themselves) and the schemas of custom
//! resources (trees with more rules) share this form, so one walk checks both.

use std::sync::Arc;

use serde_json::Value;

use super::pattern::Pattern;

/// The position of a node in its [`Arena`].
pub(super) type NodeId = u32;

/// The nodes of one set of schemas.
#[derive(Debug, Default)]
pub(super) struct Arena {
    nodes: Vec<Node>,
    /// Whose rules of reading apply.
    pub(super) dialect: Dialect,
    /// Whether any node has rules in CEL.
    pub(super) has_validations: bool,
    /// Whether any of these compares with the object before.
    pub(super) has_transitions: bool,
}

/// How the API server reads an object: built-in kinds are decoded into Go types, custom resources
/// are kept as JSON and held against their schema.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Null means the empty value everywhere; a required field must be there and not null.
    #[default]
    BuiltIn,
    /// Null fields that may not be null are dropped and defaults filled in before checking.
    Custom,
}

impl Arena {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Adds a node.
    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.has_validations |= !node.validations.is_empty();
        self.has_transitions |= node.validations.iter().any(|rule| rule.is_transition());
        self.nodes.push(node);
        NodeId::try_from(self.nodes.len() - 1).unwrap_or(NodeId::MAX)
    }

    /// Replaces a node that was added before its content was known.
    pub(super) fn set(&mut self, id: NodeId, node: Node) {
        if let Some(slot) = self.nodes.get_mut(id as usize) {
            *slot = node;
        }
    }

    /// Notes that the API server drops the value of a node.
    pub(super) fn drop_value(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.dropped = true;
        }
    }

    pub(super) fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }
}

/// What is allowed at one point of an object.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The type of the value.
    pub(super) kind: Kind,
    /// What a map may hold.
    pub(super) object: Option<Box<Fields>>,
    /// What a map must be like besides, where something else than a map may stand too.
    pub(super) like: Option<NodeId>,
    /// What a list may hold.
    pub(super) items: Option<Box<Items>>,
    /// Rules on the value beyond its type; custom resources only.
    pub(super) rules: Option<Box<Rules>>,
    /// Whether null is a value; custom resources only.
    pub(super) nullable: bool,
    /// What the API server fills in; custom resources only.
    pub(super) default: Option<Value>,
    /// The API server drops the value before checking it (a status kept in a subresource), so that
    /// only unknown fields beneath are errors.
    pub(super) dropped: bool,
    /// Rules in CEL; custom resources only.
    pub(super) validations: Vec<super::validation::Rule>,
}

impl Node {
    pub(super) fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }
}

/// The type of a value.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) enum Kind {
    /// Anything.
    #[default]
    Any,
    /// A map.
    Object,
    /// A map, or true or false.
    ObjectOrBoolean,
    /// A list.
    List,
    /// A string.
    String,
    /// One of these strings, or the empty one (which the API server takes as "not set").
    OneOf(Box<[Box<str>]>),
    /// Base64 in a string.
    Bytes,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A whole number of 32 bits or a string.
    IntOrString,
    /// A whole number or a string: the custom resources' kind of int-or-string.
    WideIntOrString,
    /// An amount such as `500m`, as a string or a number.
    Quantity,
    /// A time, RFC 3339.
    Time,
    /// A time with exactly six digits of fraction.
    MicroTime,
    /// The built-in `ObjectMeta`, inside a custom resource.
    ObjectMeta,
}

/// What a map may hold.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Fields by name, sorted.
    named: Box<[(Box<str>, NodeId)]>,
    /// Fields that must be there, sorted.
    pub(super) required: Box<[Box<str>]>,
    /// All other fields.
    pub(super) rest: Rest,
}

impl Fields {
    pub(super) fn new(mut named: Vec<(Box<str>, NodeId)>, mut required: Vec<Box<str>>, rest: Rest) -> Self {
        named.sort();
        required.sort();
        Self { named: named.into(), required: required.into(), rest }
    }

    pub(super) fn get(&self, name: &str) -> Option<NodeId> {
        let at = self.named.binary_search_by(|(n, _)| (**n).cmp(name)).ok()?;
        Some(self.named[at].1)
    }

    /// The node of a field, named or not.
    pub(super) fn child(&self, name: &str) -> Option<NodeId> {
        match (self.get(name), self.rest) {
            (Some(id), _) | (None, Rest::Values(id)) => Some(id),
            (None, Rest::Unknown | Rest::Kept) => None,
        }
    }

    /// Named fields in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.named.iter().map(|(name, id)| (&**name, *id))
    }
}

/// Fields that are not named.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// There are none.
    #[default]
    Unknown,
    /// They are kept unchecked.
    Kept,
    /// They are values of a map.
    Values(NodeId),
}

/// What a list may hold.
#[derive(Debug)]
pub(super) struct Items {
    /// The schema of each element.
    pub(super) node: NodeId,
    /// The fields that tell elements apart; empty if positions do.
    pub(super) keys: Vec<String>,
    /// What may not occur twice; custom resources only (built-in kinds have their own validation).
    pub(super) unique: Unique,
}

/// What may not occur twice in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unique {
    /// Anything may.
    Nothing,
    /// The elements.
    Elements,
    /// The merge keys of the elements.
    Keys,
}

/// Rules on a value beyond its type.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) one_of_values: Vec<Value>,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<super::format::Format>,
    pub(super) minimum: Option<f64>,
    pub(super) minimum_exclusive: bool,
    pub(super) maximum: Option<f64>,
    pub(super) maximum_exclusive: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) length: Bounds,
    pub(super) items: Bounds,
    pub(super) properties: Bounds,
    pub(super) all_of: Vec<NodeId>,
    pub(super) any_of: Vec<NodeId>,
    pub(super) one_of: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
}

impl Rules {
    /// Whether they say nothing.
    pub(super) fn is_empty(&self) -> bool {
        let junctors = [&self.all_of, &self.any_of, &self.one_of];
        self.one_of_values.is_empty()
            && self.pattern.is_none()
            && self.format.is_none()
            && self.minimum.is_none()
            && self.maximum.is_none()
            && self.multiple_of.is_none()
            && [self.length, self.items, self.properties].iter().all(|b| *b == Bounds::default())
            && junctors.iter().all(|j| j.is_empty())
            && self.not.is_none()
    }
}

/// Least and greatest number of something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: Option<u64>,
    pub(super) greatest: Option<u64>,
}

/// A kind: where its objects live, how they are called in paths, and what they look like.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) plural: String,
    pub(super) namespaced: bool,
    pub(super) status: bool,
    pub(super) root: NodeId,
    pub(super) arena: Arc<Arena>,
    /// That the version of a custom resource goes, in the words of its CRD if it has some.
    pub(super) deprecated: Option<Arc<str>>,
}
