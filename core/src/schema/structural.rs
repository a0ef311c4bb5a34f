//! Structural schemas of CRDs, compiled to nodes.
//!
//! What cannot be compiled becomes a finding on the CRD and allows anything, so that one mistake in
//! a schema is reported once and not at every object.

use serde_json::{Map, Value};

use super::format::Format;
use super::node::{Arena, Bounds, Fields, Items, Kind, Node, NodeId, Rest, Rules, Unique};
use super::pattern::Pattern;
use super::report::Report;
use super::suggest;
use super::validation::{self, Entry, Unusable};
use crate::finding::Finding;
use crate::path::{FieldPath, Step};

/// Nesting of a schema.
const MOST_DEPTH: usize = 100;

/// Nodes of one version's schema.
const MOST_NODES: usize = 200_000;

const TYPES: [&str; 6] = ["object", "array", "string", "integer", "number", "boolean"];

/// What the compiler must know of the object as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    /// The status is kept in a subresource: the API server drops what a manifest says there.
    pub(super) status_subresource: bool,
}

/// Where in a schema a part of it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The object.
    Root,
    /// A value in the object.
    Value,
    /// Beneath `allOf`, `anyOf`, `oneOf` or `not`: says something about a value and does not
    /// define it.
    Junctor,
}

pub(super) struct Compiler<'a, 'm> {
    arena: &'a mut Arena,
    /// The schema, then the steps into it.
    path: FieldPath,
    report: &'a mut Report<'m>,
    depth: usize,
    nodes: usize,
}

impl<'a, 'm> Compiler<'a, 'm> {
    pub(super) fn new(arena: &'a mut Arena, path: FieldPath, report: &'a mut Report<'m>) -> Self {
        Self { arena, path, report, depth: 0, nodes: 0 }
    }

    pub(super) fn root(mut self, schema: &Value, root: Root) -> NodeId {
        let id = self.node(schema, Level::Root);
        let status = self.arena.get(id).and_then(|node| node.object.as_ref()).and_then(|fields| fields.get("status"));
        if let (true, Some(status)) = (root.status_subresource, status) {
            self.arena.drop_value(status);
        }
        id
    }

    fn problem(&mut self, message: &str, hint: &str) {
        let message = format!("`{}` {message}", self.path);
        self.report.add(Finding::error("schema/crd", message).with_hint(hint), self.path.clone());
    }

    /// Compiles the part of the schema under a field of it.
    fn within<T>(&mut self, steps: &[Step], compile: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.0.len();
        self.path.0.extend_from_slice(steps);
        self.depth += 1;
        let result = compile(self);
        self.depth -= 1;
        self.path.0.truncate(outer);
        result
    }

    fn node(&mut self, schema: &Value, level: Level) -> NodeId {
        self.nodes += 1;
        if self.depth > MOST_DEPTH || self.nodes > MOST_NODES {
            if self.nodes <= MOST_NODES + 1 {
                self.problem("is too deep or too large a schema", "Simplify it.");
            }
            return self.arena.add(Node::default());
        }
        let Some(schema) = schema.as_object() else {
            self.problem("must be a schema, a map", "Write at least a type.");
            return self.arena.add(Node::default());
        };
        let kind = self.kind(schema, level);
        let object = self.object(schema, &kind, level);
        let items = self.items(schema, &kind, level);
        let rules = self.rules(schema, &kind);
        let validations = self.validations(schema);
        let node = Node {
            object,
            items,
            rules,
            nullable: level == Level::Junctor || is_true(schema, "nullable"),
            default: schema.get("default").filter(|d| !d.is_null()).cloned(),
            like: None,
            dropped: false,
            validations,
            kind,
        };
        self.arena.add(node)
    }

