//! Field paths, parsed: `spec.template.spec.containers[name=app].image`.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A field of a map.
    Field(String),
    /// An element of a list by position, from 0.
    Index(usize),
    /// An element of a list by its merge key, for example `name=app`; several keys together for
    /// lists such as a Service's ports.
    Key(Vec<(String, Value)>),
}

/// Where a value stands in an object. Empty: the object itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FieldPath(pub Vec<Step>);

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of plain fields.
    pub fn of<const N: usize>(fields: [&str; N]) -> Self {
        Self(fields.into_iter().map(|f| Step::Field(f.to_owned())).collect())
    }

    /// This path with one more field.
    pub fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.to_owned()))
    }

    /// This path with one more list position.
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// This path with one more step.
    pub fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The path without its last step; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The field names and nothing else, with list steps left out: what rules are written in.
    pub fn fields(&self) -> Vec<&str> {
        self.0.iter().filter_map(|s| if let Step::Field(f) = s { Some(f.as_str()) } else { None }).collect()
    }

    /// Whether this path begins with the given plain fields.
    pub fn starts_with(&self, fields: &[&str]) -> bool {
        self.0.len() >= fields.len()
            && self.0.iter().zip(fields).all(|(s, f)| matches!(s, Step::Field(name) if name == f))
    }

    /// The value at this path, if it is there.
    pub fn get<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(root, |value, step| step.get(value))
    }

    /// A JSON pointer (RFC 6901) into `root`; merge keys are resolved to positions in it. Stops at
    /// the first step that is not there.
    pub fn pointer(&self, root: &Value) -> String {
        let mut pointer = String::new();
        let mut value = Some(root);
        for step in &self.0 {
            let token = match step {
                Step::Field(name) => name.replace('~', "~0").replace('/', "~1"),
                Step::Index(i) => i.to_string(),
                Step::Key(keys) => match value.and_then(|v| position_of(v, keys)) {
                    Some(i) => i.to_string(),
                    None => return pointer,
                },
            };
            pointer.push('/');
            pointer.push_str(&token);
            value = value.and_then(|v| step.get(v));
        }
        pointer
    }

    /// A path as the API server names fields in its errors: `spec.containers[0].image`,
    /// `metadata.labels[app]`. What cannot be read is left out at the end.
    pub fn from_api(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let Some((token, after)) = inside.split_once(']') else { break };
                steps.push(match token.parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) => Step::Field(token.trim_matches('"').to_owned()),
                });
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if !name.is_empty() {
                    steps.push(Step::Field(name.to_owned()));
                }
                rest = after;
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        Self(steps)
    }

    /// A path as people write it and as it is displayed: `spec.containers[name=app].image`,
    /// `metadata.labels["app.io/x"]`, `args[0]`.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let unreadable = |rest: &str| Unreadable { path: text.to_owned(), rest: rest.to_owned() };
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('.').unwrap_or(text);
        while !rest.is_empty() {
            let after = if let Some(inside) = rest.strip_prefix('[') {
                let (step, after) = bracketed(inside).ok_or_else(|| unreadable(rest))?;
                steps.push(step);
                after
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.is_empty() {
                    return Err(unreadable(rest));
                }
                steps.push(Step::Field(name.to_owned()));
                after
            };
            rest = match after.strip_prefix('.') {
                Some("") => return Err(unreadable(after)),
                Some(next) => next,
                None if after.is_empty() || after.starts_with('[') => after,
                None => return Err(unreadable(after)),
            };
        }
        Ok(Self(steps))
    }

    /// A path from a JSON pointer (RFC 6901); all-digit tokens become list positions where `root`
    /// has a list.
    pub fn from_pointer(pointer: &str, root: &Value) -> Self {
        let mut path = Self::root();
        let mut value = Some(root);
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let step = match (value, token.parse::<usize>()) {
                (Some(Value::Array(_)), Ok(i)) => Step::Index(i),
                _ => Step::Field(token),
            };
            value = value.and_then(|v| step.get(v));
            path.0.push(step);
        }
        path
    }
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is no path of fields: it cannot be read from {rest:?} on")]
pub struct Unreadable {
    path: String,
    rest: String,
}

