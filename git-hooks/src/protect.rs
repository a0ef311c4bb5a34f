//! What may happen to a ref at all, whatever its commits hold.

use gitward_core::config::{self, Configuration, EnvironmentConfig};
use gitward_core::finding::{Finding, Severity};
use gitward_repo::Repository;

use crate::{RefUpdate, Result};

/// Refs that nobody pushes: the one kind makes Git show other objects under the ids that were
/// judged, the other is gitward's own memory.
const RESERVED: [&str; 2] = ["refs/replace/", "refs/gitward/"];

/// Why a ref is nobody's to push.
pub(crate) fn reserved(update: &RefUpdate) -> Option<Finding> {
    let prefix = RESERVED.into_iter().find(|p| update.git_ref.starts_with(p))?;
    Some(
        Finding::error("push/reserved-ref", format!("{} is not accepted: {prefix} is reserved", update.git_ref))
            .with_hint(format!("leave refs under {prefix} out of the push")),
    )
}

/// Why a ref that feeds environments may not move like this. `environments` are those that it
/// feeds; with `unknown` nobody can tell, and the strictest rule holds.
///
/// # Errors
/// If the repository cannot be read.
pub(crate) fn movement(
    repository: &Repository,
    update: &RefUpdate,
    environments: &[&EnvironmentConfig],
    unknown: bool,
) -> Result<Option<Finding>> {
    if environments.is_empty() && !unknown {
        return Ok(None);
    }
    let who = if unknown { "a gitward.yaml that cannot be read".to_owned() } else { names(environments) };
    let git_ref = &update.git_ref;
    let (Some(old), Some(new)) = (&update.old, &update.new) else {
        let deleted = update.new.is_none().then(|| {
            Finding::error("push/deletion", format!("{git_ref} feeds {who} and cannot be deleted"))
                .with_hint("take the environment out of gitward.yaml first, which allowRemoval on it lets you do")
        });
        return Ok(deleted);
    };
    let force_allowed = !unknown && environments.iter().all(|e| e.allow_force_push);
    if force_allowed || repository.follows(old, new)? {
        return Ok(None);
    }
    Ok(Some(
        Finding::error(
            "push/force",
            format!(
                "{git_ref} feeds {who} and cannot be rewound: {} does not follow from {}",
                new.short(),
                old.short()
            ),
        )
        .with_hint("revert with a new commit (`git revert`), or set allowForcePush on the environment"),
    ))
}

/// What is told of environments that a push leaves without a guard: their ref is no longer theirs by
/// `gitward.yaml`, or that is gone. What comes in from then on nobody judges, and it would have been there before when
/// the guard is back; so it is allowed only if it was announced. An environment that gets another name stays
/// guarded.
pub(crate) fn unguarded(git_ref: &str, rules: &Configuration, after: Option<&Configuration>) -> Vec<Finding> {
    let stays = |before: &EnvironmentConfig| {
        let mut now = after.into_iter().flat_map(|after| after.fed_from(git_ref));
        now.any(|now| now.name == before.name || now.holds(&before.path))
    };
    rules.fed_from(git_ref).filter(|before| !stays(before)).map(|gone| left(git_ref, gone, after.is_none())).collect()
}

fn left(git_ref: &str, environment: &EnvironmentConfig, without_file: bool) -> Finding {
    let name = &environment.name;
    let how = if without_file { format!("{} is gone", config::FILE) } else { "it is no longer named".to_owned() };
    let message = format!("nothing that is pushed to {git_ref} would be judged for environment {name} any more: {how}");
    if environment.allow_removal {
        return Finding::new(Severity::Warning, "push/unguarded", message)
            .with_hint("what is pushed until it is back counts as there before");
    }
    Finding::error("push/unguarded", message).with_hint(format!(
        "bring it back, or, if it is meant: push `allowRemoval: true` on environment {name} first, then this"
    ))
}

fn names(environments: &[&EnvironmentConfig]) -> String {
    let names: Vec<&str> = environments.iter().map(|e| e.name.as_str()).collect();
    format!("{} {}", if names.len() == 1 { "environment" } else { "environments" }, names.join(", "))
}
