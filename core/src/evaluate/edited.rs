//! Judging a tree that is a remembered one but for the content of a few files: these are looked at, and no
//! other.
//!
//! What the rest of the tree has to know of a file is in its facts. While these stay the same, so does
//! everything that was found elsewhere. Wherever that is not plain, the tree is looked at as a whole
//! ([`super::recall`]): a shortcut is taken with the same verdict or not at all.

use std::sync::Arc;

use super::assembly::{DUPLICATE, hides_objects, in_order};
use super::facts::FileFacts;
use super::judging::Judged;
use super::memory::{ContentId, Context, Memory};
use super::{Judge, TreeFile, select};
use crate::config::EnvironmentConfig;
use crate::finding::Finding;

/// A file that holds something else than before, under the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Path from the root, with `/`.
    pub path: Arc<str>,
    /// What it held.
    pub before: ContentId,
    /// What it holds.
    pub now: ContentId,
    /// Bytes that it has now.
    pub size: u64,
}

impl Judge {
    /// What [`Judge::recall`] finds in the remembered tree with other contents of these files, read with
    /// `read`, and how many objects are declared. `None` if that cannot be told from them alone.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn recall_edited<E>(
        &self,
        environment: &EnvironmentConfig,
        edited: &[Edited],
        context: Context,
        memory: &Memory<'_>,
        read: impl FnMut(&Edited) -> Result<TreeFile, E>,
    ) -> Result<Option<(Vec<Finding>, usize)>, E> {
        if !memory.is_of(context) || !self.is_plain(environment, edited) {
            return Ok(None);
        }
        let Some(before) = before(edited, memory) else { return Ok(None) };
        let files = edited.iter().map(read).collect::<Result<Vec<_>, E>>()?;
        let readings = self.read(&files.iter().collect::<Vec<_>>());
        let mut manifests = readings.iter().flat_map(|(_, reading)| &reading.manifests);
        if manifests.any(|manifest| self.hangs_on_definitions(&manifest.gvk)) {
            return Ok(None);
        }
        let rules = self.rules(environment, &self.schemas);
        let mut judged = Judged::of(&readings, &rules);
        let now = judged.facts();
        let is_conditional = before.iter().chain(&now).any(FileFacts::hangs_on_what_is_declared);
        let found = memory.found();
        let is_uncertain = is_conditional && found.iter().any(|finding| finding.rule == DUPLICATE);
        if is_uncertain || !before.iter().zip(&now).all(|(before, now)| before.tells_others_the_same(now)) {
            return Ok(None);
        }
        let told = |facts: &[FileFacts<'_>]| -> Vec<Finding> {
            edited
                .iter()
                .zip(facts)
                .flat_map(|(file, facts)| facts.told().map(|told| told.finding(&file.path)))
                .collect()
        };
        let moved = edited.iter().zip(before.iter().zip(&now));
        let moved = moved.filter(|(_, (before, now))| !before.stands_where(now)).map(|(file, _)| &*file.path);
        let findings = replaced(found, moved, &told(&before), told(&now));
        Ok(findings.map(|findings| (findings, memory.kept.objects)))
    }

    /// Whether files are judged by nothing but themselves, the policies and the built-in schemas.
    fn is_plain(&self, environment: &EnvironmentConfig, edited: &[Edited]) -> bool {
        let paths: Vec<&Arc<str>> = edited.iter().map(|file| &file.path).collect();
        let is_edited = |path: &str| paths.iter().any(|edited| ***edited == *path);
        self.held_to.is_none()
            && !self.configuration.unconfigured
            && self.earlier.as_ref().is_none_or(|earlier| earlier.paths().all(is_edited))
            && select::kustomizations(environment, &paths).is_empty()
    }
}

/// What the files said. `None` if it is not known of each, or if one defined custom resources.
fn before<'m>(edited: &[Edited], memory: &'m Memory<'_>) -> Option<Vec<FileFacts<'m>>> {
    let facts = edited.iter().map(|file| {
        let kept = memory.file(&file.path, &file.before).filter(|kept| !kept.has_crds)?;
        postcard::from_bytes(kept.facts?).ok()
    });
    facts.collect()
}

/// What was found of the remembered tree, with what is found of some files now in the place of what was.
/// `None` if more is said of those whose parts have moved: that they bear one name with another, or lead
/// nowhere.
fn replaced<'a>(
    mut findings: Vec<Finding>,
    mut moved: impl Iterator<Item = &'a str>,
    before: &[Finding],
    now: Vec<Finding>,
) -> Option<Vec<Finding>> {
    if before.iter().chain(&now).any(hides_objects) {
        return None;
    }
    findings.retain(|finding| !before.contains(finding));
    if moved.any(|path| findings.iter().any(|finding| concerns(finding, path))) {
        return None;
    }
    findings.extend(now);
    in_order(&mut findings);
    Some(findings)
}

fn concerns(finding: &Finding, path: &str) -> bool {
    finding.place.as_ref().is_some_and(|place| *place.file == *path)
        || finding.message.contains(path)
        || finding.hint.as_ref().is_some_and(|hint| hint.contains(path))
}

impl FileFacts<'_> {
    /// Whether everything that other files could be judged by is the same.
    fn tells_others_the_same(&self, other: &FileFacts<'_>) -> bool {
        self.objects.len() == other.objects.len()
            && self.objects.iter().zip(&other.objects).all(|(one, other)| one.tells_others_the_same(other))
    }

    /// Whether every part that something may be said of stands where it stands in the other, which tells the
    /// same.
    fn stands_where(&self, other: &FileFacts<'_>) -> bool {
        let mut objects = self.objects.iter().zip(&other.objects);
        objects.all(|(one, other)| one.spot == other.spot && one.asks == other.asks)
    }

    /// Whether something is found only of those objects that no other file declares before.
    fn hangs_on_what_is_declared(&self) -> bool {
        self.objects.iter().any(|object| !object.if_declared.is_empty())
    }
}
