//! With the webhook gone: edits are made, a few at a time, and everything that a bystander can see
//! decides what became of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use kube::Client;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::kinds::Result;
use crate::kinds::requests::{Chosen, Outcome, delete, read, replace, send};
use crate::kinds::tally::Fate;
use crate::kinds::view::{Key, View, uid};

/// Edits made at once in one object.
const TOGETHER: usize = 5;

/// How long an edit may stay.
const WITHIN: Duration = Duration::from_secs(15);

/// How much longer its alert may take.
const ALERT_WITHIN: Duration = Duration::from_secs(5);

/// More reverts of one object in this time are a fight, which is slowed down on purpose.
const CALM: (usize, Duration) = (4, Duration::from_secs(31));

/// Rounds under way at a time.
static AT_ONCE: Semaphore = Semaphore::const_new(10);

/// One object that is edited again and again.
pub(crate) struct Target {
    /// The object.
    pub(crate) key: Key,
    /// What is done to it.
    pub(crate) edits: Vec<Chosen>,
}

/// Makes every edit of an object; what became of each.
pub(crate) async fn all(client: &Client, view: &View, target: Target) -> Result<Vec<(Key, String, Fate)>> {
    // A volume that is released while its policy says so is deleted by its controller, and what is on it.
    let together = if target.key.0 == "PersistentVolume" { 1 } else { TOGETHER };
    let mut waiting: VecDeque<Vec<Chosen>> = target.edits.chunks(together).map(<[Chosen]>::to_vec).collect();
    let (mut fates, mut made) = (Vec::new(), VecDeque::new());
    while let Some(edits) = waiting.pop_front() {
        if made.len() >= CALM.0
            && let Some(oldest) = made.pop_front()
        {
            tokio::time::sleep(CALM.1.saturating_sub(Instant::elapsed(&oldest))).await;
        }
        let _turn = AT_ONCE.acquire().await.map_err(|e| e.to_string())?;
        match round(client, view, &target.key, &edits).await? {
            Some(seen) => {
                made.push_back(Instant::now());
                let bad = seen.iter().any(|f| !matches!(f, Fate::Reverted(_)));
                if bad && edits.len() > 1 {
                    // One by one tells which of them it was.
                    edits.into_iter().rev().for_each(|edit| waiting.push_front(vec![edit]));
                } else {
                    for ((edit, value), fate) in
                        edits.iter().zip(&seen).filter(|(_, f)| !matches!(f, Fate::Reverted(_)))
                    {
                        println!("  {} {}: {edit} = {}: {fate:?}", target.key.0, target.key.2, short(value));
                    }
                    let names = edits.iter().map(|(edit, value)| format!("{edit} = {}", short(value)));
                    fates.extend(names.zip(seen).map(|(name, fate)| (target.key.clone(), name, fate)));
                }
            }
            // Together the API server refuses them.
            None if edits.len() > 1 => {
                let (one, other) = edits.split_at(edits.len() / 2);
                waiting.push_front(other.to_vec());
                waiting.push_front(one.to_vec());
            }
            None => {}
        }
    }
    Ok(fates)
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

/// One replacement with several edits; `None` if the API server refuses it.
async fn round(client: &Client, view: &View, key: &Key, edits: &[Chosen]) -> Result<Option<Vec<Fate>>> {
    let path = view.path(key);
    let Some(before) = read(client, &path).await? else { return Ok(None) };
    let from = view.count();
    let Outcome::Taken(after) = replace(client, &path, Some(&before), edits, false).await? else { return Ok(None) };
    let edited = version(&after);
    let back = |edit: &Chosen| {
        let field = edit.0.watched();
        view.object(key).is_some_and(|now| {
            (version(&now) > edited || uid(&now) != uid(&after))
                && is_as_before(key, &field, now.pointer(&field), before.pointer(&field), after.pointer(&field))
        })
    };
    let took = view.until(WITHIN, || edits.iter().all(&back)).await;
    let named = |(edit, _): &Chosen| {
        let alerts = view.alerts_about(from, key);
        alerts.iter().filter(|a| matches!(a.reason.as_str(), "Diverged" | "LeftAlone")).any(|a| {
            let fields = a.message.split_once(": ").map_or("", |(_, fields)| fields);
            a.message.contains(" was deleted; ")
                || fields.split(", ").any(|f| edit.is_named_by(f.split(" and ").next().unwrap_or(f)))
        })
    };
    view.until(ALERT_WITHIN, || edits.iter().all(named)).await;
    let ms = took.unwrap_or_default().as_millis();
    let fates = edits.iter().map(|edit| match (took.is_some() || back(edit), named(edit)) {
        (true, true) => Fate::Reverted(ms),
        (true, false) => Fate::Unnamed(ms),
        (false, true) => Fate::Alerted,
        (false, false) => Fate::Stayed,
    });
    let fates: Vec<Fate> = fates.collect();
    if took.is_none() {
        restore(client, view, key, &before, edits).await?;
    }
    Ok(Some(fates))
}

/// Whether a field is what it was before it was edited.
fn is_as_before(key: &Key, field: &str, now: Option<&Value>, before: Option<&Value>, edited: Option<&Value>) -> bool {
    if key.0 == "Secret" && field == "/data/token" {
        // A controller mints another token, which is as good.
        return now != edited && now.and_then(Value::as_str).is_some_and(|t| !t.is_empty());
    }
    empty_as_none(now) == empty_as_none(before)
}

/// Puts right by hand what nobody did, so that it does not blur what comes next. What the API server
/// lets nobody put right is deleted: Git makes it anew.
async fn restore(client: &Client, view: &View, key: &Key, before: &Value, edits: &[Chosen]) -> Result<()> {
    let path = view.path(key);
    let Some(live) = read(client, &path).await? else { return Ok(()) };
    let mut body = live.clone();
    for (edit, _) in edits {
        let field = edit.watched();
        match (body.pointer_mut(&field), before.pointer(&field)) {
            (Some(there), Some(value)) => *there = value.clone(),
            (Some(there), None) => *there = Value::Null,
            (None, _) => {}
        }
    }
    if let Some(Outcome::Refused) = send(client, &path, &live, &body, false).await? {
        delete(client, &path).await?;
        view.until(WITHIN, || view.object(key).is_some_and(|now| uid(&now) != uid(&live))).await;
    }
    Ok(())
}

fn empty_as_none(value: Option<&Value>) -> Option<&Value> {
    value.filter(|v| match v {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    })
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0)
}
