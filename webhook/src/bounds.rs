//! Which bounds of delegations were used by what was let through: the reconciler asks for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use gitward_core::config::{Configuration, Delegation};
use gitward_core::delegation::bounds::{self, Bound, MOST_VALUES, fingerprint};
use gitward_core::derived::Context;
use gitward_core::request::Request;
use gitward_core::verdict::{Origin, Verdict};
use gitward_index::bounds::Used;

/// The uses of each delegation's bounds since the start, or since Git last changed the bounds.
#[derive(Default)]
pub struct BoundUses(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    /// What the rest was made of.
    configuration: Arc<Configuration>,
    delegations: HashMap<String, Delegated>,
}

struct Delegated {
    bounds: Vec<Bound>,
    digest: String,
    /// Of each bound, fingerprints of values.
    seen: Vec<BTreeSet<String>>,
}

impl BoundUses {
    /// Notes what a request used that was let through.
    pub fn note(&self, request: &Request<'_>, verdict: &Verdict, context: &Context<'_>) {
        let names: BTreeSet<&str> = verdict.traced.iter().filter_map(|t| delegated(&t.origin)).collect();
        if names.is_empty() || request.dry_run || !verdict.allowed() {
            return;
        }
        let configuration = &context.snapshot.configuration;
        for delegation in configuration.delegations.iter().filter(|d| names.contains(d.name.as_str())) {
            let Some(bounds) = self.open_bounds(configuration, delegation) else { continue };
            let uses = bounds::by_request(&bounds, delegation, request, &verdict.traced, context);
            self.with(configuration, |watched| {
                let Some(watched) = watched.get_mut(&delegation.name).filter(|w| w.bounds == bounds) else { return };
                for used in uses {
                    if let Some(values) = watched.seen.get_mut(used.bound).filter(|v| v.len() < MOST_VALUES) {
                        values.insert(fingerprint(&used.value));
                    }
                }
            });
        }
    }

    /// What is told of them.
    pub fn told(&self, configuration: &Arc<Configuration>) -> BTreeMap<String, Used> {
        self.with(configuration, |watched| {
            let told = |(name, d): (&String, &Delegated)| {
                let seen = d.seen.iter().enumerate().filter(|(_, values)| !values.is_empty());
                let seen = seen.map(|(i, values)| (i, values.clone())).collect();
                (name.clone(), Used { digest: d.digest.clone(), seen })
            };
            watched.iter().map(told).collect()
        })
    }

    /// The bounds of a delegation, unless all of them were used for all that is told apart.
    fn open_bounds(&self, configuration: &Arc<Configuration>, delegation: &Delegation) -> Option<Vec<Bound>> {
        self.with(configuration, |watched| {
            let watched = watched.get(&delegation.name)?;
            let is_open =
                |(bound, seen): (&Bound, &BTreeSet<String>)| seen.is_empty() || bound.tells_values(seen.len());
            watched.bounds.iter().zip(&watched.seen).any(is_open).then(|| watched.bounds.clone())
        })
    }

    fn with<R>(&self, configuration: &Arc<Configuration>, act: impl FnOnce(&mut HashMap<String, Delegated>) -> R) -> R {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&watched.configuration, configuration) {
            watched.follow(configuration);
        }
        act(&mut watched.delegations)
    }
}

impl Watched {
    /// Keeps what was seen of bounds that are still the same.
    fn follow(&mut self, configuration: &Arc<Configuration>) {
        let mut before = std::mem::take(&mut self.delegations);
        for delegation in &configuration.delegations {
            let bounds = bounds::of(delegation);
            let digest = bounds::digest(&bounds);
            let kept = before.remove(&delegation.name).filter(|d| d.digest == digest).map(|d| d.seen);
            let seen = kept.unwrap_or_else(|| vec![BTreeSet::new(); bounds.len()]);
            self.delegations.insert(delegation.name.clone(), Delegated { bounds, digest, seen });
        }
        self.configuration = configuration.clone();
    }
}

fn delegated(origin: &Origin) -> Option<&str> {
    match origin {
        Origin::Delegated { name, .. } => Some(name),
        _ => None,
    }
}
