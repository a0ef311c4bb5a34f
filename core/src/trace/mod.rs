//! Tracing: every change of a request gets an origin, or the request is denied.
//!
//! Whole objects are compared with what the API server makes of the declared ones, field by field,
//! added fields included. No label, annotation or field manager makes a change legitimate.

mod denial;
mod fields;
mod given;
mod leaves;
mod live;
mod shown;
mod version;

pub use fields::{Field, Source, Stated, fields};
pub(crate) use live::Against;
pub use live::{Excuse, Judged, excuses, judge_declared, judge_live, lingers};
pub use shown::is_hidden;

use serde_json::Value;

use crate::break_glass;
use crate::carry::{Subject, carry, carry_over};
use crate::change::{self, Change, object_changes};
use crate::config::Mode;
use crate::delegation::{self, Answer, Setting};
use crate::derived::{self, Context};
use crate::exemption;
use crate::finding::Severity;
use crate::request::{Operation, Request};
use crate::snapshot::{Declared, Expected};
use crate::verdict::{Origin, Traced, Verdict};

/// Judges one admission request.
pub fn judge(request: &Request<'_>, context: &Context<'_>) -> Verdict {
    if break_glass::is_about(&request.key) {
        return break_glass::judge(request, context);
    }
    let mode = context.snapshot.environment.mode;
    if mode == Mode::Suspended || !context.snapshot.governs(&request.key) {
        return Verdict::default();
    }
    let mut verdict = break_glass::lets_through(request, trace(request, context), context);
    if mode == Mode::Observe {
        for finding in &mut verdict.findings {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }
    verdict
}

fn trace(request: &Request<'_>, context: &Context<'_>) -> Verdict {
    let declared = context.snapshot.declared(&request.key);
    if let Some(renamed) = declared.and_then(|d| version::renamed(request, d, context)) {
        let (object, old_object) = (renamed.object.as_ref(), renamed.old_object.as_ref());
        return trace_one(&Request { object, old_object, ..request.clone() }, declared, context);
    }
    trace_one(request, declared, context)
}

fn trace_one(request: &Request<'_>, declared: Option<&Declared>, context: &Context<'_>) -> Verdict {
    match (request.operation, declared) {
        (Operation::Update, Some(declared)) if request.subresource.is_empty() => {
            unless_learnt(request, declared, context, update)
        }
        (Operation::Create, Some(declared)) if request.subresource.is_empty() => {
            unless_learnt(request, declared, context, create)
        }
        (Operation::Update, Some(declared)) if request.subresource == "scale" && scales_to_git(request, declared) => {
            let place = declared.place(&crate::path::FieldPath::of(["spec", "replicas"]));
            Verdict::whole(Origin::Declared { place })
        }
        (Operation::Update, Some(declared))
            if request.subresource == "finalize" && is_as_git(request, declared, context) =>
        {
            Verdict::whole(Origin::Removal)
        }
        (Operation::Update, None) if request.subresource.is_empty() && is_unchanged(request, false) => {
            Verdict::default()
        }
        _ => by_rule(request, context),
    }
}

/// What Git does not declare, subresources, deletions and connections: the table of derived
/// objects decides, then the exemptions.
fn by_rule(request: &Request<'_>, context: &Context<'_>) -> Verdict {
    match derived::recognise(request, context) {
        Ok(origin) => {
            let mut verdict = Verdict::whole(origin);
            let added = delegation::injected(request, context);
            verdict.traced.extend(added.map(|origin| Traced { change: Change::whole(), origin }));
            verdict
        }
        Err(refusal) => {
            let delegated = delegation::judge(request, context);
            if let Some(Ok(origin)) = delegated {
                return Verdict::whole(origin);
            }
            if let Some(origin) = exempted(request, &Change::whole(), context) {
                return Verdict::whole(origin);
            }
            if let Some(traced) = given::to_who_asks(request, context) {
                return Verdict { traced, ..Verdict::default() };
            }
            if let Some(bound) = delegated.and_then(Result::err) {
                return Verdict::deny(denial::beyond(request, &bound, context));
            }
            let scaled = denial::scaled(request, &refusal.reason, context);
            Verdict::deny(scaled.unwrap_or_else(|| denial::refused(request, &refusal.reason, context)))
        }
    }
}

fn exempted(request: &Request<'_>, change: &Change, context: &Context<'_>) -> Option<Origin> {
    let configuration = &context.snapshot.configuration;
    exemption::exempts(configuration, &request.key, change, &request.user, context.now)
}

/// Whose a change of a declared object is: who Git exempts, or an operator that it delegates to; or why
/// the operator's delegation does not let it make the change.
fn of_others(setting: &Setting<'_>, request: &Request<'_>, change: &Change, context: &Context<'_>) -> Option<Answer> {
    match setting.answer(change) {
        Some(Ok(origin)) => Some(Ok(origin)),
        refused => exempted(request, change, context).map(Ok).or(refused),
    }
}

fn scales_to_git(request: &Request<'_>, declared: &Declared) -> bool {
    let wanted = request.object.and_then(|o| o.pointer("/spec/replicas"));
    let replicas = declared.expected.as_deref().and_then(|e| e.object.pointer("/spec/replicas"));
    wanted.is_some() && wanted == replicas
}

/// Whether an object would be what is expected, all of it.
fn is_as_git(request: &Request<'_>, declared: &Declared, context: &Context<'_>) -> bool {
    request.object.is_some_and(|new| live::judge_declared(declared, new, context) == Judged::Converged)
}

/// Whether an update changes nothing that is compared (a no-op, or managed fields alone).
fn is_unchanged(request: &Request<'_>, has_status_subresource: bool) -> bool {
    match (request.old_object, request.object) {
        (Some(old), Some(new)) => change::is_unchanged(old, new, has_status_subresource),
        _ => false,
    }
}

type Judge = fn(&Request<'_>, &Declared, &Context<'_>) -> Verdict;

/// As long as it is not learnt what the API server makes of a new content, the content before goes
/// on counting: nothing was written of the new one yet.
fn unless_learnt(request: &Request<'_>, declared: &Declared, context: &Context<'_>, judge: Judge) -> Verdict {
    match &declared.before {
        Some(before) if declared.expected.is_none() => {
            let verdict = judge(request, before, context);
            if verdict.allowed() { verdict } else { Verdict::deny(denial::not_learnt(request, context)) }
        }
        _ => judge(request, declared, context),
    }
}

fn update(request: &Request<'_>, declared: &Declared, context: &Context<'_>) -> Verdict {
    let (Some(old), Some(new)) = (request.old_object, request.object) else {
        return Verdict::deny(denial::malformed(request));
    };
    let found = object_changes(old, new, declared.has_status_subresource);
    if found.is_empty() {
        return Verdict::default();
    }
    let Some(expected) = &declared.expected else {
        return Verdict::deny(denial::not_learnt(request, context));
    };
    if !is_comparable(new, declared) {
        return Verdict::deny(denial::other_version(request, declared, new, context));
    }
    let expected = expected_after(expected, declared, (old, new), context);
    let setting = Setting::of(request, context);
    let mut verdict = Verdict::default();
    for change in found {
        match origin_of(&change, &expected, declared, &setting, request, context) {
            Ok(origin) => verdict.traced.push(Traced { change, origin }),
            Err(reason) => {
                verdict.findings.push(denial::change(request, declared, &change, &expected, &reason, context))
            }
        }
    }
    verdict
}

/// What a declared object may look like, given the object as it is: the expected object with the
/// carried fields that `live` proves.
pub(crate) fn expected_of(expected: &Expected, declared: &Declared, live: &Value, context: &Context<'_>) -> Value {
    let mut object = expected.object.clone();
    let same_object = is_same(expected, live);
    carry(&mut object, &subject(expected, declared, live), context);
    if !same_object || expected.uid.is_none() {
        allocate(&mut object, declared, live);
    }
    object
}

/// What an update may make of a declared object, whoever makes it: what only some may write is expected
/// as it was before.
fn expected_after(
    expected: &Expected,
    declared: &Declared,
    (old, new): (&Value, &Value),
    context: &Context<'_>,
) -> Value {
    let mut object = expected.object.clone();
    carry_over(&mut object, &subject(expected, declared, new), old, context);
    if crate::object::is_service(&declared.manifest.key) {
        drawn(&mut object, &declared.canonical, old, new);
    }
    if !is_same(expected, new) || expected.uid.is_none() {
        allocate(&mut object, declared, new);
    }
    object
}

/// Whether what was learnt speaks of this very object.
fn is_same(expected: &Expected, live: &Value) -> bool {
    expected.uid.as_deref().is_none_or(|uid| uid == crate::object::uid(live))
}

/// What the carry rules see of a declared object.
fn subject<'a>(expected: &'a Expected, declared: &'a Declared, live: &'a Value) -> Subject<'a> {
    let record = expected.record.as_ref().filter(|_| is_same(expected, live));
    Subject { key: &declared.manifest.key, declared: &declared.canonical, live, record }
}

