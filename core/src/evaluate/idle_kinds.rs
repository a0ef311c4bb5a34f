//! Policies for kinds that there are none of: they judge nothing, and nobody would notice.

use std::collections::HashSet;

use crate::config::Configuration;
use crate::finding::Finding;
use crate::policy::{Policies, Policy};
use crate::schema::{Schemas, nearest};

/// One warning for each kind in the `kinds` of a policy that no schema knows.
///
/// Where there are several environments, each knows its own CRDs only: there a kind has to look like a
/// slip of the pen.
pub(super) fn warnings(configuration: &Configuration, policies: &Policies, schemas: &[Schemas]) -> Vec<Finding> {
    let is_known = |kind: &str| known(schemas, kind);
    let unknown = |policy: &Policy| -> Vec<String> {
        let kinds = policy.kinds.iter().flatten();
        kinds.filter(|kind| !is_known(kind)).cloned().collect()
    };
    let mut warnings = Vec::new();
    for policy in policies.list() {
        for kind in unknown(policy) {
            let hint = meant(schemas, &kind);
            if hint.is_none() && configuration.environments.len() > 1 {
                continue;
            }
            let message = format!("{} judges no {kind}: there is no such kind", policy.rule);
            let finding = Finding::warning("policy/judges-nothing", message).with_place(policy.kinds_place.clone());
            warnings.push(finding.with_hint(
                hint.unwrap_or_else(|| {
                    "correct it in `kinds`, or add the kind's CRD (`gitward schema add`)".to_owned()
                }),
            ));
        }
    }
    warnings
}

/// Whether a kind is known, written as `Kind` or `Kind.group`.
fn known(schemas: &[Schemas], kind: &str) -> bool {
    let (name, group) = split(kind);
    schemas.iter().flat_map(Schemas::kinds).any(|gvk| gvk.kind == name && group.is_none_or(|group| group == gvk.group))
}

fn split(kind: &str) -> (&str, Option<&str>) {
    kind.split_once('.').map_or((kind, None), |(name, group)| (name, Some(group)))
}

/// What was meant most likely.
fn meant(schemas: &[Schemas], kind: &str) -> Option<String> {
    let (name, group) = split(kind);
    let groups: HashSet<&str> =
        schemas.iter().flat_map(Schemas::kinds).filter(|gvk| gvk.kind == name).map(|gvk| gvk.group.as_str()).collect();
    if group.is_some() && !groups.is_empty() {
        let mut written: Vec<String> =
            groups.iter().map(|g| if g.is_empty() { name.to_owned() } else { format!("{name}.{g}") }).collect();
        written.sort();
        return Some(format!("did you mean {}?", written.join(" or ")));
    }
    let singular = name.strip_suffix('s').unwrap_or(name);
    let mut names: Vec<&str> = schemas.iter().flat_map(Schemas::kinds).map(|gvk| gvk.kind.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let exact = names.iter().find(|known| known.eq_ignore_ascii_case(singular)).copied();
    exact.or_else(|| nearest(name, names.into_iter())).map(|name| format!("did you mean {name}?"))
}
