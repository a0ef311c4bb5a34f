//! The webhook's registration with the API server, as far as those need to know it who do not make it.

use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Digest;
use serde_json::Value;

use crate::environment::is_shipped_definition;

/// Annotation with the digest of the webhooks that were registered.
///
/// It tells what the webhook wrote from what the API server stored: something may change the one into
/// the other, and may not be seen by whoever reads the list of mutators.
pub const DIGEST: &str = "gitward.dev/registered";

/// Name of an environment's ValidatingWebhookConfiguration.
pub fn name(environment: &str) -> String {
    format!("gitward-{environment}")
}

/// Its key.
pub fn key(environment: &str) -> ObjectKey {
    ObjectKey::new("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "", &name(environment))
}

/// The digest of a list of webhooks.
pub fn digest(webhooks: &Value) -> String {
    Digest::of(webhooks).0
}

/// Whether a registration says what its webhook wrote.
pub fn is_as_written(live: &Value) -> bool {
    let webhooks = live.get("webhooks").unwrap_or(&Value::Null);
    object::annotation(live, DIGEST) == Some(digest(webhooks).as_str()) && !object::is_terminating(live)
}

/// Whether an object is what gitward itself brought and keeps, as it brought it, though no environment
/// declares it: the definition of Environments, and the registration of an environment's webhook.
pub fn is_gitwards_own(environment: &str, live: &Value) -> bool {
    let is_registration = || ObjectKey::of(live).is_some_and(|of| of == key(environment)) && is_as_written(live);
    is_shipped_definition(live) || is_registration()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whatever_is_made_of_it_shows() {
        let webhooks = json!([{"name": "a", "failurePolicy": "Fail", "rules": [{"operations": ["*"]}]}]);
        let annotations = json!({DIGEST: digest(&webhooks)});
        let written = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "gitward-prod", "annotations": annotations}, "webhooks": webhooks});
        assert!(is_as_written(&written));
        assert!(is_gitwards_own("prod", &written) && !is_gitwards_own("test", &written));
        for (pointer, value) in [
            ("/webhooks/0/failurePolicy", json!("Ignore")),
            ("/webhooks/0/rules", json!([])),
            ("/webhooks", Value::Null),
            ("/metadata/annotations", json!({})),
            ("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z")),
        ] {
            let mut changed = written.clone();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            match field.parse::<usize>() {
                Ok(n) => changed.pointer_mut(parent).unwrap()[n] = value,
                Err(_) => changed.pointer_mut(parent).unwrap()[field] = value,
            }
            assert!(!is_as_written(&changed), "{pointer}");
        }
    }
}
