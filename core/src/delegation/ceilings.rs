//! What the Pods of a delegated object may be.

use serde_json::Value;

use super::{PodSecurity, matches, pod_security};
use crate::config::Makes;
use crate::derived::Context;
use crate::object::ObjectKey;

/// Where objects keep the specification of Pods, by the last of these that is there.
const POD_SPECS: [&str; 4] = ["/spec/jobTemplate/spec/template/spec", "/spec/template/spec", "/template/spec", "/spec"];

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Demands that the Pods that an object is or makes stay within their ceilings.
pub(super) fn check(makes: &Makes, key: &ObjectKey, object: &Value, context: &Context<'_>) -> Result<(), String> {
    if let Some((_, spec)) = pod_spec(object) {
        service_account(makes, key, spec, context)?;
    }
    check_pods(&makes.images, makes.pod_security, object)
}

/// The same for images and the Pod Security Standard alone.
pub(super) fn check_pods(images: &[String], level: PodSecurity, object: &Value) -> Result<(), String> {
    let Some((at, spec)) = pod_spec(object) else { return Ok(()) };
    for (path, image) in images_of(spec) {
        if !images.iter().any(|allowed| matches(allowed, image)) {
            return Err(format!("{at}.{path} is {image:?}, which is none of the images allowed"));
        }
    }
    pod_security::check(level, object, spec).map_err(|reason| format!("{at}.{reason}"))
}

fn service_account(makes: &Makes, key: &ObjectKey, spec: &Value, context: &Context<'_>) -> Result<(), String> {
    let account = ["serviceAccountName", "serviceAccount"].iter().find_map(|f| spec.get(f)).and_then(Value::as_str);
    let account = account.filter(|a| !a.is_empty()).unwrap_or("default");
    let allowed = if makes.service_accounts.is_empty() {
        let declared = ObjectKey::new("", "ServiceAccount", &key.namespace, account);
        account == "default" || context.snapshot.is_declared(&declared)
    } else {
        makes.service_accounts.iter().any(|a| matches(a, account))
    };
    if allowed {
        return Ok(());
    }
    Err(format!("its Pods run as the service account {account:?}, which is none of those allowed"))
}

/// All images of the Pods that an object is or makes.
pub(crate) fn images(object: &Value) -> Vec<&str> {
    pod_spec(object).into_iter().flat_map(|(_, spec)| images_of(spec)).map(|(_, image)| image).collect()
}

/// What the Pods that an object is or makes run as; `None` if it makes none.
pub(crate) fn account(object: &Value) -> Option<&str> {
    let (_, spec) = pod_spec(object)?;
    let named = spec.get("serviceAccountName").and_then(Value::as_str).filter(|a| !a.is_empty());
    Some(named.unwrap_or("default"))
}

/// Whether the Pods that an object is or makes keep a level.
pub(crate) fn keeps(level: PodSecurity, object: &Value) -> bool {
    pod_spec(object).is_none_or(|(_, spec)| pod_security::check(level, object, spec).is_ok())
}

/// The specification of the Pods that an object makes, or that it is, and its path.
fn pod_spec(object: &Value) -> Option<(String, &Value)> {
    let found = POD_SPECS.iter().find_map(|pointer| Some((*pointer, object.pointer(pointer)?)))?;
    let (pointer, spec) = found;
    let is_pods = CONTAINERS.iter().any(|list| spec.get(list).is_some_and(Value::is_array));
    is_pods.then(|| (pointer.trim_start_matches('/').replace('/', "."), spec))
}

/// All that a Pod runs or mounts from a registry, with the path of each.
fn images_of(spec: &Value) -> impl Iterator<Item = (String, &str)> {
    let list = |field: &'static str| {
        let items = spec.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().enumerate().map(move |(i, item)| (field, i, item))
    };
    let containers = CONTAINERS.into_iter().flat_map(list).map(|(field, i, container)| {
        (format!("{field}[{i}].image"), container.get("image").and_then(Value::as_str).unwrap_or_default())
    });
    let volumes = list("volumes").filter_map(|(field, i, volume)| {
        let image = volume.get("image")?;
        let reference = image.get("reference").and_then(Value::as_str).unwrap_or_default();
        Some((format!("{field}[{i}].image.reference"), reference))
    });
    containers.chain(volumes)
}
