//! Which bounds are used.

use super::*;
use crate::delegation::bounds::{Use, by_live, by_request, of};
use crate::verdict::Verdict;

fn used(world: &World, uses: impl Fn(&Context<'_>) -> Vec<Use>) -> Vec<String> {
    let bounds = of(&world.snapshot.configuration.delegations[0]);
    let uses = world.asks(|context| uses(context));
    uses.iter().map(|u| format!("{}={}", bounds[u.bound].field, u.value)).collect()
}

fn by_writing(world: &World, who: &str, object: &Value) -> Vec<String> {
    used(world, |context| {
        let request = Request {
            operation: Operation::Create,
            key: ObjectKey::of(object).unwrap(),
            resource: "any",
            subresource: "",
            user: user(who, true),
            object: Some(object),
            old_object: None,
            options: None,
            dry_run: false,
        };
        let verdict: Verdict = judge_request(&request, context);
        let delegation = &world.snapshot.configuration.delegations[0];
        by_request(&of(delegation), delegation, &request, &verdict.traced, context)
    })
}

fn by_being_there(world: &World, object: &Value) -> Vec<String> {
    let delegation = &world.snapshot.configuration.delegations[0];
    let key = ObjectKey::of(object).unwrap();
    used(world, |context| by_live(&of(delegation), delegation, &key, object, context))
}

#[test]
fn a_write_uses_the_bounds_that_it_passed_by() {
    let world = world();
    let mut used = by_writing(&world, OPERATOR, &stateful_set());
    used.sort();
    assert_eq!(
        used,
        [
            "accounts[0]=system:serviceaccount:shop:operator",
            "makes[0].images[0]=registry.example.org/prometheus/prometheus",
            "makes[0].images[0]=registry.example.org/prometheus/reloader",
            "makes[0].kinds[0]=StatefulSet.apps",
            "makes[0].names=prometheus-main",
            "makes[0].namespaces=shop",
            "makes[0].owners[0]=Prometheus.monitoring.example.org",
            "makes[0].podSecurity=baseline",
            "makes[0].serviceAccounts[0]=prometheus",
        ]
    );
    assert_eq!(by_writing(&world, "admin", &stateful_set()), [""; 0], "it was denied");
    // Whoever made it.
    let there = by_being_there(&world, &stateful_set());
    assert_eq!(there.len(), 8, "{there:?}");
    assert!(!there.iter().any(|u| u.starts_with("accounts")), "{there:?}");
    let mut past = stateful_set();
    past["spec"]["template"]["spec"]["hostNetwork"] = true.into();
    assert_eq!(by_being_there(&world, &past), [""; 0]);
}

#[test]
fn a_field_that_is_not_as_git_says_was_set() {
    let mut world = world();
    learn(&mut world, &prometheus());
    let seen = with(&prometheus(), json!({"metadata": {"annotations": {"monitoring.example.org/seen": "yes"}}}));
    assert_eq!(
        by_being_there(&world, &seen),
        [
            "sets[0].kinds[0]=Prometheus.monitoring.example.org",
            "sets[0].fields[1]=metadata.annotations[\"monitoring.example.org/seen\"]"
        ]
    );
    assert_eq!(by_being_there(&world, &prometheus()), [""; 0]);
}
