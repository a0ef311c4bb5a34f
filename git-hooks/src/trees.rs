//! Looking at the trees of commits, with what is remembered of an earlier one.
//!
//! Where a commit differs from that in the content of a few files, these are looked at; else the tree is
//! listed, and its files that are not remembered are read.

use std::cell::OnceCell;

use gitward_core::config::{Configuration, EnvironmentConfig};
use gitward_core::evaluate::{Context, Edited, Judge, Memory, TreeFile, is_schema_file};
use gitward_core::finding::Finding;
use gitward_repo::{CommitId, Error, Limits, Listing, Repository, Selection};

use crate::{Index, Result};

/// An environment as a commit has it, and as the rules had it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) now: &'a EnvironmentConfig,
    pub(crate) before: &'a EnvironmentConfig,
}

/// The files that environments are judged by. Findings may stand in the pushed commit's own policies too.
pub(crate) fn selection(rules: &Configuration, after: Option<&Configuration>, pairs: &[Pair<'_>]) -> Selection {
    let roots = pairs.iter().flat_map(|p| [rules.roots(p.now), rules.roots(p.before)]).flatten();
    let mut roots: Vec<String> = roots.chain(after.into_iter().flat_map(|c| c.policies.clone())).collect();
    roots.sort();
    roots.dedup();
    Selection::under(roots)
}

/// What the index keeps for some environments, each by its name.
pub(crate) struct Kept(Vec<(String, Vec<u8>)>);

impl Kept {
    pub(crate) fn of<'e>(index: &Index, environments: impl Iterator<Item = &'e EnvironmentConfig>) -> Self {
        Self(environments.filter_map(|e| Some((e.name.clone(), index.read(&e.name)?))).collect())
    }

    /// What of it is whole.
    pub(crate) fn memories(&self) -> Memories<'_> {
        self.0.iter().filter_map(|(name, bytes)| Some((name.as_str(), Memory::read(bytes)?))).collect()
    }
}

/// What is remembered of environments, by their names.
pub(crate) type Memories<'a> = Vec<(&'a str, Memory<'a>)>;

/// Files that are looked at one by one, without the tree.
const FEW: usize = 100;

/// The tree of a commit, listed once somebody has to look at the whole of it.
pub(crate) struct Held<'c> {
    pub(crate) commit: &'c CommitId,
    listing: OnceCell<Listing>,
}

impl<'c> Held<'c> {
    pub(crate) fn at(commit: &'c CommitId) -> Self {
        Self { commit, listing: OnceCell::new() }
    }
}

/// The trees of a repository's commits, as far as environments are judged by them.
pub(crate) struct Trees<'a> {
    repository: &'a Repository,
    selection: Selection,
    limits: &'a Limits,
    memories: Memories<'a>,
}

/// What was found of an environment's tree.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) findings: Vec<Finding>,
    /// How many objects it declares.
    pub(crate) objects: usize,
}

impl<'a> Trees<'a> {
    pub(crate) fn new(
        repository: &'a Repository,
        selection: Selection,
        limits: &'a Limits,
        memories: Memories<'a>,
    ) -> Self {
        Self { repository, selection, limits, memories }
    }

    /// What a commit holds. Of the files that are remembered Git need not be asked.
    pub(crate) fn list<'h>(&self, tree: &'h Held<'_>) -> Result<&'h Listing> {
        if let Some(listing) = tree.listing.get() {
            return Ok(listing);
        }
        let known = |path: &str, id: &_| self.memories.iter().find_map(|(_, memory)| memory.size(path, id));
        let listing = self.repository.list(tree.commit, &self.selection, self.limits, &known)?;
        Ok(tree.listing.get_or_init(|| listing))
    }

    /// Judges an environment's tree, and counts what of it could not be read as found.
    pub(crate) fn judge(&self, judge: &Judge, environment: &EnvironmentConfig, tree: &Held<'_>) -> Result<Seen> {
        match self.by_edits(judge, environment, tree.commit)? {
            Some(seen) => Ok(seen),
            None => self.judged(judge, environment, self.list(tree)?, |seen, _| seen),
        }
    }