    fn kind(&mut self, schema: &Map<String, Value>, level: Level) -> Kind {
        if is_true(schema, "x-kubernetes-int-or-string") {
            return Kind::WideIntOrString;
        }
        let named = schema.get("type").and_then(Value::as_str).filter(|name| !name.is_empty());
        let kind = match named {
            None => None,
            Some("object") => Some(Kind::Object),
            Some("array") => Some(Kind::List),
            Some("string") => Some(Kind::String),
            Some("integer") if schema.get("format").and_then(Value::as_str) == Some("int32") => Some(Kind::Int32),
            Some("integer") => Some(Kind::Int64),
            Some("number") => Some(Kind::Number),
            Some("boolean") => Some(Kind::Boolean),
            Some(name) => {
                let hint = match suggest::nearest(name, TYPES.into_iter()) {
                    Some(nearest) => format!("Did you mean `{nearest}`?"),
                    None => format!("Types: {}.", TYPES.join(", ")),
                };
                self.problem(&format!("has the type `{name}`, which there is not"), &hint);
                return Kind::Any;
            }
        };
        match (kind, level) {
            (Some(kind), Level::Root) if kind != Kind::Object => {
                self.problem("must have the type `object`, since it describes a whole object", "Write `type: object`.");
                Kind::Any
            }
            (Some(kind), _) => kind,
            (None, Level::Root | Level::Value) if !preserves(schema) => {
                self.problem(
                    "has no type",
                    "Write a type, or `x-kubernetes-preserve-unknown-fields: true` to allow anything.",
                );
                Kind::Any
            }
            (None, _) => Kind::Any,
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, kind: &Kind, level: Level) -> Option<Box<Fields>> {
        let embedded = is_true(schema, "x-kubernetes-embedded-resource");
        let said = ["properties", "additionalProperties", "required"].iter().any(|key| schema.contains_key(*key));
        if level != Level::Root && !embedded && *kind != Kind::Object && !said {
            return None;
        }
        let mut named = Vec::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let steps = [Step::Field("properties".to_owned()), Step::Field(name.clone())];
                let level = if level == Level::Junctor { Level::Junctor } else { Level::Value };
                let implicit = (level == Level::Value && self.is_object_level(embedded)) && name == "metadata";
                let id = self.within(&steps, |inner| {
                    if implicit { inner.object_meta(property) } else { inner.node(property, level) }
                });
                named.push((name.as_str().into(), id));
            }
        }
        let mut required = strings(schema.get("required"));
        if level == Level::Root || embedded {
            self.add_object_fields(&mut named, embedded);
        }
        if embedded {
            required.extend(["apiVersion".into(), "kind".into()]);
            required.sort();
            required.dedup();
        }
        let rest = self.rest(schema, level, *kind == Kind::Any);
        Some(Box::new(Fields::new(named, required, rest)))
    }

    /// Whether the properties being compiled are those of a whole object.
    fn is_object_level(&self, embedded: bool) -> bool {
        embedded || self.depth == 0
    }

    /// `metadata` is that of the built-in kinds, whatever a schema says; it may only narrow names.
    fn object_meta(&mut self, schema: &Value) -> NodeId {
        let names = schema.get("properties").and_then(Value::as_object);
        let mut named = Vec::new();
        for (name, property) in names.into_iter().flatten() {
            let steps = [Step::Field("properties".to_owned()), Step::Field(name.clone())];
            let id = self.within(&steps, |inner| inner.node(property, Level::Value));
            named.push((name.as_str().into(), id));
        }
        let object = (!named.is_empty()).then(|| Box::new(Fields::new(named, Vec::new(), Rest::Kept)));
        self.arena.add(Node { object, ..Node::of(Kind::ObjectMeta) })
    }

    /// Every object has these, named in its schema or not. In an embedded one the kind may not be
    /// empty either.
    fn add_object_fields(&mut self, named: &mut Vec<(Box<str>, NodeId)>, embedded: bool) {
        for (name, kind) in [("apiVersion", Kind::String), ("kind", Kind::String), ("metadata", Kind::ObjectMeta)] {
            if named.iter().any(|(known, _)| **known == *name) {
                continue;
            }
            let not_empty = (embedded && kind == Kind::String).then(|| {
                let length = Bounds { least: Some(1), greatest: None };
                Box::new(Rules { length, ..Rules::default() })
            });
            let id = self.arena.add(Node { rules: not_empty, ..Node::of(kind) });
            named.push((name.into(), id));
        }
    }

    fn rest(&mut self, schema: &Map<String, Value>, level: Level, untyped: bool) -> Rest {
        match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => Rest::Values(self.scalar_or_empty()),
            Some(values @ Value::Object(_)) => {
                let level = if level == Level::Junctor { Level::Junctor } else { Level::Value };
                let steps = [Step::Field("additionalProperties".to_owned())];
                Rest::Values(self.within(&steps, |inner| inner.node(values, level)))
            }
            _ if level == Level::Junctor || untyped || preserves(schema) => Rest::Kept,
            _ => Rest::Unknown,
        }
    }

    /// What `additionalProperties: true` comes to: nothing is known about the values, so that the
    /// API server drops every field in them.
    fn scalar_or_empty(&mut self) -> NodeId {
        let id = self.arena.add(Node::default());
        let object = Some(Box::new(Fields::default()));
        let items = Some(Box::new(Items { node: id, keys: Vec::new(), unique: Unique::Nothing }));
        self.arena.set(id, Node { object, items, nullable: true, ..Node::default() });
        id
    }

    fn items(&mut self, schema: &Map<String, Value>, kind: &Kind, level: Level) -> Option<Box<Items>> {
        let Some(written) = schema.get("items") else {
            if *kind == Kind::List && level != Level::Junctor {
                self.problem("has no items", "Say what the elements of the list are.");
            }
            return None;
        };
        let level = if level == Level::Junctor { Level::Junctor } else { Level::Value };
        let node = self.within(&[Step::Field("items".to_owned())], |inner| inner.node(written, level));
        let (keys, unique) = match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
            Some("map") => {
                let keys = strings(schema.get("x-kubernetes-list-map-keys"));
                (keys.into_iter().map(String::from).collect(), Unique::Keys)
            }
            Some("set") => (Vec::new(), Unique::Elements),
            _ => (Vec::new(), Unique::Nothing),
        };
        Some(Box::new(Items { node, keys, unique }))
    }

    fn rules(&mut self, schema: &Map<String, Value>, kind: &Kind) -> Option<Box<Rules>> {
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        let bounds = |least: &str, greatest: &str| Bounds {
            least: schema.get(least).and_then(Value::as_u64),
            greatest: schema.get(greatest).and_then(Value::as_u64),
        };
        let text = |key: &str| schema.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let has_text_format = matches!(kind, Kind::String | Kind::Any);
        let any_of = if *kind == Kind::WideIntOrString && is_int_or_string(schema.get("anyOf")) {
            Vec::new()
        } else {
            self.junctor(schema, "anyOf")
        };
        let not = schema
            .get("not")
            .map(|not| self.within(&[Step::Field("not".to_owned())], |inner| inner.node(not, Level::Junctor)));
        let rules = Rules {
            one_of_values: schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            pattern: text("pattern").map(Pattern::new),
            format: text("format").filter(|_| has_text_format).and_then(Format::named),
            minimum: number("minimum"),
            minimum_exclusive: is_true(schema, "exclusiveMinimum"),
            maximum: number("maximum"),
            maximum_exclusive: is_true(schema, "exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            length: bounds("minLength", "maxLength"),
            items: bounds("minItems", "maxItems"),
            properties: bounds("minProperties", "maxProperties"),
            all_of: self.junctor(schema, "allOf"),
            any_of,
            one_of: self.junctor(schema, "oneOf"),
            not,
        };
        (!rules.is_empty()).then(|| Box::new(rules))
    }

    fn validations(&mut self, schema: &Map<String, Value>) -> Vec<validation::Rule> {
        let mut rules = Vec::new();
        for (index, entry) in validation::entries(schema).enumerate() {
            match entry {
                Entry::Rule(rule) => rules.push(rule),
                Entry::OptionalTransition => {}
                Entry::Unusable(field, why) => {
                    let steps = ["x-kubernetes-validations", field].map(|f| Step::Field(f.to_owned()));
                    let [list, field] = steps;
                    self.within(&[list, Step::Index(index), field], |inner| inner.unusable(why));
                }
            }
        }
        rules
    }

    fn unusable(&mut self, why: Unusable) {
        match why {
            Unusable::Broken(why) => {
                self.problem(&format!("is no rule: {why}"), "Correct the expression; the API server refuses the CRD.");
            }
            Unusable::TooLarge(why) => {
                self.problem(&format!("{why} to be run"), "Write it shorter, or as several rules.");
            }
            Unusable::NotKnown(what) => {
                let message = format!("`{}` uses {what}, which is not known here: the rule is not checked", self.path);
                self.report.add(
                    Finding::warning("schema/unchecked", message).with_hint("The API server checks it at admission."),
                    self.path.clone(),
                );
            }
        }
    }

    fn junctor(&mut self, schema: &Map<String, Value>, key: &str) -> Vec<NodeId> {
        let alternatives = schema.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let compile = |(index, alternative)| {
            let steps = [Step::Field(key.to_owned()), Step::Index(index)];
            self.within(&steps, |inner| inner.node(alternative, Level::Junctor))
        };
        alternatives.iter().enumerate().map(compile).collect()
    }
}

fn is_true(schema: &Map<String, Value>, key: &str) -> bool {
    schema.get(key) == Some(&Value::Bool(true))
}

fn preserves(schema: &Map<String, Value>) -> bool {
    is_true(schema, "x-kubernetes-preserve-unknown-fields")
}

fn strings(list: Option<&Value>) -> Vec<Box<str>> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
}

/// Whether alternatives say nothing but "an integer or a string".
fn is_int_or_string(any_of: Option<&Value>) -> bool {
    any_of.is_some_and(|any_of| *any_of == serde_json::json!([{"type": "integer"}, {"type": "string"}]))
}
