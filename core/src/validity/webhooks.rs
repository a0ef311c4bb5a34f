//! Configurations of webhooks, and policies.

use std::collections::HashSet;

use super::object::{Object, elements, is_given};
use super::{Kinds, On, look};

pub(super) const CONFIGURATIONS: On =
    Kinds("admissionregistration.k8s.io", &["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]);

pub(super) const POLICIES: &[&str] = &["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"];

/// Webhooks of one configuration are told apart by their names.
pub(super) fn names(object: &mut Object<'_>) {
    let mut names = HashSet::new();
    look(object, &CONFIGURATIONS, "webhooks[].name", |object, name, at| {
        if name.as_str().is_some_and(|name| !names.insert(name)) {
            object.say("valid/duplicate", at, "is the name of another webhook already", "give each its own name");
        }
    });
}

/// API servers speak two versions with webhooks.
pub(super) fn versions(object: &mut Object<'_>) {
    look(object, &CONFIGURATIONS, "webhooks[].admissionReviewVersions", |object, versions, at| {
        let is_spoken = elements(versions).any(|(_, version)| matches!(version.as_str(), Some("v1" | "v1beta1")));
        if is_given(versions) && !is_spoken {
            object.say("valid/value", at, "has no version that API servers speak", "write v1");
        }
    });
}
