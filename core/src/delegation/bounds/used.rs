//! Which bounds of a delegation a write, or an object that is there, makes use of.

use serde_json::Value;

use super::{Allows, Bound, Of, name_of};
use crate::config::{Delegation, Injects, Makes, Sets};
use crate::delegation::{self, PodSecurity, matches, matches_image};
use crate::derived::Context;
use crate::derived::compare::list;
use crate::exemption::{is_prefix, kind_matches, parse_fields};
use crate::object::{self, ObjectKey};
use crate::path::FieldPath;
use crate::request::{Operation, Request};
use crate::trace::Against;
use crate::verdict::{Origin, Traced};

/// A use of a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its position among the bounds.
    pub bound: usize,
    /// What it was used for: a name, an image, a level.
    pub value: String,
}

/// The bounds that a request uses which passed by a delegation.
pub fn by_request(
    bounds: &[Bound],
    delegation: &Delegation,
    request: &Request<'_>,
    traced: &[Traced],
    context: &Context<'_>,
) -> Vec<Use> {
    let is_its = |t: &&Traced| matches!(&t.origin, Origin::Delegated { name, .. } if *name == delegation.name);
    let changes: Vec<&FieldPath> = traced.iter().filter(is_its).map(|t| &t.change.path).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let key = delegation::named(request);
    let deleted = request.operation == Operation::Delete;
    let Some(object) = (if deleted { request.old_object } else { request.object }) else { return Vec::new() };
    let status = FieldPath::of(["status"]);
    let set = |field: &str| {
        let field = parse_fields(field);
        let is_status = request.subresource == "status" && is_prefix(&field, &status);
        is_status || changes.iter().any(|change| !change.0.is_empty() && is_prefix(&field, change))
    };
    let is_pod = key.group.is_empty() && key.kind == "Pod" && request.operation == Operation::Create;
    let account = Some(request.user.name.as_str()).filter(|_| request.user.is_among(&delegation.accounts));
    let write = Write { key: &key, object, account, adds: is_pod && account.is_none() };
    write.uses(bounds, delegation, set, context)
}

/// The bounds that a live object uses, whoever made it so. A status that is there may be anybody's.
pub fn by_live(
    bounds: &[Bound],
    delegation: &Delegation,
    key: &ObjectKey,
    live: &Value,
    context: &Context<'_>,
) -> Vec<Use> {
    let declared = context.snapshot.declared(key);
    let sets_here = declared.filter(|_| delegation.sets.iter().any(|s| s.concerns(key)));
    let against = sets_here.and_then(|declared| Against::git(declared, live, context));
    let set = |field: &str| against.as_ref().is_some_and(|against| against.differs(field));
    let adds = key.group.is_empty() && key.kind == "Pod" && declared.is_none();
    Write { key, object: live, account: None, adds }.uses(bounds, delegation, set, context)
}

/// What somebody writes or wrote.
struct Write<'a> {
    key: &'a ObjectKey,
    object: &'a Value,
    account: Option<&'a str>,
    /// Whether it is a Pod that a mutator may have added to.
    adds: bool,
}

