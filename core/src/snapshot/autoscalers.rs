//! What declared HorizontalPodAutoscalers scale. Every judgement of a workload asks, and a snapshot
//! may hold many thousand objects: they are gone through once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::Declared;
use crate::object::{Gvk, ObjectKey};

/// Fewest and most replicas by what is scaled, found when first asked for.
#[derive(Debug, Clone, Default)]
pub struct Autoscalers(OnceLock<HashMap<ObjectKey, (i64, i64)>>);

impl Autoscalers {
    /// The bounds of an object; always of the same declared objects.
    pub(super) fn bounds(&self, declared: &HashMap<ObjectKey, Arc<Declared>>, key: &ObjectKey) -> Option<(i64, i64)> {
        let all = || {
            let mut found: Vec<_> = declared.values().filter_map(|d| scaled(d)).collect();
            // Of two autoscalers of one object the one whose name comes first counts.
            found.sort_by(|a, b| b.0.cmp(a.0));
            found.into_iter().map(|(_, target, bounds)| (target, bounds)).collect()
        };
        self.0.get_or_init(all).get(key).copied()
    }
}

/// The name of a declared autoscaler, what it scales, and its bounds.
fn scaled(declared: &Declared) -> Option<(&str, ObjectKey, (i64, i64))> {
    let key = &declared.manifest.key;
    let (target, bounds) = scaled_by(key, &declared.canonical)?;
    Some((&key.name, target, bounds))
}

/// Whether objects of a kind scale others.
pub(super) fn scales(key: &ObjectKey) -> bool {
    key.kind == "HorizontalPodAutoscaler" && key.group == "autoscaling"
}

/// What an autoscaler scales, and its bounds.
pub(super) fn scaled_by(key: &ObjectKey, autoscaler: &Value) -> Option<(ObjectKey, (i64, i64))> {
    if !scales(key) {
        return None;
    }
    let spec = autoscaler.get("spec")?;
    let reference = spec.get("scaleTargetRef")?;
    let kind = reference.get("kind")?.as_str()?;
    let gvk = Gvk::new(reference.get("apiVersion").and_then(Value::as_str).unwrap_or_default(), kind);
    let target = ObjectKey::new(&gvk.group, kind, &key.namespace, reference.get("name")?.as_str()?);
    let min = spec.get("minReplicas").and_then(Value::as_i64).unwrap_or(1);
    Some((target, (min, spec.get("maxReplicas")?.as_i64()?)))
}