/// Whether an object is written in the version that Git declares it in. In another, the same field
/// may mean something else.
fn is_comparable(object: &Value, declared: &Declared) -> bool {
    object.get("apiVersion").and_then(Value::as_str).is_none_or(|v| v == declared.gvk().api_version())
}

fn origin_of(
    change: &Change,
    expected: &Value,
    declared: &Declared,
    setting: &Setting<'_>,
    request: &Request<'_>,
    context: &Context<'_>,
) -> Result<Origin, String> {
    let wanted = change.path.get(expected).filter(|v| !change::counts_as_absent(expected, &change.path, v));
    let matches = match (&change.new, wanted) {
        (None, None) => true,
        (Some(new), Some(wanted)) => change::same_in(expected, new, wanted),
        _ => false,
    };
    if matches {
        return Ok(match (&change.new, change.path.get(&declared.canonical)) {
            (None, _) => Origin::Removal,
            (Some(_), Some(_)) => Origin::Declared { place: declared.place(&change.path) },
            (Some(_), None) => Origin::Defaulted,
        });
    }
    let refused = match of_others(setting, request, change, context) {
        Some(Ok(origin)) => return Ok(origin),
        Some(Err(reason)) => Some(reason),
        None => None,
    };
    derived::recognise_change(request, change, context).map_err(|refusal| refused.unwrap_or(refusal.reason))
}

