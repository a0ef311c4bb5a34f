//! A recording: one `AdmissionReview` a line.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::read::GzDecoder;
use gitward_core::object::{self, ObjectKey};
use gitward_core::request::{Operation, Request, User};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) struct Recording {
    pub(crate) requests: Vec<Recorded>,
}

/// One recorded request.
pub(crate) struct Recorded {
    review: Value,
    pub(crate) key: ObjectKey,
}

impl Recording {
    /// Reads a recording, if there is one.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let file = File::open(path(name)?).ok()?;
        let lines = BufReader::new(GzDecoder::new(file)).lines();
        let reviews: Vec<Value> = lines
            .map(|line| {
                let mut review: Value = serde_json::from_str(&line.unwrap()).unwrap();
                let mut request = review["request"].take();
                for side in ["object", "oldObject"] {
                    request.get_mut(side).map(say_whose_token);
                }
                request
            })
            .collect();
        let kinds = kinds(&reviews);
        let requests = reviews.into_iter().map(|r| Recorded { key: key(&r, &kinds), review: r }).collect();
        Some(Self { requests })
    }
}

impl Recording {
    /// When each request came. The recording does not say so: a request came before the next time
    /// that any later one tells of.
    pub(crate) fn times(&self) -> Vec<Timestamp> {
        let mut latest = Timestamp::UNIX_EPOCH;
        let told: Vec<Timestamp> = self
            .requests
            .iter()
            .map(|r| {
                latest = r.times().fold(latest, Timestamp::max);
                latest
            })
            .collect();
        told.iter()
            .enumerate()
            .map(|(i, now)| told[i..].iter().find(|later| *later > now).copied().unwrap_or(*now))
            .collect()
    }
}

/// Where a recording is, if it is there.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let directory = match std::env::var_os("GITWARD_TEST_DATA") {
        Some(directory) => directory.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    Some(directory.join(name)).filter(|p| p.is_file())
}

type Kinds = HashMap<(String, String), String>;

/// Tokens were taken out of the recording: puts in what a genuine one says of itself.
fn say_whose_token(secret: &mut Value) {
    if secret["type"] != "kubernetes.io/service-account-token" || secret["data"]["token"].is_null() {
        return;
    }
    let metadata = &secret["metadata"];
    let (namespace, of) = (metadata["namespace"].as_str().unwrap(), &metadata["annotations"]);
    let account = of["kubernetes.io/service-account.name"].as_str().unwrap();
    let claims = json!({"sub": format!("system:serviceaccount:{namespace}:{account}"),
        "kubernetes.io/serviceaccount/secret.name": metadata["name"],
        "kubernetes.io/serviceaccount/service-account.uid": of["kubernetes.io/service-account.uid"]});
    let token = format!("header.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()));
    secret["data"]["token"] = STANDARD.encode(token).into();
}

/// Which kind each resource is, learnt from the requests about objects themselves.
fn kinds(reviews: &[Value]) -> Kinds {
    let mut kinds: Kinds = reviews
        .iter()
        .filter(|r| text(&r["subResource"]).is_empty())
        .map(|r| ((text(&r["resource"]["group"]), text(&r["resource"]["resource"])), text(&r["kind"]["kind"])))
        .collect();
    for (resource, kind) in [("namespaces", "Namespace"), ("serviceaccounts", "ServiceAccount"), ("pods", "Pod")] {
        kinds.insert((String::new(), resource.to_owned()), kind.to_owned());
    }
    kinds
}

fn key(review: &Value, kinds: &Kinds) -> ObjectKey {
    let resource = &review["resource"];
    let (group, plural) = (text(&resource["group"]), text(&resource["resource"]));
    let kind = kinds.get(&(group.clone(), plural)).cloned().unwrap_or_else(|| text(&review["kind"]["kind"]));
    let object = if review["object"].is_object() { &review["object"] } else { &review["oldObject"] };
    let name = match text(&review["name"]) {
        name if name.is_empty() => object::name(object).to_owned(),
        name => name,
    };
    // A Namespace's review carries its own name as its namespace.
    let namespace = if kind == "Namespace" { String::new() } else { text(&review["namespace"]) };
    ObjectKey { group, kind, namespace, name }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Recorded {
    pub(crate) fn request(&self) -> Request<'_> {
        let review = &self.review;
        let user = &review["userInfo"];
        let groups = user["groups"].as_array().map_or(&[][..], Vec::as_slice);
        let object = |field: &str| review.get(field).filter(|o| o.is_object());
        Request {
            operation: match review["operation"].as_str() {
                Some("CREATE") => Operation::Create,
                Some("UPDATE") => Operation::Update,
                Some("DELETE") => Operation::Delete,
                _ => Operation::Connect,
            },
            key: self.key.clone(),
            resource: review["resource"]["resource"].as_str().unwrap_or_default(),
            subresource: self.subresource(),
            user: User {
                name: text(&user["username"]),
                groups: groups.iter().map(text).collect(),
                uid: text(&user["uid"]),
                has_credential_id: user["extra"].get("authentication.kubernetes.io/credential-id").is_some(),
                ..User::default()
            },
            object: object("object"),
            old_object: object("oldObject"),
            options: object("options"),
            dry_run: review["dryRun"].as_bool() == Some(true),
        }
    }

    /// The times that a request tells of.
    fn times(&self) -> impl Iterator<Item = Timestamp> {
        let object = &self.review["object"];
        let managed = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
        let own = [&object["metadata"]["creationTimestamp"], &object["lastTimestamp"], &object["eventTime"]];
        managed.iter().map(|m| &m["time"]).chain(own).filter_map(|t| t.as_str()?.parse().ok())
    }

    /// The request as it was recorded.
    pub(crate) fn review(&self) -> &Value {
        &self.review
    }

    pub(crate) fn subresource(&self) -> &str {
        self.review["subResource"].as_str().unwrap_or_default()
    }

    pub(crate) fn operation(&self) -> &str {
        self.review["operation"].as_str().unwrap_or_default()
    }

    pub(crate) fn user(&self) -> &str {
        let name = self.review["userInfo"]["username"].as_str().unwrap_or_default();
        name.strip_prefix("system:serviceaccount:kube-system:").unwrap_or(name)
    }

    pub(crate) fn what(&self) -> String {
        let slash = if self.subresource().is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.operation(), self.key.kind, self.subresource())
    }

    pub(crate) fn field(&self, field: &str) -> Option<&Value> {
        self.review.get(field).filter(|v| !v.is_null())
    }
}
