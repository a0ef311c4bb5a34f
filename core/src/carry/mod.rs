//! Which fields are carried from a live object into what we expect of it, each by a rule that
//! proves them. Never by mere presence: that would smuggle an attacker's value in.
//!
//! One table serves all three users: the body of a write (`target` is the declared object), the
//! judging of an update at admission and the comparison at runtime (`target` is the expected
//! object). A carried field that Git does not declare is first taken out of `target` and put back
//! only as far as it is proven, so that what was true when the object was learnt does not linger.

mod metadata;
mod network;
mod rbac;
mod rules;
mod storage;
mod workload;

use serde_json::{Map, Value};

use crate::additions;
use crate::change::{self, Change};
use crate::created;
use crate::delegation;
use crate::derived::{self, Context};
use crate::exemption;
use crate::object::ObjectKey;

pub use rbac::strangers_selected;

/// Field of a record that holds the digest of the content that the object was made of. Where what
/// creation made has to be taken whole, it counts for that content alone.
pub const MADE_OF: &str = "madeOf";

/// Field of a record that holds what the creation alone set, each addition with its path.
pub const CREATE_ONLY: &str = "createOnly";

/// What a carry rule sees.
pub struct Subject<'a> {
    /// The object.
    pub key: &'a ObjectKey,
    /// What Git declares, canonical.
    pub declared: &'a Value,
    /// The object as it is (or as a request would make it).
    pub live: &'a Value,
    /// What was set at the creation of the live object, as a partial object; `None` if it is not
    /// known.
    pub record: Option<&'a Value>,
}

impl Subject<'_> {
    fn declares(&self, path: &[&str]) -> bool {
        at(self.declared, path).is_some_and(|v| !v.is_null())
    }

    fn recorded(&self, path: &[&str]) -> Option<&Value> {
        at(self.record?, path)
    }
}

/// Carries into `target` every field of the live object that a rule proves.
pub fn carry(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    for rule in rules::of(subject.key) {
        (rule.carries)(target, subject, context);
    }
}

/// The same for an update of `before`, by a writer who is known and asked for. What is another's to say is
/// carried from the object as it was: what the update makes of it is judged by who makes it.
pub fn carry_over(target: &mut Value, subject: &Subject<'_>, before: &Value, context: &Context<'_>) {
    let as_it_was = Subject { live: before, ..*subject };
    for rule in rules::of(subject.key) {
        let subject = if rule.by == rules::By::ItsWriter { &as_it_was } else { subject };
        (rule.carries)(target, subject, context);
    }
}

/// What each rule takes over from the live object into what Git declares, by the rule's name: the
/// fields in which the body of a write is not what is written in Git.
pub fn carried(subject: &Subject<'_>, context: &Context<'_>) -> Vec<(&'static str, Change)> {
    let mut body = subject.declared.clone();
    let mut found = Vec::new();
    for rule in rules::of(subject.key) {
        let before = body.clone();
        (rule.carries)(&mut body, subject, context);
        found.extend(change::changes(&before, &body).into_iter().map(|change| (rule.name, change)));
    }
    found
}

/// Leaves fields that an exemption or a delegation in Git gives to others as they are.
///
/// For writes and comparisons of live objects only: there the writer is not known. At admission it
/// is, and their accounts are asked instead.
///
/// What is still as Git had it a moment ago nobody else has set: there Git's new value holds.
pub fn exempted(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    let before = context.snapshot.former(subject.key, context.now).last().map(|expected| &expected.object);
    for path in given_away(subject.key, delegation::fields_of(subject.key, subject.live, context), context) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        copy_in_each(target, subject.live, before, &path);
    }
}

/// Takes what others set in such fields out of what the API server made of an object: nothing of it is
/// Git's, or the API server's own.
pub fn without_exempted(answer: &mut Value, key: &ObjectKey, declared: &Value, context: &Context<'_>) {
    for path in given_away(key, delegation::fields_offered(key, context), context) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        copy_in_each(answer, declared, None, &path);
    }
}

/// A Pod that Git does not declare, without what others may set in it: such fields are as the template
/// has them that it was made of, or are not there. What of it others set cannot be seen, so there are several
/// answers: without each of their fields alone, without all, without all but one. Empty if nothing was set.
///
/// Only of Pods: what else controllers make they go on working on, by all that it says.
pub fn without_given_away(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Vec<Value> {
    if (key.group.as_str(), key.kind.as_str()) != ("", "Pod") {
        return Vec::new();
    }
    let mut paths = given_away(key, delegation::fields_of(key, live, context), context);
    paths.sort();
    paths.dedup();
    paths.truncate(MOST_GIVEN);
    if paths.is_empty() {
        return Vec::new();
    }
    let template = derived::template_of(key, live, context).unwrap_or_default();
    let without = |which: &dyn Fn(usize) -> bool| {
        let mut kept = live.clone();
        for (_, path) in paths.iter().enumerate().filter(|(n, _)| which(*n)) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            copy_in_each(&mut kept, &template, None, &path);
        }
        kept
    };
    let each = (0..paths.len()).map(|one| without(&|n| n == one));
    let but_one = (0..paths.len()).map(|one| without(&|n| n != one));
    let mut answers: Vec<Value> = Vec::new();
    for kept in each.chain([without(&|_| true)]).chain(but_one) {
        if kept != *live && !answers.contains(&kept) {
            answers.push(kept);
        }
    }
    answers
}

