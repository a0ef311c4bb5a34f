//! Which of its rules a push changes. Where it changes none, what is at hand of them is good already.

use gitward_core::config::{self, Configuration};
use gitward_core::evaluate;
use gitward_repo::{CommitId, Error, Repository};

use crate::Result;

/// Changed paths that are looked at.
pub(crate) const PATHS: usize = 10_000;

/// What a push changes of that by which it is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// `gitward.yaml`, policies, or schemas.
    pub(crate) rules: bool,
    /// What files in `crds` say, or which files those are.
    pub(crate) schemas: bool,
}

impl Changes {
    /// What differs between the commit whose rules hold and the pushed one.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub(crate) fn between(
        repository: &Repository,
        (base, rules): (&CommitId, &Configuration),
        (new, after): (&CommitId, Option<&Configuration>),
    ) -> Result<Self> {
        if new == base {
            return Ok(Self::default());
        }
        match repository.changed_paths(base, new, PATHS) {
            Ok(changed) => Ok(Self::of(&changed, rules, after)),
            // Who changes so much may have changed these.
            Err(Error::TooLarge { .. }) => Ok(Self { rules: true, schemas: has_schemas(rules, after) }),
            Err(error) => Err(error.into()),
        }
    }

    fn of(changed: &[String], rules: &Configuration, after: Option<&Configuration>) -> Self {
        let any = |is: &dyn Fn(&Configuration, &str) -> bool| {
            changed.iter().any(|path| is(rules, path) || after.is_some_and(|after| is(after, path)))
        };
        let configuration = changed.iter().any(|path| path == config::FILE);
        let schemas = any(&evaluate::is_schema_file) || (configuration && has_schemas(rules, after));
        Self { rules: configuration || schemas || any(&evaluate::is_policy_file), schemas }
    }
}

fn has_schemas(rules: &Configuration, after: Option<&Configuration>) -> bool {
    !rules.crds.is_empty() || after.is_some_and(|after| !after.crds.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_apart() {
        let rules = Configuration {
            policies: vec!["policies".to_owned()],
            crds: vec!["schemas".to_owned()],
            ..Configuration::default()
        };
        let of = |path: &str| {
            let Changes { rules, schemas } = Changes::of(&[path.to_owned()], &rules, None);
            (rules, schemas)
        };
        assert_eq!(of("deploy/web.yaml"), (false, false));
        assert_eq!(of("policies/team.rego"), (true, false));
        assert_eq!(of("schemas/widgets.yaml"), (true, true));
        assert_eq!(of("gitward.yaml"), (true, true));
    }
}
