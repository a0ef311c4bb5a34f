//! Denials that teach: the field, what Git declares and where, and how the change is made properly.

use serde_json::Value;

use super::shown::is_hidden;
use crate::change::Change;
use crate::derived::Context;
use crate::finding::{Finding, Place};
use crate::object::ObjectKey;
use crate::path::{FieldPath, Step};
use crate::request::{Operation, Request};
use crate::snapshot::Declared;

/// Longest value that a message shows, in characters.
const SHOWN: usize = 120;

/// A value as a message shows it: cut short, and never a Secret's.
pub(super) fn shown(key: &ObjectKey, change: &Change, value: &Value) -> String {
    if is_hidden(key, &change.path) {
        return "(value hidden)".to_owned();
    }
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    format!("{}…", text.chars().take(SHOWN).collect::<String>())
}

fn by(context: &Context<'_>) -> String {
    let commit = &context.snapshot.commit;
    format!("commit {} by {}", commit.short(), commit.author)
}

fn push_to(context: &Context<'_>) -> String {
    let git_ref = &context.snapshot.environment.git_ref;
    git_ref.strip_prefix("refs/heads/").unwrap_or(git_ref).to_owned()
}

/// One change of a declared object that Git does not say.
pub(super) fn change(
    request: &Request<'_>,
    declared: &Declared,
    change: &Change,
    expected: &Value,
    reason: &str,
    context: &Context<'_>,
) -> Finding {
    let place = declared.place(&change.path);
    let key = &request.key;
    let path = &change.path;
    let asked = match &change.new {
        Some(value) => format!("the request sets {}", shown(key, change, value)),
        None => "the request removes it".to_owned(),
    };
    let written = path.get(&declared.canonical).filter(|v| !crate::change::counts_as_absent(expected, path, v));
    let wanted = path.get(expected).filter(|v| !crate::change::counts_as_absent(expected, path, v));
    let (rule, says, hint) = match (written, wanted) {
        (Some(value), _) => (
            "trace/declared-field",
            format!("Git declares {} at {place}", shown(key, change, value)),
            format!("change it at {place} and push to {}", push_to(context)),
        ),
        (None, Some(value)) => (
            "trace/defaulted-field",
            format!("the API server makes it {} of what Git declares at {place}", shown(key, change, value)),
            format!("declare the field in {} and push to {}", place.file, push_to(context)),
        ),
        (None, None) => (
            "trace/undeclared-field",
            format!("Git does not declare it ({place})"),
            left_by_kubectl(change, &place, context)
                .unwrap_or_else(|| format!("add it in {} and push to {}", place.file, push_to(context))),
        ),
    };
    let mut message = format!("{key}: {path}: {says} ({}), {asked}", by(context));
    if !reason.is_empty() {
        message.push_str(&format!("; no controller's write: {reason}"));
    }
    Finding::error(rule, message)
        .with_object(key.clone())
        .with_field(path.clone())
        .with_place(Some(place))
        .with_hint(hint)
}

/// What to do instead of what `kubectl` does with an annotation of its own, which has no place in Git.
fn left_by_kubectl(change: &Change, place: &Place, context: &Context<'_>) -> Option<String> {
    let push_to = push_to(context);
    if sets(change, "kubectl.kubernetes.io/restartedAt") {
        let file = &place.file;
        return Some(format!(
            "exempt the account for this field in gitward.yaml, or change an annotation of the template in {file} and push to {push_to}"
        ));
    }
    sets(change, "kubectl.kubernetes.io/last-applied-configuration").then(|| {
        format!("what is pushed to {push_to} needs no apply; `kubectl apply --server-side` leaves no such annotation")
    })
}

/// Whether a change sets a field of this name, or a map that has it.
fn sets(change: &Change, name: &str) -> bool {
    let is_named = change.path.0.iter().any(|step| matches!(step, Step::Field(field) if field == name));
    is_named || change.new.as_ref().is_some_and(|value| has_field(value, name))
}

fn has_field(value: &Value, name: &str) -> bool {
    value.as_object().is_some_and(|fields| fields.contains_key(name) || fields.values().any(|v| has_field(v, name)))
}

/// The way to do once what no manifest says.
const BY_HAND: &str = "exempt the account in gitward.yaml, or break a glass that it declares";

