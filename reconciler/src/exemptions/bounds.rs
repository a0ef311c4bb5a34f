//! In what delegations are broader than what their operators were seen to do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gitward_core::config::Delegation;
use gitward_core::delegation::bounds::{self, Bound, MOST_VALUES, Use, fingerprint};
use gitward_core::finding::Place;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::snapshot::Snapshot;
use gitward_index::bounds::Used;
use gitward_index::environment::{BoundsUse, DeclarationUse, UnneededBound};
use jiff::{SignedDuration, Timestamp};

use super::ledger::{Sound, whole_seconds};
use crate::state::State;

/// Condition of the Environment that says whether every bound is needed as it is.
pub(super) const CONDITION: &str = "BoundsInUse";

/// Bounds of all delegations together that are watched.
const MOST: usize = 1024;

/// Bounds of one delegation that are told of in a sentence.
const MOST_TOLD: usize = 12;

/// What begins the note of a value of which only the fingerprint is known.
const UNKNOWN: char = '#';

/// What such a value is called.
const GONE: &str = "one thing that is gone";

/// The bounds of the delegations that are in force, and what was seen of them.
#[derive(Debug, Default)]
pub(super) struct Watch {
    by_name: BTreeMap<String, Watched>,
    /// What an earlier process noted, until it is known what Git declares.
    noted: BTreeMap<String, BoundsUse>,
}

#[derive(Debug)]
struct Watched {
    since: Timestamp,
    digest: String,
    place: Place,
    bounds: Vec<(Bound, Place)>,
    seen: Vec<Seen>,
}

/// What was seen of a bound, by fingerprint; what is only known by that has no text.
type Seen = BTreeMap<String, Option<String>>;

/// What is told of the bounds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) sound: Sound,
    /// Of each delegation that is broader, a sentence and in how many bounds.
    pub(super) broader: BTreeMap<String, (String, usize)>,
}

impl Watch {
    /// Goes on from what an earlier process noted.
    pub(super) fn restored(uses: &[DeclarationUse]) -> Self {
        let noted = uses.iter().filter_map(|u| Some((u.name.clone(), u.bounds.clone()?)));
        Self { by_name: BTreeMap::new(), noted: noted.collect() }
    }

    /// Begins to watch what is new, and from the beginning what has other bounds, and forgets what Git
    /// declares no more.
    pub(super) fn keep(&mut self, held: &Snapshot, now: Timestamp) {
        let configuration = &held.configuration;
        let mut before = std::mem::take(&mut self.by_name);
        let mut room = MOST;
        for (i, delegation) in configuration.delegations.iter().enumerate() {
            if !delegation.in_force(now) || !delegation.is_of(&held.environment) {
                continue;
            }
            let bounds: Vec<Bound> = bounds::of(delegation).into_iter().take(room).collect();
            room -= bounds.len();
            let digest = bounds::digest(&bounds);
            let places = (0..bounds.len()).map(|b| configuration.bound_place(i, b));
            let bounds: Vec<(Bound, Place)> = bounds.into_iter().zip(places).collect();
            let kept = before.remove(&delegation.name).filter(|w| w.digest == digest).map(|w| (w.since, w.seen));
            let noted = self.noted.get(&delegation.name).filter(|n| n.digest == digest);
            let kept = kept.or_else(|| read(noted?, &bounds));
            let (since, seen) = kept.unwrap_or_else(|| (whole_seconds(now), vec![BTreeMap::new(); bounds.len()]));
            let place = configuration.delegation_place(i);
            self.by_name.insert(delegation.name.clone(), Watched { since, digest, place, bounds, seen });
        }
        self.noted.clear();
    }

    /// Takes what one replica of the webhook saw.
    pub(super) fn admitted(&mut self, of_replica: &BTreeMap<String, Used>) {
        for (name, used) in of_replica {
            let Some(watched) = self.by_name.get_mut(name).filter(|w| w.digest == used.digest) else { continue };
            for (bound, values) in &used.seen {
                values.iter().for_each(|print| watched.note(*bound, print.clone(), None));
            }
        }
    }

    /// Looks at what is in the cluster.
    pub(super) fn look(&mut self, state: &State, held: &Snapshot) {
        for delegation in &held.configuration.delegations {
            let Some(watched) = self.by_name.get_mut(&delegation.name) else { continue };
            if watched.is_open() {
                watched.look(delegation, state, held);
            }
        }
    }

    /// What is written into the Environment of one delegation.
    pub(super) fn of(&self, name: &str) -> Option<BoundsUse> {
        self.by_name.get(name).map(Watched::written)
    }

    /// What is told, of what was watched for so long; `unasked` why the webhook could not say what it saw.
    pub(super) fn told(&self, held: &Snapshot, after: Duration, unasked: Option<&str>, now: Timestamp) -> Told {
        let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
        let (ripe, young): (Vec<_>, Vec<_>) =
            self.by_name.iter().partition(|(_, w)| now.duration_since(w.since) >= after);
        let broader: BTreeMap<String, (String, usize)> =
            ripe.iter().filter_map(|(name, w)| Some(((*name).clone(), w.broader(name, held)?))).collect();
        let (status, reason) = match (broader.is_empty(), unasked, young.is_empty()) {
            _ if self.by_name.is_empty() => ("True", "NoneDeclared"),
            (false, None, _) => ("False", "Broader"),
            (false, Some(_), _) => ("Unknown", "WebhookNotAsked"),
            (true, _, false) => ("Unknown", "Watching"),
            (true, _, true) => ("True", "InUse"),
        };
        let mut parts: Vec<String> = broader.values().map(|(told, _)| told.clone()).collect();
        match (parts.is_empty(), reason) {
            (false, _) => parts.push("to do: take out of gitward.yaml what nobody needs".to_owned()),
            (_, "NoneDeclared") => parts.push("Git declares no delegations here".to_owned()),
            (_, "InUse") => parts.push("every bound of every delegation was seen to be needed".to_owned()),
            _ => {}
        }
        for (name, watched) in young {
            parts.push(format!("delegation {name} ({}) is watched since {}", watched.place, watched.since));
        }
        parts.extend(unasked.map(|why| format!("the webhook could not be asked what it let through: {why}")));
        Told { sound: Sound { status, reason, message: parts.join("; ") }, broader }
    }
}