impl Write<'_> {
    fn uses(
        &self,
        bounds: &[Bound],
        delegation: &Delegation,
        set: impl Fn(&str) -> bool,
        context: &Context<'_>,
    ) -> Vec<Use> {
        let is_made = |m: &Makes| {
            m.concerns(self.key)
                && !context.snapshot.is_declared(self.key)
                && delegation::within_bounds(m, self.key, self.object, context, 0).is_ok()
        };
        let is_set = |s: &Sets| s.concerns(self.key) && s.fields.iter().any(|f| set(f));
        let is_added = |i: &Injects| self.adds && i.works_on(object::namespace(self.object), context);
        let makes: Vec<bool> = delegation.makes.iter().map(is_made).collect();
        let sets: Vec<bool> = delegation.sets.iter().map(is_set).collect();
        let injects: Vec<bool> = delegation.injects.iter().map(is_added).collect();
        let holds = |of: Of| match of {
            Of::All => true,
            Of::Makes(i) => makes.get(i) == Some(&true),
            Of::Sets(i) => sets.get(i) == Some(&true),
            Of::Injects(i) => injects.get(i) == Some(&true),
        };
        let mut used = Vec::new();
        for (i, bound) in bounds.iter().enumerate().filter(|(_, bound)| holds(bound.of)) {
            let values = self.values(bound, delegation, &set, context);
            used.extend(values.into_iter().map(|value| Use { bound: i, value }));
        }
        used
    }

    /// What of this a bound is used for.
    fn values(
        &self,
        bound: &Bound,
        delegation: &Delegation,
        set: impl Fn(&str) -> bool,
        context: &Context<'_>,
    ) -> Vec<String> {
        let if_so = |holds: bool, value: &str| if holds { vec![value.to_owned()] } else { Vec::new() };
        let (key, object) = (self.key, self.object);
        match &bound.allows {
            Allows::Account(account) => if_so(self.account == Some(account), account),
            Allows::Kind(kind) => if_so(kind_matches(kind, key), kind),
            Allows::Namespace(namespace) => if_so(*namespace == key.namespace, namespace),
            Allows::AnyNamespace => if_so(!key.namespace.is_empty(), &key.namespace),
            Allows::Name(pattern) => if_so(matches(pattern, &key.name), &key.name),
            Allows::AnyName => if_so(true, &key.name),
            Allows::Owner(kind) => if_so(self.belongs_to(bound, delegation, context), kind),
            Allows::Image(pattern) => {
                let images = delegation::images(object).into_iter().filter(|image| matches_image(pattern, image));
                images.map(|image| repository(image).to_owned()).collect()
            }
            Allows::ServiceAccount(pattern) => {
                delegation::account(object).into_iter().filter(|a| matches(pattern, a)).map(str::to_owned).collect()
            }
            Allows::AnyServiceAccount => delegation::account(object).into_iter().map(str::to_owned).collect(),
            Allows::Level(_) if delegation::account(object).is_none() => Vec::new(),
            Allows::Level(_) => {
                let levels = [PodSecurity::Restricted, PodSecurity::Baseline, PodSecurity::Privileged];
                let kept = levels.into_iter().find(|level| delegation::keeps(*level, object));
                kept.map(|level| name_of(level).to_owned()).into_iter().collect()
            }
            Allows::Field(field) => if_so(set(field), field),
            Allows::Added(what, pattern) => if_so(is_there(what, pattern, object), pattern),
        }
    }

    fn belongs_to(&self, bound: &Bound, delegation: &Delegation, context: &Context<'_>) -> bool {
        let (Of::Makes(makes), Some(crate::path::Step::Index(owner))) = (bound.of, bound.field.0.last()) else {
            return false;
        };
        let rule = delegation.makes.get(makes).and_then(|makes| makes.owners.get(*owner));
        rule.is_some_and(|rule| delegation::belongs(rule, self.key, self.object, context, 0))
    }
}

/// Whether a Pod has something of that name, by its template or by a mutator.
fn is_there(what: &str, pattern: &str, pod: &Value) -> bool {
    let spec = &pod["spec"];
    let named = |items: &[Value]| items.iter().any(|item| item["name"].as_str().is_some_and(|n| matches(pattern, n)));
    let containers = || ["initContainers", "containers"].into_iter().map(|field| list(spec, &[field]));
    let keys = |field: &str| {
        let map = object::metadata(pod).and_then(|m| m.get(field)).and_then(Value::as_object);
        map.is_some_and(|map| map.keys().any(|key| matches(pattern, key)))
    };
    match what {
        "container" => containers().any(named),
        "volume" => named(list(spec, &["volumes"])),
        "variable" => containers().flatten().any(|container| named(list(container, &["env"]))),
        "label" => keys("labels"),
        "annotation" => keys("annotations"),
        _ => false,
    }
}

/// An image without its tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}
