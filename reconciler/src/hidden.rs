//! What keeps gitward from seeing what is stored: an API of declared objects that another server answers
//! for. Whatever that one says of them, the objects that controllers once read may be others.

use gitward_core::change::is_built_in;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Snapshot;
use serde_json::Value;

use crate::state::State;

const GROUP: &str = "apiregistration.k8s.io";
const KIND: &str = "APIService";

/// An API whose declared objects are not asked of the API server that stores them.
pub(crate) struct Hidden {
    /// The APIService.
    pub(crate) key: ObjectKey,
    /// Its uid.
    pub(crate) uid: String,
    /// What is hidden, to be told.
    pub(crate) message: String,
}

/// Whether an object may hide others.
pub(crate) fn may_hide(key: &ObjectKey) -> bool {
    key.group == GROUP && key.kind == KIND
}

/// Every APIService that Git does not declare and that stands before declared objects of the API server
/// itself.
pub(crate) fn by_others(state: &State) -> Vec<Hidden> {
    let Some(held) = state.held() else { return Vec::new() };
    let services = state.index.list(GROUP, KIND, "");
    services.iter().filter_map(|service| hidden_by(service, &held, &state.index)).collect()
}

fn hidden_by(service: &Value, held: &Snapshot, live: &dyn Lookup) -> Option<Hidden> {
    let spec = service.get("spec")?;
    spec.get("service").filter(|backend| !backend.is_null())?;
    let (group, version) = (spec.get("group")?.as_str()?, spec.get("version")?.as_str()?);
    let key = ObjectKey::new(GROUP, KIND, "", object::name(service));
    let is_served_here = is_built_in(group) || is_defined(group, version, held, live);
    if held.is_declared(&key) || !is_served_here {
        return None;
    }
    let mut declared: Vec<&ObjectKey> = held.declared.keys().filter(|k| k.group == group).collect();
    declared.sort();
    let first = declared.first()?;
    let message = format!(
        "{key} has another server answer for {group}/{version}: what is stored of {first} and {} more is not seen",
        declared.len() - 1
    );
    Some(Hidden { key, uid: object::uid(service).to_owned(), message })
}

/// Whether a CustomResourceDefinition, in Git or in the cluster, serves that version of the group.
fn is_defined(group: &str, version: &str, held: &Snapshot, live: &dyn Lookup) -> bool {
    const DEFINITION: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");
    let defines = |definition: &Value| {
        let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
        definition.pointer("/spec/group").is_some_and(|g| g == group)
            && versions.is_some_and(|all| all.iter().any(|v| v["name"] == version))
    };
    let is_definition = |key: &ObjectKey| (key.group.as_str(), key.kind.as_str()) == DEFINITION;
    held.declared.iter().any(|(key, d)| is_definition(key) && defines(&d.canonical))
        || live.list(DEFINITION.0, DEFINITION.1, "").iter().any(|definition| defines(definition))
}