impl Watched {
    fn note(&mut self, bound: usize, print: String, text: Option<String>) {
        let Some(values) = self.seen.get_mut(bound) else { return };
        let known = values.len();
        if let Some(there) = values.get_mut(&print) {
            *there = there.take().or(text);
        } else if known < MOST_VALUES {
            values.insert(print, text);
        }
    }

    fn values(&self, bound: usize) -> BTreeSet<String> {
        self.seen.get(bound).into_iter().flatten().map(|(print, text)| named(print, text.as_ref())).collect()
    }

    /// The same for people.
    fn shown(&self, bound: usize) -> BTreeSet<String> {
        let known = |value: String| if value.starts_with(UNKNOWN) { GONE.to_owned() } else { value };
        self.values(bound).into_iter().map(known).collect()
    }

    fn is_open(&self) -> bool {
        (0..self.bounds.len()).any(|i| !self.bounds[i].0.is_needed(&self.values(i)))
    }

    fn look(&mut self, delegation: &Delegation, state: &State, held: &Snapshot) {
        let bounds: Vec<Bound> = self.bounds.iter().map(|(bound, _)| bound.clone()).collect();
        let context = state.context(held);
        let adds = !delegation.injects.is_empty();
        for served in state.index.discovery().table().all() {
            let (group, kind) = (&served.resource.group, &served.resource.kind);
            let is_pod = group.is_empty() && kind == "Pod";
            let is_spoken_of = delegation.names_kind_of(&ObjectKey::new(group, kind, "", "")) || (adds && is_pod);
            if !is_spoken_of {
                continue;
            }
            for live in state.index.list(group, kind, "") {
                let key = ObjectKey::new(group, kind, object::namespace(&live), object::name(&live));
                if !held.governs(&key) {
                    continue;
                }
                for Use { bound, value } in bounds::by_live(&bounds, delegation, &key, &live, &context) {
                    self.note(bound, fingerprint(&value), Some(value));
                }
            }
        }
    }

    fn written(&self) -> BoundsUse {
        let unneeded = self.bounds.iter().enumerate().filter(|(i, (bound, _))| !bound.is_needed(&self.values(*i)));
        let unneeded = unneeded.map(|(i, (bound, _))| UnneededBound {
            field: bound.field.to_string(),
            seen: self.values(i).into_iter().collect(),
        });
        BoundsUse { since: self.since.to_string(), digest: self.digest.clone(), unneeded: unneeded.collect() }
    }

    /// In what it is broader than what was seen, in a sentence, and in how many bounds.
    fn broader(&self, name: &str, held: &Snapshot) -> Option<(String, usize)> {
        let each = self.bounds.iter().enumerate();
        let told: Vec<String> = each
            .filter_map(|(i, (bound, place))| {
                // Two that nobody can name are two.
                let told = Some(bound)
                    .filter(|b| !b.is_needed(&self.values(i)))?
                    .broader(&self.shown(i), &held.environment)?;
                Some(format!("{told} (line {})", place.line))
            })
            .collect();
        let more = told.len().checked_sub(MOST_TOLD).filter(|more| *more > 0);
        let more = more.map(|more| format!(", and {more} more")).unwrap_or_default();
        let listed = told.iter().take(MOST_TOLD).cloned().collect::<Vec<_>>().join(", ");
        let (place, since) = (&self.place, self.since);
        let sentence =
            || format!("delegation {name} ({place}) is broader than what was seen since {since}: {listed}{more}");
        (!told.is_empty()).then(|| (sentence(), told.len()))
    }
}

/// What an earlier process noted of bounds: what it did not name is needed as it is.
fn read(noted: &BoundsUse, bounds: &[(Bound, Place)]) -> Option<(Timestamp, Vec<Seen>)> {
    let since = noted.since.parse().ok()?;
    let seen = bounds.iter().map(|(bound, _)| {
        let field = bound.field.to_string();
        match noted.unneeded.iter().find(|u| u.field == field) {
            Some(unneeded) => unneeded
                .seen
                .iter()
                .map(|value| match value.strip_prefix(UNKNOWN) {
                    Some(print) => (print.to_owned(), None),
                    None => (fingerprint(value), Some(value.clone())),
                })
                .collect(),
            None => bound.any_values().into_iter().map(|value| (fingerprint(&value), Some(value))).collect(),
        }
    });
    Some((since, seen.collect()))
}

/// A value by its text or, where that is not known, its fingerprint: levels are few enough to be known by it.
fn named(print: &str, text: Option<&String>) -> String {
    let level = || ["privileged", "baseline", "restricted"].into_iter().find(|level| fingerprint(level) == print);
    text.cloned().or_else(|| level().map(str::to_owned)).unwrap_or_else(|| format!("{UNKNOWN}{print}"))
}

#[cfg(test)]
mod tests;
