//! The fields of an object one by one, each with what Git writes for it.

use serde_json::Value;

use crate::change::{aligned, counts_as_absent};
use crate::path::FieldPath;

/// A field that holds no others, or one that is not looked into.
pub(super) struct Leaf<'a> {
    /// Where it is in the object.
    pub(super) path: FieldPath,
    /// The same as a JSON pointer into the object.
    pub(super) pointer: String,
    /// Its value.
    pub(super) value: &'a Value,
    /// What Git writes for it, if anything.
    pub(super) written: Option<Written<'a>>,
}

/// A field as Git writes it.
#[derive(Clone)]
pub(super) struct Written<'a> {
    /// Where in the declared object.
    pub(super) path: FieldPath,
    /// Its value there.
    pub(super) value: &'a Value,
}

impl<'a> Written<'a> {
    fn field(&self, name: &str) -> Option<Self> {
        Some(Self { path: self.path.field(name), value: self.value.get(name)? })
    }

    /// An element by its position, which is the same in what is written and in its canonical form.
    fn item(&self, position: usize) -> Option<Self> {
        Some(Self { path: self.path.index(position), value: self.value.get(position)? })
    }

    fn items(&self) -> &'a [Value] {
        self.value.as_array().map_or(&[], Vec::as_slice)
    }
}

/// The leaves of an object in its own order; what `ends` names (a JSON pointer) is not looked into.
pub(super) fn leaves<'a>(
    object: &'a Value,
    written: Option<Written<'a>>,
    ends: &dyn Fn(&str) -> bool,
) -> Vec<Leaf<'a>> {
    let mut found = Vec::new();
    let root = Leaf { path: FieldPath::root(), pointer: String::new(), value: object, written };
    walk(root, object, ends, &mut found);
    found
}

fn walk<'a>(here: Leaf<'a>, object: &'a Value, ends: &dyn Fn(&str) -> bool, found: &mut Vec<Leaf<'a>>) {
    let goes_on = !ends(&here.pointer);
    match here.value {
        Value::Object(fields) if !fields.is_empty() && goes_on => {
            for (name, value) in fields {
                let pointer = format!("{}/{}", here.pointer, name.replace('~', "~0").replace('/', "~1"));
                let written = here.written.as_ref().and_then(|w| w.field(name));
                walk(Leaf { path: here.path.field(name), pointer, value, written }, object, ends, found);
            }
        }
        // A list of plain values is read as one.
        Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) && goes_on => {
            let others = here.written.as_ref().map_or(&[][..], Written::items);
            for (n, (step, other)) in aligned(&here.path, items, others).into_iter().enumerate() {
                let written = other.and_then(|position| here.written.as_ref()?.item(position));
                let pointer = format!("{}/{n}", here.pointer);
                walk(Leaf { path: here.path.with(step), pointer, value: &items[n], written }, object, ends, found);
            }
        }
        value if counts_as_absent(object, &here.path, value) => {}
        _ => found.push(here),
    }
}
