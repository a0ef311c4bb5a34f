//! What an API server made of an object that nothing built in explains.
//!
//! A mutator that no list shows (one that the API server loads from a file, or that came and went
//! between two looks) is known by what it does: whatever it adds is on no closed list.

use serde_json::Value;

use super::filled::{Filled, is_built_in, may_be_left_out};
use super::plugins::may_grow;
use crate::change::{is_built_in as is_built_in_group, is_empty, is_plainly_empty};
use crate::object::Gvk;
use crate::quantity::{self, Quantity};

/// How deep objects are looked into: API servers refuse what is deeper.
const DEPTH: usize = 512;

/// How many fields are named.
const SHOWN: usize = 8;

/// The fields of `answer` that were not sent, and that neither a default nor a built-in plugin fills in
/// so; and fields that Git declares and that came back with another meaning, or not at all. At most
/// eight, as a person writes them: `spec.template.spec.hostNetwork`.
///
/// `sent` is `declared` and what is carried from the live object: of that a counter may have gone on,
/// and what a declared change makes needless may be gone. All are
/// [normalised](crate::change::normalised). `schema` is the OpenAPI schema of a custom resource, whose
/// defaults are all that may be added to it.
pub fn unexplained(gvk: &Gvk, declared: &Value, sent: &Value, answer: &Value, schema: Option<&Value>) -> Vec<String> {
    let mut walk = Walk { gvk, whole: sent, found: Vec::new(), path: String::new() };
    let sides = Sides { declared: Some(declared), sent: Some(sent) };
    walk.fields(sides, answer, At { schema, depth: 0 });
    walk.found
}

/// Whether what is added to objects of a kind can be told: those of aggregated API servers are made
/// by programs that gitward does not know.
pub fn is_foreseeable(gvk: &Gvk, schema: Option<&Value>) -> bool {
    is_built_in_group(&gvk.group) || schema.is_some()
}

struct Walk<'a> {
    gvk: &'a Gvk,
    /// The object as it was sent.
    whole: &'a Value,
    found: Vec<String>,
    path: String,
}

/// A field on the way to the API server.
#[derive(Clone, Copy)]
struct Sides<'a> {
    declared: Option<&'a Value>,
    sent: Option<&'a Value>,
}

impl<'a> Sides<'a> {
    fn field(self, name: &str) -> Self {
        let of = |side: Option<&'a Value>| side.and_then(|v| v.get(name));
        Self { declared: of(self.declared), sent: of(self.sent) }
    }

    fn element(self, index: usize) -> Self {
        let of = |side: Option<&'a Value>| side.and_then(|v| v.get(index));
        Self { declared: of(self.declared), sent: of(self.sent) }
    }

    /// Whether Git says something of it. Zero asks for the default or an allocation in some fields.
    fn is_declared(self, name: &str) -> bool {
        const ZERO_IS_NONE: [&str; 7] = [
            "nodePort",
            "hostPort",
            "targetPort",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ];
        self.declared.is_some_and(|v| {
            let open = is_empty(v)
                || (v == "" && name != "storageClassName" && may_be_left_out(name))
                || (v == 0 && ZERO_IS_NONE.contains(&name));
            !open
        })
    }
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
    fn fields(&mut self, sides: Sides<'a>, answer: &'a Value, at: At<'a>) {
        let Some(there) = answer.as_object() else { return };
        for (name, value) in there {
            let field = sides.field(name);
            let nothing = field.sent.is_none_or(is_empty) && self.says_nothing(name, value);
            if !nothing {
                self.at(name, |walk| walk.value(field, value, answer, at.field(name)));
            }
        }
        let declared = sides.declared.and_then(Value::as_object).into_iter().flatten();
        for (name, value) in declared.filter(|(name, _)| !there.contains_key(*name)) {
            let was_sent = sides.sent.is_some_and(|sent| sent.get(name).is_some());
            let goes = self.says_nothing(name, value) || self.is_zero(name, value);
            self.at(name, |walk| {
                if was_sent && !goes && !walk.needs_a_gate() {
                    walk.tell();
                }
            });
        }
    }

    fn value(&mut self, sides: Sides<'a>, answer: &'a Value, beside: &'a Value, at: At<'a>) {
        if sides.sent == Some(answer) || self.found.len() >= SHOWN || at.depth > DEPTH {
            return;
        }
        // Defaults are filled in inside of defaults.
        let sent = sides.sent.filter(|v| !v.is_null()).or(at.default());
        let sides = Sides { sent, ..sides };
        match (sent, answer) {
            (Some(Value::Object(_)), Value::Object(_)) => self.fields(sides, answer, at),
            (None, Value::Object(there)) if !there.is_empty() => self.fields(sides, answer, at),
            (Some(Value::Array(_)) | None, Value::Array(there)) => self.elements(sides, there, beside, at),
            _ => {
                let same = sent.is_some_and(|sent| self.means(sent, answer));
                let name = self.path.rsplit('.').next().unwrap_or_default().to_owned();
                if !same && (sides.is_declared(&name) || !self.is_filled_in(answer, beside)) {
                    self.tell();
                }
            }
        }
    }

