//! Requests in another version than Git's, where versions differ in nothing but their names.
//!
//! The API server converts a request to a version that the webhook's registration names. When a commit
//! moves an object to another version, the registration follows a moment later.

use serde_json::Value;

use crate::derived::Context;
use crate::object::ObjectKey;
use crate::request::Request;
use crate::snapshot::Declared;

/// A request's objects, present and former, in the declared version.
pub(super) struct Renamed {
    pub(super) object: Option<Value>,
    pub(super) old_object: Option<Value>,
}

/// The objects of a request that came in another version than Git's, if its kind's definition
/// converts by changing the version's name alone (strategy `None`, the default).
pub(super) fn renamed(request: &Request<'_>, declared: &Declared, context: &Context<'_>) -> Option<Renamed> {
    let wanted = declared.gvk().api_version();
    let differs = |o: &&Value| o.get("apiVersion").and_then(Value::as_str).is_some_and(|v| v != wanted);
    request.object.into_iter().chain(request.old_object).find(differs)?;
    let name = format!("{}.{}", request.resource, request.key.group);
    let definition = ObjectKey::new("apiextensions.k8s.io", "CustomResourceDefinition", "", &name);
    let definition = context.live.get(&definition)?;
    let strategy = definition.pointer("/spec/conversion/strategy").and_then(Value::as_str).unwrap_or("None");
    let rename = |object: Option<&Value>| {
        let mut renamed = object?.clone();
        let version = renamed.get_mut("apiVersion")?;
        *version = Value::from(wanted.as_str());
        Some(renamed)
    };
    (strategy == "None").then(|| Renamed { object: rename(request.object), old_object: rename(request.old_object) })
}
