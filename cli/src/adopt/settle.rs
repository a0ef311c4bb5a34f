//! Asking the API server, by dry runs, what of an object has to be declared.

use gitward_core::additions::Entry;
use gitward_core::adopt::{Asking, Effect, Trimming, clean, creation, declare, effects, restore};
use gitward_core::change::{normalised, object_changes};
use gitward_core::derived::Context;
use gitward_core::object::{self, Gvk, ObjectKey};
use gitward_core::trace::{Judged, judge_declared};
use gitward_reconciler::api::{self, Api, ApiError};
use gitward_reconciler::learn::{adopted_record, with_entry, write_body};
use serde_json::Value;

/// Dry runs of one object, at most.
const MOST: usize = 400;

/// How often an object is begun anew that changes meanwhile, and a request that comes too late is made
/// again.
const ATTEMPTS: usize = 5;

/// What an object's dry runs need.
pub(super) struct Settling<'a> {
    pub(super) api: &'a Api,
    pub(super) key: &'a ObjectKey,
    pub(super) has_status_subresource: bool,
    pub(super) tidy: bool,
    pub(super) context: &'a Context<'a>,
}

/// An object as Git is going to declare it.
pub(super) struct Settled {
    pub(super) manifest: Value,
    /// What changes of the live object.
    pub(super) effects: Vec<Effect>,
    /// What has to be known of the manifest.
    pub(super) note: Option<String>,
    /// Why no dry run could be made.
    pub(super) untried: Option<String>,
}

enum Unsettled {
    /// The object is not any more what it was.
    Changed(Box<Value>),
    Api(ApiError),
}

/// Trims the manifest of a live object.
pub(super) async fn settle(settling: &Settling<'_>, live: &Value, manifest: &Value) -> Settled {
    let (mut live, mut manifest) = (live.clone(), manifest.clone());
    let mut why = String::new();
    for _ in 0..ATTEMPTS {
        let gvk = Gvk::of(&live).unwrap_or_else(|| Gvk::new("", &settling.key.kind));
        let mut trial = Trial { settling, gvk, live: live.clone() };
        match trial.trim(&manifest).await {
            Ok(settled) => return settled,
            Err(Unsettled::Changed(now)) => {
                "it changes faster than it can be tried".clone_into(&mut why);
                live = *now;
                manifest = clean(settling.key, &live, settling.tidy, settling.context);
            }
            Err(Unsettled::Api(error)) => {
                why = error.to_string();
                break;
            }
        }
    }
    let effects = unasked(settling, &live, &manifest);
    Settled { manifest, effects, note: None, untried: Some(why) }
}

/// What a cleaned object loses as far as that is known without asking: notes, and marks in templates.
fn unasked(settling: &Settling<'_>, live: &Value, manifest: &Value) -> Vec<Effect> {
    let Settling { key, has_status_subresource, context, .. } = *settling;
    let expected = Asking { key, live, has_status_subresource, context }.expected(manifest, manifest);
    let mut differences = object_changes(&expected, live, has_status_subresource);
    differences.retain(|d| d.path.starts_with(&["metadata"]) || d.path.fields().contains(&"annotations"));
    effects(key, differences)
}

struct Trial<'a> {
    settling: &'a Settling<'a>,
    gvk: Gvk,
    live: Value,
}

