//! The closed list of additions: which fields an API server fills in by itself, and with what.
//!
//! The defaults of Kubernetes' types are read off its own code (`tools/defaults`); what admission
//! plugins and the creation of an object add stands in [`super::plugins`].

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::plugins;
use crate::object::{self, Gvk};

/// Defaults of the newest version of Kubernetes. Those of older ones are among them, or [`WITHDRAWN`].
const DEFAULTS: &str = include_str!("../../defaults/v1.36.json");

/// Defaults that an older version has and the newest does not any more: `group/version/kind`, field, value.
/// Kubernetes 1.35 had the gate `MaxUnavailableStatefulSet` on, and 1.36 has it off.
const WITHDRAWN: [(&str, &str, u64); 1] =
    [("apps/v1/StatefulSet", "spec.updateStrategy.rollingUpdate.maxUnavailable", 1)];

#[derive(Debug, Default, Deserialize)]
struct Defaults {
    /// Names of fields whose absence is not the same as an empty text, zero or `false`.
    pointers: HashSet<String>,
    /// Of a Pod's specification, relative to it.
    pod: HashMap<String, Vec<Value>>,
    /// By `group/version/kind`.
    kinds: HashMap<String, KindDefaults>,
}

#[derive(Debug, Default, Deserialize)]
struct KindDefaults {
    /// Where in the object a Pod's specification is; empty if there is none.
    #[serde(default)]
    pod: String,
    #[serde(default)]
    fields: HashMap<String, Vec<Value>>,
}

fn defaults() -> &'static Defaults {
    // A file of this crate: a unit test reads it.
    static READ: LazyLock<Defaults> = LazyLock::new(|| serde_json::from_str(DEFAULTS).unwrap_or_default());
    &READ
}

/// A field that an object has and its manifest does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled<'a> {
    /// Field names joined by dots, `[]` for an element of a list.
    pub path: &'a str,
    /// Its value.
    pub value: &'a Value,
    /// The map that it is in, as the API server answered.
    pub beside: &'a Value,
    /// The whole object as it was sent.
    pub sent: &'a Value,
}

/// Whether a field of a built-in kind that says nothing is the same as none.
pub(super) fn may_be_left_out(name: &str) -> bool {
    !defaults().pointers.contains(name)
}

/// Whether API servers fill a field of a kind in by themselves, with this value.
pub(super) fn is_built_in(gvk: &Gvk, filled: &Filled<'_>) -> bool {
    match plugins::bounds(gvk, filled) {
        Some(holds) => holds,
        None => is_default(gvk, filled) || plugins::add(gvk, filled),
    }
}

fn is_default(gvk: &Gvk, filled: &Filled<'_>) -> bool {
    let name = format!("{}/{}/{}", gvk.group, gvk.version, gvk.kind);
    if WITHDRAWN
        .iter()
        .any(|(kind, path, value)| name == *kind && filled.path == *path && filled.value == &Value::from(*value))
    {
        return true;
    }
    let Some(kind) = defaults().kinds.get(&name) else { return false };
    let in_pod = || {
        let inner = filled.path.strip_prefix(&kind.pod)?.strip_prefix('.')?;
        defaults().pod.get(inner)
    };
    let of_pod = if kind.pod.is_empty() { None } else { in_pod() };
    let values = kind.fields.get(filled.path).or(of_pod);
    values.is_some_and(|values| values.iter().any(|value| is_this(value, filled)))
}

/// `{"as": "port"}` is the value of the field beside it, `{"any": true}` anything.
fn is_this(value: &Value, filled: &Filled<'_>) -> bool {
    match (value["as"].as_str(), value["any"].as_bool()) {
        (Some(beside), _) => filled.beside.get(beside) == Some(filled.value),
        (_, Some(any)) => any,
        _ => value == filled.value,
    }
}

/// The name of the object that was sent.
pub(super) fn name<'a>(filled: &Filled<'a>) -> &'a str {
    object::name(filled.sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_of_an_older_version_alone_is_one() {
        let fills_in = |kind: &str, value: &Value| {
            let gvk = Gvk::new("apps/v1", kind);
            let (path, beside) = ("spec.updateStrategy.rollingUpdate.maxUnavailable", &Value::Null);
            is_built_in(&gvk, &Filled { path, value, beside, sent: beside })
        };
        assert!(fills_in("StatefulSet", &1.into()));
        assert!(!fills_in("StatefulSet", &3.into()));
        assert!(!fills_in("StatefulSet", &"25%".into()));
        assert!(!fills_in("ReplicaSet", &1.into()));
    }

    #[test]
    fn the_list_can_be_read() {
        let read: Defaults = serde_json::from_str(DEFAULTS).unwrap();
        assert_eq!(read.pod["terminationGracePeriodSeconds"], [30]);
        assert!(may_be_left_out("hostNetwork") && !may_be_left_out("automountServiceAccountToken"));
        assert_eq!(read.kinds["apps/v1/Deployment"].pod, "spec.template.spec");
        assert_eq!(read.kinds["apps/v1/Deployment"].fields["spec.replicas"], [1]);
    }
}
