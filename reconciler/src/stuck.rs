//! Fields that others changed and that the API server lets nobody change back (a claim that was
//! grown): they are told and left, and all else of the object is still brought back.

use gitward_core::additions::Entry;
use gitward_core::carry;
use gitward_core::change::{changes, normalised};
use gitward_core::path::{FieldPath, Step};
use gitward_core::snapshot::Declared;
use serde_json::Value;

use crate::api::{Api, ApiError, Effect};
use crate::learn::{Action, Learnt};

/// So many refused fields are left as they are; with more the object as a whole is given up.
const FIELDS: usize = 4;

/// What cannot be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The fields, as the API server named them.
    pub fields: Vec<FieldPath>,
    /// What the API server said.
    pub message: String,
}

/// What the volume controller says of a claim's volume. It follows `spec.volumeName`: where that has
/// to stay, taking these away would be done and undone without an end.
const OF_THE_VOLUME: [&str; 2] = ["pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"];

/// Leaves the fields of a body as they are.
pub fn leave(body: &mut Value, live: &Value, stuck: Option<&Stuck>) {
    for field in stuck.into_iter().flat_map(|s| &s.fields) {
        carry::leave(body, live, &field.fields());
    }
    if stuck.is_some_and(|s| !s.fields.is_empty()) && live["kind"] == "PersistentVolumeClaim" {
        for annotation in OF_THE_VOLUME {
            carry::leave(body, live, &["metadata", "annotations", annotation]);
        }
    }
}

/// What is to be done where a replacement was refused in a field: the same without that field.
/// What is expected stays as it was known before; `None` if that was not known, or if the refusal
/// names no field to leave.
pub async fn learn_around(
    api: &Api,
    declared: &Declared,
    before: Entry,
    live: &Value,
    body: &Value,
    refusal: &ApiError,
) -> Option<Learnt> {
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    let mut stuck = Stuck { fields: Vec::new(), message: refusal.to_string() };
    let mut refusal = refusal.clone();
    while stuck.fields.len() < FIELDS {
        stuck.fields.push(named(&refusal).filter(|f| !stuck.fields.contains(f))?);
        let mut body = body.clone();
        leave(&mut body, live, Some(&stuck));
        match api.replace(gvk, key, &body, Effect::DryRun).await {
            Ok(answer) => {
                let status = declared.has_status_subresource;
                let same = changes(&normalised(&answer, status), &normalised(live, status)).is_empty();
                let action = if same { Action::Keep } else { Action::Replace };
                return Some(Learnt { entry: before, action, stuck: Some(stuck) });
            }
            Err(error) if error.is_invalid() => refusal = error,
            Err(_) => return None,
        }
    }
    None
}

/// The field that a refusal names, if it is a field of `spec` that no list is on the way to.
fn named(refusal: &ApiError) -> Option<FieldPath> {
    let ApiError::Refused { field, .. } = refusal else { return None };
    let path = FieldPath::from_api(field);
    let plain = path.0.iter().all(|step| matches!(step, Step::Field(_)));
    (plain && path.starts_with(&["spec"])).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(field: &str) -> ApiError {
        ApiError::Refused {
            status: 422,
            reason: "Invalid".into(),
            message: "no".into(),
            kind: String::new(),
            name: String::new(),
            field: field.into(),
        }
    }

    #[test]
    fn only_a_plain_field_of_the_spec_is_left() {
        assert_eq!(
            named(&refused("spec.resources.requests.storage")).unwrap().to_string(),
            "spec.resources.requests.storage"
        );
        assert_eq!(named(&refused("spec")).unwrap().to_string(), "spec");
        for field in ["metadata.finalizers", "spec.ports[0].nodePort", ""] {
            assert!(named(&refused(field)).is_none(), "{field}");
        }
    }
}
