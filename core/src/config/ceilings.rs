//! Which policies delegations name, and where.

use super::{Configuration, Delegation};
use crate::finding::Place;
use crate::path::FieldPath;

/// A policy that a delegation names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedCeiling<'a> {
    /// Where in `gitward.yaml`.
    pub(crate) field: FieldPath,
    /// The delegation.
    pub(crate) delegation: &'a str,
    /// The policy, as it is written.
    pub(crate) policy: &'a str,
    /// The kinds that it is to judge.
    pub(crate) kinds: Vec<&'a str>,
}

impl Configuration {
    /// Every policy that a delegation names, in the order of the file.
    pub(crate) fn ceilings_named(&self) -> impl Iterator<Item = NamedCeiling<'_>> {
        let delegations = self.delegations.iter().enumerate();
        delegations.flat_map(|(i, delegation)| named_by(delegation, &FieldPath::of(["delegations"]).index(i)))
    }

    /// Where the `index`th of [`Self::ceilings_named`] stands.
    pub(crate) fn ceiling_place(&self, index: usize) -> Place {
        self.ceiling_places.get(index).cloned().unwrap_or_else(super::unknown_place)
    }
}

fn named_by<'a>(delegation: &'a Delegation, at: &FieldPath) -> Vec<NamedCeiling<'a>> {
    let of_kinds = |kinds: &'a [String]| kinds.iter().map(String::as_str).collect::<Vec<_>>();
    let makes = delegation.makes.iter().map(|m| (of_kinds(&m.kinds), &m.policies));
    let sets = delegation.sets.iter().map(|s| (of_kinds(&s.kinds), &s.policies));
    let injects = delegation.injects.iter().map(|i| (vec!["Pod"], &i.policies));
    let mut named = Vec::new();
    for (list, entries) in
        [("makes", makes.collect::<Vec<_>>()), ("sets", sets.collect()), ("injects", injects.collect())]
    {
        for (n, (kinds, policies)) in entries.into_iter().enumerate() {
            let at = at.field(list).index(n).field("policies");
            named.extend(policies.iter().enumerate().map(|(p, policy)| NamedCeiling {
                field: at.index(p),
                delegation: &delegation.name,
                policy,
                kinds: kinds.clone(),
            }));
        }
    }
    named
}
