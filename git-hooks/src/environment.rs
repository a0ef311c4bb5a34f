//! What a push would do to one environment.

use gitward_core::config::{Configuration, EnvironmentConfig};
use gitward_core::evaluate::{self, Judge, TreeFile};
use gitward_core::finding::Finding;
use gitward_repo::{CommitId, Limits, Repository};

use crate::gate::EnvironmentVerdict;
use crate::on_the_way::Way;
use crate::trees::{Held, Pair, Trees};
use crate::{Result, brought, effect, objects_before, schemas_before};

/// By what a push is judged.
pub(crate) struct Judges<'a> {
    /// The rules of before, with schemas that the push brings for kinds that had none.
    pub(crate) before: &'a Judge,
    /// The rules that the push brings, where they are other ones.
    pub(crate) next: Option<&'a Judge>,
    /// Where to look for what custom resources were before, if the push changes that.
    pub(crate) before_schemas: Option<(&'a CommitId, &'a Configuration)>,
}

/// A push, and the trees at both its ends.
pub(crate) struct Look<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) limits: &'a Limits,
    pub(crate) trees: &'a Trees<'a>,
    pub(crate) tree: &'a Held<'a>,
    /// What was there before.
    pub(crate) old: Option<&'a Held<'a>>,
    pub(crate) rules: Judges<'a>,
    /// What the pushed commit says.
    pub(crate) after: Option<&'a Configuration>,
}

/// What was found, and the files that it stands in.
pub(crate) struct Looked {
    pub(crate) verdict: EnvironmentVerdict,
    pub(crate) sources: Vec<TreeFile>,
}

impl Look<'_> {
    /// Judges an environment.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub(crate) fn at(&self, pair: Pair<'_>) -> Result<Looked> {
        let Pair { now, before } = pair;
        let held = self.held(before)?;
        let judge = held.as_ref().unwrap_or(self.rules.before);
        let (compared, next) = self.compared(judge, before)?;
        let seen = self.trees.judge(&compared, now, self.tree)?;
        let by_next = next.map(|next| self.trees.judge(&next, now, self.tree)).transpose()?.map(|seen| seen.findings);
        let effect = by_next.as_ref().and_then(|by_next| effect::told(&now.name, &seen.findings, by_next));
        let (mut found, mut known, mut at_old) = (seen.findings, 0, Vec::new());
        if let Some(old) = self.old.filter(|_| !found.is_empty() || before.every_commit) {
            at_old = self.trees.judge_commit(self.rules.before, before, old)?.findings;
            (found, known) = brought(found, &at_old);
        }
        if let (Some(by_next), true) = (&by_next, held.is_some()) {
            found = schemas_before::say_how(found, by_next);
        }
        found.extend(unhidden(
            by_next.unwrap_or_default(),
            (judge.configuration(), before),
            self.after.map(|c| (c, now)),
        ));
        let mut sources = self.trees.sources(self.tree, &found)?;
        if before.every_commit {
            let way = Way {
                repository: self.repository,
                old: self.old.map(|old| old.commit),
                new: self.tree.commit,
                trees: self.trees,
            };
            let on_the_way = way.judge(judge, now, &at_old, &found)?;
            found.extend(on_the_way.findings);
            sources.extend(on_the_way.sources);
        }
        found.extend(effect);
        let (environment, objects) = (now.name.clone(), seen.objects);
        Ok(Looked { verdict: EnvironmentVerdict { environment, brought: found, before: known, objects }, sources })
    }

    /// The rules with the schemas of before, if the push changes these.
    fn held(&self, before: &EnvironmentConfig) -> Result<Option<Judge>> {
        let held = self
            .rules
            .before_schemas
            .map(|rules| schemas_before::hold(self.rules.before, self.repository, rules, before, self.limits));
        held.transpose()
    }

    /// The rules of before and of the push, which compare objects with what they were.
    fn compared(&self, judge: &Judge, before: &EnvironmentConfig) -> Result<(Judge, Option<Judge>)> {
        let Some(old) = self.old else { return Ok((judge.clone(), self.rules.next.cloned())) };
        let rules = (judge.configuration(), before);
        let earlier = objects_before::earlier(self.repository, (old.commit, self.tree.commit), rules, self.limits)?;
        Ok((judge.after(earlier.clone()), self.rules.next.map(|next| next.after(earlier))))
    }
}

/// What is found in files that the push makes manifests of, by taking them out of `crds` or `policies`:
/// the rules before took them for something else and found nothing there.
fn unhidden(
    by_next: Vec<Finding>,
    (rules, before): (&Configuration, &EnvironmentConfig),
    next: Option<(&Configuration, &EnvironmentConfig)>,
) -> Vec<Finding> {
    let Some((after, now)) = next else { return Vec::new() };
    let is_unhidden = |finding: &Finding| {
        finding.place.as_ref().is_some_and(|place| {
            evaluate::is_taken_out(rules, before, &place.file) && !evaluate::is_taken_out(after, now, &place.file)
        })
    };
    by_next.into_iter().filter(is_unhidden).collect()
}
