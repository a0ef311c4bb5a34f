//! Requests in another served version than the one that Git declares.
//!
//! Comparing an object with what Git says needs both in one version. The API server converts a
//! request for us where a rule names another version of the same resource, and only if no rule of
//! that webhook names the request's own. So each pair of webhooks is split in two where it matters:
//!
//! - one whose rules name the version that is judged in, of each resource served in several; the
//!   API server converts to it;
//! - the rest, whatever version and whatever kind, without what the first is certain to be asked
//!   about: requests in exactly those versions. It goes on being asked about the other versions too,
//!   since whether the API server knows a way from one version to another may change at any time,
//!   and nothing may fall between the two. The webhook passes what it knows to be
//!   [judged converted](crate::register::Conversions).
//!
//! Resources served in a single version, which are nearly all, are asked about once and cost
//! nothing more. A kind that appears belongs to the rest from its first moment on.

use std::collections::BTreeSet;

use gitward_core::object::Gvk;
use gitward_index::discovery::Table;
use k8s_openapi::api::admissionregistration::v1::{MatchCondition, RuleWithOperations};
use kube::core::ApiResource;

use super::{Asked, condition, quoted, rule};

/// A resource that is served in several versions, of which not all are judged in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Converted {
    /// API group; empty for the core group.
    pub group: String,
    /// Plural name.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The versions that it is judged in: those that Git declares objects in, or the most stable
    /// one. Requests in others are converted to one of them.
    pub versions: BTreeSet<String>,
}

/// Resources that are never asked about, in any version.
const LEFT_OUT: [(&str, &str); 3] = [("", "events"), ("events.k8s.io", "events"), ("coordination.k8s.io", "leases")];

/// More are not converted, but judged as they come: the registration has to stay of a size that
/// the API server stores.
const MOST: usize = 1000;

/// Longest list in one expression, in bytes; the API server parses ten thousand more.
const LONGEST: usize = 50_000;

/// The resources to be converted, given the kinds and versions that Git declares. Those that it
/// declares come first.
pub fn converted(declared: &BTreeSet<Gvk>, served: &Table) -> Vec<Converted> {
    let mut found: Vec<(bool, Converted)> = Vec::new();
    for one in served.all() {
        let ApiResource { group, kind, plural, version, .. } = &one.resource;
        let all: BTreeSet<&str> = served.versions(group, plural).collect();
        if all.len() < 2 || LEFT_OUT.contains(&(group, plural)) || group == "authorization.k8s.io" {
            continue;
        }
        let of_kind = declared.iter().filter(|g| g.group == *group && g.kind == *kind);
        let mut versions: BTreeSet<String> =
            of_kind.map(|g| g.version.clone()).filter(|v| all.contains(v.as_str())).collect();
        let undeclared = versions.is_empty();
        if undeclared {
            versions.insert(version.clone());
        }
        if versions.len() < all.len() {
            let (group, plural) = (group.clone(), plural.clone());
            found.push((undeclared, Converted { group, plural, namespaced: one.namespaced, versions }));
        }
    }
    found.sort();
    found.into_iter().map(|(_, one)| one).take(MOST).collect()
}

/// Splits what a pair of webhooks is asked about, if there is anything to convert in it.
pub(super) fn split(asked: Asked, converted: &[Converted]) -> Vec<Asked> {
    let within: Vec<&Converted> = converted.iter().filter(|c| asked.rules.iter().any(|r| covers(r, c))).collect();
    if within.is_empty() {
        return vec![asked];
    }
    let by_version = Asked {
        what: format!("{}-by-version", asked.what),
        rules: within.iter().map(|c| rule_of(c)).collect(),
        ..asked.clone()
    };
    let mut rest = Asked { any_version: true, ..asked };
    rest.only.extend(without(&within));
    vec![by_version, rest]
}

fn covers(rule: &RuleWithOperations, converted: &Converted) -> bool {
    let names =
        |list: &Option<Vec<String>>, name: &str, all: &str| list.iter().flatten().any(|one| one == name || one == all);
    let scope = if converted.namespaced { "Namespaced" } else { "Cluster" };
    names(&rule.api_groups, &converted.group, "*")
        && names(&rule.resources, &converted.plural, "*/*")
        && rule.scope.as_deref() == Some(scope)
}

fn rule_of(converted: &Converted) -> RuleWithOperations {
    let Converted { group, plural, namespaced, versions } = converted;
    RuleWithOperations {
        api_versions: Some(versions.iter().cloned().collect()),
        resources: Some(vec![plural.clone(), format!("{plural}/*")]),
        ..rule(group, "", if *namespaced { "Namespaced" } else { "Cluster" })
    }
}

/// Nothing that the rules by version match as it comes.
fn without(converted: &[&Converted]) -> Vec<MatchCondition> {
    let mut lists = vec![String::new()];
    for one in converted {
        for version in &one.versions {
            let name = quoted(&format!("{}/{version}/{}", one.group, one.plural));
            match lists.last_mut() {
                Some(list) if list.is_empty() => list.push_str(&name),
                Some(list) if list.len() + name.len() < LONGEST => {
                    list.push_str(", ");
                    list.push_str(&name);
                }
                _ => lists.push(name),
            }
        }
    }
    let requested = "request.resource.group + '/' + request.resource.version + '/' + request.resource.resource";
    lists
        .iter()
        .enumerate()
        .map(|(i, list)| condition(&format!("not-by-version-{i}"), format!("!(({requested}) in [{list}])")))
        .collect()
}