/// Fields of one Pod that are looked at for others.
const MOST_GIVEN: usize = 8;

/// The paths that exemptions give to others, and delegations to operators.
fn given_away<'a>(
    key: &'a ObjectKey,
    delegated: impl Iterator<Item = &'a str>,
    context: &Context<'a>,
) -> Vec<Vec<String>> {
    let exempted = exemption::in_force(&context.snapshot.configuration, key, context.now).flat_map(|(e, _)| &e.fields);
    let fields = exempted.map(String::as_str).chain(delegated);
    fields.map(exemption::parse_fields).collect()
}

/// Copies a field, where the path leads through lists in each element that is on both sides; what is the
/// same as `before` is left.
fn copy_in_each(target: &mut Value, from: &Value, before: Option<&Value>, path: &[&str]) {
    let list = (0..path.len()).find(|n| at(from, &path[..*n]).is_some_and(Value::is_array));
    let Some((to_list, rest)) = list.map(|n| path.split_at(n)) else {
        let is_as_before = before.and_then(|b| at(b, path)).is_some_and(|b| Some(b) == at(from, path));
        if !is_as_before {
            copy(target, from, path);
        }
        return;
    };
    let Some(elements) = at(from, to_list).and_then(Value::as_array) else { return };
    let earlier = before.and_then(|b| at(b, to_list)).and_then(Value::as_array);
    let list = to_list.iter().try_fold(target, |value, field| value.get_mut(field));
    let Some(targets) = list.and_then(Value::as_array_mut) else { return };
    for target in targets {
        if let Some(element) = elements.iter().find(|e| additions::same_element(target, e)) {
            let before = earlier.and_then(|all| all.iter().find(|e| additions::same_element(target, e)));
            copy_in_each(target, element, before, rest);
        }
    }
}

/// Takes out of what was learnt of an object what only holds as long as Git declares something else: the
/// replicas that its autoscaler gave it.
pub fn without_autoscaled(answer: &mut Value, key: &ObjectKey, declared: &Value, context: &Context<'_>) {
    if context.snapshot.autoscaled(key).is_some() {
        copy(answer, declared, &["spec", "replicas"]);
    }
}

/// What the creation of `declared` answered, if a record of it is true: what is said of it can be held
/// against what a creation could have answered.
pub fn as_recorded(declared: &Value, record: &Value) -> Value {
    let mut created = declared.clone();
    let mut set = record.clone();
    if let Some(fields) = set.as_object_mut() {
        fields.remove(CREATE_ONLY);
        fields.remove(MADE_OF);
    }
    additions::overlay(&mut created, &set);
    if record.get(MADE_OF).is_some()
        && let Some(spec) = record.get("spec")
    {
        created["spec"] = spec.clone();
    }
    if let Some(additions) = record.get(CREATE_ONLY) {
        created::lay_over(&mut created, declared, additions);
    }
    created
}

/// Takes off an object the finalizers that are neither declared nor set by its own controller.
pub fn only_known_finalizers(object: &mut Value, key: &ObjectKey, declared: &Value, context: &Context<'_>) {
    let live = object.clone();
    metadata::finalizers(object, &Subject { key, declared, live: &live, record: None }, context);
}

/// Leaves a field as the live object has it, unproven, since the API server lets nobody put it
/// right.
pub fn leave(target: &mut Value, live: &Value, path: &[&str]) {
    copy(target, live, path);
}

/// The value at a path of plain fields.
fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |v, field| v.get(field))
}

fn str_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path)?.as_str()
}

/// Sets the value at a path of plain fields, making maps on the way; nothing happens where the way
/// leads through something that is no map.
fn set(target: &mut Value, path: &[&str], value: Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut here = target;
    for field in parents {
        let Some(map) = here.as_object_mut() else { return };
        let next = map.entry(*field).or_insert(Value::Null);
        if next.is_null() {
            *next = Value::Object(Map::new());
        }
        here = next;
    }
    if let Some(map) = here.as_object_mut() {
        map.insert((*last).to_owned(), value);
    }
}

fn remove(target: &mut Value, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(target, |v, field| v.get_mut(*field));
    if let Some(map) = parent.and_then(Value::as_object_mut) {
        map.remove(*last);
    }
}

/// Makes `target` at `path` what `from` has there, absent included.
fn copy(target: &mut Value, from: &Value, path: &[&str]) {
    match at(from, path) {
        Some(value) => set(target, path, value.clone()),
        None => remove(target, path),
    }
}

/// Takes a field from the record of the creation, unless Git declares it.
fn from_record(target: &mut Value, subject: &Subject<'_>, path: &[&str]) {
    if subject.declares(path) {
        return;
    }
    if let Some(value) = subject.recorded(path) {
        set(target, path, value.clone());
    }
}

/// Carries one annotation if `proven` says so, and takes an unproven one out.
fn annotation(target: &mut Value, subject: &Subject<'_>, name: &str, proven: impl FnOnce(&str) -> bool) {
    map_entry(target, subject, "annotations", name, proven);
}

fn map_entry(target: &mut Value, subject: &Subject<'_>, map: &str, name: &str, proven: impl FnOnce(&str) -> bool) {
    let path = ["metadata", map, name];
    if subject.declares(&path) {
        return;
    }
    match str_at(subject.live, &path) {
        Some(value) if proven(value) => set(target, &path, Value::String(value.to_owned())),
        _ => remove(target, &path),
    }
}

#[cfg(test)]
mod tests;
