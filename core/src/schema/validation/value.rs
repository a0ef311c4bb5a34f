//! Values as rules see them: typed by their schema, with the names that CEL can write.

use std::collections::HashMap;
use std::sync::Arc;

use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Value as Cel, functions};
use serde_json::Value;

use super::super::format::Format;
use super::super::node::{Arena, Kind, Node};

/// Words that CEL keeps for itself. Source: the CEL specification.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A value and the part of the schema that it belongs to, if there is one.
pub(super) fn of(arena: &Arena, node: Option<&Node>, value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            _ if node.is_some_and(|n| n.kind == Kind::Number) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
            (Some(whole), _) => Cel::Int(whole),
            (None, Some(whole)) => Cel::UInt(whole),
            (None, None) => whole_float(number.as_f64().unwrap_or(f64::NAN), node),
        },
        Value::String(text) => string(node, text),
        Value::Array(list) => {
            let item = node.and_then(|n| arena.get(n.items.as_ref()?.node));
            Cel::List(Arc::new(list.iter().map(|value| of(arena, item, value)).collect()))
        }
        Value::Object(map) => {
            let fields = node.and_then(|n| n.object.as_ref());
            let mut entries = HashMap::with_capacity(map.len());
            for (name, value) in map {
                let named = fields.and_then(|f| f.get(name));
                let child = fields.and_then(|f| arena.get(f.child(name)?));
                if child.is_some_and(|c| c.dropped) {
                    continue;
                }
                // Keys of a map are data and stay as they are.
                let key = if named.is_some() { escaped(name) } else { name.clone() };
                entries.insert(Key::String(Arc::new(key)), of(arena, child, value));
            }
            Cel::Map(Map { map: Arc::new(entries) })
        }
    }
}

/// `1.0` is a whole number where the schema says so.
fn whole_float(number: f64, node: Option<&Node>) -> Cel {
    let whole = matches!(node.map(|n| &n.kind), Some(Kind::Int32 | Kind::Int64 | Kind::WideIntOrString));
    if whole && number.fract() == 0.0 && number.abs() < i64::MAX as f64 {
        return Cel::Int(number as i64);
    }
    Cel::Float(number)
}

/// Times, durations and bytes are no texts for a rule. What cannot be read as one stays a text: the
/// schema's own check has spoken by then.
fn string(node: Option<&Node>, text: &str) -> Cel {
    let text = Arc::new(text.to_owned());
    let typed = match node.and_then(|n| n.rules.as_ref()?.format) {
        Some(Format::DateTime) => functions::timestamp(text.clone()).ok(),
        Some(Format::Duration) => functions::duration(text.clone()).ok(),
        Some(Format::Bytes) => {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.decode(text.as_bytes()).ok().map(|b| Cel::Bytes(Arc::new(b)))
        }
        _ => None,
    };
    typed.unwrap_or(Cel::String(text))
}

/// A field's name as rules write it. Source: Kubernetes, "Escape" in apiserver/schema/cel/model.
fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    if !name.contains(['.', '-', '/']) && !name.contains("__") {
        return name.to_owned();
    }
    let name = name.replace("__", "__underscores__");
    name.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}

/// How large a value is: values in it, and its texts in pieces of sixteen bytes.
pub(super) fn weight(value: &Value) -> u64 {
    match value {
        Value::Array(list) => 1 + list.iter().map(weight).sum::<u64>(),
        Value::Object(map) => 1 + map.iter().map(|(name, value)| name.len() as u64 / 16 + weight(value)).sum::<u64>(),
        Value::String(text) => 1 + text.len() as u64 / 16,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_kubernetes_does() {
        let cases = [
            ("replicas", "replicas"),
            ("x_y", "x_y"),
            ("x__y", "x__underscores__y"),
            ("a.b/c-d", "a__dot__b__slash__c__dash__d"),
            ("namespace", "__namespace__"),
        ];
        for (name, expected) in cases {
            assert_eq!(escaped(name), expected);
        }
    }
}
