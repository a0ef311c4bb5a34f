//! The field that a policy names: `spec.containers[0].image`, a JSON pointer, or a list of steps.

use regorus::Value as Rego;
use serde_json::Value;

use crate::path::{FieldPath, Step};

/// Steps of a path; objects are not nested deeper.
const MAX_STEPS: usize = 100;

/// Reads a field; `None` if it is no path.
pub(super) fn read(field: &Rego, object: &Value) -> Option<FieldPath> {
    match field {
        Rego::String(text) if text.starts_with('/') => {
            (text.matches('/').count() <= MAX_STEPS).then(|| FieldPath::from_pointer(text, object))
        }
        Rego::String(text) => parse(text),
        Rego::Array(steps) if steps.len() <= MAX_STEPS => steps.iter().map(step).collect::<Option<_>>().map(FieldPath),
        _ => None,
    }
}

fn step(step: &Rego) -> Option<Step> {
    match step {
        Rego::String(name) => Some(Step::Field(name.to_string())),
        Rego::Number(_) => usize::try_from(step.as_u64().ok()?).ok().map(Step::Index),
        _ => None,
    }
}

/// Reads what [`FieldPath`] prints, and nothing else.
fn parse(text: &str) -> Option<FieldPath> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if steps.len() == MAX_STEPS {
            return None;
        }
        let after = if let Some(inside) = rest.strip_prefix('[') {
            let (step, after) = bracket(inside)?;
            steps.push(step);
            after
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Field(name.to_owned()));
            after
        };
        rest = match after.strip_prefix('.') {
            Some("") => return None,
            Some(next) => next,
            None if after.is_empty() || after.starts_with('[') => after,
            None => return None,
        };
    }
    Some(FieldPath(steps))
}

/// What stands in brackets, and what comes behind them.
fn bracket(inside: &str) -> Option<(Step, &str)> {
    if inside.starts_with('"') {
        let mut strings = serde_json::Deserializer::from_str(inside).into_iter::<String>();
        let name = strings.next()?.ok()?;
        let after = inside.get(strings.byte_offset()..)?.strip_prefix(']')?;
        return Some((Step::Field(name), after));
    }
    let (content, after) = inside.split_once(']')?;
    if let Ok(index) = content.parse() {
        return Some((Step::Index(index), after));
    }
    let keys: Option<Vec<_>> = content.split(',').map(key).collect();
    Some((Step::Key(keys?), after))
}

fn key(text: &str) -> Option<(String, Value)> {
    let (name, value) = text.split_once('=')?;
    let value = value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from);
    (!name.is_empty()).then(|| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_all_their_forms() {
        for (json, expected) in [
            (r#""spec.containers[0].image""#, "spec.containers[0].image"),
            (
                r#""spec.containers[name=app].ports[containerPort=80,protocol=TCP]""#,
                "spec.containers[name=app].ports[containerPort=80,protocol=TCP]",
            ),
            (r#""metadata.labels[\"app.io/x\"]""#, "metadata.labels[\"app.io/x\"]"),
            (r#"["metadata", "annotations", "a.b/c"]"#, "metadata.annotations[\"a.b/c\"]"),
            (r#"["spec", "containers", 1]"#, "spec.containers[1]"),
            (r#""/spec/replicas""#, "spec.replicas"),
            (r#""""#, ""),
        ] {
            let path = read(&Rego::from_json_str(json).unwrap(), &Value::Null);
            assert_eq!(path.map(|p| p.to_string()).as_deref(), Some(expected), "{json}");
        }
    }

    #[test]
    fn what_is_no_path_is_none() {
        for json in ["1", "[true]", r#""a..b""#, r#""a.""#, r#""a[""#, r#""a[x]""#, r#""a[0]b""#, r#""a[\"b""#, "[-1]"]
        {
            assert_eq!(read(&Rego::from_json_str(json).unwrap(), &Value::Null), None, "{json}");
        }
    }
}
