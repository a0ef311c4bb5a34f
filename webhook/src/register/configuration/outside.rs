//! What no webhook is asked about: nothing depends on the answer, whoever asks.
//!
//! None of these believes an account where the gate would look at content. What satisfies one, under
//! whatever name, is stored nowhere, decides nothing that Git declares, or is let through by a rule
//! that demands no more.

use gitward_core::derived::unasked;
use k8s_openapi::api::admissionregistration::v1::MatchCondition;

use super::{condition, quoted};

/// They hold of all that has to be asked about.
pub(super) fn conditions(learner: &str) -> Vec<MatchCondition> {
    let learner = quoted(learner);
    let mut conditions = vec![
        condition(
            "no-leases",
            "!(request.resource.group == 'coordination.k8s.io' && request.resource.resource == 'leases')".to_owned(),
        ),
        condition(
            "no-events",
            "!(request.resource.resource == 'events' && request.resource.group in ['', 'events.k8s.io'])".to_owned(),
        ),
        condition("no-access-reviews", "request.resource.group != 'authorization.k8s.io'".to_owned()),
        condition(
            "no-learning",
            format!(
                "!(has(request.dryRun) && request.dryRun && (!has(request.subResource) || request.subResource == '') \
                 && request.operation in ['CREATE', 'UPDATE'] && request.userInfo.username == {learner})"
            ),
        ),
    ];
    conditions.extend(unasked::asked().map(|(name, expression)| condition(name, expression)));
    conditions
}
