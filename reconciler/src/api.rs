//! Requests to the API server about whole objects, as JSON, with the answer as it came.

use gitward_core::bounded::{self, Parts, has_stand_ins};
use gitward_core::object::{Gvk, ObjectKey};
use gitward_index::{Discovery, Served};
use http::{Method, Request, StatusCode};
use kube::Client;
use serde_json::{Value, json};

/// The field manager of everything that gitward writes.
pub const FIELD_MANAGER: &str = "gitward";

/// What went wrong with a request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The API server refused it.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `reason` of the answer's `Status`, empty if it was none.
        reason: String,
        /// What the API server said.
        message: String,
        /// `details.kind` of the answer: the kind that is missing, for example.
        kind: String,
        /// `details.name` of the answer.
        name: String,
        /// The first field that the answer's causes name, empty if none.
        field: String,
    },
    /// The kind is not served (no CRD yet, or a version that is not served).
    #[error("{0} is not served by this cluster")]
    NotServed(String),
    /// The API server made something of an object that neither Git nor a built-in addition explains.
    #[error("something that Git does not know changes it as it is written: {}", fields.join(", "))]
    Altered {
        /// The object.
        object: String,
        /// The fields that nothing explains.
        fields: Vec<String>,
    },
    /// The API server could not be reached, or answered with something that is no object.
    #[error("the API server could not be asked: {0}")]
    Unreachable(String),
}

impl ApiError {
    /// Whether the object changed between reading and writing it.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, reason, .. } if reason == "Conflict")
    }

    /// Whether something of that name is there already.
    pub fn is_already_there(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == "AlreadyExists")
    }

    /// Whether the object itself, its namespace or its kind is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the content is refused as such.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Refused { status: 422, .. })
    }

    /// Whether a field is refused, as one is that cannot be changed any more. Refusals of the same
    /// status that name none are somebody's policy or webhook: to make the object anew would be a
    /// way around it.
    pub fn names_a_field(&self) -> bool {
        matches!(self, Self::Refused { status: 422, field, .. } if !field.is_empty())
    }

    /// Whether an address lies outside all ranges that the API server knows.
    pub fn is_out_of_range(&self) -> bool {
        matches!(self, Self::Refused { status: 422, message, .. } if message.contains("not in the valid range"))
    }

    /// Whether the same request may succeed a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Refused { status: 429 | 500 | 503 | 504, .. })
    }
}

/// Writes and dry runs, under the account of the client.
#[derive(Clone)]
pub struct Api {
    client: Client,
    discovery: Discovery,
}

/// Whether a write is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Everything but the storing.
    DryRun,
    /// Stored.
    Stored,
}

impl Api {
    /// Requests through `client`, with kinds resolved by `discovery`.
    pub fn new(client: Client, discovery: Discovery) -> Self {
        Self { client, discovery }
    }

    /// The client behind it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The live object.
    ///
    /// # Errors
    /// Anything but "not found".
    pub async fn get(&self, gvk: &Gvk, key: &ObjectKey) -> Result<Option<Value>, ApiError> {
        let path = self.path(gvk, key, true).await?;
        match self.send(Method::GET, &path, None).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an object.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn create(&self, gvk: &Gvk, key: &ObjectKey, body: &Value, effect: Effect) -> Result<Value, ApiError> {
        let path = format!("{}?{}", self.path(gvk, key, false).await?, query(effect));
        self.send(Method::POST, &path, Some(body.to_string())).await
    }

    /// Replaces an object. The body carries `resourceVersion` and `uid`: a resource version alone
    /// does not guard where an update may create.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn replace(&self, gvk: &Gvk, key: &ObjectKey, body: &Value, effect: Effect) -> Result<Value, ApiError> {
        let object = self.path(gvk, key, true).await?;
        let body = self.in_full(&object, body).await?;
        self.send(Method::PUT, &format!("{object}?{}", query(effect)), Some(body)).await
    }

    /// Deletes exactly the object that was seen.
    ///
    /// # Errors
    /// See [`ApiError`]; a conflict if it is another object by now.
    pub async fn delete(&self, gvk: &Gvk, key: &ObjectKey, uid: &str) -> Result<(), ApiError> {
        self.delete_with(gvk, key, deletion_of(uid)).await
    }

    /// Deletes exactly the Pod that was seen, and lets it run no longer than Pods do that do not say
    /// how long.
    ///
    /// # Errors
    /// As [`Api::delete`].
    pub async fn end(&self, gvk: &Gvk, key: &ObjectKey, uid: &str) -> Result<(), ApiError> {
        const USUAL_GRACE: u32 = 30;
        let mut options = deletion_of(uid);
        options["gracePeriodSeconds"] = USUAL_GRACE.into();
        self.delete_with(gvk, key, options).await
    }

