//! `AdmissionReview` (admission.k8s.io/v1): from the API server's words to the engine's and back.

mod answer;
mod lean;
mod text;

pub use answer::{Response, busy_with_nothing, let_through, respond};
pub use text::{denial, warnings};

use gitward_core::object::{self, ObjectKey};
use gitward_core::report::harmless;
use gitward_core::request::{CREDENTIAL_ID, Operation, Request, TOKEN_ID, User};
use gitward_index::discovery::Table;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::register::Requested;

/// The only version spoken.
pub const API_VERSION: &str = "admission.k8s.io/v1";

/// Why a body is no review.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is no JSON, or lacks fields. What stands there instead is not said: it may be a Secret's.
    #[error("the body is no AdmissionReview: {what} at line {line}, column {column}")]
    Json {
        /// What is wrong.
        what: &'static str,
        /// Where, from 1; 0 for the end of an empty body.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// It is something else.
    #[error("the body is {api_version} {kind}, not {API_VERSION} AdmissionReview")]
    Kind {
        /// What it says it is.
        api_version: String,
        /// What it says it is.
        kind: String,
    },
    /// It has no uid to answer to.
    #[error("the review has no usable uid")]
    Uid,
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Data => "a field is missing or of another type",
            Category::Eof => "it ends too early",
            Category::Syntax | Category::Io => "it is no JSON",
        };
        Self::Json { what, line: error.line(), column: error.column() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    kind: String,
    request: Option<Review>,
}

/// The request of a review.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// What the answer has to name.
    pub uid: String,
    kind: Kind,
    resource: Resource,
    #[serde(default)]
    sub_resource: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    operation: Verb,
    #[serde(default)]
    user_info: UserInfo,
    #[serde(default, deserialize_with = "lean::object")]
    object: Option<Value>,
    #[serde(default, deserialize_with = "lean::object")]
    old_object: Option<Value>,
    #[serde(default)]
    options: Option<Value>,
    #[serde(default)]
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(default)]
    group: String,
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default)]
    group: String,
    #[serde(default)]
    version: String,
    resource: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    Create,
    Update,
    Delete,
    Connect,
}

#[derive(Debug, Default, Deserialize)]
struct UserInfo {
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    extra: Map<String, Value>,
}

/// Longest uid that is echoed; the API server sends 36 characters.
const UID: usize = 128;

/// Reads the body of a call.
///
/// # Errors
/// It is no review of the version spoken.
pub fn parse(body: &[u8]) -> Result<Review, Malformed> {
    let envelope: Envelope = serde_json::from_slice(body)?;
    if envelope.api_version != API_VERSION || envelope.kind != "AdmissionReview" {
        let short = |s: String| harmless(&s).chars().take(80).collect();
        return Err(Malformed::Kind { api_version: short(envelope.api_version), kind: short(envelope.kind) });
    }
    match envelope.request {
        Some(review) if (1..=UID).contains(&review.uid.len()) => Ok(review),
        _ => Err(Malformed::Uid),
    }
}

/// Whether the account came with a token of its own. Client certificates have a credential id too,
/// of another form; a bare impersonation has none.
fn has_token(extra: &Map<String, Value>) -> bool {
    let ids = extra.get(CREDENTIAL_ID).and_then(Value::as_array);
    ids.is_some_and(|ids| ids.iter().any(|id| id.as_str().is_some_and(|id| id.starts_with(TOKEN_ID))))
}

impl Review {
    /// The account that asks.
    pub fn account(&self) -> &str {
        &self.user_info.username
    }

    /// The resource, in the version that the review is in.
    pub fn requested(&self) -> Requested<'_> {
        Requested {
            group: &self.resource.group,
            plural: &self.resource.resource,
            version: &self.resource.version,
            subresource: &self.sub_resource,
        }
    }

    /// Whether nothing would be stored.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run.unwrap_or(false)
    }

    /// The request as the engine sees it. `served` says which kind a resource is.
    pub fn request(&self, served: &Table) -> Request<'_> {
        let user = &self.user_info;
        Request {
            operation: match self.operation {
                Verb::Create => Operation::Create,
                Verb::Update => Operation::Update,
                Verb::Delete => Operation::Delete,
                Verb::Connect => Operation::Connect,
            },
            key: self.key(served),
            resource: &self.resource.resource,
            subresource: &self.sub_resource,
            user: User {
                name: user.username.clone(),
                groups: user.groups.clone(),
                uid: user.uid.clone(),
                has_credential_id: has_token(&user.extra),
                is_reconciler: false,
            },
            object: self.object.as_ref().filter(|o| !o.is_null()),
            old_object: self.old_object.as_ref().filter(|o| !o.is_null()),
            options: self.options.as_ref().filter(|o| !o.is_null()),
            dry_run: self.is_dry_run(),
        }
    }

    /// What is acted on: of a subresource the object that it belongs to.
    fn key(&self, served: &Table) -> ObjectKey {
        let (group, plural) = (self.resource.group.as_str(), self.resource.resource.as_str());
        // A review of a Namespace carries the object's own name as its namespace.
        let namespace = if group.is_empty() && plural == "namespaces" { "" } else { &self.namespace };
        let (group, kind) = if self.sub_resource.is_empty() {
            (self.kind.group.as_str(), self.kind.kind.as_str())
        } else {
            // `scale`, `binding`, `token`, `exec` and their like have a kind of their own.
            match (served.plural(group, plural), builtin(group, plural)) {
                (Some(of), _) => (group, of.resource.kind.as_str()),
                (None, Some(kind)) => (group, kind),
                (None, None) => (self.kind.group.as_str(), self.kind.kind.as_str()),
            }
        };
        ObjectKey::new(group, kind, namespace, self.object_name())
    }

    /// Collections are deleted without a name in the request, and generated names stand in the
    /// object alone.
    fn object_name(&self) -> &str {
        let name_in = |o: &'_ Option<Value>| o.as_ref().map(object::name).unwrap_or_default().to_owned();
        if !self.name.is_empty() || (self.object.is_none() && self.old_object.is_none()) {
            return &self.name;
        }
        match [&self.object, &self.old_object].into_iter().find(|o| !name_in(o).is_empty()) {
            Some(Some(object)) => object::name(object),
            _ => "",
        }
    }
}

/// Kinds of the built-in resources with subresources of another kind, for when the API server has
/// not been asked yet.
fn builtin(group: &str, plural: &str) -> Option<&'static str> {
    Some(match (group, plural) {
        ("", "pods") => "Pod",
        ("", "services") => "Service",
        ("", "nodes") => "Node",
        ("", "serviceaccounts") => "ServiceAccount",
        ("", "replicationcontrollers") => "ReplicationController",
        ("apps", "deployments") => "Deployment",
        ("apps", "replicasets") => "ReplicaSet",
        ("apps", "statefulsets") => "StatefulSet",
        _ => return None,
    })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
