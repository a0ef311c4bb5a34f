//! Exceptions that Git declares: one object that one policy lets pass, and why.

use regorus::Value;

use super::source::refusal;
use crate::finding::{Finding, Severity};
use crate::object::ObjectKey;

/// The package that declares exceptions, under `data`.
pub(super) const PACKAGE: [&str; 2] = ["gitward", "exceptions"];

/// The rule that holds them.
pub(super) const RULE: &str = "exception";

/// One exception.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    /// The policy's rule id.
    pub(super) rule: String,
    kind: String,
    namespace: String,
    name: String,
    reason: String,
}

/// Reads what `data.gitward.exceptions.exception` evaluates to.
///
/// # Errors
/// A finding for each entry that is not exactly policy, kind, namespace, name and reason.
pub(super) fn read(file: &str, value: &Value) -> Result<Vec<Exception>, Vec<Finding>> {
    let refuse = |what: String| refusal(&file.into(), 1, 1, format!("an exception {what}"));
    let Value::Set(entries) = value else { return Err(vec![refuse("is an element of the set `exception`".into())]) };
    let (mut exceptions, mut errors) = (Vec::new(), Vec::new());
    for entry in entries.iter() {
        match one(entry) {
            Ok(exception) => exceptions.push(exception),
            Err(what) => errors.push(refuse(what)),
        }
    }
    if errors.is_empty() { Ok(exceptions) } else { Err(errors) }
}

fn one(entry: &Value) -> Result<Exception, String> {
    const FIELDS: [&str; 5] = ["policy", "kind", "namespace", "name", "reason"];
    let Value::Object(fields) = entry else { return Err("is an object".into()) };
    let unknown = fields.keys().find(|key| !FIELDS.iter().any(|field| Value::from(*field) == **key));
    if let Some(unknown) = unknown {
        return Err(format!("has no field {unknown}"));
    }
    let text = |field: &str| match fields.get(&Value::from(field)) {
        Some(Value::String(text)) => Ok(text.to_string()),
        _ => Err(format!("needs the field `{field}`")),
    };
    let exception = Exception {
        rule: format!("policy/{}", text("policy")?.trim_start_matches("policy/")),
        kind: text("kind")?,
        namespace: text("namespace")?,
        name: text("name")?,
        reason: text("reason")?,
    };
    if exception.reason.trim().is_empty() {
        return Err("needs a reason".into());
    }
    Ok(exception)
}

/// A finding that an exception covers is worth knowing, and no more.
pub(super) fn apply(exceptions: &[Exception], object: &ObjectKey, mut finding: Finding) -> Finding {
    let covers = |e: &&Exception| {
        e.rule == finding.rule
            && e.kind == object.kind
            && (e.namespace == object.namespace || e.namespace == "*")
            && e.name == object.name
    };
    if let Some(exception) = exceptions.iter().find(covers) {
        finding.severity = Severity::Info;
        finding.message = format!("{} (exception: {})", finding.message, exception.reason);
        finding.hint = None;
    }
    finding
}
