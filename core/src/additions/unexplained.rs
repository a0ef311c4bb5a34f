//! What an API server made of an object that nothing built in explains.
//!
//! A mutator that no list shows (one that the API server loads from a file, or that came and went
//! between two looks) is known by what it does: whatever it adds is on no closed list.

use serde_json::{Map, Value};

use super::filled::{Filled, is_built_in};
use crate::change::{is_built_in as is_built_in_group, is_empty, is_plainly_empty};
use crate::object::Gvk;
use crate::quantity;

/// How deep objects are looked into: API servers refuse what is deeper.
const DEPTH: usize = 512;

/// How many fields are named.
const SHOWN: usize = 8;

/// The fields of `answer` that were not sent, and that neither a default nor a built-in plugin
/// fills in so; and fields that were sent and came back with another meaning, or not at all. At most
/// eight, as a person writes them: `spec.template.spec.hostNetwork`.
///
/// `sent` and `answer` are [normalised](crate::change::normalised). `schema` is the OpenAPI schema of
/// a custom resource, whose defaults are all that may be added to it.
pub fn unexplained(gvk: &Gvk, sent: &Value, answer: &Value, schema: Option<&Value>) -> Vec<String> {
    let mut walk = Walk { gvk, sent, found: Vec::new(), path: String::new() };
    let root = At { schema, depth: 0 };
    walk.fields(sent.as_object(), answer, root);
    walk.found
}

/// Whether what is added to objects of a kind can be told: those of aggregated API servers are made
/// by programs that gitward does not know.
pub fn is_foreseeable(gvk: &Gvk, schema: Option<&Value>) -> bool {
    is_built_in_group(&gvk.group) || schema.is_some()
}

struct Walk<'a> {
    gvk: &'a Gvk,
    sent: &'a Value,
    found: Vec<String>,
    path: String,
}

#[derive(Clone, Copy)]
struct At<'a> {
    schema: Option<&'a Value>,
    depth: usize,
}

impl<'a> At<'a> {
    fn field(self, name: &str) -> At<'a> {
        let of = |schema: &'a Value| {
            let properties = schema.get("properties").and_then(|p| p.get(name));
            properties.or_else(|| schema.get("additionalProperties").filter(|s| s.is_object()))
        };
        At { schema: self.schema.and_then(of), depth: self.depth + 1 }
    }

    fn element(self) -> At<'a> {
        At { schema: self.schema.and_then(|s| s.get("items")), depth: self.depth + 1 }
    }

    fn default(self) -> Option<&'a Value> {
        self.schema?.get("default")
    }
}

impl<'a> Walk<'a> {
    fn fields(&mut self, sent: Option<&'a Map<String, Value>>, answer: &'a Value, at: At<'a>) {
        let Some(there) = answer.as_object() else { return };
        for (name, value) in there {
            let was = sent.and_then(|s| s.get(name));
            let nothing = was.is_none_or(is_empty) && is_plainly_empty(name, value);
            if !nothing {
                self.at(name, |walk| walk.value(was, value, answer, at.field(name)));
            }
        }
        for (name, was) in sent.into_iter().flatten().filter(|(name, _)| !there.contains_key(*name)) {
            self.at(name, |walk| walk.gone(was));
        }
    }

    fn value(&mut self, sent: Option<&'a Value>, answer: &'a Value, beside: &'a Value, at: At<'a>) {
        if sent == Some(answer) || self.found.len() >= SHOWN || at.depth > DEPTH {
            return;
        }
        // Defaults are filled in inside of defaults.
        let sent = sent.filter(|v| !v.is_null()).or(at.default());
        match (sent, answer) {
            (Some(Value::Object(was)), Value::Object(_)) => self.fields(Some(was), answer, at),
            (None, Value::Object(there)) if !there.is_empty() => self.fields(None, answer, at),
            (Some(Value::Array(was)), Value::Array(there)) => self.elements(was, there, beside, at),
            (None, Value::Array(there)) => self.elements(&[], there, beside, at),
            (was, answer) => {
                let same = was.is_some_and(|was| means(was, answer));
                // An empty text is how some types write that there is none.
                let is_open = was.is_none_or(|was| is_empty(was) || was == "");
                let explained = same || (is_open && self.is_filled_in(answer, beside));
                if !explained {
                    self.tell();
                }
            }
        }
    }

    /// Elements keep their places; what is added stands behind.
    fn elements(&mut self, was: &'a [Value], there: &'a [Value], beside: &'a Value, at: At<'a>) {
        self.path.push_str("[]");
        for (index, element) in there.iter().enumerate() {
            let beside = if element.is_object() { element } else { beside };
            self.value(was.get(index), element, beside, at.element());
        }
        if was.len() > there.len() {
            self.tell();
        }
        self.path.truncate(self.path.len() - 2);
    }

    fn gone(&mut self, was: &Value) {
        if !is_empty(was) && was != "" && was != false && was != 0 {
            self.tell();
        }
    }

    fn is_filled_in(&self, value: &Value, beside: &Value) -> bool {
        is_built_in(self.gvk, &Filled { path: &self.path, value, beside, sent: self.sent })
    }

    fn at(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        look(self);
        self.path.truncate(length);
    }

    fn tell(&mut self) {
        if self.found.len() < SHOWN && self.found.last() != Some(&self.path) {
            self.found.push(self.path.clone());
        }
    }
}

/// Whether a value came back as the same in another spelling: an amount (`1000m` and `1`), a number,
/// a time.
fn means(sent: &Value, answer: &Value) -> bool {
    let time = |v: &Value| v.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    quantity::same(sent, answer)
        || (sent.as_f64().is_some() && sent.as_f64() == answer.as_f64())
        || time(sent).is_some_and(|sent| Some(sent) == time(answer))
}

#[cfg(test)]
mod tests;