fn create(request: &Request<'_>, declared: &Declared, context: &Context<'_>) -> Verdict {
    let Some(new) = request.object else { return Verdict::deny(denial::malformed(request)) };
    let Some(expected) = &declared.expected else {
        return Verdict::deny(denial::not_learnt(request, context));
    };
    if !is_comparable(new, declared) {
        return Verdict::deny(denial::other_version(request, declared, new, context));
    }
    let expected = expected_of(expected, declared, new, context);
    let status = declared.has_status_subresource;
    let setting = Setting::of(request, context);
    let mut verdict = Verdict::default();
    for change in object_changes(&expected, new, status) {
        let reason = match of_others(&setting, request, &change, context) {
            Some(Ok(origin)) => {
                verdict.traced.push(Traced { change, origin });
                continue;
            }
            refused => refused.and_then(Result::err).unwrap_or_default(),
        };
        verdict.findings.push(denial::change(request, declared, &change, &expected, &reason, context));
    }
    if verdict.findings.is_empty() {
        let place = declared.place(&crate::path::FieldPath::root());
        verdict.traced.push(Traced { change: Change::whole(), origin: Origin::Declared { place } });
        if !change::is_unchanged(&declared.canonical, new, status) {
            verdict.traced.push(Traced { change: Change::whole(), origin: Origin::Defaulted });
        }
    }
    verdict
}

/// Values that the API server draws anew for each creation: they are taken from the object where
/// the expected object has one of the same form, since no dry run can foretell them.
fn allocate(expected: &mut Value, declared: &Declared, object: &Value) {
    match (declared.manifest.key.group.as_str(), declared.manifest.key.kind.as_str()) {
        ("", "Service") => allocate_service(expected, &declared.canonical, object),
        ("", "Pod") => rename_token_volume(expected, object),
        _ => {}
    }
}