    /// Elements keep their places; what is added stands behind.
    fn elements(&mut self, sides: Sides<'a>, there: &'a [Value], beside: &'a Value, at: At<'a>) {
        self.path.push_str("[]");
        let sent = sides.sent.and_then(Value::as_array).map_or(0, Vec::len);
        for (index, element) in there.iter().enumerate() {
            if index >= sent && element.is_object() && !may_grow(self.gvk, &self.path, sent > 0) {
                self.tell();
                break;
            }
            let beside = if element.is_object() { element } else { beside };
            self.value(sides.element(index), element, beside, at.element());
        }
        if sides.declared.and_then(Value::as_array).is_some_and(|declared| declared.len() > there.len()) {
            self.tell();
        }
        self.path.truncate(self.path.len() - 2);
    }

    /// Whether a field is as good as not there. A custom resource is stored as it was written.
    fn says_nothing(&self, name: &str, value: &Value) -> bool {
        let typed = is_built_in_group(&self.gvk.group) || self.path.starts_with("metadata");
        value.is_null() || (typed && is_plainly_empty(name, value))
    }

    /// Whether a type that has the value anyway leaves it out.
    fn is_zero(&self, name: &str, value: &Value) -> bool {
        let zero = value == "" || value == false || value == 0 || is_empty(value);
        is_built_in_group(&self.gvk.group) && zero && may_be_left_out(name)
    }

    /// Fields that API servers drop where their feature is off.
    fn needs_a_gate(&self) -> bool {
        self.gvk.kind == "StatefulSet" && self.path == "spec.updateStrategy.rollingUpdate.maxUnavailable"
            || self.gvk.kind == "HorizontalPodAutoscaler" && self.path.ends_with(".tolerance")
    }

    /// Whether a value came back as the same in another spelling: an amount (`1000m` and `1`), a number,
    /// a time, bytes in lines. Texts of people's own are what they are.
    fn means(&self, sent: &Value, answer: &Value) -> bool {
        let is_number = sent.as_f64().is_some() && sent.as_f64() == answer.as_f64();
        let time = |v: &Value| v.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let other_spelling = || {
            quantity::same(sent, answer)
                || self.is_rounded(sent, answer)
                || time(sent).is_some_and(|sent| Some(sent) == time(answer))
        };
        is_number || (self.is_bytes() && same_bytes(sent, answer)) || (!self.is_text() && other_spelling())
    }

    /// Whether an amount of a resource came back as API servers keep it: in whole thousandths.
    fn is_rounded(&self, sent: &Value, answer: &Value) -> bool {
        const LISTS: [&str; 9] =
            ["requests", "limits", "capacity", "overhead", "hard", "min", "max", "default", "defaultRequest"];
        let in_list = self.path.rsplit('.').nth(1).is_some_and(|list| LISTS.contains(&list));
        let rounded = Quantity::of(sent).map(Quantity::rounded_up_to_milli);
        in_list && is_built_in_group(&self.gvk.group) && rounded.is_some() && rounded == Quantity::of(answer)
    }

    fn is_text(&self) -> bool {
        const TEXTS: [&str; 9] =
            ["data", "stringData", "labels", "annotations", "selector", "matchLabels", "args[]", "command[]", "env[]"];
        self.path.split('.').any(|step| TEXTS.contains(&step)) && !self.path.ends_with(".divisor")
    }

    fn is_bytes(&self) -> bool {
        let kind = self.gvk.kind.as_str();
        (kind == "Secret" && self.path.starts_with("data."))
            || (kind == "ConfigMap" && self.path.starts_with("binaryData."))
            || (kind == "CertificateSigningRequest" && self.path == "spec.request")
            || self.path.ends_with("caBundle")
    }

    fn is_filled_in(&self, value: &Value, beside: &Value) -> bool {
        is_built_in(self.gvk, &Filled { path: &self.path, value, beside, sent: self.whole })
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

/// Whether two texts are the same but for the ends of lines, as base64 may be wrapped.
fn same_bytes(sent: &Value, answer: &Value) -> bool {
    let (Some(sent), Some(answer)) = (sent.as_str(), answer.as_str()) else { return false };
    sent.chars().filter(|c| !matches!(c, '\r' | '\n')).eq(answer.chars())
}

#[cfg(test)]
mod tests;
