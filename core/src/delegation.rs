//! Delegations: what operators write, within the ceilings that Git declares for them.
//!
//! What an operator makes is in no template, so its content cannot be foretold. It is bounded instead:
//! by account, kind, namespace and name, by the declared object that it has to belong to, and by what
//! its Pods may be. At admission the account is asked. Of a live object the writer is not known any
//! more: there the bounds alone decide.

pub mod bounds;
mod ceilings;
mod injected;
mod pod_security;
mod policies;
mod setting;

use jiff::Timestamp;
use serde_json::Value;

use crate::config::{Configuration, Delegation, EnvironmentConfig, Makes, OwnerRule, Sets};
use crate::derived::{self, Context};
use crate::exemption::{is_prefix, kind_matches, parse_fields};
use crate::finding::Place;
use crate::object::{self, ObjectKey};
use crate::path::FieldPath;
use crate::request::{Operation, Request};
use crate::verdict::Origin;

pub(crate) use ceilings::{account, images, keeps};
pub(crate) use injected::{Own, without};
pub use pod_security::PodSecurity;
pub use policies::Ceilings;
pub(crate) use setting::Setting;

/// What delegations say of a request: an origin, or why those that speak of it do not allow it.
pub type Answer = Result<Origin, String>;

/// Judges a request about an object that Git does not declare, or about the status of any.
///
/// `None`: no delegation speaks of it to that account.
pub fn judge(request: &Request<'_>, context: &Context<'_>) -> Option<Answer> {
    let configuration = &context.snapshot.configuration;
    let mut refused = None;
    for (delegation, place) in in_force(configuration, context) {
        if !request.user.is_among(&delegation.accounts) {
            continue;
        }
        match allows(delegation, request, context) {
            Some(Ok(())) => match anothers(request, context) {
                None => return Some(Ok(origin(delegation, place))),
                Some(other) => return Some(Err(format!("{} takes over {other}", request.user.name))),
            },
            Some(Err(reason)) => {
                refused.get_or_insert_with(|| demanded(&reason, delegation, &place));
            }
            None => {}
        }
    }
    refused.map(Err)
}

/// What an update would take away from another operator or from a controller: an object that is not
/// within the bounds of who asks yet, and within theirs.
fn anothers(request: &Request<'_>, context: &Context<'_>) -> Option<String> {
    let is_update = request.operation == Operation::Update && request.subresource.is_empty();
    let old = request.old_object.filter(|_| is_update)?;
    let key = &request.key;
    let holds = |delegation: &Delegation| {
        delegation.makes.iter().filter(|m| m.concerns(key)).any(|m| within(m, key, old, context, 0).is_ok())
    };
    let is_own = |delegation: &Delegation| request.user.is_among(&delegation.accounts);
    let holders: Vec<_> = in_force(&context.snapshot.configuration, context).filter(|(d, _)| holds(d)).collect();
    if holders.iter().any(|(d, _)| is_own(d)) {
        return None;
    }
    if let Some((delegation, place)) = holders.first() {
        return Some(format!("{key}, which is the delegation {}'s ({place})", delegation.name));
    }
    let derived = derived::recognise_live(key, old, context).ok()?;
    Some(format!("{key}, which is a controller's: {derived}"))
}

/// The delegation of a mutator that added a container to a Pod which is being made.
pub fn injected(request: &Request<'_>, context: &Context<'_>) -> Option<Origin> {
    let key = &request.key;
    let is_pod = (key.group.as_str(), key.kind.as_str(), request.subresource) == ("", "Pod", "");
    let pod = request.object.filter(|_| is_pod && request.operation == Operation::Create)?;
    injected::into(pod, context)
}

/// Fields of an object that delegations in force give to operators, as far as their policies let the
/// object be as it is.
pub fn fields_of<'a>(key: &'a ObjectKey, live: &'a Value, context: &Context<'a>) -> impl Iterator<Item = &'a str> {
    by_field(key, live, context).map(|(field, _)| field)
}

