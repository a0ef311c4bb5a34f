//! Evaluating policies for one object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};
use serde::Deserialize;

use super::redact::Secrets;
use super::source::Located;
use super::view::PodView;
use super::{CHECK_INTERVAL, Entry, Inner, Policy, exceptions, field};
use crate::caught::caught;
use crate::change::is_built_in;
use crate::finding::{Finding, Severity};
use crate::manifest::Manifest;
use crate::path::FieldPath;

/// Characters of a message or hint.
const MAX_TEXT: usize = 2_000;

/// Runs every policy that judges what Git declares and that judges the object, or the Pod it would make.
pub(super) fn evaluate(inner: &Inner, manifest: &Manifest) -> Vec<Finding> {
    let policies: Vec<&Policy> = inner.policies.iter().filter(|p| !p.is_ceiling()).collect();
    run_all(inner, &policies, manifest, None)
}

/// Runs some policies one after the other, until one denies.
pub(super) fn evaluate_only(inner: &Inner, policies: &[&Policy], manifest: &Manifest, time: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in policies {
        findings.extend(run_all(inner, &[policy], manifest, Some(time)));
        if findings.iter().any(|f| f.severity == Severity::Error) {
            break;
        }
    }
    findings
}

fn run_all(inner: &Inner, policies: &[&Policy], manifest: &Manifest, time: Option<Duration>) -> Vec<Finding> {
    let judging = |judges: &dyn Fn(&Policy) -> bool| policies.iter().copied().filter(|p| judges(p)).collect::<Vec<_>>();
    let of_object = judging(&|policy| policy.judges(&manifest.gvk));
    let decoded = as_decoded(manifest);
    let view = PodView::of(&manifest.gvk, &decoded);
    let of_pod = if view.is_some() { judging(&Policy::judges_pods) } else { Vec::new() };
    if of_object.is_empty() && of_pod.is_empty() {
        return Vec::new();
    }
    // Made once for all of them.
    let object = Value::deserialize(decoded.as_ref()).unwrap_or(Value::Undefined);
    let mut findings = Vec::new();
    if !of_object.is_empty() {
        findings.extend(Subject { inner, manifest, pod: None, time }.judge(&object, &of_object));
    }
    if let Some(view) = view.filter(|_| !of_pod.is_empty()) {
        let pod = if object == Value::Undefined { Value::Undefined } else { view.as_input(&object) };
        findings.extend(Subject { inner, manifest, pod: Some(view), time }.judge(&pod, &of_pod));
    }
    if findings.is_empty() {
        return findings;
    }
    let secrets = Secrets::of(manifest);
    for finding in &mut findings {
        finding.message = cut(secrets.redact(std::mem::take(&mut finding.message)));
        finding.hint = finding.hint.take().map(|hint| cut(secrets.redact(hint)));
        finding.field = finding.field.take().filter(|field| !secrets.are_in(&field.to_string()));
    }
    findings
}

/// The object as API servers decode it: a field of a built-in kind that is null is not there. Of custom
/// resources some fields may be null.
fn as_decoded(manifest: &Manifest) -> Cow<'_, serde_json::Value> {
    if is_built_in(&manifest.gvk.group) && has_null(&manifest.value) {
        let mut object = manifest.value.as_ref().clone();
        drop_nulls(&mut object);
        return Cow::Owned(object);
    }
    Cow::Borrowed(&manifest.value)
}

fn has_null(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(fields) => fields.values().any(|v| v.is_null() || has_null(v)),
        serde_json::Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

/// Elements of lists keep their places.
fn drop_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|_, v| !v.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// What is judged: the object, or the Pod that it would make.
struct Subject<'a> {
    inner: &'a Inner,
    manifest: &'a Manifest,
    pod: Option<PodView<'a>>,
    /// Time for each rule, where it is another than the policies were compiled with.
    time: Option<Duration>,
}

