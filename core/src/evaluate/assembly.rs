//! Objects of a tree as they come together: each once, and each with what it refers to.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::facts::{self, FileFacts, ObjectFacts};
use super::references;
use crate::config::{Configuration, EnvironmentConfig};
use crate::finding::{Finding, Severity};

/// A tree's files, by what each of them says.
pub(super) struct Assembly<'a> {
    pub(super) environment: &'a EnvironmentConfig,
    pub(super) configuration: &'a Configuration,
    /// What was found about the tree before any of its files was read.
    pub(super) findings: Vec<Finding>,
    pub(super) files: &'a [(&'a Arc<str>, FileFacts<'a>)],
}

/// A tree that has come together.
pub(super) struct Assembled {
    /// Everything found, in the order of files and lines.
    pub(super) findings: Vec<Finding>,
    /// Of each file's objects, whether it is declared: whether no other one of its name came before.
    pub(super) is_declared: Vec<Vec<bool>>,
}

type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

impl<'a> Assembly<'a> {
    /// Brings the files together.
    pub(super) fn together(self) -> Assembled {
        let mut findings = self.findings;
        let mut declared = Declared::of_at_most(self.files.iter().map(|(_, file)| file.objects.len()).sum());
        for (path, file) in self.files {
            findings.extend(file.findings.iter().map(|told| told.finding(path)));
            for object in &file.objects {
                findings.extend(object.belonging.as_ref().map(|told| told.finding(path)));
                findings.extend(declared.add(path, object));
            }
        }
        if !findings.iter().any(hides_objects) {
            findings.extend(references::check(self.environment, self.configuration, &declared.objects));
        }
        if self.configuration.unconfigured {
            findings.iter_mut().for_each(soften);
        }
        let if_declared =
            declared.objects.iter().flat_map(|(path, object)| object.if_declared.iter().map(|told| told.finding(path)));
        findings.extend(if_declared);
        in_order(&mut findings);
        Assembled { findings, is_declared: declared.of_files(self.files) }
    }
}

/// The objects that are declared, in the order of the tree.
struct Declared<'a> {
    first_of: HashMap<Key<'a>, usize, RandomState>,
    objects: Vec<(&'a Arc<str>, &'a ObjectFacts<'a>)>,
    is_declared: Vec<bool>,
}

impl<'a> Declared<'a> {
    fn of_at_most(count: usize) -> Self {
        Self {
            first_of: HashMap::with_capacity_and_hasher(count, RandomState::default()),
            objects: Vec::with_capacity(count),
            is_declared: Vec::with_capacity(count),
        }
    }

    /// Takes an object, or tells that it was there already.
    fn add(&mut self, path: &'a Arc<str>, object: &'a ObjectFacts<'a>) -> Option<Finding> {
        let key = (object.group, object.kind, object.namespace, object.name);
        if let Some(first) = self.first_of.get(&key) {
            self.is_declared.push(false);
            return Some(duplicate((path, object), self.objects[*first]));
        }
        self.first_of.insert(key, self.objects.len());
        self.objects.push((path, object));
        self.is_declared.push(true);
        None
    }

    /// Whether each object of each file is declared.
    fn of_files(self, files: &[(&Arc<str>, FileFacts<'_>)]) -> Vec<Vec<bool>> {
        let mut all = self.is_declared.into_iter();
        files.iter().map(|(_, file)| all.by_ref().take(file.objects.len()).collect()).collect()
    }
}

/// Told where an object is declared twice.
pub(super) const DUPLICATE: &str = "tree/duplicate-object";

/// Places stand in the hint, not in the message: a finding that only moved to another line is
/// still the same one.
fn duplicate(second: (&Arc<str>, &ObjectFacts<'_>), first: (&Arc<str>, &ObjectFacts<'_>)) -> Finding {
    let place = |(path, object): (&Arc<str>, &ObjectFacts<'_>)| facts::place(path, object.spot);
    let key = second.1.key();
    Finding::error(DUPLICATE, format!("{key} is declared twice"))
        .with_object(key)
        .with_place(Some(place(second)))
        .with_hint(format!("it is declared at {} already: keep one of the two", place(first)))
}

/// What is an error for an environment and only worth knowing of a tree that has none.
fn soften(finding: &mut Finding) {
    if matches!(finding.rule.as_ref(), "tree/not-rendered" | DUPLICATE | "schema/unknown-kind") {
        finding.severity = finding.severity.min(Severity::Warning);
    }
}

/// Whether a finding says that something of the tree was not read, so that what it declares is not
/// all known.
pub(super) fn hides_objects(finding: &Finding) -> bool {
    finding.rule.starts_with("manifest/") || finding.rule == "tree/not-rendered"
}

/// Sorts findings by place and drops those that were found twice.
pub(super) fn in_order(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| (&a.place, &a.rule, &a.message).cmp(&(&b.place, &b.rule, &b.message)));
    findings.dedup();
}
