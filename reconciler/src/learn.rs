//! Learning: what the API server makes of a declared object, by dry runs of whole objects.
//!
//! A creation where the object does not exist, a replacement where it does; never a server-side
//! apply, which would merge out-of-band fields in. The request that is dry-run is the request that
//! is sent afterwards.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use gitward_core::additions::{Entry, added};
use gitward_core::carry::{self, Subject};
use gitward_core::change::{self, normalised};
use gitward_core::created::{create_only, only_present};
use gitward_core::derived::Context;
use gitward_core::object;
use gitward_core::snapshot::{Declared, Snapshot};
use gitward_core::trace::{Judged, judge_declared};
use serde_json::{Value, json};

use crate::api::{Api, ApiError, Effect};
use crate::foreseen::hold_to_list;
use crate::mutators;
use crate::state::State;
use crate::stuck::{Stuck, learn_around};

/// What has to be done to bring an object to what Git says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Keep,
    /// Create it.
    Create,
    /// Replace it.
    Replace,
    /// Delete it and create it again: a field that cannot be changed differs.
    Recreate,
}

/// What was learnt of one object, and what is to be done.
#[derive(Debug, Clone)]
pub struct Learnt {
    /// To be published.
    pub entry: Entry,
    /// To be done.
    pub action: Action,
    /// What cannot be brought back, whatever is done.
    pub stuck: Option<Stuck>,
}

impl Learnt {
    /// Nothing stands in the way.
    pub fn new(entry: Entry, action: Action) -> Self {
        Self { entry, action, stuck: None }
    }
}

/// How often a conflict is answered by reading again.
pub(crate) const ATTEMPTS: usize = 5;

/// Learns one object of `snapshot` by a dry run.
///
/// # Errors
/// What the API server said; nothing is changed then.
pub fn learn<'a>(
    state: &'a State,
    snapshot: &'a Snapshot,
    declared: &'a Declared,
) -> BoxFuture<'a, Result<Learnt, ApiError>> {
    learn_with_attempts(state, snapshot, declared).boxed()
}

async fn learn_with_attempts(state: &State, snapshot: &Snapshot, declared: &Declared) -> Result<Learnt, ApiError> {
    let key = &declared.manifest.key;
    let mut live = current(state, declared).await?;
    for _ in 1..ATTEMPTS {
        match learn_from(state, snapshot, declared, live.as_ref()).await {
            Err(error) if error.is_conflict() || error.is_already_there() => {
                live = state.api.get(declared.gvk(), key).await?;
            }
            other => return other,
        }
    }
    learn_from(state, snapshot, declared, live.as_ref()).await
}

/// The live object in the version that Git declares it in: from the index, or read.
///
/// # Errors
/// The API server could not be asked.
pub async fn current(state: &State, declared: &Declared) -> Result<Option<Value>, ApiError> {
    use gitward_core::lookup::Lookup;
    let key = &declared.manifest.key;
    match state.index.get(key) {
        Some(live) if object::metadata_str(&live, "resourceVersion").is_some() && same_version(&live, declared) => {
            Ok(Some(live.as_ref().clone()))
        }
        _ => match state.api.get(declared.gvk(), key).await {
            Err(ApiError::NotServed(_)) => Ok(None),
            other => other,
        },
    }
}

fn same_version(live: &Value, declared: &Declared) -> bool {
    // An index that keeps metadata alone holds neither data nor spec.
    let whole =
        declared.canonical.as_object().is_none_or(|d| d.len() <= 3 || live.as_object().is_some_and(|l| l.len() > 3));
    live.get("apiVersion") == declared.canonical.get("apiVersion") && whole
}

async fn learn_from(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    live: Option<&Value>,
) -> Result<Learnt, ApiError> {
    let entry = state.entry(&declared.manifest.key);
    match live {
        None => learn_absent(state, snapshot, declared, entry).await,
        Some(live) => learn_present(state, snapshot, declared, entry, live).await,
    }
}

