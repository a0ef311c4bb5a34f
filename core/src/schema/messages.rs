//! Sentences about what does not fit a schema, and how to put it right.
//!
//! None of them quotes a value, except where a schema lists the values allowed: a field may hold a
//! secret in the wrong place.

use serde_json::Value;

use super::node::{Arena, Fields, Items, Kind, Unique};
use super::report::At;
use super::{scalar, suggest};
use crate::finding::Finding;

/// Longest value that is quoted, in characters.
const LONGEST_QUOTE: usize = 60;

/// Why a value is not of its type.
#[derive(Debug)]
pub(super) enum TypeProblem<'a> {
    /// It is of another type.
    Type { wanted: &'static str, found: &'a Value },
    /// It is of the right type and cannot be read.
    Unreadable(&'static str),
    /// It is not one of the values there are.
    NotOneOf { allowed: &'a [Box<str>], found: &'a str },
}

/// Compares a value with a type; `None` if it fits. Null is left to the caller.
pub(super) fn type_problem<'a>(kind: &'a Kind, value: &'a Value) -> Option<TypeProblem<'a>> {
    let wanted = |wanted| Some(TypeProblem::Type { wanted, found: value });
    let parsed = |is_good: fn(&str) -> bool, noun| match value {
        Value::String(text) if is_good(text) => None,
        Value::String(_) => Some(TypeProblem::Unreadable(noun)),
        _ => Some(TypeProblem::Type { wanted: "a string", found: value }),
    };
    match (kind, value) {
        (Kind::Any, _)
        | (Kind::Object | Kind::ObjectMeta | Kind::ObjectOrBoolean, Value::Object(_))
        | (Kind::List, Value::Array(_))
        | (Kind::String | Kind::IntOrString | Kind::WideIntOrString, Value::String(_))
        | (Kind::Number | Kind::Quantity, Value::Number(_))
        | (Kind::Boolean | Kind::ObjectOrBoolean, Value::Bool(_)) => None,
        (Kind::Object | Kind::ObjectMeta, _) => wanted("a map"),
        (Kind::ObjectOrBoolean, _) => wanted("a map, or true or false"),
        (Kind::List, _) => wanted("a list"),
        (Kind::String, _) => wanted("a string"),
        (Kind::Number, _) => wanted("a number"),
        (Kind::Boolean, _) => wanted("true or false"),
        (Kind::OneOf(allowed), Value::String(found)) => {
            let good = found.is_empty() || allowed.iter().any(|a| **a == **found);
            (!good).then_some(TypeProblem::NotOneOf { allowed, found })
        }
        (Kind::OneOf(_), _) => wanted("a string"),
        (Kind::Int32 | Kind::Int64, Value::Number(_)) => whole_number(kind, value, "a whole number"),
        (Kind::Int32 | Kind::Int64, _) => wanted("a whole number"),
        (Kind::IntOrString | Kind::WideIntOrString, Value::Number(_)) => {
            whole_number(kind, value, "a whole number or a string")
        }
        (Kind::IntOrString | Kind::WideIntOrString, _) => wanted("a whole number or a string"),
        // Go decodes a list of bytes too.
        (Kind::Bytes, Value::Array(list)) if list.iter().all(is_byte) => None,
        (Kind::Bytes, _) => parsed(scalar::is_base64, "must be base64"),
        (Kind::Quantity, Value::String(_)) => {
            parsed(scalar::is_quantity, "must be a quantity such as 500m, 1.5 or 2Gi")
        }
        (Kind::Quantity, _) => wanted("a quantity such as 500m or 2Gi"),
        (Kind::Time, _) => parsed(scalar::is_time, "must be a time such as 2006-01-02T15:04:05Z"),
        (Kind::MicroTime, _) => parsed(scalar::is_micro_time, "must be a time such as 2006-01-02T15:04:05.000000Z"),
    }
}

fn is_byte(value: &Value) -> bool {
    value.is_null() || value.as_u64().is_some_and(|number| number < 256)
}

/// Whole numbers may be written as `1.0` or `1e3`.
fn whole_number<'a>(kind: &Kind, value: &'a Value, wanted: &'static str) -> Option<TypeProblem<'a>> {
    let narrow = matches!(kind, Kind::Int32 | Kind::IntOrString);
    let (least, most) =
        if narrow { (f64::from(i32::MIN), f64::from(i32::MAX)) } else { (i64::MIN as f64, i64::MAX as f64) };
    match (value.as_i64(), value.as_f64()) {
        (Some(number), _) if !narrow || i32::try_from(number).is_ok() => None,
        (None, Some(number)) if number.fract() != 0.0 => Some(TypeProblem::Type { wanted, found: value }),
        (None, Some(number)) if value.is_f64() && number >= least && number <= most => None,
        _ if narrow => Some(TypeProblem::Unreadable("must fit in 32 bits")),
        _ => Some(TypeProblem::Unreadable("must fit in 64 bits")),
    }
}

