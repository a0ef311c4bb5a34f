//! Whether what a dry run answers can be foreseen: from what was sent, by the closed list of what
//! API servers add, or by the mutators that Git knows. The lists of mutators do not show all there
//! are: an API server may have been given some in files.

use std::sync::Arc;

use gitward_core::additions::{is_foreseeable, strange_class, unexplained};
use gitward_core::change::normalised;
use gitward_core::derived::Context;
use gitward_core::object::{Gvk, ObjectKey};
use gitward_core::snapshot::{Declared, Snapshot};
use serde_json::Value;

use crate::api::ApiError;
use crate::mutators;
use crate::state::State;
use crate::surroundings::kind_defined_by;

/// The kind under which `knownMutators` names what no object of the cluster stands for: files and
/// plugins of the API server that change objects of a resource.
const CONTROL_PLANE: &str = "ControlPlane";

/// Holds the answer to a request against the closed list; `sent` and `answer` as they went over the
/// wire.
///
/// # Errors
/// [`ApiError::Altered`] with the fields that nothing explains.
pub(crate) async fn hold_to_list(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    sent: &Value,
    answer: &Value,
) -> Result<(), ApiError> {
    let fields = fields_unexplained(&state.context(snapshot), declared, sent, answer);
    if fields.is_empty() {
        return Ok(());
    }
    let gvk = declared.gvk();
    let resource = state.api.resource(gvk).await?;
    let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
    let known = snapshot.configuration.knows_mutator(CONTROL_PLANE, &format!("{resource}{group}"));
    if known || mutators::may_change(&state.context(snapshot), &gvk.group, &resource) {
        return Ok(());
    }
    Err(ApiError::Altered { object: declared.manifest.key.to_string(), fields })
}

fn fields_unexplained(context: &Context<'_>, declared: &Declared, sent: &Value, answer: &Value) -> Vec<String> {
    let gvk = declared.gvk();
    if let Some(field) = strange_class(context, sent, answer) {
        return vec![field];
    }
    let schema = match custom_kind(context, gvk) {
        Some(CustomKind::Converted) => return Vec::new(),
        Some(CustomKind::Plain(schema)) => Some(schema),
        None => None,
    };
    if !is_foreseeable(gvk, schema.as_ref()) {
        return Vec::new();
    }
    let with_status = declared.has_status_subresource;
    let [declared, sent, answer] = [&*declared.canonical, sent, answer].map(|object| normalised(object, with_status));
    unexplained(gvk, &declared, &sent, &answer, schema.as_ref())
}

/// What a CustomResourceDefinition says of a kind in a version.
enum CustomKind {
    /// Objects are converted by a webhook, which may fill in what it likes.
    Converted,
    /// What its schema says.
    Plain(Value),
}

/// The definition in Git, or the live one where Git has none.
fn custom_kind(context: &Context<'_>, gvk: &Gvk) -> Option<CustomKind> {
    const GROUP: &str = "apiextensions.k8s.io";
    const KIND: &str = "CustomResourceDefinition";
    if gvk.group.is_empty() {
        return None;
    }
    let wanted = (gvk.group.clone(), gvk.kind.clone());
    let defines = |definition: &Value| kind_defined_by(definition) == wanted;
    let is_definition = |key: &ObjectKey| key.group == GROUP && key.kind == KIND;
    let in_git = context.snapshot.declared.iter().find(|(key, d)| is_definition(key) && defines(&d.canonical));
    let definition: Arc<Value> = match in_git {
        Some((_, declared)) => declared.canonical.clone(),
        None => context.live.list(GROUP, KIND, "").into_iter().find(|live| defines(live))?,
    };
    if definition.pointer("/spec/conversion/strategy").is_some_and(|s| s == "Webhook") {
        return Some(CustomKind::Converted);
    }
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    let version = versions.iter().find(|v| v["name"] == gvk.version.as_str())?;
    Some(CustomKind::Plain(version.pointer("/schema/openAPIV3Schema")?.clone()))
}
