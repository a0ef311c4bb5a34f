//! Policies and exceptions that come to nothing: most likely a slip of the pen, and silently no rule.

use regorus::unstable::Span;

use super::check::{Names, Path};
use super::exceptions::{self, Exception};
use super::{Policy, severity};
use crate::finding::{Finding, Place};
use crate::schema::nearest;

/// Packages that find nothing, though nobody else reads them.
pub(super) fn packages(names: &Names, read: &[(Path, Path)]) -> Vec<Finding> {
    let finds = |package: &Path| {
        let rules = names.packages.get(package).map_or(&[][..], Vec::as_slice);
        rules.iter().any(|rule| severity(&rule.name).is_some() || rule.name.starts_with("test_"))
    };
    let is_read = |package: &Path| read.iter().any(|(by, path)| by != package && path.starts_with(package));
    let idle = names.modules.iter().filter(|module| {
        !module.path.iter().skip(1).eq(exceptions::PACKAGE.iter()) && !finds(&module.path) && !is_read(&module.path)
    });
    let told = |span: &Span| {
        Finding::warning("policy/judges-nothing", "the package has no rule `deny` or `warn`, and no other one uses it")
            .with_place(Some(place(span)))
            .with_hint("name its rule `deny` (or `warn`), or remove the file")
    };
    idle.map(|module| told(&module.span)).collect()
}

/// Policies whose `kinds` is empty.
pub(super) fn without_kinds(policies: &[Policy]) -> Vec<Finding> {
    let idle = policies.iter().filter(|policy| policy.kinds.as_ref().is_some_and(|kinds| kinds.is_empty()));
    idle.map(|policy| {
        Finding::warning("policy/judges-nothing", format!("`kinds` of {} is empty", policy.rule))
            .with_place(policy.kinds_place.clone())
            .with_hint("name the kinds that it judges, or leave `kinds` out to judge every object")
    })
    .collect()
}

/// Exceptions for policies that there are none of.
pub(super) fn exceptions(names: &Names, policies: &[Policy], exceptions: &[Exception]) -> Vec<Finding> {
    let rules = || policies.iter().map(|policy| policy.rule.as_str());
    let unknown = exceptions.iter().filter(|exception| rules().all(|rule| rule != exception.rule));
    unknown
        .map(|exception| {
            let message = format!("there is no policy {}: the exception lets nothing pass", exception.rule);
            let finding = Finding::warning("policy/exception", message).with_place(written(names, &exception.rule));
            match nearest(&exception.rule, rules()) {
                Some(nearest) => finding.with_hint(format!("did you mean {nearest}?")),
                None => finding.with_hint("correct its `policy`, or remove the exception"),
            }
        })
        .collect()
}

/// Where an exception most likely names a policy; the engine says no more than the values.
fn written(names: &Names, rule: &str) -> Option<Place> {
    let modules = || names.modules.iter().filter(|m| m.path.iter().skip(1).eq(exceptions::PACKAGE.iter()));
    let short = rule.trim_start_matches("policy/");
    let found = modules().find_map(|module| {
        let text = module.span.source.get_contents();
        let at = [format!("\"{short}\""), format!("\"{rule}\"")].iter().find_map(|name| text.find(name.as_str()))?;
        let before = &text[..at];
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Some(Place {
            file: module.span.source.get_path().as_str().into(),
            line: u32::try_from(before.matches('\n').count() + 1).ok()?,
            column: u32::try_from(column).ok()?,
        })
    });
    found.or_else(|| modules().next().map(|module| place(&module.span)))
}

/// Packages of the first files that later ones add to.
pub(super) fn added_to(names: &Names, first: usize) -> Vec<Finding> {
    let (ours, others) = names.modules.split_at(first.min(names.modules.len()));
    let added = others.iter().filter(|module| ours.iter().any(|our| our.path == module.path));
    added
        .map(|module| {
            let name = module.path[1..].join(".");
            let message = format!("the package {name} comes with gitward: a rule added to it changes what others find");
            Finding::error("policy/compile", message)
                .with_place(Some(place(&module.span)))
                .with_hint("give the package another name, or set `starterPolicies: false` and keep copies of your own")
        })
        .collect()
}

fn place(span: &Span) -> Place {
    Place { file: span.source.get_path().as_str().into(), line: span.line.max(1), column: span.col.max(1) }
}