impl TypeProblem<'_> {
    pub(super) fn finding(&self, at: &At<'_>) -> Finding {
        match self {
            Self::Unreadable(wanted) => with_hint(invalid(at, wanted), self.unreadable_hint()),
            Self::NotOneOf { allowed, found } => {
                let names = || allowed.iter().map(|a| &**a);
                enum_finding(at, found, suggest::nearest(found, names()), names())
            }
            Self::Type { wanted, found } => {
                let message = format!("{} must be {wanted}, not {}", at.path_or_object(), describe(found));
                with_hint(Finding::error("schema/type", message), type_hint(wanted, found))
            }
        }
    }

    fn unreadable_hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable("must be base64") => {
                Some("encode the value with base64, or write it as it is under stringData if this is a Secret")
            }
            _ => None,
        }
    }
}

fn with_hint(finding: Finding, hint: Option<&str>) -> Finding {
    match hint {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}

fn type_hint(wanted: &str, found: &Value) -> Option<&'static str> {
    match found {
        Value::Bool(_) | Value::Number(_) if wanted == "a string" => Some("put the value in quotes"),
        Value::String(text) if wanted == "true or false" && matches!(text.as_str(), "true" | "false") => {
            Some("remove the quotes")
        }
        Value::String(text) if wanted.contains("number") && text.parse::<f64>().is_ok() => Some("remove the quotes"),
        Value::Object(_) if wanted == "a list" => Some("begin each element with a dash"),
        Value::Array(_) if wanted == "a map" => Some("remove the dashes: this is one map, not a list of them"),
        _ => None,
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

pub(super) fn invalid(at: &At<'_>, what: &str) -> Finding {
    Finding::error("schema/invalid", format!("{} {what}", at.path_or_object()))
}

pub(super) fn required(at: &At<'_>) -> Finding {
    Finding::error("schema/required", format!("{} is required", at.path_or_object()))
        .with_hint("add the field; it has no default")
}

pub(super) fn repeated(items: &Items) -> Finding {
    let message = match items.unique {
        Unique::Keys => format!("an earlier element of the list has the same {}", items.keys.join(" and ")),
        _ => "the list holds this element already".to_owned(),
    };
    Finding::error("schema/invalid", message).with_hint("remove one of the two")
}

/// The value is none of those that a CRD lists.
pub(super) fn not_allowed(allowed: &[Value], value: &Value, at: &At<'_>) -> Finding {
    let names: Vec<String> = allowed.iter().map(text_of).collect();
    let names = || names.iter().map(String::as_str);
    match value {
        Value::String(text) => enum_finding(at, text, suggest::nearest(text, names()), names()),
        _ => enum_finding(at, describe(value), None, names()),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn enum_finding<'a>(
    at: &At<'_>,
    found: &str,
    nearest: Option<&str>,
    allowed: impl Iterator<Item = &'a str>,
) -> Finding {
    let found = if found.chars().count() > LONGEST_QUOTE { "its value" } else { found };
    let hint = match nearest {
        Some(nearest) => format!("did you mean {nearest}? Allowed: {}", suggest::listed(allowed)),
        None => format!("allowed: {}", suggest::listed(allowed)),
    };
    Finding::error("schema/enum", format!("{} does not allow {found}", at.path_or_object())).with_hint(hint)
}

/// A field that the schema does not know.
pub(super) fn unknown_field(arena: &Arena, fields: &Fields, name: &str, at: &At<'_>, kind: &str) -> Finding {
    let finding = Finding::error("schema/unknown-field", format!("{} is not a field of {kind}", at.path_or_object()));
    finding.with_hint(unknown_field_hint(arena, fields, name, at))
}

/// A slip of the pen, a wrong indentation, or else what there is.
fn unknown_field_hint(arena: &Arena, fields: &Fields, name: &str, at: &At<'_>) -> String {
    let names = || fields.iter().map(|(name, _)| name);
    if let Some(nearest) = suggest::nearest(name, names()) {
        return format!("did you mean {nearest}?");
    }
    let deeper = fields.iter().find(|(_, id)| {
        arena.get(*id).and_then(|node| node.object.as_ref()).is_some_and(|inner| inner.get(name).is_some())
    });
    if let Some((parent, _)) = deeper {
        return format!("{name} belongs one level deeper, in {parent}");
    }
    // The point's own map is the nearest enclosing one; the next is a level above it.
    let above = at.enclosing().and_then(At::enclosing);
    if let Some(above) = above.filter(|above| above.fields.is_some_and(|f| f.get(name).is_some())) {
        return format!("{name} belongs further out, in {}", above.path_or_object());
    }
    match names().next() {
        Some(_) => format!("fields there: {}", suggest::listed(names())),
        None => "there are no fields here; remove it".to_owned(),
    }
}

/// A pattern that is not understood.
pub(super) fn unchecked_pattern(at: &At<'_>, pattern: &str) -> Finding {
    let message = format!("{} is not checked: the pattern {pattern} in its CRD is not understood", at.path_or_object());
    Finding::warning("schema/unchecked", message).with_hint("write the pattern in the syntax of RE2")
}

/// A number with its noun.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
