//! What the API server had added to what `kubectl apply` sent: it notes that in the object itself.

use gitward_core::additions::{is_foreseeable, unexplained};
use gitward_core::change::normalised;
use gitward_core::object::Gvk;
use gitward_core::request::Operation;
use serde_json::Value;

use crate::recording::Recording;

const SENT: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Each creation by `kubectl apply`: what is on no closed list, by object, and how many there were.
pub(crate) fn not_listed(recording: &Recording) -> (usize, Vec<String>) {
    let (mut seen, mut found) = (0, Vec::new());
    for recorded in &recording.requests {
        let request = recorded.request();
        let created = request.object.filter(|_| request.operation == Operation::Create);
        let Some((sent, answer)) = created.and_then(as_sent) else { continue };
        let Some(gvk) = gvk(&sent).filter(|gvk| is_foreseeable(gvk, None)) else { continue };
        seen += 1;
        let (sent, answer) = (normalised(&sent, true), normalised(&answer, true));
        for field in unexplained(&gvk, &sent, &sent, &answer, None) {
            found.push(format!("{}: {field}", request.key));
        }
    }
    (seen, found)
}

fn as_sent(object: &Value) -> Option<(Value, Value)> {
    let note = object.pointer("/metadata/annotations")?.get(SENT)?.as_str()?;
    let mut sent: Value = serde_json::from_str(note).unwrap();
    // Controllers copy the note of what they follow.
    if sent["kind"] != object["kind"] {
        return None;
    }
    let mut answer = object.clone();
    for side in [&mut sent, &mut answer] {
        if let Some(annotations) = side.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove(SENT);
        }
    }
    Some((sent, answer))
}

fn gvk(object: &Value) -> Option<Gvk> {
    let version = object["apiVersion"].as_str()?;
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    Some(Gvk { group: group.into(), version: version.into(), kind: object["kind"].as_str()?.into() })
}
