//! The snapshot: everything known about one commit of one environment, immutable.
//!
//! It is built when Git changes and swapped as a whole; a request is then a lookup and a
//! comparison in memory.

mod autoscalers;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::additions::{Additions, Entry};
use crate::change;
use crate::config::{Configuration, EnvironmentConfig};
use crate::finding::Place;
use crate::manifest::Manifest;
use crate::object::{self, Gvk, ObjectKey};
use crate::path::{FieldPath, Step};

pub use autoscalers::Autoscalers;

/// A commit and who made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Full object id, hexadecimal.
    pub id: String,
    /// `Name <mail>` of the author.
    pub author: String,
    /// Commit time.
    pub time: Timestamp,
    /// First line of the message.
    pub subject: String,
}

impl Commit {
    /// The first twelve digits of the id.
    pub fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

/// A digest of a declared object's canonical content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The digest of a JSON value; map order does not matter since maps are sorted.
    pub fn of(value: &Value) -> Self {
        Self(blake3::hash(value.to_string().as_bytes()).to_hex()[..32].to_owned())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the API server makes of a declared object.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The object as the API server answered, [normalised](crate::change::normalised).
    pub object: Value,
    /// The uid of the live object that this was learnt for; `None` if it was learnt by a dry run
    /// of a creation and holds for whatever is created from the declared object.
    pub uid: Option<String>,
    /// What the API server answered to our own creation of the object with that uid, normalised:
    /// it holds what is set at creation only. `None` if others made the object.
    pub record: Option<Value>,
}

/// One object that Git declares at the snapshot's commit.
#[derive(Debug, Clone)]
pub struct Declared {
    /// As written, with places.
    pub manifest: Manifest,
    /// Namespace filled in, `stringData` merged into `data`: what is sent to the API server.
    pub canonical: Arc<Value>,
    /// Digest of `canonical`.
    pub digest: Digest,
    /// Whether the kind keeps its status in a subresource.
    pub has_status_subresource: bool,
    /// What the API server makes of it; `None` until it was learnt.
    pub expected: Option<Arc<Expected>>,
    /// What `expected` follows from.
    pub learnt: Option<Arc<Entry>>,
    /// What Git declared before, until it is learnt what the API server makes of this: nothing was
    /// written of this yet, and if the commit is refused, nothing will be.
    pub before: Option<Arc<Declared>>,
}

impl Declared {
    /// Where in Git a field stands.
    pub fn place(&self, path: &FieldPath) -> Place {
        match self.in_string_data(path) {
            Some(written) => self.manifest.place(&written),
            None => self.manifest.place(path),
        }
    }

    /// The field of `stringData` that a Secret's field of `data` comes from, which is where a person
    /// wrote it: the API server knows `data` alone.
    fn in_string_data(&self, path: &FieldPath) -> Option<FieldPath> {
        let (first, rest) = path.0.split_first()?;
        let manifest = &self.manifest;
        let is_secret = manifest.key.group.is_empty() && manifest.key.kind == "Secret";
        if !is_secret || *first != Step::Field("data".to_owned()) {
            return None;
        }
        let plain = FieldPath::of(["stringData"]);
        let written = FieldPath(plain.0.iter().chain(rest).cloned().collect());
        let stands_there = written.get(&manifest.value).is_some();
        let nowhere_else = manifest.value.get("data").is_none() && plain.get(&manifest.value).is_some();
        (stands_there || nowhere_else).then_some(written)
    }

    /// Whether this is what `expected` follows from already.
    fn knows(&self, entry: Option<&Entry>) -> bool {
        self.learnt.as_deref() == entry
    }

    /// Takes what was learnt of it; an entry for another content says nothing of this one.
    pub fn learn(&mut self, entry: Option<&Entry>) {
        self.expected = entry.and_then(|e| e.expected(self)).map(Arc::new);
        self.learnt = entry.cloned().map(Arc::new);
        if self.expected.is_some() {
            self.before = None;
        }
    }

    /// What the API server would make of earlier contents of the object, as far as that follows from what it
    /// makes of this one; `None` if that is not known.
    pub fn expected_before(&self, earlier: &[Self]) -> Option<Vec<Expected>> {
        let entry = self.learnt.as_deref()?;
        Some(earlier.iter().filter_map(|earlier| entry.expected_before(self, earlier)).collect())
    }