/// The same, each with the delegation that gives it.
pub fn by_field<'a>(
    key: &'a ObjectKey,
    live: &'a Value,
    context: &Context<'a>,
) -> impl Iterator<Item = (&'a str, &'a Delegation)> {
    let configuration = &context.snapshot.configuration;
    in_force(configuration, context).flat_map(move |(delegation, _)| {
        let sets = delegation.sets.iter().filter(move |sets| sets.concerns(key));
        let sets = sets.filter(move |sets| configuration.ceilings.check(&sets.policies, key, live).is_ok());
        sets.flat_map(|sets| &sets.fields).map(move |field| (field.as_str(), delegation))
    })
}

/// Fields of an object that delegations in force may give to operators.
pub fn fields_offered<'a>(key: &'a ObjectKey, context: &Context<'a>) -> impl Iterator<Item = &'a str> {
    in_force(&context.snapshot.configuration, context).flat_map(move |(delegation, _)| {
        delegation.sets.iter().filter(move |sets| sets.concerns(key)).flat_map(|sets| &sets.fields).map(String::as_str)
    })
}

/// The delegation that gives a field of an object to an operator, whoever wrote it.
pub fn of_field(key: &ObjectKey, path: &FieldPath, context: &Context<'_>) -> Option<Origin> {
    in_force(&context.snapshot.configuration, context)
        .find(|(delegation, _)| delegation.sets.iter().any(|s| s.covers(key, path)))
        .map(|(delegation, place)| origin(delegation, place))
}

