//! Which edits are made: those that the API server takes, each once for a kind.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use futures::StreamExt;
use kube::Client;
use serde_json::{Value, json};

use crate::kinds::Result;
use crate::kinds::edits::{self, Edit};
use crate::kinds::requests::{Chosen, Outcome, read, replace};
use crate::kinds::rounds::Target;
use crate::kinds::schema::Schemas;
use crate::kinds::tally::Tally;
use crate::kinds::view::{Key, View};

/// Kinds whose edits are tried at the same time.
const CONCURRENT: usize = 12;

/// Makes every edit of every object, for the patient.
const ALL: &str = "GITWARD_KINDS_ALL";

/// How often an edit is tried on further objects of the kind, where the API server refuses it.
const TRIES: usize = 2;

/// Workloads on which each field of a Pod's template is edited.
const TEMPLATES: usize = 2;

/// Edits of one object besides those of its metadata; more are left to others of the same shape.
const OF_ONE: usize = 40;

/// What was tried already: how often it was taken, and how often not.
#[derive(Default)]
struct Tried(Mutex<HashMap<String, (usize, usize)>>);

impl Tried {
    fn is_enough(&self, kind: &str, edit: &Edit) -> bool {
        let (signature, wanted) = signature(kind, edit);
        let (taken, not) = self.0.lock().unwrap().get(&signature).copied().unwrap_or_default();
        taken >= wanted || not >= wanted.saturating_mul(TRIES)
    }

    fn note(&self, kind: &str, edit: &Edit, taken: bool) {
        let mut tried = self.0.lock().unwrap();
        let counts = tried.entry(signature(kind, edit).0).or_default();
        if taken { counts.0 += 1 } else { counts.1 += 1 }
    }
}

/// What makes two edits the same, and how often it is made. What concerns metadata is made in
/// every object; a Pod's template is the same in all kinds that have one.
fn signature(kind: &str, edit: &Edit) -> (String, usize) {
    if is_metadata(edit) || std::env::var_os(ALL).is_some() {
        return (String::new(), usize::MAX);
    }
    let path: Vec<&str> = edit.path.iter().map(|p| if p.parse::<usize>().is_ok() { "#" } else { p.as_str() }).collect();
    let template = path.windows(2).position(|w| w == ["template", "spec"]);
    match template {
        Some(at) => (format!("{} {}", edit.what, path[at..].join(".")), TEMPLATES),
        None => (format!("{kind} {} {}", edit.what, path.join(".")), 1),
    }
}

fn is_metadata(edit: &Edit) -> bool {
    edit.path.first().is_some_and(|p| p == "metadata")
}

/// The edits of these objects, tried by dry runs of an account whose dry runs are not judged.
pub(crate) async fn edits(
    learner: &Client,
    view: &View,
    schemas: &Schemas,
    keys: &[Key],
    tally: &mut Tally,
) -> Result<Vec<Target>> {
    let mut kinds: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for key in keys {
        kinds.entry(&key.0).or_default().push(key);
    }
    let tried = Tried::default();
    let of_kinds = kinds.into_values().map(|keys| of_kind(learner, view, schemas, keys, &tried));
    let found: Vec<_> = futures::stream::iter(of_kinds).buffer_unordered(CONCURRENT).collect().await;
    let mut targets = Vec::new();
    for result in found {
        let (of_kind, refused, no_ops) = result?;
        targets.extend(of_kind);
        tally.refused += refused;
        tally.no_ops += no_ops;
    }
    Ok(targets)
}

async fn of_kind(
    learner: &Client,
    view: &View,
    schemas: &Schemas,
    keys: Vec<&Key>,
    tried: &Tried,
) -> Result<(Vec<Target>, usize, usize)> {
    let (mut targets, mut refused, mut no_ops) = (Vec::new(), 0, 0);
    for key in keys {
        let path = view.path(key);
        // What ran to its end and was removed as it asked to be is not there any more.
        let Some(live) = read(learner, &path).await? else { continue };
        let owner = owner(learner, &key.1).await?;
        let mut chosen: Vec<Chosen> = Vec::new();
        for edit in edits::of(&live, schemas, &owner) {
            if tried.is_enough(&key.0, &edit) || (chosen.len() >= OF_ONE && !is_metadata(&edit)) {
                continue;
            }
            match try_values(learner, &path, &live, &edit).await? {
                Ok(value) => {
                    tried.note(&key.0, &edit, true);
                    chosen.push((edit, value));
                }
                Err(no_op) => {
                    tried.note(&key.0, &edit, false);
                    *(if no_op { &mut no_ops } else { &mut refused }) += 1;
                }
            }
        }
        targets.push(Target { key: key.clone(), edits: chosen });
    }
    Ok((targets, refused, no_ops))
}

/// The first value that is taken; if none, whether one at least was no change.
async fn try_values(
    learner: &Client,
    path: &str,
    live: &Value,
    edit: &Edit,
) -> Result<std::result::Result<Value, bool>> {
    let mut no_op = false;
    for value in &edit.values {
        match replace(learner, path, Some(live), &[(edit.clone(), value.clone())], true).await? {
            Outcome::Taken(_) => return Ok(Ok(value.clone())),
            Outcome::NoOp => no_op = true,
            Outcome::Denied => return Err(format!("a dry run of the learner was denied: {path} {edit}")),
            Outcome::Refused | Outcome::Gone => {}
        }
    }
    Ok(Err(no_op))
}

/// A reference to something that exists, so that no garbage collector takes the object.
async fn owner(client: &Client, namespace: &str) -> Result<Value> {
    const ROLES: &str = "rbac.authorization.k8s.io/v1";
    let (kind, version, name, path) = match namespace {
        "" => ("ClusterRole", ROLES, "view", format!("/apis/{ROLES}/clusterroles/view")),
        _ => {
            let name = "kube-root-ca.crt";
            ("ConfigMap", "v1", name, format!("/api/v1/namespaces/{namespace}/configmaps/{name}"))
        }
    };
    let object = read(client, &path).await?.ok_or_else(|| format!("{path} is not there"))?;
    Ok(json!({"apiVersion": version, "kind": kind, "name": name, "uid": object["metadata"]["uid"]}))
}
