//! The verdict on a push, ref by ref.

use std::sync::OnceLock;
use std::thread;

use gitward_core::config::{self, Configuration, EnvironmentConfig};
use gitward_core::evaluate::{self, Judge, TreeFile};
use gitward_core::finding::{Finding, Severity};
use gitward_core::schema::Schemas;
use gitward_repo::{CommitId, Limits, Repository};

use crate::at_commit::{self, Broken, Configured};
use crate::changes::{self, Changes};
use crate::environment::{Judges, Look, Looked};
use crate::rules::{Refs, Rules};
use crate::trees::{self, Held, Kept, Memories, Pair, Trees};
use crate::{Index, RefUpdate, Result, brought, protect};

/// Commits of a first push's history that are looked back for the time before its rules.
const FIRST_HISTORY: usize = 1_000;

/// What a push would do to one environment.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentVerdict {
    /// The environment's name.
    pub environment: String,
    /// What the push brings.
    pub brought: Vec<Finding>,
    /// How many findings were there before.
    pub before: usize,
    /// How many objects the tree declares.
    pub objects: usize,
}

/// The verdict on one ref.
#[derive(Debug, Clone, Default)]
pub struct RefVerdict {
    /// The ref's full name.
    pub git_ref: String,
    /// From which commit to which it would move, as `OLD..NEW`; `None` for new and deleted refs.
    pub range: Option<String>,
    /// Why it may not move at all.
    pub refused: Vec<Finding>,
    /// What else is worth knowing of its rules; denies nothing.
    pub told: Vec<Finding>,
    /// What the push would do to each environment that the ref feeds.
    pub environments: Vec<EnvironmentVerdict>,
    /// Something worth a line that is neither.
    pub notice: Option<String>,
    /// The files that findings stand in.
    pub sources: Vec<TreeFile>,
}

impl RefVerdict {
    /// Whether the ref may move.
    pub fn allowed(&self) -> bool {
        self.findings().all(|f| f.severity < Severity::Error)
    }

    /// Everything that was found.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.refused.iter().chain(&self.told).chain(self.environments.iter().flat_map(|e| &e.brought))
    }

    fn of(update: &RefUpdate) -> Self {
        let range = update.old.as_ref().zip(update.new.as_ref());
        let range = range.map(|(old, new)| format!("{}..{}", old.short(), new.short()));
        Self { git_ref: update.git_ref.clone(), range, ..Self::default() }
    }

    fn refuse(mut self, findings: impl IntoIterator<Item = Finding>, sources: Vec<TreeFile>) -> Self {
        self.refused.extend(findings);
        self.sources.extend(sources);
        self
    }

    /// Takes what denies as a refusal, and tells the rest.
    fn tell(mut self, findings: Vec<Finding>) -> Self {
        let (refused, told): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.severity == Severity::Error);
        self.refused.extend(refused);
        self.told.extend(told);
        self
    }

    fn notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }
}

/// Judges one ref of a push. The index saves time and changes no verdict.
///
/// # Errors
/// If the repository cannot be read; the push has to be rejected then.
pub fn judge(repository: &Repository, update: &RefUpdate, limits: &Limits, index: &Index) -> Result<RefVerdict> {
    let update = &update.followed(repository);
    let verdict = RefVerdict::of(update);
    if let Some(finding) = protect::reserved(update) {
        return Ok(verdict.refuse([finding], Vec::new()));
    }
    let refs = Refs::of(repository, update)?;
    let gate = Gate { repository, update, limits, index, new: refs.new.clone() };
    match refs.rules() {
        Rules::Nobody => Ok(verdict),
        Rules::Absent => Ok(verdict.notice(format!("{} has no {}: nothing is judged", update.git_ref, config::FILE))),
        Rules::BrokenAtFirst { findings, file } => Ok(verdict.refuse(findings, file.into_iter().collect())),
        Rules::Broken { findings, base } => {
            if let Some(finding) = protect::movement(repository, update, &[], true)? {
                return Ok(verdict.refuse([finding], Vec::new()));
            }
            gate.mend(verdict, findings, &base, None)
        }
        Rules::Of { configuration, base } => gate.by(verdict, &configuration, &base),
    }
}

/// What judges a push, made ready.
struct Ready<'a> {
    judge: &'a Judge,
    /// The rules that the push brings, where they are other ones.
    next: Option<&'a Judge>,
    /// Where to look for what custom resources were before, if the push changes that.
    before_schemas: Option<(&'a CommitId, &'a Configuration)>,
    after: Option<&'a Configuration>,
    /// The rules of before; `None` where they are the pushed commit's own.
    before: Option<&'a Configuration>,
    /// Likely mistakes in the policies that the push brings.
    lints: Vec<Finding>,
    pairs: Vec<Pair<'a>>,
    memories: Memories<'a>,
}

