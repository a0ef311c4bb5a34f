//! Policies that delegations name: whether they are there, and judge anything.

use crate::config::Configuration;
use crate::finding::{Finding, Place};
use crate::policy::{Policies, Policy};
use crate::schema::nearest;

const RULE: &str = "config/delegation";

/// One finding for each policy that a delegation names and that can bound nothing.
pub(super) fn missing(configuration: &Configuration, policies: &Policies) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (i, named) in configuration.ceilings_named().enumerate() {
        let found: Vec<&Policy> = policies.named(named.policy).collect();
        let (message, hint) = if found.is_empty() {
            let message = format!("there is no policy {:?} for the delegation {:?}", named.policy, named.delegation);
            let known = policies.list().iter().map(|p| p.rule.trim_start_matches("policy/"));
            let as_written =
                |rule: &str| if named.policy.contains('.') { rule.replace('/', ".") } else { rule.to_owned() };
            let known: Vec<String> = known.map(as_written).collect();
            let hint = match nearest(named.policy, known.iter().map(String::as_str)) {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => "write it in a directory that `policies` names, or correct the name".to_owned(),
            };
            (message, hint)
        } else if !named.kinds.iter().any(|kind| found.iter().any(|policy| policy.speaks_of(kind))) {
            let message = format!("the policy {:?} judges none of {}", named.policy, named.kinds.join(", "));
            (message, "add one of these kinds to its `kinds`, or take it out".to_owned())
        } else {
            continue;
        };
        let place = configuration.ceiling_place(i);
        findings.push(Finding::error(RULE, message).with_field(named.field).with_place(Some(place)).with_hint(hint));
    }
    findings
}

/// One warning for each policy that is there for delegations only and that none names.
pub(super) fn idle(configuration: &Configuration, policies: &Policies) -> Vec<Finding> {
    let is_named = |policy: &&Policy| {
        configuration.ceilings_named().any(|named| policies.named(named.policy).any(|p| p.rule == policy.rule))
    };
    let idle = policies.list().iter().filter(|p| p.is_ceiling() && !is_named(p));
    idle.map(|policy| {
        let message = format!("{} judges nothing: no delegation names it", policy.rule);
        Finding::warning("policy/judges-nothing", message)
            .with_place(Some(Place { file: policy.file.clone(), line: 1, column: 1 }))
            .with_hint("name it under `policies` of what an operator makes or sets; packages below `ceiling` judge nothing else")
    })
    .collect()
}