async fn learn_absent(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    entry: Option<Entry>,
) -> Result<Learnt, ApiError> {
    if let Some(entry) = entry.filter(|e| e.ran_to_its_end(declared)) {
        return Ok(Learnt::new(Entry { finished: true, ..entry }, Action::Keep));
    }
    let sent = &declared.canonical;
    let answer = state.api.create(declared.gvk(), &declared.manifest.key, sent, Effect::DryRun).await?;
    hold_to_list(state, snapshot, declared, sent, &answer).await?;
    let answer = normalised(&answer, declared.has_status_subresource);
    Ok(Learnt::new(Entry::learnt(declared, &answer, None, Value::Null), Action::Create))
}

async fn learn_present(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    entry: Option<Entry>,
    live: &Value,
) -> Result<Learnt, ApiError> {
    let (gvk, key) = (declared.gvk(), &declared.manifest.key);
    if object::is_terminating(live) {
        return Err(being_deleted(declared));
    }
    // Another object under the name of the one that was written.
    let is_anothers = entry.as_ref().and_then(|e| e.uid.as_deref()).is_some_and(|uid| uid != object::uid(live));
    if stays_headless(declared, live) {
        if !is_anothers {
            return Err(headless());
        }
        let answer = alias(&state.api, declared).await?;
        hold_to_list(state, snapshot, declared, &declared.canonical, &answer).await?;
        return Ok(Learnt::new(Entry::learnt(declared, &answer, None, Value::Null), Action::Recreate));
    }
    let ours = entry.filter(|e| e.uid.as_deref() == Some(object::uid(live)));
    let ours = with_proven_record(state, snapshot, declared, ours).await?;
    let mut record = match &ours {
        Some(ours) => ours.record.clone(),
        None => {
            let adopted = adopted_record(&state.api, declared, live).await;
            if let Some(witness) = &adopted.witness {
                hold_to_list(state, snapshot, declared, &declared.canonical, witness).await?;
            }
            adopted.record
        }
    };
    let mut body = write_body(declared, live, &record, &state.context(snapshot));
    let mut answer = state.api.replace(gvk, key, &body, Effect::DryRun).await;
    if let (None, Ok(updated)) = (&ours, &answer)
        && mutators::any_in_force(&state.context(snapshot))
        && record_adopted_additions(&state.api, declared, live, updated, &mut record).await
    {
        body = write_body(declared, live, &record, &state.context(snapshot));
        answer = state.api.replace(gvk, key, &body, Effect::DryRun).await;
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(error)
            if error.names_a_field()
                && (object::is_made_anew(&declared.manifest.key.group, &declared.manifest.key.kind)
                    || (is_anothers && object::may_take_the_place(&declared.manifest.key, live))) =>
        {
            let answer = alias(&state.api, declared).await.map_err(|_| error)?;
            hold_to_list(state, snapshot, declared, &declared.canonical, &answer).await?;
            return Ok(Learnt::new(Entry::learnt(declared, &answer, None, Value::Null), Action::Recreate));
        }
        Err(error) if error.is_invalid() => {
            let known = ours.filter(|e| e.digest == declared.digest).ok_or_else(|| error.clone())?;
            return learn_around(&state.api, declared, known, live, &body, &error).await.ok_or(error);
        }
        Err(error) => return Err(error),
    };
    hold_to_list(state, snapshot, declared, &body, &answer).await?;
    let mut answer = normalised(&answer, declared.has_status_subresource);
    carry::without_exempted(&mut answer, key, &declared.canonical, &state.context(snapshot));
    carry::without_autoscaled(&mut answer, key, &declared.canonical, &state.context(snapshot));
    let entry = Entry::learnt(declared, &answer, Some(object::uid(live)), record);
    let as_it_is = |live: &Value| !differs(&entry, declared, live, &state.context(snapshot));
    let keeps = as_it_is(live) || as_read_now(state, declared, live).await?.is_some_and(|now| as_it_is(&now));
    Ok(Learnt::new(entry, if keeps { Action::Keep } else { Action::Replace }))
}