/// The right way to what a request does to an object, where no field of a manifest would do it.
fn instead(request: &Request<'_>, context: &Context<'_>) -> String {
    let is_declared = context.snapshot.is_declared(&request.key);
    match (request.operation, request.subresource) {
        (_, "eviction") | (Operation::Delete, "") if !is_declared => {
            format!(
                "whatever made it removes it: change that in Git and push to {}; for once, {BY_HAND}",
                push_to(context)
            )
        }
        (_, "eviction" | "ephemeralcontainers" | "token") => BY_HAND.to_owned(),
        _ => format!("make the change in Git and push to {}", push_to(context)),
    }
}

/// A request that changes through its scale how many replicas of an object Git declares.
pub(super) fn scaled(request: &Request<'_>, reason: &str, context: &Context<'_>) -> Option<Finding> {
    if request.operation != Operation::Update || request.subresource != "scale" {
        return None;
    }
    let declared = context.snapshot.declared(&request.key)?;
    let path = FieldPath::of(["spec", "replicas"]);
    path.get(&declared.canonical)?;
    let value = |object: Option<&Value>| object.and_then(|o| path.get(o)).cloned();
    let replicas = Change { old: value(request.old_object), new: value(request.object), path: path.clone() };
    Some(change(request, declared, &replicas, &declared.canonical, reason, context))
}

/// What an operator does past the bounds of its delegation.
pub(super) fn beyond(request: &Request<'_>, bound: &str, context: &Context<'_>) -> Finding {
    let hint = format!(
        "keep within the bounds of the delegation, or change them, or the policies that it names, in Git and push to {}",
        push_to(context)
    );
    refused(request, bound, context).with_hint(hint)
}

/// A request that no rule recognises.
pub(super) fn refused(request: &Request<'_>, reason: &str, context: &Context<'_>) -> Finding {
    let key = &request.key;
    let declared = context.snapshot.declared(key);
    let place = declared.map(|d| d.place(&FieldPath::root()));
    let sub = if request.subresource.is_empty() { String::new() } else { format!("/{}", request.subresource) };
    let environment = &context.snapshot.environment;
    let here = format!("environment {}, {}", environment.name, by(context));
    let (rule, message, hint) = match (request.operation, &place) {
        (Operation::Delete, Some(place)) => (
            "trace/declared-delete",
            format!("{key} is declared at {place} ({here}) and may not be deleted: {reason}"),
            format!("remove it from {} and push to {}", place.file, push_to(context)),
        ),
        (Operation::Create, None) if request.subresource.is_empty() => (
            "trace/undeclared-object",
            format!("{key} is not declared in Git ({here}): {reason}"),
            format!(
                "add a manifest under {} and push to {}",
                if environment.path.is_empty() { "the repository" } else { &environment.path },
                push_to(context)
            ),
        ),
        (Operation::Connect, _) => (
            "trace/connect",
            format!("{key}{sub}: connections leave no trace in Git ({here}): {reason}"),
            "exempt the account in gitward.yaml for as long as it needs it".to_owned(),
        ),
        _ => {
            let at = place.as_ref().map_or_else(|| "not declared in Git".to_owned(), |p| format!("declared at {p}"));
            ("trace/no-rule", format!("{key}{sub} ({at}, {here}): {reason}"), instead(request, context))
        }
    };
    Finding::error(rule, message).with_object(key.clone()).with_place(place).with_hint(hint)
}

/// Git declares the object but what the API server makes of it is not known yet.
pub(super) fn not_learnt(request: &Request<'_>, context: &Context<'_>) -> Finding {
    let place = context.snapshot.declared(&request.key).map(|d| d.place(&FieldPath::root()));
    Finding::error(
        "trace/not-learnt",
        format!("{}: what the API server makes of it at {} is not known yet", request.key, by(context)),
    )
    .with_object(request.key.clone())
    .with_place(place)
    .with_hint("gitward learns it as soon as the commit is prechecked; its Environment says what stands in the way")
}

/// The object is written in another version than Git declares it in, and did not come converted.
pub(super) fn other_version(request: &Request<'_>, declared: &Declared, new: &Value, context: &Context<'_>) -> Finding {
    let place = declared.place(&crate::path::FieldPath::root());
    let version = new.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    Finding::error(
        "trace/other-version",
        format!(
            "{}: the request is written in {}, Git declares the object in {} at {place} ({})",
            request.key,
            version.chars().take(SHOWN).collect::<String>(),
            declared.gvk().api_version(),
            by(context)
        ),
    )
    .with_object(request.key.clone())
    .with_place(Some(place))
    .with_hint(format!("make the change in Git and push to {}", push_to(context)))
}

/// The review lacks an object that its operation always has.
pub(super) fn malformed(request: &Request<'_>) -> Finding {
    Finding::error("trace/malformed-review", format!("{}: the review lacks its object", request.key))
}