impl Trial<'_> {
    fn asking(&self) -> Asking<'_> {
        let Settling { key, has_status_subresource, context, .. } = *self.settling;
        Asking { key, live: &self.live, has_status_subresource, context }
    }

    async fn trim(&mut self, manifest: &Value) -> Result<Settled, Unsettled> {
        let whole = self.dry_run(manifest).await?;
        let mut trimming = Trimming::new(manifest.clone(), MOST);
        while let Some(candidate) = trimming.candidate().cloned() {
            let comes_back = match self.dry_run(&candidate).await {
                Ok(expected) => self.asking().is_same(&whole, &expected),
                // It is refused without that field.
                Err(Unsettled::Api(error)) if !error.is_passing() && !error.is_not_found() => false,
                Err(other) => return Err(other),
            };
            trimming.tell(comes_back);
        }
        let bounded = format!("after {MOST} dry runs some of what is declared may still be defaults");
        let bounded = (!trimming.is_complete()).then_some(bounded);
        let mut trimmed = trimming.into_manifest();
        let unwitnessed = self.witness(&mut trimmed, manifest).await.err().map(|error| {
            format!("its creation could not be tried, so see that nothing is missing that counts there alone: {error}")
        });
        let notes: Vec<String> = bounded.into_iter().chain(unwitnessed).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let effects = self.effects(&trimmed).await?;
        Ok(Settled { manifest: trimmed, effects, note, untried: None })
    }

    /// What the reconciler would change of the live object, asked as the reconciler asks.
    async fn effects(&mut self, manifest: &Value) -> Result<Vec<Effect>, Unsettled> {
        let Settling { api, key, has_status_subresource, context, .. } = *self.settling;
        let mut attempts = 0;
        loop {
            let declared = declare(manifest, &self.live, has_status_subresource);
            let Some(declared) = declared else { return Err(Unsettled::Api(unreadable())) };
            let record = adopted_record(api, &declared, &self.live).await.record;
            let body = write_body(&declared, &self.live, &record, context);
            let answer = match api.replace(&self.gvk, key, &body, api::Effect::DryRun).await {
                Err(error) if error.is_conflict() && attempts < ATTEMPTS => {
                    attempts += 1;
                    self.read_again().await?;
                    continue;
                }
                other => normalised(&other.map_err(Unsettled::Api)?, has_status_subresource),
            };
            let entry = Entry::learnt(&declared, &answer, Some(object::uid(&self.live)), record);
            return Ok(match judge_declared(&with_entry(&declared, &entry), &self.live, context) {
                Judged::Diverged(differences) => effects(key, differences),
                _ => Vec::new(),
            });
        }
    }

    /// Puts back what an update inherits and a creation would not have.
    async fn witness(&self, trimmed: &mut Value, whole: &Value) -> Result<(), ApiError> {
        let Settling { api, key, .. } = *self.settling;
        let made = async |manifest: &Value| api.create(&self.gvk, key, &creation(manifest), api::Effect::DryRun).await;
        let of_whole = made(whole).await?;
        // Without something it may not be possible at all.
        let of_trimmed = match made(trimmed).await {
            Err(error) if error.is_invalid() => Value::Null,
            other => other?,
        };
        restore(trimmed, whole, &of_whole, &of_trimmed);
        Ok(())
    }

    /// What the gates would expect of a manifest.
    async fn dry_run(&mut self, manifest: &Value) -> Result<Value, Unsettled> {
        let Settling { api, key, .. } = *self.settling;
        let mut attempts = 0;
        loop {
            let body = self.asking().body(manifest);
            match api.replace(&self.gvk, key, &body, api::Effect::DryRun).await {
                Ok(answer) => return Ok(self.asking().expected(manifest, &answer)),
                Err(error) if error.is_conflict() && attempts < ATTEMPTS => self.read_again().await?,
                Err(error) => return Err(Unsettled::Api(error)),
            }
            attempts += 1;
        }
    }

    /// Somebody wrote in between. If it was the status alone, nothing is lost.
    async fn read_again(&mut self) -> Result<(), Unsettled> {
        let Settling { api, key, .. } = *self.settling;
        let now = api.get(&self.gvk, key).await.map_err(Unsettled::Api)?;
        let gone = || Unsettled::Api(ApiError::Unreachable("it was deleted meanwhile".to_owned()));
        let now = now.ok_or_else(gone)?;
        if !self.asking().is_same(&self.live, &now) {
            return Err(Unsettled::Changed(Box::new(now)));
        }
        self.live = now;
        Ok(())
    }
}

fn unreadable() -> ApiError {
    ApiError::Unreachable("its manifest cannot be read back".to_owned())
}
