//! Short ways to say what an attack does and what shows it.

use serde_json::Value;

use crate::case::{Body, Effect, Identity, Step, When};

fn step(method: &'static str, path: &'static str, content_type: &'static str, body: Body) -> Step {
    Step { method, path, content_type, body, identity: Identity::Own, times: 1 }
}

/// A JSON merge patch.
pub(crate) fn merge(path: &'static str, body: &str) -> Step {
    step("PATCH", path, "application/merge-patch+json", Body::Text(body.to_owned()))
}

/// A strategic merge patch.
pub(crate) fn strategic(path: &'static str, body: &str) -> Step {
    step("PATCH", path, "application/strategic-merge-patch+json", Body::Text(body.to_owned()))
}

/// A JSON patch.
pub(crate) fn json_patch(path: &'static str, body: &str) -> Step {
    step("PATCH", path, "application/json-patch+json", Body::Text(body.to_owned()))
}

/// A server-side apply with force.
pub(crate) fn apply(path: &'static str, body: &str) -> Step {
    step("PATCH", path, "application/apply-patch+yaml", Body::Text(body.to_owned()))
}

/// A creation.
pub(crate) fn post(path: &'static str, body: &str) -> Step {
    step("POST", path, "application/json", Body::Text(body.to_owned()))
}

/// A replacement by a text.
pub(crate) fn put(path: &'static str, body: &str) -> Step {
    step("PUT", path, "application/json", Body::Text(body.to_owned()))
}

/// A replacement by the live object with edits: pointers and JSON, `-` to remove.
pub(crate) fn replace(path: &'static str, edits: &[(&'static str, &'static str)]) -> Step {
    step("PUT", path, "application/json", Body::Live(path, edits.to_vec()))
}

/// A replacement by way of another path of the same object.
pub(crate) fn replace_through(path: &'static str, of: &'static str, edits: &[(&'static str, &'static str)]) -> Step {
    step("PUT", path, "application/json", Body::Live(of, edits.to_vec()))
}

/// A creation from a live object with edits.
pub(crate) fn copy(of: &'static str, to: &'static str, edits: &[(&'static str, &'static str)]) -> Step {
    step("POST", to, "application/json", Body::Copy(of, edits.to_vec()))
}

/// A deletion.
pub(crate) fn delete(path: &'static str) -> Step {
    step("DELETE", path, "application/json", Body::Text(String::new()))
}

/// A deletion with options.
pub(crate) fn delete_with(path: &'static str, options: &str) -> Step {
    step("DELETE", path, "application/json", Body::Text(options.to_owned()))
}

/// A reading, for what is reached by it.
pub(crate) fn get(path: &'static str) -> Step {
    step("GET", path, "application/json", Body::Text(String::new()))
}

/// Raw bytes.
pub(crate) fn raw(
    method: &'static str,
    path: &'static str,
    content_type: &'static str,
    bytes: fn(&str) -> Vec<u8>,
) -> Step {
    step(method, path, content_type, Body::Bytes(bytes))
}

/// A field has this value.
pub(crate) fn is(at: &'static str, pointer: &'static str, value: impl Into<Value>) -> Effect {
    Effect { at, when: When::Is(pointer, value.into()) }
}

/// A field is there.
pub(crate) fn set(at: &'static str, pointer: &'static str) -> Effect {
    Effect { at, when: When::Set(pointer) }
}

/// A field that was there is not.
pub(crate) fn unset(at: &'static str, pointer: &'static str) -> Effect {
    Effect { at, when: When::Unset(pointer) }
}

/// The object's text has this in it.
pub(crate) fn says(at: &'static str, text: &'static str) -> Effect {
    Effect { at, when: When::Says(text) }
}

/// There is an object.
pub(crate) fn exists(at: &'static str) -> Effect {
    Effect { at, when: When::Exists }
}

/// There is an object that was not there before.
pub(crate) fn new(at: &'static str) -> Effect {
    Effect { at, when: When::New }
}

/// An object is gone.
pub(crate) fn gone(at: &'static str) -> Effect {
    Effect { at, when: When::Gone }
}

/// The answer has one of these in it.
pub(crate) fn answers(texts: &'static [&'static str]) -> Effect {
    Effect { at: "", when: When::Answer(texts) }
}
