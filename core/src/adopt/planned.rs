//! What Git is going to declare, before it does: the snapshot that rules ask.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::yaml::yaml;
use crate::change::normalised;
use crate::config::{Configuration, EnvironmentConfig};
use crate::evaluate::canonical;
use crate::lookup::Lookup;
use crate::manifest::{self, Limits};
use crate::object;
use crate::snapshot::{Autoscalers, Commit, Declared, Digest, Expected, Snapshot};

/// What Git says already, and for whom it is going to say more.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// The environment that governs the namespace, or will.
    pub environment: EnvironmentConfig,
    /// The configuration that it stands in.
    pub configuration: Arc<Configuration>,
    /// What Git declares already.
    pub declared: Vec<Declared>,
}

/// The snapshot of a commit that declares what Git declares already and `taken` (manifests with their
/// live objects), all of it live as expected.
pub fn planned<'a>(plan: &Planned, taken: impl Iterator<Item = (&'a Value, &'a Value)>, live: &dyn Lookup) -> Snapshot {
    let mut declared = HashMap::new();
    for known in &plan.declared {
        let mut known = known.clone();
        let key = known.manifest.key.clone();
        known.expected = live.get(&key).map(|object| Arc::new(expected(&object)));
        declared.insert(key, Arc::new(known));
    }
    for (manifest, object) in taken {
        if let Some(one) = declare(manifest, object, true) {
            declared.insert(one.manifest.key.clone(), Arc::new(one));
        }
    }
    Snapshot {
        environment: plan.environment.clone(),
        configuration: plan.configuration.clone(),
        commit: Commit {
            id: String::new(),
            author: String::new(),
            time: Timestamp::UNIX_EPOCH,
            subject: String::new(),
        },
        declared,
        former: HashMap::new(),
        autoscalers: Autoscalers::default(),
    }
}

fn expected(live: &Value) -> Expected {
    Expected { object: normalised(live, true), uid: Some(object::uid(live).to_owned()), record: None }
}

/// A manifest as Git is going to declare it, its live object as expected; `None` if it is none.
pub fn declare(manifest: &Value, live: &Value, has_status_subresource: bool) -> Option<Declared> {
    let text = yaml(manifest);
    let manifest = manifest::read(&Arc::from("adopted.yaml"), text.as_bytes(), &Limits::default()).0.pop()?;
    let canonical = canonical(&manifest, None);
    let digest = Digest::of(&canonical);
    Some(Declared {
        manifest,
        canonical,
        digest,
        has_status_subresource,
        expected: Some(Arc::new(expected(live))),
        learnt: None,
        before: None,
    })
}
