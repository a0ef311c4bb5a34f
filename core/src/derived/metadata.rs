//! Labels and annotations that the control plane puts on objects, whoever declared them.

use serde_json::Value;

use super::accounts::Account::{self, Controller, Node, Scheduler};
use super::case::Case;
use super::compare::is_number;
use super::{Judged, Proof, Refusal};
use crate::change::Change;
use crate::path::{FieldPath, Step};

/// What an annotation may say.
enum Text {
    Number,
    Exactly(&'static str),
    Any,
}

struct Known {
    group: &'static str,
    kind: &'static str,
    key: &'static str,
    text: Text,
    through_status: bool,
    /// Who writes it; empty if the API server itself does, on whoever's behalf.
    writers: &'static [Account],
}

#[rustfmt::skip]
const KNOWN: &[Known] = {
    const BINDER: &[Account] = &[Controller("persistent-volume-binder")];
    const BINDERS: &[Account] = &[Controller("persistent-volume-binder"), Scheduler];
    const fn claim(key: &'static str, text: Text, writers: &'static [Account]) -> Known {
        Known { group: "", kind: "PersistentVolumeClaim", key, text, through_status: false, writers }
    }
    &[
        Known { group: "apps", kind: "Deployment", key: "deployment.kubernetes.io/revision", text: Text::Number, through_status: true, writers: &[Controller("deployment-controller")] },
        Known { group: "apps", kind: "DaemonSet", key: "deprecated.daemonset.template.generation", text: Text::Number, through_status: false, writers: &[] },
        claim("pv.kubernetes.io/bind-completed", Text::Exactly("yes"), BINDER),
        claim("pv.kubernetes.io/bound-by-controller", Text::Exactly("yes"), BINDER),
        claim("volume.kubernetes.io/storage-provisioner", Text::Any, BINDER),
        claim("volume.beta.kubernetes.io/storage-provisioner", Text::Any, BINDER),
        claim("volume.kubernetes.io/storage-resizer", Text::Any, BINDER),
        claim("volume.kubernetes.io/selected-node", Text::Any, BINDERS),
        Known { group: "", kind: "PersistentVolume", key: "pv.kubernetes.io/bound-by-controller", text: Text::Exactly("yes"), through_status: false, writers: BINDERS },
        Known { group: "", kind: "Node", key: "volumes.kubernetes.io/controller-managed-attach-detach", text: Text::Exactly("true"), through_status: true, writers: &[Node] },
    ]
};

/// An annotation is set, changed or removed.
pub(super) fn annotation_changed(case: &Case<'_>, change: &Change) -> Judged {
    let key = key(&change.path)?;
    let Some(known) = KNOWN.iter().find(|k| k.key == key && k.kind == case.kind && k.group == case.group) else {
        return Err(Refusal::new(format!("no controller sets the annotation {key}")));
    };
    ensure!(known.through_status || case.subresource.is_empty(), "{key} is not set through {}", case.subresource);
    let fits = match (&known.text, &change.new) {
        (_, None) | (Text::Any, Some(Value::String(_))) => true,
        (Text::Number, Some(Value::String(text))) => is_number(text),
        (Text::Exactly(wanted), Some(Value::String(text))) => text == wanted,
        _ => false,
    };
    ensure!(fits, "the annotation {key} does not hold what its controller writes");
    if known.writers.is_empty() { Ok(Proof::Content) } else { case.by(known.writers) }
}

/// The key of the label or annotation that a change is about.
pub(super) fn key(path: &FieldPath) -> Result<&str, Refusal> {
    match path.0.get(2) {
        Some(Step::Field(key)) => Ok(key),
        _ => Err(Refusal::new(format!("{path} changes as a whole"))),
    }
}
