//! What the API server does to a custom resource before it checks it: fields that are null and may
//! not be are dropped, and defaults are filled in.

use serde_json::Value;

use super::node::{Arena, Node, NodeId};

/// Does both, at most `steps` steps (a default counts by its size).
pub(super) fn fill(arena: &Arena, id: NodeId, value: &mut Value, steps: &mut usize) {
    let Some(node) = arena.get(id) else { return };
    if !take(steps, 1) {
        return;
    }
    match value {
        Value::Object(map) => {
            let Some(fields) = &node.object else { return };
            let child_of = |name: &str| fields.child(name).and_then(|id| Some((id, arena.get(id)?)));
            map.retain(|name, value| {
                !value.is_null() || child_of(name).is_none_or(|(_, child)| child.nullable || child.default.is_some())
            });
            for (name, id) in fields.iter() {
                let Some(default) = arena.get(id).and_then(|child| child.default.as_ref()) else { continue };
                if map.get(name).is_none_or(|v| is_unwanted_null(v, arena.get(id))) && take(steps, size(default)) {
                    map.insert(name.to_owned(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                let Some((id, child)) = child_of(name) else { continue };
                replace_null(child, value, steps);
                fill(arena, id, value, steps);
            }
        }
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            let Some(child) = arena.get(items.node) else { return };
            for value in list {
                replace_null(child, value, steps);
                fill(arena, items.node, value, steps);
            }
        }
        _ => {}
    }
}

fn is_unwanted_null(value: &Value, node: Option<&Node>) -> bool {
    value.is_null() && node.is_some_and(|n| !n.nullable)
}

fn replace_null(child: &Node, value: &mut Value, steps: &mut usize) {
    if let (true, Some(default)) = (is_unwanted_null(value, Some(child)), &child.default)
        && take(steps, size(default))
    {
        *value = default.clone();
    }
}

/// Takes steps if there are as many; else there are none left.
fn take(steps: &mut usize, count: usize) -> bool {
    *steps = steps.saturating_sub(count);
    *steps > 0
}

/// The number of values and of characters in a value.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.iter().map(|(k, v)| k.len() + size(v)).sum::<usize>(),
        Value::String(s) => 1 + s.len() / 16,
        _ => 1,
    }
}