/// What stands in brackets, up to and without the closing one, and what follows.
fn bracketed(inside: &str) -> Option<(Step, &str)> {
    for quote in ['"', '\''] {
        if let Some(quoted) = inside.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return Some((Step::Field(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (token, after) = inside.split_once(']')?;
    if let Ok(index) = token.parse() {
        return Some((Step::Index(index), after));
    }
    let keys: Option<Vec<_>> = token.split(',').map(|pair| pair.split_once('=')).collect();
    let keys = keys?.into_iter().map(|(key, value)| (key.to_owned(), scalar(value))).collect();
    Some((Step::Key(keys), after))
}

/// A merge key's value: a number, a text in quotes, or a plain text.
fn scalar(text: &str) -> Value {
    serde_json::from_str(text)
        .ok()
        .filter(|v: &Value| v.is_number() || v.is_string())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The position of the list's element with these merge keys.
pub(crate) fn position_of(list: &Value, keys: &[(String, Value)]) -> Option<usize> {
    list.as_array()?.iter().position(|item| keys.iter().all(|(k, v)| item.get(k).unwrap_or(&Value::Null) == v))
}

impl Step {
    pub(crate) fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Step::Field(name) => value.get(name),
            Step::Index(i) => value.get(i),
            Step::Key(keys) => value.get(position_of(value, keys)?),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if is_plain(name) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(name)?;
                }
                Step::Field(name) => write!(f, "[{name:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(keys) => {
                    f.write_str("[")?;
                    for (n, (key, value)) in keys.iter().enumerate() {
                        if n > 0 {
                            f.write_str(",")?;
                        }
                        match value {
                            Value::String(s) => write!(f, "{key}={s}")?,
                            other => write!(f, "{key}={other}")?,
                        }
                    }
                    f.write_str("]")?;
                }
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'$')
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_reads_as_people_write_it() {
        let path =
            FieldPath::of(["spec", "containers"]).with(Step::Key(vec![("name".into(), json!("app"))])).field("image");
        assert_eq!(path.to_string(), "spec.containers[name=app].image");
        assert_eq!(FieldPath::of(["metadata", "labels", "app.io/x"]).to_string(), "metadata.labels[\"app.io/x\"]");
    }

    #[test]
    fn paths_of_the_api_server_are_read() {
        assert_eq!(FieldPath::from_api("spec.containers[0].image").to_string(), "spec.containers[0].image");
        assert_eq!(FieldPath::from_api("metadata.labels[a.b/c]").fields(), ["metadata", "labels", "a.b/c"]);
        assert_eq!(FieldPath::from_api("..[x").0.len(), 0);
    }

    #[test]
    fn a_path_is_read_as_it_is_displayed() {
        for text in [
            "",
            "spec.containers[name=app].image",
            "spec.ports[port=80,protocol=TCP].nodePort",
            "metadata.labels[\"app.io/x\"].y",
            "args[0][1]",
        ] {
            assert_eq!(FieldPath::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(FieldPath::parse(".spec['a.b']").unwrap(), FieldPath::of(["spec", "a.b"]));
        for text in ["a..b", "a.", "a[", "a[x]", "a[\"b]", "[0]c"] {
            assert!(FieldPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn merge_keys_resolve_to_positions() {
        let object = json!({"spec": {"containers": [{"name": "side"}, {"name": "app", "image": "a"}]}});
        let path =
            FieldPath::of(["spec", "containers"]).with(Step::Key(vec![("name".into(), json!("app"))])).field("image");
        assert_eq!(path.get(&object), Some(&json!("a")));
        assert_eq!(path.pointer(&object), "/spec/containers/1/image");
        assert_eq!(FieldPath::from_pointer("/spec/containers/1/image", &object).get(&object), Some(&json!("a")));
    }
}
