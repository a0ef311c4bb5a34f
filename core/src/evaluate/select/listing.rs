//! Kustomizations that only list files: what kustomize makes of them is the files themselves, so
//! they are read as they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Kustomizations, Rendered, is_below};
use crate::manifest::{self, Document, Limits};

/// Fields of a kustomization that change nothing of what it lists.
const HARMLESS: [&str; 4] = ["apiVersion", "kind", "metadata", "resources"];

/// Directories with a kustomization that is read as a list, each with the paths that it lists.
#[derive(Debug, Default)]
pub(super) struct Listed<'a> {
    directories: BTreeMap<&'a str, BTreeSet<String>>,
}

impl Listed<'_> {
    /// Whether what the kustomization of this directory lists is read.
    pub(super) fn reads(&self, directory: &str) -> bool {
        self.directories.contains_key(directory)
    }

    /// Whether a file is listed by the kustomization nearest above it; `None` if there is none. (A
    /// listed directory has a kustomization of its own, which then is the nearest.)
    pub(super) fn says(&self, path: &str) -> Option<bool> {
        let (_, listed) = self.directories.iter().filter(|(d, _)| is_below(path, d)).max_by_key(|(d, _)| d.len())?;
        Some(listed.contains(path))
    }
}

/// Whether a file is kustomize's by what it says: of other tools there are objects of that kind, which are
/// manifests like any other.
fn is_of_kustomize(documents: &[Document]) -> bool {
    let is_other = |value: &Value| {
        value.get("apiVersion").and_then(Value::as_str).is_some_and(|v| !v.starts_with("kustomize.config.k8s.io/"))
    };
    documents.is_empty() || !documents.iter().all(|document| is_other(&document.value))
}

/// Takes the kustomizations that only list files out of `rendered`, and what is another tool's. With `leniently`, any
/// kustomization is read for what it lists, and stays in `rendered` to be told of.
pub(super) fn take_plain<'a>(
    rendered: &mut Rendered<'a>,
    paths: &[&Arc<str>],
    texts: &Kustomizations<'_>,
    leniently: bool,
) -> Listed<'a> {
    let mut listed = Listed::default();
    let kustomizations: Vec<_> = rendered.iter().filter(|(_, (tool, _))| *tool == "kustomize").collect();
    let mut as_it_stands = Vec::new();
    for (directory, (_, path)) in kustomizations {
        let Some(text) = texts.get(&***path) else { continue };
        let (documents, problems) = manifest::documents(text, &Limits::default());
        if !is_of_kustomize(&documents) {
            as_it_stands.push(*directory);
            continue;
        }
        let ([kustomization], []) = (documents.as_slice(), problems.as_slice()) else { continue };
        let only_lists =
            kustomization.value.as_object().is_some_and(|fields| fields.keys().all(|f| HARMLESS.contains(&f.as_str())));
        let resources = resources(directory, &kustomization.value);
        let is_local = resources.as_ref().is_some_and(|r| r.iter().all(|p| names_something(p, paths)));
        if only_lists && is_local {
            as_it_stands.push(*directory);
        }
        if (only_lists && is_local) || leniently {
            listed.directories.insert(directory, resources.unwrap_or_default());
        }
    }
    for directory in as_it_stands {
        rendered.remove(directory);
    }
    listed
}

/// The listed paths from the root of the tree; `None` if one leads out of it.
fn resources(directory: &str, kustomization: &Value) -> Option<BTreeSet<String>> {
    let Some(resources) = kustomization.get("resources") else { return Some(BTreeSet::new()) };
    let texts = resources.as_array()?.iter().map(|r| r.as_str().and_then(|r| joined(directory, r)));
    texts.collect()
}

fn joined(directory: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|p| !p.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn names_something(listed: &str, paths: &[&Arc<str>]) -> bool {
    paths.iter().any(|path| ***path == *listed || is_below(path, listed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::TreeFile;

    fn file(path: &str, text: &str) -> TreeFile {
        TreeFile { path: path.into(), bytes: Arc::from(text.as_bytes()) }
    }

    fn taken(files: &[TreeFile], leniently: bool) -> (usize, Vec<Option<bool>>) {
        let mut rendered = Rendered::new();
        rendered.insert("a", ("kustomize", &files[0].path));
        let paths: Vec<&Arc<str>> = files.iter().map(|f| &f.path).collect();
        let texts = [(&*files[0].path, files[0].bytes.clone())].into();
        let listed = take_plain(&mut rendered, &paths, &texts, leniently);
        (rendered.len(), ["a/web.yaml", "a/other.yaml", "b/x.yaml"].iter().map(|p| listed.says(p)).collect())
    }

    #[test]
    fn a_kustomization_that_only_lists_files_is_read_as_it_stands() {
        let files =
            [file("a/kustomization.yaml", "resources: [web.yaml]\n"), file("a/web.yaml", ""), file("a/other.yaml", "")];
        assert_eq!(taken(&files, false), (0, vec![Some(true), Some(false), None]));
    }

    #[test]
    fn one_that_changes_what_it_lists_has_to_be_rendered() {
        let text = "namePrefix: x-\nresources: [web.yaml]\n";
        let files = [file("a/kustomization.yaml", text), file("a/web.yaml", "")];
        assert_eq!(taken(&files, false), (1, vec![None, None, None]));
        assert_eq!(taken(&files, true), (1, vec![Some(true), Some(false), None]));
    }

    #[test]
    fn objects_of_other_tools_are_no_kustomizations() {
        let read = |text: &str| is_of_kustomize(&manifest::documents(text.as_bytes(), &Limits::default()).0);
        let of = |api: &str| read(&format!("apiVersion: {api}\nkind: Kustomization\n"));
        assert!(of("kustomize.config.k8s.io/v1beta1") && read("resources: [a.yaml]\n"));
        assert!(!of("kustomize.toolkit.fluxcd.io/v1"));
    }

    #[test]
    fn what_is_not_in_the_tree_cannot_be_listed() {
        for resource in ["https://example.org/x.yaml", "../../out.yaml", "missing.yaml"] {
            let text = format!("resources: [{resource:?}]\n");
            let files = [file("a/kustomization.yaml", &text)];
            assert_eq!(taken(&files, false).0, 1, "{resource}");
        }
    }
}