struct Gate<'a> {
    repository: &'a Repository,
    update: &'a RefUpdate,
    limits: &'a Limits,
    index: &'a Index,
    new: Option<CommitId>,
}

impl Gate<'_> {
    /// Judges by the configuration and policies of a base commit.
    fn by(&self, verdict: RefVerdict, rules: &Configuration, base: &CommitId) -> Result<RefVerdict> {
        let git_ref = &self.update.git_ref;
        let fed: Vec<&EnvironmentConfig> = rules.fed_from(git_ref).collect();
        if let Some(finding) = protect::movement(self.repository, self.update, &fed, false)? {
            return Ok(verdict.refuse([finding], Vec::new()));
        }
        let Some(new) = &self.new else {
            if self.update.new.is_none() {
                return Ok(verdict);
            }
            let finding = Finding::error("push/no-commit", format!("{git_ref} would not point to a commit"))
                .with_hint("push a commit to a ref that feeds an environment");
            return Ok(verdict.refuse([finding], Vec::new()));
        };
        let after = match Configured::at(self.repository, new) {
            Configured::Good(configuration) => Some(configuration),
            Configured::Absent => None,
            Configured::Broken { findings, file } => {
                return Ok(verdict.refuse(findings, file.into_iter().collect()));
            }
        };
        let old = self.update.old.as_ref().map_or(Ok(None), |old| self.repository.peel(old))?;
        let verdict = match &old {
            Some(old) if old == base => verdict.tell(protect::unguarded(git_ref, rules, after.as_deref())),
            _ => verdict,
        };
        let widened = with_schemas_of(rules, after.as_deref());
        let pairs = environments(rules, after.as_deref(), git_ref);
        let kept = OnceLock::new();
        let (judge, memories) = self.make_ready(base, &widened, &pairs, &kept);
        let judge = match judge? {
            Ok(judge) => judge,
            Err(Broken { findings, .. }) if new != base => return self.mend(verdict, findings, base, Some(rules)),
            Err(Broken { findings, files }) => return Ok(verdict.refuse(findings, files)),
        };
        let changes = Changes::between(self.repository, (base, rules), (new, after.as_deref()))?;
        let mut next = None;
        if let Some(after) = after.as_deref()
            && changes.rules
        {
            match at_commit::judge_of(self.repository, new, after, self.limits)? {
                Ok(judge) => next = Some(judge),
                Err(Broken { findings, files }) => return Ok(verdict.refuse(findings, files)),
            }
        }
        let is_first = new == base;
        let before = if self.update.old.is_none() && is_first { self.before_the_rules(new) } else { old };
        let lints = match &next {
            Some(next) => brought(next.lints().to_vec(), judge.lints()).0,
            None if is_first => judge.lints().to_vec(),
            None => Vec::new(),
        };
        let before_schemas = changes.schemas.then_some((base, rules));
        let ready = Ready {
            judge: &judge,
            next: next.as_ref(),
            before_schemas,
            after: after.as_deref(),
            before: (!is_first).then_some(rules),
            lints,
            pairs,
            memories,
        };
        self.environments(verdict, ready, new, before.as_ref())
    }

    /// Makes the rules of a commit ready, and meanwhile what else is needed and needs no repository.
    fn make_ready<'k>(
        &self,
        base: &CommitId,
        rules: &Configuration,
        pairs: &[Pair<'_>],
        kept: &'k OnceLock<Kept>,
    ) -> (Result<std::result::Result<Judge, Broken>>, Memories<'k>) {
        let index = self.index;
        let remember = || {
            let memories = kept.get_or_init(|| Kept::of(index, pairs.iter().map(|pair| pair.now))).memories();
            rules.kubernetes.iter().filter_map(|version| Schemas::builtin(version).ok()).for_each(|s| s.load());
            memories
        };
        thread::scope(|scope| {
            let remembering = thread::Builder::new().spawn_scoped(scope, remember);
            let judge = at_commit::judge_of(self.repository, base, rules, self.limits);
            // Whatever became of it, the verdict is the same.
            (judge, remembering.ok().and_then(|thread| thread.join().ok()).unwrap_or_default())
        })
    }

    /// Of a first push: the newest commit of its history that nobody had written rules for yet. What was
    /// there then is nothing that the rules forbade. A history that goes further back than is looked
    /// has none.
    fn before_the_rules(&self, new: &CommitId) -> Option<CommitId> {
        let mut commit = new.clone();
        for _ in 0..FIRST_HISTORY {
            commit = self.repository.revision(&format!("{}^", commit.as_str())).ok()?;
            if matches!(Configured::at(self.repository, &commit), Configured::Absent) {
                return Some(commit);
            }
        }
        None
    }

    fn environments(
        &self,
        mut verdict: RefVerdict,
        ready: Ready<'_>,
        new: &CommitId,
        before_push: Option<&CommitId>,
    ) -> Result<RefVerdict> {
        let Ready { judge: widened, next, before_schemas, after, before: rules, mut lints, pairs, memories } = ready;
        let selection = trees::selection(widened.configuration(), after, &pairs);
        let trees = Trees::new(self.repository, selection, self.limits, memories);
        let (tree, old) = (Held::at(new), before_push.map(Held::at));
        if let Some(after) = after.filter(|_| rules.is_none() || next.is_some()) {
            lints.extend(evaluate::nothing_there(
                after,
                rules,
                trees.list(&tree)?.leaves.iter().map(|leaf| &*leaf.path),
            ));
        }
        verdict.sources.extend(trees.sources(&tree, &lints)?);
        verdict = verdict.tell(lints);
        let look = Look {
            repository: self.repository,
            limits: self.limits,
            trees: &trees,
            tree: &tree,
            old: old.as_ref(),
            rules: Judges { before: widened, next, before_schemas },
            after,
        };
        for pair in pairs {
            let Looked { verdict: environment, sources } = look.at(pair)?;
            verdict.environments.push(environment);
            verdict.sources.extend(sources);
        }
        if after.is_none() && verdict.allowed() {
            verdict.notice = Some(format!("{} is gone: from now on nothing is judged here", config::FILE));
        }
        Ok(verdict)
    }

    /// Rules that cannot be evaluated let only those pass who mend them: a push that changes
    /// nothing but `gitward.yaml` and policies, and leaves both whole.
    fn mend(
        &self,
        verdict: RefVerdict,
        broken: Vec<Finding>,
        base: &CommitId,
        rules: Option<&Configuration>,
    ) -> Result<RefVerdict> {
        let Some(new) = &self.new else { return Ok(verdict.refuse(broken, Vec::new())) };
        let after = match Configured::at(self.repository, new) {
            Configured::Good(configuration) => configuration,
            Configured::Absent => return Ok(verdict.refuse(broken, Vec::new())),
            Configured::Broken { findings, file } => {
                return Ok(verdict.refuse(findings, file.into_iter().collect()));
            }
        };
        if let Err(Broken { findings, files }) = at_commit::judge_of(self.repository, new, &after, self.limits)? {
            return Ok(verdict.refuse(findings, files));
        }
        let is_policy = |path: &str| {
            path == config::FILE
                || evaluate::is_policy_file(&after, path)
                || rules.is_some_and(|rules| evaluate::is_policy_file(rules, path))
        };
        let changed = self.repository.changed_paths(base, new, changes::PATHS)?;
        if let Some(other) = changed.iter().find(|path| !is_policy(path)) {
            let message = format!(
                "the rules at {} cannot be evaluated, so a push may mend them and nothing else; this one changes {other}",
                base.short()
            );
            let finding = Finding::error("push/broken-rules", message)
                .with_hint("push the mended gitward.yaml or policies alone, then the rest");
            return Ok(verdict.refuse([finding].into_iter().chain(broken), Vec::new()));
        }
        Ok(verdict.notice(format!("{} mends the rules of {}", new.short(), self.update.git_ref)))
    }
}