/// A custom resource read anew, if it is the same still: the API server fills in defaults of its definition as
/// it is read, and tells no watch of a default that is new.
async fn as_read_now(state: &State, declared: &Declared, live: &Value) -> Result<Option<Value>, ApiError> {
    let key = &declared.manifest.key;
    if change::is_built_in(&key.group) {
        return Ok(None);
    }
    let version = |o: &Value| object::metadata_str(o, "resourceVersion").map(str::to_owned);
    Ok(state.api.get(declared.gvk(), key).await?.filter(|now| version(now) == version(live)))
}

/// An entry that another process published, if its record could be a creation's: what nothing explains,
/// somebody else wrote into it.
async fn with_proven_record(
    state: &State,
    snapshot: &Snapshot,
    declared: &Declared,
    entry: Option<Entry>,
) -> Result<Option<Entry>, ApiError> {
    let key = &declared.manifest.key;
    let Some(entry) = entry else { return Ok(None) };
    if !state.unproven().contains(key) {
        return Ok(Some(entry));
    }
    let created = carry::as_recorded(&declared.canonical, &entry.record);
    match hold_to_list(state, snapshot, declared, &declared.canonical, &created).await {
        Ok(()) => {}
        Err(ApiError::Altered { fields, .. }) => {
            tracing::warn!(object = %key, ?fields, "what is said of its creation cannot be true and is not believed");
            state.unproven().remove(key);
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    state.unproven().remove(key);
    Ok(Some(entry))
}

fn differs(entry: &Entry, declared: &Declared, live: &Value, context: &Context<'_>) -> bool {
    judge_declared(&with_entry(declared, entry), live, context) != Judged::Converged
}

/// The declared object with what an entry says is expected of it.
pub fn with_entry(declared: &Declared, entry: &Entry) -> Declared {
    let mut declared = declared.clone();
    declared.expected = entry.expected(&declared).map(Arc::new);
    declared
}

/// The body of a replacement: what Git declares, what is carried from the live object by proof, and
/// the guard against writing to another object or another state of it.
pub fn write_body(declared: &Declared, live: &Value, record: &Value, context: &Context<'_>) -> Value {
    let mut body = declared.canonical.as_ref().clone();
    let record = (!record.is_null()).then_some(record);
    let subject = Subject { key: &declared.manifest.key, declared: &declared.canonical, live, record };
    carry::carry(&mut body, &subject, context);
    carry::exempted(&mut body, &subject, context);
    for field in ["resourceVersion", "uid"] {
        if let Some(value) = object::metadata_str(live, field) {
            body["metadata"][field] = json!(value);
        }
    }
    body
}

/// The record of a Service after a write of ours: what the API server drew with this write is as good as what
/// it drew at the creation.
pub fn record_after(declared: &Declared, record: &Value, answer: &Value) -> Value {
    let mut next = added(&declared.canonical, &normalised(answer, true));
    for kept in [carry::CREATE_ONLY, carry::MADE_OF] {
        if let Some(value) = record.get(kept) {
            next[kept] = value.clone();
        }
    }
    next
}

/// What is kept of the answer to a creation: where an update would inherit from the live object, or
/// would not set what the creation set.
pub fn creation_record(declared: &Declared, created: &Value) -> Value {
    let key = &declared.manifest.key;
    let kept = matches!(
        (key.group.as_str(), key.kind.as_str()),
        ("", "Service" | "PersistentVolumeClaim" | "Pod" | "Namespace") | ("networking.k8s.io", "Ingress")
    );
    if !kept {
        return Value::Null;
    }
    let mut record = added(&declared.canonical, &normalised(created, true));
    if key.kind == "Pod" {
        // A Pod is created whole: its lists, too, are as admission left them.
        record["spec"] = created["spec"].clone();
        record[carry::MADE_OF] = json!(declared.digest);
    }
    record
}

/// The record of an object that others made.
#[derive(Debug, Default)]
pub struct Adopted {
    /// The record.
    pub record: Value,
    /// The answer that it was taken from, if it was a dry run's.
    pub witness: Option<Value>,
}

/// The record of an object that others made. A creation's dry run under a generated name is the
/// witness of what creation sets; allocations cannot be proven and are taken as they are.
pub async fn adopted_record(api: &Api, declared: &Declared, live: &Value) -> Adopted {
    let key = &declared.manifest.key;
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "Service" | "Namespace") => {
            Adopted { record: added(&declared.canonical, &normalised(live, true)), witness: None }
        }
        ("", "PersistentVolumeClaim" | "Pod") | ("networking.k8s.io", "Ingress") => match alias(api, declared).await {
            Ok(answer) => Adopted { record: creation_record(declared, &answer), witness: Some(answer) },
            Err(_) => Adopted::default(),
        },
        _ => Adopted::default(),
    }
}

