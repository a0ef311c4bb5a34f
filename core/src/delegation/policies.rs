//! Ceilings in Rego: policies of the same commit that judge what an operator made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::deep;
use crate::finding::Severity;
use crate::manifest::{Manifest, Spans};
use crate::object::{Gvk, ObjectKey};
use crate::path::FieldPath;
use crate::policy::{Policies, Policy};

/// Time for each rule of a policy: somebody waits for the answer.
const WITHIN: Duration = Duration::from_secs(1);

/// The policies of a commit, compiled once, as its delegations ask them. None, where no delegation names any.
#[derive(Clone, Default)]
pub struct Ceilings(Option<Compiled>);

#[derive(Clone)]
struct Compiled {
    policies: Policies,
    /// Of their texts.
    digest: blake3::Hash,
}

impl Ceilings {
    /// Those of policies with texts of that digest.
    pub(crate) fn of(policies: &Policies, digest: blake3::Hash) -> Self {
        Self(Some(Compiled { policies: policies.clone(), digest }))
    }

    /// Whether delegations ask policies at all.
    pub fn are_asked(&self) -> bool {
        self.0.is_some()
    }

    /// Demands that none of the policies named denies an object. What a policy cannot judge is not let
    /// through, nor what nobody is there to judge.
    pub(super) fn check(&self, names: &[String], key: &ObjectKey, object: &Value) -> Result<(), String> {
        if names.is_empty() {
            return Ok(());
        }
        let unknown = |name: &String| format!("the policy {name} is not known here");
        let Some(Compiled { policies, .. }) = &self.0 else { return Err(unknown(&names[0])) };
        let mut named: Vec<&Policy> = Vec::new();
        for name in names {
            let before = named.len();
            named.extend(policies.named(name));
            if named.len() == before {
                return Err(unknown(name));
            }
        }
        let manifest = as_manifest(key, object)?;
        // A policy may call as deep as policies may, on a thread that somebody else gave its stack.
        let findings = deep::call(|| policies.evaluate_only(&named, &manifest, WITHIN));
        let findings = findings.ok_or("its policies cannot be evaluated now: there is no thread for them")?;
        let Some(denial) = findings.into_iter().find(|f| f.severity == Severity::Error) else { return Ok(()) };
        if denial.rule == "policy/evaluation" {
            return Err(denial.message);
        }
        let file = named.iter().find(|p| p.rule == denial.rule).map(|p| format!(" ({})", p.file)).unwrap_or_default();
        let at = denial.field.map(|field| format!("{field}: ")).unwrap_or_default();
        let hint = denial.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        Err(format!("{}{file} denies it: {at}{}{hint}", denial.rule, denial.message))
    }
}

/// An object of the cluster as policies are shown it: it stands in no file.
fn as_manifest(key: &ObjectKey, object: &Value) -> Result<Manifest, String> {
    let gvk = Gvk::of(object).ok_or("it does not say of which kind it is, so no policy can judge it")?;
    let mut value = object.clone();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let (file, spans) = (Arc::from(""), Arc::new(Spans::default()));
    Ok(Manifest { gvk, key: key.clone(), value: Arc::new(value), file, spans, base: FieldPath::root() })
}

/// Policies of the same texts are the same.
impl PartialEq for Ceilings {
    fn eq(&self, other: &Self) -> bool {
        let digest = |of: &Self| of.0.as_ref().map(|compiled| compiled.digest);
        digest(self) == digest(other)
    }
}

impl fmt::Debug for Ceilings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ceilings").field(&self.0.as_ref().map(|compiled| compiled.digest)).finish()
    }
}
