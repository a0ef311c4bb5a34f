//! Configurations of webhooks.

use super::object::{Object, elements, is_given};
use super::{Kinds, On, look};

pub(super) const CONFIGURATIONS: On =
    Kinds("admissionregistration.k8s.io", &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]);

/// API servers speak two versions with webhooks.
pub(super) fn versions(object: &mut Object<'_>) {
    look(object, &CONFIGURATIONS, "webhooks[].admissionReviewVersions", |object, versions, at| {
        let is_spoken = elements(versions).any(|(_, version)| matches!(version.as_str(), Some("v1" | "v1beta1")));
        if is_given(versions) && !is_spoken {
            object.say("valid/value", at, "has no version that API servers speak", "write v1");
        }
    });
}