/// What a declared mutator set at the creation of an object that others made, as far as it is still
/// there; whether there is any.
async fn record_adopted_additions(
    api: &Api,
    declared: &Declared,
    live: &Value,
    updated: &Value,
    record: &mut Value,
) -> bool {
    let Ok(created) = alias(api, declared).await else { return false };
    let updated = normalised(updated, declared.has_status_subresource);
    let additions = only_present(create_only(&declared.canonical, &created, &updated), live);
    let any = !additions.is_empty();
    record_additions(record, additions);
    any
}

/// Adds what the creation alone set to the record of an object.
pub fn record_additions(record: &mut Value, additions: Vec<Value>) {
    if additions.is_empty() {
        return;
    }
    if record.is_null() {
        *record = json!({});
    }
    record[carry::CREATE_ONLY] = Value::Array(additions);
}

/// A dry run of the creation of the same content under a generated name, normalised.
///
/// # Errors
/// What the API server said: not every kind can be created under another name.
pub async fn alias(api: &Api, declared: &Declared) -> Result<Value, ApiError> {
    let key = &declared.manifest.key;
    let mut body = declared.canonical.as_ref().clone();
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("name");
        let stem: String = key.name.chars().take(200).collect();
        metadata.insert("generateName".to_owned(), json!(format!("{stem}-")));
    }
    let mut answer = api.create(declared.gvk(), key, &body, Effect::DryRun).await?;
    if let Some(metadata) = answer.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("generateName");
        metadata.insert("name".to_owned(), json!(key.name));
    }
    Ok(normalised(&answer, declared.has_status_subresource))
}

/// Whether Git wants an address for a Service that was made without one.
fn stays_headless(declared: &Declared, live: &Value) -> bool {
    let key = &declared.manifest.key;
    let text = |object: &Value, field: &str| object["spec"][field].as_str().unwrap_or_default().to_owned();
    object::is_service(key)
        && text(live, "clusterIP") == "None"
        && text(live, "type") != "ExternalName"
        && text(&declared.canonical, "type") != "ExternalName"
        && declared.canonical["spec"].get("clusterIP").is_none()
        && declared.canonical["spec"].get("clusterIPs").is_none()
}

/// The API server says nothing of it, and goes on with None.
fn headless() -> ApiError {
    ApiError::Refused {
        status: 422,
        reason: "Invalid".to_owned(),
        message:
            "the API server keeps a Service headless that was made so: take it out of Git for one commit, or declare \
                  it under another name"
                .to_owned(),
        kind: "Service".to_owned(),
        name: String::new(),
        field: "spec.clusterIP".to_owned(),
    }
}

fn being_deleted(declared: &Declared) -> ApiError {
    ApiError::Unreachable(format!("{} is being deleted; it is made again when it is gone", declared.manifest.key))
}
