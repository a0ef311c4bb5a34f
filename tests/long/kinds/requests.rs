//! Edits as requests: read, change, replace.

use kube::Client;
use serde_json::Value;

use crate::kinds::Result;
use crate::kinds::edits::Edit;

/// What became of a write.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The API server took it; the object as it is then.
    Taken(Value),
    /// It changes nothing.
    NoOp,
    /// The webhook denied it.
    Denied,
    /// The API server refuses the content.
    Refused,
    /// The object is not there.
    Gone,
}

/// An edit with the value that it sets.
pub(crate) type Chosen = (Edit, Value);

/// The object as it is, `None` if it is not there.
pub(crate) async fn read(client: &Client, path: &str) -> Result<Option<Value>> {
    let request = http::Request::get(path).body(Vec::new()).map_err(|e| e.to_string())?;
    match client.request_text(request).await {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| e.to_string()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

/// Makes edits in one replacement. `seen` is the object as it was seen last, if it was.
pub(crate) async fn replace(
    client: &Client,
    path: &str,
    seen: Option<&Value>,
    edits: &[Chosen],
    dry_run: bool,
) -> Result<Outcome> {
    for attempt in 0..20 {
        let live = match seen.filter(|_| attempt == 0) {
            Some(seen) => seen.clone(),
            None => match read(client, path).await? {
                Some(live) => live,
                None => return Ok(Outcome::Gone),
            },
        };
        let mut body = live.clone();
        for (edit, value) in edits {
            edit.apply(&mut body, value);
        }
        if let Some(outcome) = send(client, path, &live, &body, dry_run).await? {
            return Ok(outcome);
        }
    }
    Err(format!("{path} changes all the time"))
}

/// Sends a replacement; `None` if the object changed meanwhile.
pub(crate) async fn send(
    client: &Client,
    path: &str,
    live: &Value,
    body: &Value,
    dry_run: bool,
) -> Result<Option<Outcome>> {
    let query = if dry_run { "&dryRun=All" } else { "" };
    let uri = format!("{path}?fieldManager=stranger&fieldValidation=Strict{query}");
    let request = http::Request::put(uri)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|e| e.to_string())?;
    Ok(Some(match client.request_text(request).await {
        Ok(text) => {
            let answer: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            if content(&answer) == content(live) { Outcome::NoOp } else { Outcome::Taken(answer) }
        }
        Err(kube::Error::Api(status)) if status.code == 409 => return Ok(None),
        Err(kube::Error::Api(status)) if status.code == 404 => Outcome::Gone,
        Err(kube::Error::Api(status)) if status.message.contains("gitward.dev") => Outcome::Denied,
        Err(kube::Error::Api(_)) => Outcome::Refused,
        Err(error) => return Err(format!("{path}: {error}")),
    }))
}

/// Deletes an object.
pub(crate) async fn delete(client: &Client, path: &str) -> Result<()> {
    let request = http::Request::delete(path).body(Vec::new()).map_err(|e| e.to_string())?;
    match client.request_text(request).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

/// An object without what every write changes.
pub(crate) fn content(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
    }
    object
}
