//! Which files of a tree hold an environment's manifests.

mod listing;
mod nothing_there;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::config::{self, Configuration, EnvironmentConfig};
use crate::finding::{Finding, Place};

pub use nothing_there::roots as nothing_there;

/// Files with manifests, by their positions in the tree, and directories that would have to be rendered
/// first.
pub(super) struct Selected {
    pub(super) files: Vec<usize>,
    pub(super) findings: Vec<Finding>,
}

/// The texts of kustomizations, by their paths.
pub(super) type Kustomizations<'a> = HashMap<&'a str, Arc<[u8]>>;

/// Which files of a tree have to be read before it can be told which hold manifests.
pub(super) fn kustomizations(environment: &EnvironmentConfig, paths: &[&Arc<str>]) -> Vec<usize> {
    let needed = |path: &str| is_kustomization(path) && is_below(path, &environment.path) && !is_hidden(path);
    (0..paths.len()).filter(|index| needed(paths[*index])).collect()
}

pub(super) fn manifests(
    environment: &EnvironmentConfig,
    configuration: &Configuration,
    paths: &[&Arc<str>],
    texts: &Kustomizations<'_>,
) -> Selected {
    let mut rendered = rendered_directories(environment, paths);
    let listed = listing::take_plain(&mut rendered, paths, texts, configuration.unconfigured);
    let is_written = !configuration.unconfigured;
    let mut findings: Vec<Finding> =
        nothing_there::environment(configuration, environment, paths).filter(|_| is_written).into_iter().collect();
    for (directory, (tool, file)) in &rendered {
        if enclosing(&rendered, parent(directory)).is_none() {
            findings.push(not_rendered(directory, tool, file, listed.reads(directory)));
        }
    }
    let holds_manifests = |path: &str| {
        is_manifest(path)
            && is_below(path, &environment.path)
            && path != config::FILE
            && !is_hidden(path)
            && !configuration.policies.iter().any(|d| is_below(path, d))
            && !only_says(environment, configuration, path)
            && match listed.says(path) {
                Some(is_listed) => is_listed,
                None => enclosing(&rendered, parent(path)).is_none(),
            }
    };
    let files = (0..paths.len()).filter(|index| holds_manifests(paths[*index])).collect();
    Selected { files, findings }
}

/// Files with CRDs that only say what custom resources look like.
pub(super) fn schemas(
    environment: &EnvironmentConfig,
    configuration: &Configuration,
    paths: &[&Arc<str>],
) -> Vec<usize> {
    let (own, roots) = (&environment.path, &configuration.crds);
    let says = |path: &str| {
        let is_declared = || is_below(path, own) && !roots.iter().any(|root| is_beneath(own, root, path));
        is_manifest(path) && roots.iter().any(|root| is_at(path, root)) && !is_declared()
    };
    (0..paths.len()).filter(|index| says(paths[*index])).collect()
}

/// Whether a file of the environment's path is in `crds`, and so declares nothing. An entry that holds
/// the whole path takes nothing away from it.
fn only_says(environment: &EnvironmentConfig, configuration: &Configuration, file: &str) -> bool {
    configuration.crds.iter().any(|root| is_beneath(&environment.path, root, file))
}

/// Whether a file is at a root that lies within the environment's path.
fn is_beneath(own: &str, root: &str, file: &str) -> bool {
    own != root && is_below(root, own) && is_at(file, root)
}

fn is_at(path: &str, root: &str) -> bool {
    path == root || is_below(path, root)
}

/// Whether a configuration takes a file of an environment's path for something else than manifests.
pub fn is_taken_out(configuration: &Configuration, environment: &EnvironmentConfig, path: &str) -> bool {
    configuration.policies.iter().any(|d| is_below(path, d)) || only_says(environment, configuration, path)
}

/// Whether a file is a Rego policy of this configuration. Tests of policies count as well: they
/// are evaluated by `gitward policy test` only, but have to compile.
pub fn is_policy_file(configuration: &Configuration, path: &str) -> bool {
    path.ends_with(".rego") && configuration.policies.iter().any(|d| is_below(path, d))
}

/// Whether a file is one of those that only say what custom resources look like.
pub fn is_schema_file(configuration: &Configuration, path: &str) -> bool {
    is_manifest(path) && configuration.crds.iter().any(|root| is_at(path, root))
}

/// Whether the text of a file could hold Kubernetes objects at all: it names both `apiVersion` and
/// `kind`. Cheap enough for every file of a tree.
pub fn looks_like_objects(text: &[u8]) -> bool {
    let holds = |word: &[u8]| text.windows(word.len()).any(|w| w == word);
    // Written in two bytes a character it cannot be read, and that has to be said.
    let wide = text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]);
    wide || (holds(b"apiVersion") && holds(b"kind")) || (holds(b"metadata") && (holds(b"apiVersion") || holds(b"kind")))
}

/// The top of a file, for findings about the file as a whole.
pub(super) fn top(path: &Arc<str>) -> Place {
    Place { file: path.clone(), line: 1, column: 1 }
}

type Rendered<'a> = BTreeMap<&'a str, (&'static str, &'a Arc<str>)>;

fn rendered_directories<'a>(environment: &EnvironmentConfig, paths: &[&'a Arc<str>]) -> Rendered<'a> {
    let mut rendered = Rendered::new();
    for path in paths.iter().filter(|path| is_below(path, &environment.path)) {
        let tool = match name(path) {
            _ if is_kustomization(path) => "kustomize",
            "Chart.yaml" => "Helm",
            _ => continue,
        };
        if !is_hidden(path) {
            rendered.insert(parent(path).unwrap_or_default(), (tool, path));
        }
    }
    rendered
}

fn is_kustomization(path: &str) -> bool {
    matches!(name(path), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

/// The last part of a path.
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn not_rendered(directory: &str, tool: &str, file: &Arc<str>, reads_listed: bool) -> Finding {
    let directory = if directory.is_empty() { "the root" } else { directory };
    let what = if reads_listed { "what it lists is read as it stands" } else { "nothing below it is read" };
    let message =
        format!("{directory} has to be rendered by {tool}, which this version of gitward does not do: {what}");
    Finding::error("tree/not-rendered", message)
        .with_place(Some(top(file)))
        .with_hint("commit the rendered manifests, or point the environment's path elsewhere")
}

/// The nearest directory at or above `directory` that would have to be rendered.
fn enclosing<'a>(rendered: &Rendered<'a>, mut directory: Option<&str>) -> Option<&'a str> {
    while let Some(here) = directory {
        if let Some((found, _)) = rendered.get_key_value(here) {
            return Some(found);
        }
        directory = parent(here);
    }
    None
}

/// The directory that holds a path; `None` for the root itself.
fn parent(path: &str) -> Option<&str> {
    match path.rfind('/') {
        Some(slash) => Some(&path[..slash]),
        None if path.is_empty() => None,
        None => Some(""),
    }
}

fn is_manifest(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|s| path.ends_with(s))
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|c| c.starts_with('.'))
}