    async fn delete_with(&self, gvk: &Gvk, key: &ObjectKey, options: Value) -> Result<(), ApiError> {
        let path = self.path(gvk, key, true).await?;
        self.send(Method::DELETE, &path, Some(options.to_string())).await.map(|_| ())
    }

    /// A merge patch of the status subresource.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn patch_status(&self, gvk: &Gvk, key: &ObjectKey, patch: &Value) -> Result<Value, ApiError> {
        let path = format!("{}/status?fieldManager={FIELD_MANAGER}", self.path(gvk, key, true).await?);
        self.send(Method::PATCH, &path, Some(patch.to_string())).await
    }

    /// Replaces what is written through the subresource `finalize` alone: a Namespace's finalizers.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn finalize(&self, gvk: &Gvk, key: &ObjectKey, body: &Value) -> Result<Value, ApiError> {
        let path = format!("{}/finalize?{}", self.path(gvk, key, true).await?, query(Effect::Stored));
        self.send(Method::PUT, &path, Some(body.to_string())).await
    }

    /// The name of a kind in paths and in rules of admission.
    ///
    /// # Errors
    /// The kind is not served, or discovery failed.
    pub async fn resource(&self, gvk: &Gvk) -> Result<String, ApiError> {
        Ok(self.served(gvk).await?.resource.plural)
    }

    async fn served(&self, gvk: &Gvk) -> Result<Served, ApiError> {
        let served = self.discovery.resolve(&gvk.group, &gvk.kind).await;
        let served = served.map_err(|e| ApiError::Unreachable(e.to_string()))?;
        served.ok_or_else(|| ApiError::NotServed(gvk.to_string()))
    }

    async fn path(&self, gvk: &Gvk, key: &ObjectKey, named: bool) -> Result<String, ApiError> {
        let served = self.served(gvk).await?;
        let mut path = if gvk.group.is_empty() {
            format!("/api/{}", gvk.version)
        } else {
            format!("/apis/{}/{}", gvk.group, gvk.version)
        };
        if served.namespaced {
            path.push_str("/namespaces/");
            path.push_str(&key.namespace);
        }
        path.push('/');
        path.push_str(&served.resource.plural);
        if named {
            path.push('/');
            path.push_str(&key.name);
        }
        Ok(path)
    }

    /// The body of a replacement. What lies deeper than objects are read, and stays as it is, is sent
    /// as it is.
    async fn in_full(&self, object: &str, body: &Value) -> Result<String, ApiError> {
        if !has_stand_ins(body) {
            return Ok(body.to_string());
        }
        let live = self.text(Method::GET, object, None).await?;
        let written = Parts::of(&live).and_then(|parts| parts.put_back(body));
        written.map_err(|e| ApiError::Unreachable(e.to_string()))
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Value, ApiError> {
        let text = self.text(method, path, body).await?;
        bounded::read(&text).map_err(|e| ApiError::Unreachable(e.to_string()))
    }

    async fn text(&self, method: Method, path: &str, body: Option<String>) -> Result<String, ApiError> {
        let content_type = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content_type)
            .body(body.map(String::into_bytes).unwrap_or_default())
            .map_err(|e| ApiError::Unreachable(e.to_string()))?;
        let response = self.client.request_text(request).await;
        match response {
            Ok(text) => Ok(text),
            Err(kube::Error::Api(status)) => Err(refused(&status)),
            Err(error) => Err(ApiError::Unreachable(error.to_string())),
        }
    }
}

fn deletion_of(uid: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "DeleteOptions",
        "preconditions": {"uid": uid}, "propagationPolicy": "Background",
    })
}

fn query(effect: Effect) -> String {
    let dry = if effect == Effect::DryRun { "&dryRun=All" } else { "" };
    format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict{dry}")
}

fn without_diff(message: &str) -> String {
    let lines: Vec<&str> = message.lines().take_while(|line| !line.starts_with("@@")).map(str::trim).collect();
    lines.join(" ")
}

fn refused(status: &kube::core::Status) -> ApiError {
    let details = status.details.as_ref();
    ApiError::Refused {
        status: if status.code == 0 { StatusCode::INTERNAL_SERVER_ERROR.as_u16() } else { status.code },
        reason: status.reason.clone(),
        // Of an immutable field a whole diff follows, which no log and no condition has room for.
        message: without_diff(&status.message),
        kind: details.map(|d| d.kind.clone()).unwrap_or_default(),
        name: details.map(|d| d.name.clone()).unwrap_or_default(),
        field: details.and_then(|d| d.causes.first()).map(|c| c.field.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_reasons_and_loses_its_diff() {
        let immutable = "PersistentVolumeClaim \"a\" is invalid: spec: Forbidden\n@@ -9,7 +9,7 @@\n- \"x\"";
        assert_eq!(without_diff(immutable), "PersistentVolumeClaim \"a\" is invalid: spec: Forbidden");
        assert_eq!(without_diff("denied:\n  - the field\n    to do: push"), "denied: - the field to do: push");
    }
}
