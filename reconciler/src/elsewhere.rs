//! Objects of a namespace that their own commit brings. Where they are meant to be nothing can be tried
//! before that is made; what they say themselves is refused anywhere.

use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Declared;
use serde_json::json;

use crate::api::{ApiError, Effect};
use crate::state::State;

/// Namespace that is always there.
const ELSEWHERE: &str = "default";

/// Why the API server would refuse an object whose namespace is missing (`error`) all the same: the field
/// that it refuses, if a dry run elsewhere names one. What is forbidden there may be allowed here.
pub(crate) async fn refused_anyway(state: &State, declared: &Declared, error: ApiError) -> ApiError {
    if !is_missing_namespace(&error) {
        return error;
    }
    let key = &declared.manifest.key;
    let mut body = declared.canonical.as_ref().clone();
    body["metadata"]["namespace"] = json!(ELSEWHERE);
    let there = ObjectKey::new(&key.group, &key.kind, ELSEWHERE, &key.name);
    match state.api.create(declared.gvk(), &there, &body, Effect::DryRun).await {
        Err(refusal) if refusal.names_a_field() && !refusal.is_out_of_range() => refusal,
        _ => error,
    }
}

fn is_missing_namespace(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused { status: 404, kind, .. } if kind == "namespaces")
}
