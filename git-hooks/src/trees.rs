//! Looking at the trees of commits, with what is remembered of an earlier one.

use gitward_core::config::{Configuration, EnvironmentConfig};
use gitward_core::evaluate::{Context, Judge, Memory, TreeFile};
use gitward_core::finding::Finding;
use gitward_repo::{CommitId, Limits, Listing, Repository, Selection};

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
    pub(crate) fn list(&self, commit: &CommitId) -> Result<Listing> {
        let known = |path: &str, id: &_| self.memories.iter().find_map(|(_, memory)| memory.size(path, id));
        Ok(self.repository.list(commit, &self.selection, self.limits, &known)?)
    }

    /// Judges an environment's tree, and counts what of it could not be read as found.
    pub(crate) fn judge(&self, judge: &Judge, environment: &EnvironmentConfig, tree: &Listing) -> Result<Seen> {
        self.judged(judge, environment, tree, |seen, _| seen)
    }

    /// Judges an environment's tree; also the bytes to remember that by, if it is not remembered already.
    pub(crate) fn to_remember(
        &self,
        judge: &Judge,
        environment: &EnvironmentConfig,
        tree: &Listing,
    ) -> Result<Option<Vec<u8>>> {
        let context = self.context(judge, environment);
        if self.memory(environment).is_some_and(|m| m.is_of(context) && m.of_tree(tree.id.as_bytes()).is_some()) {
            return Ok(None);
        }
        self.judged(judge, environment, tree, |_, bytes| bytes())
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
        recalled.findings.extend(unread.cloned());
        let seen = Seen { findings: recalled.findings.clone(), objects: recalled.objects };
        Ok(then(seen, &|| recalled.remember(tree.id.as_bytes())))
    }

    /// Judges an environment's tree at a commit; `listing` is what it holds, once somebody had to look.
    pub(crate) fn judge_commit(
        &self,
        judge: &Judge,
        environment: &EnvironmentConfig,
        commit: &CommitId,
        listing: &mut Option<Listing>,
    ) -> Result<Seen> {
        let memory = self.memory(environment).filter(|memory| memory.is_of(self.context(judge, environment)));
        if let Some(memory) = memory
            && let Some((findings, objects)) = memory.of_tree(self.repository.tree(commit)?.as_bytes())
        {
            return Ok(Seen { findings, objects });
        }
        let listing = match listing {
            Some(listing) => listing,
            None => listing.insert(self.list(commit)?),
        };
        self.judge(judge, environment, listing)
    }

    /// The files that findings stand in.
    pub(crate) fn sources<'f>(
        &self,
        tree: &Listing,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> Result<Vec<TreeFile>> {
        let mut files: Vec<&str> = findings.into_iter().filter_map(|f| Some(&*f.place.as_ref()?.file)).collect();
        files.sort_unstable();
        files.dedup();
        let leaves = tree.leaves.iter().filter(|leaf| files.binary_search(&&*leaf.path).is_ok());
        leaves.map(|leaf| Ok(self.repository.read(leaf)?)).collect()
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