impl Subject<'_> {
    fn judge(&self, object: &Value, policies: &[&Policy]) -> Vec<Finding> {
        if *object == Value::Undefined {
            return policies
                .iter()
                .map(|p| self.failed(p, Severity::Error, "the object cannot be its input"))
                .collect();
        }
        let fields = [("object", object.clone()), ("file", Value::from(&*self.manifest.file))];
        let fields = fields.map(|(name, value)| (Value::from(name), value));
        let input = Value::from(BTreeMap::from(fields));
        let mut engines = Engines { inner: self.inner, input, time: self.time, strict: None, lenient: None };
        let mut findings = Vec::new();
        for policy in policies {
            for entry in &policy.entries {
                let results = match engines.evaluate(entry) {
                    Answer::Value(value) => value,
                    Answer::Lenient(value, severity, why) => {
                        findings.push(self.failed(policy, severity, &why));
                        value
                    }
                    Answer::Failed(why) => {
                        findings.push(self.failed(policy, Severity::Error, &why));
                        continue;
                    }
                };
                self.findings(policy, entry, &results, &mut findings);
            }
        }
        findings
    }

    /// Turns what a rule holds into findings.
    fn findings(&self, policy: &Policy, entry: &Entry, results: &Value, findings: &mut Vec<Finding>) {
        let items: Vec<&Value> = match results {
            Value::Undefined | Value::Bool(false) => return,
            Value::Set(items) => items.iter_sorted().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => {
                let why = format!("`{}` is no set of messages", entry.path);
                findings.push(self.failed(policy, Severity::Error, &why));
                return;
            }
        };
        let limit = self.inner.limits.results;
        for item in items.iter().take(limit) {
            let finding = match self.finding(policy, entry, item) {
                Ok(finding) => exceptions::apply(&self.inner.exceptions, &self.manifest.key, finding),
                Err(why) => self.failed(policy, Severity::Error, &why),
            };
            findings.push(finding);
        }
        if items.len() > limit {
            let message = format!("{} more findings of this policy for {}", items.len() - limit, self.manifest.key);
            findings.push(self.located(Finding::new(entry.severity, policy.rule.clone(), message), FieldPath::root()));
        }
    }

    fn finding(&self, policy: &Policy, entry: &Entry, item: &Value) -> Result<Finding, String> {
        if let Value::String(message) = item {
            let finding = Finding::new(entry.severity, policy.rule.clone(), message.to_string());
            return Ok(self.located(finding, FieldPath::root()));
        }
        let Value::Object(fields) = item else {
            return Err(format!("`{}` holds something that is neither a string nor an object", entry.path));
        };
        let get = |name: &str| fields.get(&Value::from(name));
        let text = |name: &str| match get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(format!("`{}` holds an object whose `{name}` is no string", entry.path)),
        };
        let mut message = match (text("message")?, text("msg")?) {
            (Some(message), _) | (None, Some(message)) => message,
            (None, None) => return Err(format!("`{}` holds an object without `message`", entry.path)),
        };
        let severity = match text("severity")?.as_deref() {
            None => entry.severity,
            Some("error") => Severity::Error,
            Some("warning") => Severity::Warning,
            Some("info") => Severity::Info,
            Some(_) => return Err(format!("`{}` has a severity that is not error, warning or info", entry.path)),
        };
        let read = |field: &Value| match self.pod {
            Some(view) => field::read(field, &view.pod()),
            None => field::read(field, &self.manifest.value),
        };
        let path = match get("field").map(|value| (value, read(value))) {
            None => FieldPath::root(),
            Some((_, Some(path))) => self.pod.map_or(path.clone(), |view| view.field_in_object(path)),
            Some((unreadable, None)) => {
                message = format!("{message} (at {unreadable})");
                FieldPath::root()
            }
        };
        let mut finding = Finding::new(severity, policy.rule.clone(), message);
        finding.hint = text("hint")?;
        Ok(self.located(finding, path))
    }

    /// The policy could not be evaluated: never a reason to let the object pass unseen.
    fn failed(&self, policy: &Policy, severity: Severity, why: &str) -> Finding {
        let message = format!("the policy {} cannot be evaluated for {}: {why}", policy.rule, self.manifest.key);
        // No field is to blame: the object is, by its name.
        let place = self.manifest.place(&FieldPath::of(["metadata", "name"]));
        self.located(Finding::new(severity, "policy/evaluation", message), FieldPath::root()).with_place(Some(place))
    }

    fn located(&self, finding: Finding, path: FieldPath) -> Finding {
        let place = self.manifest.place(&path);
        let finding = finding.with_object(self.manifest.key.clone()).with_place(Some(place));
        if path.0.is_empty() { finding } else { finding.with_field(path) }
    }
}

enum Answer {
    Value(Value),
    /// A built-in function failed and counted as undefined: so heavy a fault, and why.
    Lenient(Value, Severity, String),
    Failed(String),
}

/// The two engines with their input, made when they are needed.
struct Engines<'a> {
    inner: &'a Inner,
    input: Value,
    time: Option<Duration>,
    strict: Option<Engine>,
    lenient: Option<Engine>,
}

impl Engines<'_> {
    fn evaluate(&mut self, entry: &Entry) -> Answer {
        let strict = self.strict.get_or_insert_with(|| with_input(&self.inner.strict, &self.input, self.time));
        let error = match run(strict, &entry.path) {
            Ok(value) => return Answer::Value(value),
            Err(error) => error,
        };
        let lenient = self.lenient.get_or_insert_with(|| with_input(&self.inner.lenient, &self.input, self.time));
        match run(lenient, &entry.path) {
            // A wrong type is a common idiom (`walk` and then `endswith`) and the schema's business.
            // A value that a function cannot read might be written to slip past the policy.
            Ok(value) if is_type_mismatch(&error) => Answer::Lenient(value, Severity::Warning, error),
            Ok(value) => Answer::Lenient(value, Severity::Error, error),
            Err(error) => Answer::Failed(error),
        }
    }
}

fn is_type_mismatch(error: &str) -> bool {
    [" expects ", " requires "].iter().any(|words| error.contains(words))
}

fn with_input(engine: &Engine, input: &Value, time: Option<Duration>) -> Engine {
    let mut engine = engine.clone();
    if let Some(limit) = time {
        engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: CHECK_INTERVAL });
    }
    engine.set_input(input.clone());
    engine
}

/// Evaluates a rule; a panic inside the engine is an error like any other.
fn run(engine: &mut Engine, rule: &str) -> Result<Value, String> {
    match caught(|| engine.eval_rule(rule.to_owned())) {
        Some(Ok(value)) => Ok(value),
        // The engine says how long it took, which is never the same again; findings are compared by what
        // they say.
        Some(Err(error)) if error.to_string().contains("exceeded time limit") => {
            Err("it takes more time than it may".to_owned())
        }
        Some(Err(error)) => Err(explained(&error.to_string())),
        None => Err("the engine failed".to_owned()),
    }
}

fn explained(error: &str) -> String {
    let error = Located::of(error);
    match error.place() {
        Some(place) => format!("{} ({place})", error.message),
        None => error.message,
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