    /// The version it is declared in.
    pub fn gvk(&self) -> &Gvk {
        &self.manifest.gvk
    }
}

/// A declared object of a former commit, kept for a bounded time: a controller may still be acting
/// on it.
#[derive(Debug, Clone)]
pub struct Former {
    /// When another content replaced it.
    pub replaced: Timestamp,
    /// What the API server had made of it.
    pub expected: Arc<Expected>,
}

impl Former {
    /// Whether controllers make other objects by it.
    fn has_template(&self) -> bool {
        TEMPLATES.iter().any(|path| self.expected.object.pointer(path).is_some())
    }
}

/// Where a workload keeps the template of what its controller makes.
const TEMPLATES: [&str; 2] = ["/spec/template", "/spec/jobTemplate"];

/// How long a former template counts for what controllers make of it (see `derived.md`: a
/// controller read its owner before it wrote the child).
pub const FORMER_WINDOW: SignedDuration = SignedDuration::from_secs(30);

/// How many former contents of an object are remembered. Past the window they explain what is there
/// (an old ReplicaSet of a rollout), and let nothing new be made.
pub const FORMER_KEPT: usize = 10;

/// Everything known about one commit of one environment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The environment as `gitward.yaml` declares it at this commit.
    pub environment: EnvironmentConfig,
    /// The whole `gitward.yaml` of this commit.
    pub configuration: Arc<Configuration>,
    /// The commit.
    pub commit: Commit,
    /// Declared objects by key.
    pub declared: HashMap<ObjectKey, Arc<Declared>>,
    /// Declared objects of former commits.
    pub former: HashMap<ObjectKey, Vec<Former>>,
    /// What the declared autoscalers scale; found when it is first asked for.
    pub autoscalers: Autoscalers,
}

impl Snapshot {
    /// Puts a snapshot together from what Git declares and what was learnt.
    ///
    /// What `previous` expected and this commit declares otherwise is kept as [`Former`].
    pub fn assemble(
        environment: EnvironmentConfig,
        configuration: Arc<Configuration>,
        commit: Commit,
        declared: Vec<Declared>,
        additions: &Additions,
        previous: Option<&Snapshot>,
        now: Timestamp,
    ) -> Self {
        let declared = declared
            .into_iter()
            .map(|mut d| {
                let key = d.manifest.key.clone();
                d.learn(additions.entries.get(&key));
                (key, Arc::new(d))
            })
            .collect();
        let autoscalers = Autoscalers::default();
        let snapshot = Self { environment, configuration, commit, declared, former: HashMap::new(), autoscalers };
        match previous {
            Some(previous) => snapshot.following(previous, now),
            None => snapshot,
        }
    }

    /// The same after a snapshot of another commit: what is not learnt yet counts as it was there, and
    /// what is declared otherwise is kept as [`Former`].
    #[must_use]
    pub fn following(mut self, previous: &Snapshot, now: Timestamp) -> Self {
        for (key, declared) in &mut self.declared {
            if let Some(before) = previous.declared.get(key).filter(|_| declared.expected.is_none()) {
                let known = before.expected.is_some();
                Arc::make_mut(declared).before = if known { Some(before.clone()) } else { before.before.clone() };
            }
        }
        self.keep_former(previous, now);
        self
    }

    /// The same commit with other additions. Objects of which nothing new was learnt stay as they
    /// are: it costs as much as what changed.
    #[must_use]
    pub fn with_additions(&self, additions: &Additions) -> Self {
        let mut next = self.clone();
        for (key, declared) in &mut next.declared {
            let entry = additions.entries.get(key);
            if !declared.knows(entry) {
                Arc::make_mut(declared).learn(entry);
            }
        }
        next
    }

    /// The same with what earlier commits made of an object, the oldest first. It explains what was made
    /// before `until`, and lets nothing be made.
    #[must_use]
    pub fn remembering(&self, key: &ObjectKey, earlier: Vec<Expected>, until: Timestamp) -> Self {
        let mut next = self.clone();
        let replaced = until - FORMER_WINDOW;
        let former = |expected| Former { replaced, expected: Arc::new(expected) };
        let kept = next.former.remove(key).unwrap_or_default();
        let mut all: Vec<Former> = earlier.into_iter().map(former).chain(kept).collect();
        all.drain(..all.len().saturating_sub(FORMER_KEPT));
        next.former.insert(key.clone(), all);
        next
    }

    /// Whether that was done already.
    pub fn remembers(&self, key: &ObjectKey, until: Timestamp) -> bool {
        self.former.get(key).is_some_and(|kept| kept.iter().any(|former| former.replaced == until - FORMER_WINDOW))
    }

    /// Former contents explain what controllers made of their templates, and within which bounds they
    /// scaled. Of any other object it only counts that Git once declared it, when it no longer does.
    fn keep_former(&mut self, previous: &Snapshot, now: Timestamp) {
        let declared = &self.declared;
        let counts = |key: &ObjectKey, former: &Former| {
            former.has_template() || autoscalers::scales(key) || !declared.contains_key(key)
        };
        self.former.clone_from(&previous.former);
        for (key, before) in &previous.declared {
            let Some(expected) = &before.expected else { continue };
            if declared.get(key).is_none_or(|d| d.digest != before.digest) {
                let former = Former { replaced: now, expected: expected.clone() };
                self.former.entry(key.clone()).or_default().push(former);
            }
        }
        self.former.retain(|key, kept| {
            kept.retain(|former| counts(key, former));
            let all = autoscalers::scales(key) || kept.iter().any(Former::has_template);
            let most = if all { FORMER_KEPT } else { 1 };
            kept.drain(..kept.len().saturating_sub(most));
            !kept.is_empty()
        });
    }

