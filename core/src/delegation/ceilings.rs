//! What the Pods of a delegated object may be.

use serde_json::Value;

use super::{PodSecurity, matches, matches_image, pod_security};
use crate::config::Makes;
use crate::derived::Context;
use crate::object::ObjectKey;

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Types of Secrets that are somebody's credential as soon as they are there.
const CREDENTIALS: [&str; 2] = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// Demands that an object, and the Pods that it is or makes, stay within their ceilings.
pub(super) fn check(makes: &Makes, key: &ObjectKey, object: &Value, context: &Context<'_>) -> Result<(), String> {
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Secret") => no_credential(object)?,
        ("", "PersistentVolume") => no_path_of_a_host(makes.pod_security, object)?,
        _ => {}
    }
    for pods in pods_in(object) {
        service_account(makes, key, pods.spec, context)?;
    }
    check_pods(&makes.images, makes.pod_security, object)
}

/// The same for images and the Pod Security Standard alone.
pub(super) fn check_pods(images: &[String], level: PodSecurity, object: &Value) -> Result<(), String> {
    for pods in pods_in(object) {
        for (path, image) in images_of(pods.spec) {
            if !images.iter().any(|allowed| matches_image(allowed, image)) {
                return Err(format!("{}.{path} is {image:?}, which is none of the images allowed", pods.at));
            }
        }
        pods.keep(level, object)?;
    }
    Ok(())
}

/// The control plane writes a token of the account named into such a Secret, or believes what is in it.
fn no_credential(secret: &Value) -> Result<(), String> {
    let kind = secret.get("type").and_then(Value::as_str).unwrap_or_default();
    if CREDENTIALS.contains(&kind) {
        return Err(format!("a Secret of the type {kind} is a credential of another account"));
    }
    Ok(())
}

/// A claim is all that a Pod needs to mount it, which no Pod Security Standard forbids.
fn no_path_of_a_host(level: PodSecurity, volume: &Value) -> Result<(), String> {
    let of_host = ["hostPath", "local"].iter().find(|f| volume.pointer(&format!("/spec/{f}")).is_some());
    match of_host {
        Some(field) if level != PodSecurity::Privileged => Err(format!("spec.{field} is a path of the host")),
        _ => Ok(()),
    }
}

fn service_account(makes: &Makes, key: &ObjectKey, spec: &Value, context: &Context<'_>) -> Result<(), String> {
    let account = account_of(spec);
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
    pods_in(object).into_iter().flat_map(|pods| images_of(pods.spec)).map(|(_, image)| image).collect()
}

/// What the Pods that an object is or makes run as; `None` if it makes none.
pub(crate) fn account(object: &Value) -> Option<&str> {
    pods_in(object).first().map(|pods| account_of(pods.spec))
}

/// Whether the Pods that an object is or makes keep a level.
pub(crate) fn keeps(level: PodSecurity, object: &Value) -> bool {
    pods_in(object).iter().all(|pods| pods.keep(level, object).is_ok())
}

fn account_of(spec: &Value) -> &str {
    let mut named = ["serviceAccountName", "serviceAccount"].iter().filter_map(|f| spec.get(f)?.as_str());
    named.find(|a| !a.is_empty()).unwrap_or("default")
}

/// What an object says of Pods: that it is one, or how those that it makes are to be.
struct Pods<'a> {
    at: String,
    metadata: Option<&'a Value>,
    spec: &'a Value,
}

impl Pods<'_> {
    /// Demands that they keep a level, also in what the object that makes them is annotated with.
    fn keep(&self, level: PodSecurity, object: &Value) -> Result<(), String> {
        let checked = pod_security::check(level, &[object.get("metadata"), self.metadata], self.spec);
        checked.map_err(|reason| format!("{}.{reason}", self.at))
    }
}

/// All specifications of Pods in an object, wherever its kind keeps them.
fn pods_in(object: &Value) -> Vec<Pods<'_>> {
    let mut found = Vec::new();
    for (field, value) in object.as_object().into_iter().flatten() {
        if field != "metadata" && field != "status" {
            find_pods(field.clone(), object, value, &mut found);
        }
    }
    found
}

fn find_pods<'a>(at: String, around: &'a Value, value: &'a Value, found: &mut Vec<Pods<'a>>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                find_pods(format!("{at}.{field}"), value, inner, found);
            }
            if CONTAINERS.iter().any(|list| fields.get(*list).is_some_and(Value::is_array)) {
                found.push(Pods { at, metadata: around.get("metadata"), spec: value });
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                find_pods(format!("{at}[{i}]"), value, item, found);
            }
        }
        _ => {}
    }
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