/// The rules, with the CRDs that the pushed commit names besides: what a custom resource looks like may
/// come with it, unless that was said before ([`crate::schemas_before`]).
fn with_schemas_of(rules: &Configuration, after: Option<&Configuration>) -> Configuration {
    let mut widened = rules.clone();
    let named = after.into_iter().flat_map(|after| &after.crds).filter(|root| !rules.crds.contains(root));
    widened.crds.extend(named.cloned().collect::<Vec<_>>());
    widened
}

/// The environments that a ref feeds, before and after. What the pushed commit says of path and
/// namespaces counts, since that is what will be applied; one that it no longer names is judged
/// as it was.
pub(crate) fn environments<'a>(
    rules: &'a Configuration,
    after: Option<&'a Configuration>,
    git_ref: &'a str,
) -> Vec<Pair<'a>> {
    let now: Vec<&EnvironmentConfig> = after.map(|c| c.fed_from(git_ref).collect()).unwrap_or_default();
    let mut pairs: Vec<Pair<'a>> = rules
        .fed_from(git_ref)
        .map(|before| Pair { now: now.iter().find(|e| e.name == before.name).copied().unwrap_or(before), before })
        .collect();
    let added = now.into_iter().filter(|e| rules.fed_from(git_ref).all(|b| b.name != e.name));
    pairs.extend(added.map(|now| Pair { now, before: now }));
    pairs
}