    /// The declared object of that name.
    pub fn declared(&self, key: &ObjectKey) -> Option<&Declared> {
        self.declared.get(key).map(Arc::as_ref)
    }

    /// Whether the object of that name is declared.
    pub fn is_declared(&self, key: &ObjectKey) -> bool {
        self.declared.contains_key(key)
    }

    /// Former contents of a declared object that still count at `now`.
    pub fn former<'a>(&'a self, key: &ObjectKey, now: Timestamp) -> impl Iterator<Item = &'a Expected> + use<'a> {
        self.former
            .get(key)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter(move |f| now.duration_since(f.replaced) <= FORMER_WINDOW)
            .map(|f| f.expected.as_ref())
    }

    /// Whether this very object is one that Git stopped declaring and that was not pruned yet. Until
    /// it goes, controllers work on it as they did.
    pub fn is_leaving(&self, key: &ObjectKey, live: &Value) -> bool {
        let former = self.former.get(key).and_then(|kept| kept.last());
        former.filter(|_| !self.is_declared(key)).is_some_and(|former| {
            let (uid, last) = (former.expected.uid.as_deref(), &former.expected.object);
            let same_template = |path: &&str| match (last.pointer(path), live.pointer(path)) {
                (Some(last), Some(live)) => change::same(last, live),
                (last, live) => last.is_none() && live.is_none(),
            };
            uid == Some(object::uid(live)) && TEMPLATES.iter().all(same_template)
        })
    }

    /// Whether an object is this environment's to judge: it lives in a governed namespace, is a
    /// governed namespace, or is of a governed cluster-scoped kind; in shared namespaces and of
    /// shared kinds, if Git declares it.
    pub fn governs(&self, key: &ObjectKey) -> bool {
        self.environment.governs(key) || (self.environment.shares(key) && self.is_declared(key))
    }

    /// The replicas that a declared HorizontalPodAutoscaler may give an object: fewest and most.
    pub fn autoscaled(&self, key: &ObjectKey) -> Option<(i64, i64)> {
        self.autoscalers.bounds(&self.declared, key)
    }

    /// Whether a declared autoscaler could give an object so many replicas by bounds that Git moved so
    /// shortly ago that it may not have acted on the new ones.
    pub fn was_autoscaled(&self, key: &ObjectKey, replicas: i64, now: Timestamp) -> bool {
        let mut autoscalers = self.former.keys().filter(|k| k.namespace == key.namespace && autoscalers::scales(k));
        autoscalers.any(|autoscaler| {
            let mut former = self.former(autoscaler, now).filter_map(|e| autoscalers::scaled_by(autoscaler, &e.object));
            former.any(|(target, (min, max))| target == *key && (min..=max).contains(&replicas))
        })
    }

    /// What Git declares where others live as well.
    pub fn shared(&self) -> impl Iterator<Item = &Declared> {
        self.declared.values().map(Arc::as_ref).filter(|d| self.environment.shares(&d.manifest.key))
    }
}

#[cfg(test)]
impl Snapshot {
    /// One of a commit that declares nothing.
    pub(crate) fn of_nothing() -> Self {
        let commit =
            Commit { id: "0".repeat(40), author: String::new(), time: Timestamp::UNIX_EPOCH, subject: String::new() };
        Self {
            environment: EnvironmentConfig::default(),
            configuration: Arc::default(),
            commit,
            declared: HashMap::new(),
            former: HashMap::new(),
            autoscalers: Autoscalers::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Limits};

    #[test]
    fn a_secrets_data_stands_where_it_was_written() {
        let text =
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\ndata:\n  x: eA==\nstringData:\n  w: w\n";
        let place = |text: &str, key: &str| {
            let manifest = manifest::read(&"a.yaml".into(), text.as_bytes(), &Limits::default()).0.remove(0);
            let (canonical, digest) = (Value::Null, Digest(String::new()));
            let declared = Declared {
                manifest,
                canonical: canonical.into(),
                digest,
                has_status_subresource: false,
                expected: None,
                learnt: None,
                before: None,
            };
            declared.place(&FieldPath::of(["data", key])).to_string()
        };
        assert_eq!(place(text, "x"), "a.yaml:5:6");
        assert_eq!(place(text, "w"), "a.yaml:7:6");
        assert_eq!(place(text, "z"), "a.yaml:4:1");
        assert_eq!(place(&text.replace("data:\n  x: eA==\n", ""), "z"), "a.yaml:4:1");
        assert_eq!(place(&text.replace("Secret", "ConfigMap"), "w"), "a.yaml:4:1");
    }
}