    /// What is found in a tree that differs from the remembered one in a few files' content alone.
    fn by_edits(&self, judge: &Judge, environment: &EnvironmentConfig, commit: &CommitId) -> Result<Option<Seen>> {
        let context = self.context(judge, environment);
        let Some(memory) = self.memory(environment).filter(|memory| memory.is_of(context)) else { return Ok(None) };
        let Some(tree) = memory.tree() else { return Ok(None) };
        let edited = self.repository.edited(&tree, commit, &self.selection, self.limits, FEW)?;
        let bytes = |edited: &[Edited]| memory.bytes() + edited.iter().map(|file| file.size).sum::<u64>();
        let Some(edited) = edited.filter(|edited| bytes(edited) <= self.limits.total_bytes) else { return Ok(None) };
        let counts = |path: &str| environment.holds(path) || is_schema_file(judge.configuration(), path);
        let edited: Vec<Edited> = edited.into_iter().filter(|file| counts(&file.path)).collect();
        let read = |file: &Edited| self.repository.content(&file.path, &file.now);
        let found = judge.recall_edited(environment, &edited, context, memory, read)?;
        Ok(found.map(|(findings, objects)| Seen { findings, objects }))
    }

    /// Judges an environment's tree; also the bytes to remember that by, if it is not remembered already.
    pub(crate) fn to_remember(
        &self,
        judge: &Judge,
        environment: &EnvironmentConfig,
        tree: &Held<'_>,
    ) -> Result<Option<Vec<u8>>> {
        let context = self.context(judge, environment);
        let id = self.repository.tree(tree.commit)?;
        if self.memory(environment).is_some_and(|m| m.is_of(context) && m.of_tree(id.as_bytes()).is_some()) {
            return Ok(None);
        }
        self.judged(judge, environment, self.list(tree)?, |_, bytes| bytes())
    }

    fn judged<T>(
        &self,
        judge: &Judge,
        environment: &EnvironmentConfig,
        tree: &Listing,
        then: impl FnOnce(Seen, &dyn Fn() -> Option<Vec<u8>>) -> T,
    ) -> Result<T> {
        let context = self.context(judge, environment);
        let mut read = |leaf: &_| self.repository.read(leaf);
        let mut recalled = judge.recall(environment, &tree.leaves, context, self.memory(environment), &mut read)?;
        let unread = tree.findings.iter().filter(|f| f.place.as_ref().is_some_and(|p| environment.holds(&p.file)));
        recalled.add(unread.cloned());
        let seen = Seen { findings: recalled.findings.clone(), objects: recalled.objects };
        Ok(then(seen, &|| recalled.remember(tree.id.as_bytes())))
    }

    /// The same of a commit that is likely to be the remembered one.
    pub(crate) fn judge_commit(&self, judge: &Judge, environment: &EnvironmentConfig, tree: &Held<'_>) -> Result<Seen> {
        let memory = self.memory(environment).filter(|memory| memory.is_of(self.context(judge, environment)));
        if let Some(memory) = memory
            && let Some((findings, objects)) = memory.of_tree(self.repository.tree(tree.commit)?.as_bytes())
        {
            return Ok(Seen { findings, objects });
        }
        self.judge(judge, environment, tree)
    }

    /// The files that findings stand in.
    pub(crate) fn sources<'f>(
        &self,
        tree: &Held<'_>,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> Result<Vec<TreeFile>> {
        let mut files: Vec<&str> = findings.into_iter().filter_map(|f| Some(&*f.place.as_ref()?.file)).collect();
        files.sort_unstable();
        files.dedup();
        let is_listed = |path: &&str| Selection::names(path) && self.selection.covers(path);
        let read = |path: &str| match self.repository.file(tree.commit, path, self.limits.file_bytes) {
            // A link, a submodule, a file that is too large: there is nothing of it to be shown.
            Err(Error::Object { .. } | Error::TooLarge { .. }) => Ok(None),
            file => Ok(file?),
        };
        files.into_iter().filter(is_listed).filter_map(|path| read(path).transpose()).collect()
    }

    /// Bounds, the choice of files and how they are listed count: what is not read is not found either.
    fn context(&self, judge: &Judge, environment: &EnvironmentConfig) -> Context {
        judge
            .context(environment, format!("{} {:?} {:?}", env!("GITWARD_GATE"), self.selection, self.limits).as_bytes())
    }

    fn memory(&self, environment: &EnvironmentConfig) -> Option<&Memory<'a>> {
        self.memories.iter().find(|(name, _)| *name == environment.name).map(|(_, memory)| memory)
    }
}