/// Judges a live object that Git does not declare by the bounds of those delegations that speak of
/// such objects; `None` if none does.
pub fn judge_live(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Option<Answer> {
    judge_live_at(key, live, context, 0)
}

/// The delegation within whose bounds a live object is, so many owners away from the object that was
/// asked about.
pub(crate) fn of_live(key: &ObjectKey, live: &Value, context: &Context<'_>, depth: u8) -> Option<Origin> {
    judge_live_at(key, live, context, depth)?.ok()
}

fn judge_live_at(key: &ObjectKey, live: &Value, context: &Context<'_>, depth: u8) -> Option<Answer> {
    let mut refused = None;
    for (delegation, place) in in_force(&context.snapshot.configuration, context) {
        for makes in delegation.makes.iter().filter(|m| m.concerns(key)) {
            match within(makes, key, live, context, depth) {
                Ok(()) => return Some(Ok(origin(delegation, place))),
                Err(reason) => {
                    refused.get_or_insert_with(|| demanded(&reason, delegation, &place));
                }
            }
        }
    }
    refused.map(Err)
}

fn demanded(reason: &str, delegation: &Delegation, place: &Place) -> String {
    format!("{reason}, as the delegation {} demands ({place})", delegation.name)
}

fn origin(delegation: &Delegation, place: Place) -> Origin {
    Origin::Delegated { name: delegation.name.clone(), place }
}

/// Delegations that hold now, with their places in Git.
fn in_force<'a>(
    configuration: &'a Configuration,
    context: &Context<'_>,
) -> impl Iterator<Item = (&'a Delegation, Place)> + use<'a> {
    let now = context.now;
    let all = configuration.delegations.iter().enumerate();
    all.filter(move |(_, d)| d.in_force(now)).map(|(i, delegation)| (delegation, configuration.delegation_place(i)))
}

fn allows(delegation: &Delegation, request: &Request<'_>, context: &Context<'_>) -> Option<Result<(), String>> {
    let key = &named(request);
    let is_status = request.subresource == "status";
    if is_status && let Some(sets) = delegation.sets.iter().find(|s| s.covers(key, &FieldPath::of(["status"]))) {
        return Some(status(request, key, &[&sets.policies], context));
    }
    let makes: Vec<&Makes> = delegation.makes.iter().filter(|m| m.concerns(key)).collect();
    if makes.is_empty() || context.snapshot.is_declared(key) {
        return None;
    }
    let judged = match (request.operation, request.subresource) {
        (Operation::Create | Operation::Update, "") => (request.object, "makes"),
        (Operation::Delete, "") => (request.old_object, "removes"),
        (Operation::Update, "status") => {
            let policies: Vec<&Vec<String>> = makes.iter().map(|m| &m.policies).collect();
            return Some(status(request, key, &policies, context));
        }
        _ => return None,
    };
    let (Some(object), act) = judged else { return Some(Err("the request holds no object".to_owned())) };
    let mut refused = None;
    for each in makes {
        match within(each, key, object, context, 0) {
            Ok(()) => return Some(Ok(())),
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    refused.map(|reason| Err(format!("{} {act} {key}, but {reason}", request.user.name)))
}

/// The object's key, with the name that the API server generated for it.
fn named(request: &Request<'_>) -> ObjectKey {
    let mut key = request.key.clone();
    if let (true, Some(object)) = (key.name.is_empty(), request.object.or(request.old_object)) {
        object::name(object).clone_into(&mut key.name);
    }
    key
}

/// Demands that nothing but the status changes, and that one of several lists of policies lets the object
/// be as it is then.
fn status(
    request: &Request<'_>,
    key: &ObjectKey,
    policies: &[&Vec<String>],
    context: &Context<'_>,
) -> Result<(), String> {
    only_status_changes(request)?;
    let Some(object) = request.object else { return Ok(()) };
    let mut checked = policies.iter().map(|names| context.snapshot.configuration.ceilings.check(names, key, object));
    let Some(first) = checked.next() else { return Ok(()) };
    first.or_else(|reason| if checked.any(|other| other.is_ok()) { Ok(()) } else { Err(reason) })
}

/// API servers let most kinds' metadata be changed through the status.
fn only_status_changes(request: &Request<'_>) -> Result<(), String> {
    let (Some(old), Some(new)) = (request.old_object, request.object) else {
        return Err("the request holds no object".to_owned());
    };
    match crate::change::object_changes(old, new, true).first() {
        Some(change) => Err(format!("{} changes through the status", change.path)),
        None => Ok(()),
    }
}

impl Delegation {
    /// Whether it holds at `now`.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now <= until)
    }

    /// Whether it speaks of objects of this kind.
    pub fn names_kind_of(&self, key: &ObjectKey) -> bool {
        let kinds = self.makes.iter().map(|m| &m.kinds).chain(self.sets.iter().map(|s| &s.kinds));
        kinds.flatten().any(|kind| kind_matches(kind, key))
    }

    /// Whether it speaks of this object at all.
    pub fn concerns(&self, key: &ObjectKey) -> bool {
        self.makes.iter().any(|m| m.concerns(key)) || self.sets.iter().any(|s| s.concerns(key))
    }

    /// Whether it can speak of anything that an environment governs or shares.
    pub fn is_of(&self, environment: &EnvironmentConfig) -> bool {
        let mut namespaces = self.makes.iter().map(|m| &m.namespaces).chain(self.sets.iter().map(|s| &s.namespaces));
        namespaces.any(|list| list.is_empty() || list.iter().any(|n| environment.has_namespace(n)))
    }
}

impl Makes {
    fn concerns(&self, key: &ObjectKey) -> bool {
        concerns(&self.kinds, &self.namespaces, &self.names, key)
    }
}

impl Sets {
    fn concerns(&self, key: &ObjectKey) -> bool {
        concerns(&self.kinds, &self.namespaces, &self.names, key)
    }

    fn covers(&self, key: &ObjectKey, path: &FieldPath) -> bool {
        self.concerns(key) && self.fields.iter().any(|f| is_prefix(&parse_fields(f), path))
    }
}

fn concerns(kinds: &[String], namespaces: &[String], names: &[String], key: &ObjectKey) -> bool {
    kinds.iter().any(|k| kind_matches(k, key))
        && (namespaces.is_empty() || namespaces.contains(&key.namespace))
        && (names.is_empty() || names.iter().any(|n| matches(n, &key.name)))
}

/// Whether a text is as written, or begins so where a `*` stands at the end.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

/// Whether an image is as written; where a `*` stands at the end, whether it is of the same repository
/// (`registry/app:*`, `registry/app@*`), or of one below (`registry/team/*`).
fn matches_image(pattern: &str, image: &str) -> bool {
    let Some(fixed) = pattern.strip_suffix('*') else { return pattern == image };
    let Some(rest) = image.strip_prefix(fixed) else { return false };
    is_whole_folder(fixed) || (names_repository(fixed) && !rest.contains('/'))
}

/// Whether a `*` may follow in the name of an image: in the midst of a repository's name it would stand
/// for other repositories, and in the midst of a registry's for other registries.
pub(crate) fn bounds_images(fixed: &str) -> bool {
    is_whole_folder(fixed) || names_repository(fixed)
}

fn is_whole_folder(fixed: &str) -> bool {
    fixed.len() > 1 && fixed.ends_with('/')
}

fn names_repository(fixed: &str) -> bool {
    fixed.rsplit('/').next().is_some_and(|last| last.find([':', '@']).is_some_and(|at| at > 0))
}

/// How many owners an object may have: each is followed to its own owners in turn.
const MOST_OWNERS: usize = 8;

/// Whether an object is within what an operator may make, and no policy denies it.
fn within(makes: &Makes, key: &ObjectKey, object: &Value, context: &Context<'_>, depth: u8) -> Result<(), String> {
    within_bounds(makes, key, object, context, depth)?;
    context.snapshot.configuration.ceilings.check(&makes.policies, key, object)
}

/// Whether an object is within what an operator may make, as far as its policies are not asked.
fn within_bounds(
    makes: &Makes,
    key: &ObjectKey,
    object: &Value,
    context: &Context<'_>,
    depth: u8,
) -> Result<(), String> {
    let owners = object::owner_references(object).len();
    if owners > MOST_OWNERS {
        return Err(format!("it has {owners} owners, more than the {MOST_OWNERS} that are followed"));
    }
    if !makes.owners.is_empty() && !makes.owners.iter().any(|rule| belongs(rule, key, object, context, depth)) {
        let kinds: Vec<&str> = makes.owners.iter().map(|o| o.kind.as_str()).collect();
        return Err(format!("it belongs to no {} that has an origin", kinds.join(" or ")));
    }
    let named = |kind: &ObjectKey| makes.owners.iter().any(|rule| kind_matches(&rule.kind, kind));
    if let Some(workload) = derived::counted_by(key, object, context).filter(|workload| !named(workload)) {
        return Err(format!("{workload} would count it among its own"));
    }
    ceilings::check(makes, key, object, context)
}

/// Whether a field of an object holds a name.
fn names(object: &Value, field: &str, name: &str) -> bool {
    let value = parse_fields(field).iter().try_fold(object, |value, field| value.get(field));
    value.and_then(Value::as_str) == Some(name)
}

fn belongs(rule: &OwnerRule, key: &ObjectKey, object: &Value, context: &Context<'_>, depth: u8) -> bool {
    let is_owner = |owner: &ObjectKey, uid: Option<&str>| {
        let asks_for_it = |owner: &Value| rule.name_field.as_deref().is_none_or(|f| names(owner, f, &key.name));
        let is_meant = |of: Option<&str>| uid.is_none_or(|uid| !uid.is_empty() && of == Some(uid));
        // What Git declares is known, uid and all, without asking the cluster.
        let declared = context.snapshot.declared(owner).and_then(|d| d.expected.as_deref());
        if declared.is_some_and(|d| is_meant(d.uid.as_deref()) && asks_for_it(&d.object)) {
            return true;
        }
        context.live.get(owner).is_some_and(|live| {
            is_meant(Some(object::uid(&live)))
                && asks_for_it(&live)
                && derived::is_traced(owner, &live, context, depth.saturating_add(1))
        })
    };
    match &rule.annotation {
        Some(annotation) => object::annotation(object, annotation).filter(|n| !n.is_empty()).is_some_and(|name| {
            let (kind, group) = rule.kind.split_once('.').unwrap_or((&rule.kind, ""));
            is_owner(&ObjectKey::new(group, kind, &key.namespace, name), None)
        }),
        None => object::owner_references(object).iter().any(|reference| {
            let uid = reference.get("uid").and_then(Value::as_str).unwrap_or_default();
            let owner = object::owner_key(reference, &key.namespace).filter(|owner| kind_matches(&rule.kind, owner));
            owner.is_some_and(|owner| is_owner(&owner, Some(uid)))
        }),
    }
}

#[cfg(test)]
mod tests;