fn allocate_service(expected: &mut Value, declared: &Value, object: &Value) {
    let is_address = |v: &Value| v.as_str().is_some_and(|s| s.parse::<std::net::IpAddr>().is_ok());
    for pointer in ["/spec/clusterIP", "/spec/clusterIPs", "/spec/healthCheckNodePort"] {
        if declared.pointer(pointer).is_some_and(|v| !change::is_empty(v)) {
            continue;
        }
        let (Some(there), Some(drawn)) = (expected.pointer_mut(pointer), object.pointer(pointer)) else { continue };
        let same_form = match (&*there, drawn) {
            (Value::String(_), Value::String(_)) => is_address(there) && is_address(drawn),
            (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().chain(b).all(is_address),
            (Value::Number(a), Value::Number(b)) => a.as_u64() > Some(0) && b.as_u64() > Some(0),
            _ => false,
        };
        if same_form {
            *there = drawn.clone();
        }
    }
    let Some(drawn) = object.pointer("/spec/ports").and_then(Value::as_array) else { return };
    let Some(ports) = expected.pointer_mut("/spec/ports").and_then(Value::as_array_mut) else { return };
    let declared = declared.pointer("/spec/ports").and_then(Value::as_array);
    for (i, port) in ports.iter_mut().enumerate() {
        let is_declared = declared.and_then(|d| d.get(i)).is_some_and(|d| d.get("nodePort").is_some());
        let (Some(there), Some(new)) = (port.get("nodePort"), drawn.get(i).and_then(|d| d.get("nodePort"))) else {
            continue;
        };
        if !is_declared && there.as_u64() > Some(0) && new.as_u64() > Some(0) {
            port["nodePort"] = new.clone();
        }
    }
}

/// Addresses and ports that the API server draws for an update of a Service which had none, whatever a dry run
/// named in their place: of the object as the update makes it.
pub fn drawn(expected: &mut Value, declared: &Value, old: &Value, new: &Value) {
    let mut open = new.clone();
    for field in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
        let had = old["spec"].get(field).is_some_and(|v| !change::is_empty(v) && *v != "");
        if had && let Some(spec) = open["spec"].as_object_mut() {
            spec.remove(field);
        }
    }
    if let Some(spec) = open["spec"].as_object_mut() {
        spec.remove("ports");
    }
    allocate_service(expected, declared, &open);
    let find = |of: &Value, port: &Value| {
        let ports = of.pointer("/spec/ports").and_then(Value::as_array)?;
        let same = |p: &&Value| ["name", "port", "protocol"].iter().all(|f| p.get(*f) == port.get(*f));
        ports.iter().find(same)?.get("nodePort").filter(|n| n.as_u64() > Some(0)).cloned()
    };
    let Some(ports) = expected.pointer_mut("/spec/ports").and_then(Value::as_array_mut) else { return };
    let says = declared.pointer("/spec/ports").and_then(Value::as_array);
    for (i, port) in ports.iter_mut().enumerate() {
        let is_declared = says.and_then(|d| d.get(i)).is_some_and(|d| d["nodePort"].as_u64() > Some(0));
        let is_drawn = port["nodePort"].as_u64() > Some(0) && !is_declared && find(old, port).is_none();
        if let Some(drawn) = find(new, port).filter(|_| is_drawn) {
            port["nodePort"] = drawn;
        }
    }
}

/// A Pod's token volume has a random suffix.
pub(crate) fn rename_token_volume(expected: &mut Value, object: &Value) {
    const PREFIX: &str = "kube-api-access-";
    let name_in = |pod: &Value| -> Option<String> {
        let volumes = pod.pointer("/spec/volumes")?.as_array()?;
        let mut names = volumes.iter().filter_map(|v| v.get("name")?.as_str());
        names.find(|n| n.strip_prefix(PREFIX).is_some_and(|s| s.len() == 5)).map(str::to_owned)
    };
    let (Some(old), Some(new)) = (name_in(expected), name_in(object)) else { return };
    rename(expected, &old, &new);
}

fn rename(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::Object(map) => {
            for (field, inner) in map {
                match inner {
                    Value::String(s) if field == "name" && s == old => new.clone_into(s),
                    other => rename(other, old, new),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|i| rename(i, old, new)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
