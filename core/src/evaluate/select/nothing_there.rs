//! Paths in `gitward.yaml` that the tree does not have: most likely misspelt, and silently nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{is_at, is_below, is_manifest};
use crate::config::{self, Configuration, EnvironmentConfig};
use crate::finding::{Finding, Place};

/// An environment's path that the tree does not have.
pub(super) fn environment(
    configuration: &Configuration,
    environment: &EnvironmentConfig,
    paths: &[&Arc<str>],
) -> Option<Finding> {
    let path = &environment.path;
    if paths.iter().any(|there| is_below(there, path)) {
        return None;
    }
    let message = format!("`path` of environment {} is {path}, and the tree has no manifests there", environment.name);
    // What is judged may be an environment of another commit than the rules.
    let index = configuration.environments.iter().position(|other| other == environment);
    Some(warning(message, index.and_then(|index| configuration.environment_places.get(index)), "manifests"))
}

/// Entries of `policies` and `crds` with nothing there that they could mean, in a tree of these files. What `before`
/// named already is left out.
pub fn roots<'p>(
    configuration: &Configuration,
    before: Option<&Configuration>,
    paths: impl Iterator<Item = &'p str>,
) -> Vec<Finding> {
    let paths: Vec<&str> = paths.collect();
    let named: BTreeSet<&String> =
        before.into_iter().flat_map(|before| before.policies.iter().chain(&before.crds)).collect();
    let is_empty =
        |root: &String, is_it: &dyn Fn(&str) -> bool| !named.contains(root) && !paths.iter().any(|p| is_it(p));
    let mut findings = Vec::new();
    for (index, root) in configuration.policies.iter().enumerate() {
        if is_empty(root, &|path| path.ends_with(".rego") && is_below(path, root)) {
            let message = format!("`policies` names {root}, and the tree has no policies there");
            findings.push(warning(message, configuration.policy_places.get(index), "policies (`.rego`)"));
        }
    }
    for (index, root) in configuration.crds.iter().enumerate() {
        if is_empty(root, &|path| is_manifest(path) && is_at(path, root)) {
            let message = format!("`crds` names {root}, and the tree has no schemas there");
            findings.push(warning(message, configuration.crd_places.get(index), "schemas"));
        }
    }
    findings
}

fn warning(message: String, place: Option<&Place>, what: &str) -> Finding {
    let place = place.cloned().unwrap_or_else(|| Place { file: Arc::from(config::FILE), line: 1, column: 1 });
    Finding::warning("config/nothing-there", message)
        .with_place(Some(place))
        .with_hint(format!("correct the path, or put {what} there"))
}
