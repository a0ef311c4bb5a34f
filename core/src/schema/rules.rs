//! Rules on values beyond their type, as CRDs write them.
//!
//! Rules in CEL (`x-kubernetes-validations`) are not among them.

use std::collections::HashSet;

use serde_json::Value;

use super::messages::{self, count};
use super::node::{Arena, Bounds, Items, NodeId, Rules, Unique};
use super::report::At;
use super::walk::{Mode, Walk};

pub(super) fn check(walk: &mut Walk<'_, '_>, arena: &Arena, rules: &Rules, value: &Value, at: &At<'_>, mode: Mode) {
    check_listed(walk, rules, value, at);
    match value {
        Value::String(text) => check_text(walk, rules, text, at),
        Value::Number(number) => check_number(walk, rules, number.as_f64().unwrap_or_default(), at),
        Value::Array(list) => check_bounds(walk, rules.items, list.len(), "element", at),
        Value::Object(map) => check_bounds(walk, rules.properties, map.len(), "field", at),
        _ => {}
    }
    for id in &rules.all_of {
        walk.value(arena, *id, value, at, mode);
    }
    check_alternatives(walk, arena, rules, value, at, mode);
}

/// Whether a value is among those listed, if any are. The API server takes null for none of them,
/// even where it is listed.
pub(super) fn check_listed(walk: &mut Walk<'_, '_>, rules: &Rules, value: &Value, at: &At<'_>) {
    let allowed = &rules.one_of_values;
    if !allowed.is_empty() && (value.is_null() || !allowed.iter().any(|a| is_same(a, value))) {
        walk.say(at, || messages::not_allowed(allowed, value, at));
    }
}

fn check_text(walk: &mut Walk<'_, '_>, rules: &Rules, text: &str, at: &At<'_>) {
    if rules.length != Bounds::default() {
        check_bounds(walk, rules.length, text.chars().count(), "character", at);
    }
    if let Some(format) = rules.format
        && !format.accepts(text)
    {
        walk.say(at, || messages::invalid(at, &format!("must be {}", format.noun())));
    }
    if let Some(pattern) = &rules.pattern {
        match pattern.matches(text) {
            Some(true) => {}
            Some(false) => {
                walk.say(at, || messages::invalid(at, &format!("does not match the pattern {}", pattern.source())));
            }
            // The API server refuses the CRD if it does not understand it either.
            None => walk.not_checked(at, pattern.source()),
        }
    }
}

fn check_number(walk: &mut Walk<'_, '_>, rules: &Rules, number: f64, at: &At<'_>) {
    if let Some(least) = rules.minimum {
        let word = if rules.minimum_exclusive { "more than" } else { "at least" };
        if number < least || (rules.minimum_exclusive && number == least) {
            walk.say(at, || messages::invalid(at, &format!("must be {word} {least}")));
        }
    }
    if let Some(most) = rules.maximum {
        let word = if rules.maximum_exclusive { "less than" } else { "at most" };
        if number > most || (rules.maximum_exclusive && number == most) {
            walk.say(at, || messages::invalid(at, &format!("must be {word} {most}")));
        }
    }
    if let Some(unit) = rules.multiple_of
        && unit > 0.0
    {
        let quotient = number / unit;
        if (quotient - quotient.round()).abs() > 1e-9 * quotient.abs().max(1.0) {
            walk.say(at, || messages::invalid(at, &format!("must be a multiple of {unit}")));
        }
    }
}

fn check_bounds(walk: &mut Walk<'_, '_>, bounds: Bounds, found: usize, noun: &str, at: &At<'_>) {
    let found = found as u64;
    if let Some(least) = bounds.least
        && found < least
    {
        walk.say(at, || messages::invalid(at, &format!("must have at least {}, and has {found}", count(least, noun))));
    }
    if let Some(most) = bounds.greatest
        && found > most
    {
        walk.say(at, || messages::invalid(at, &format!("must have at most {}, and has {found}", count(most, noun))));
    }
}

fn check_alternatives(walk: &mut Walk<'_, '_>, arena: &Arena, rules: &Rules, value: &Value, at: &At<'_>, mode: Mode) {
    if !rules.any_of.is_empty() && !rules.any_of.iter().any(|id| walk.accepts(arena, *id, value, at, mode)) {
        no_alternative(walk, arena, &rules.any_of, "at least one", value, at, mode);
    }
    if !rules.one_of.is_empty() {
        let accepted = rules.one_of.iter().filter(|id| walk.accepts(arena, **id, value, at, mode)).count();
        if accepted != 1 {
            no_alternative(walk, arena, &rules.one_of, "exactly one", value, at, mode);
        }
    }
    if let Some(id) = rules.not
        && walk.accepts(arena, id, value, at, mode)
    {
        let said = match only_required(arena, id) {
            Some(names) => format!("must not have {} set together", names.join(", ")),
            None => "is of a form that its schema excludes".to_owned(),
        };
        walk.say(at, || messages::invalid(at, &said));
    }
}

fn no_alternative(
    walk: &mut Walk<'_, '_>,
    arena: &Arena,
    ids: &[NodeId],
    how_many: &str,
    value: &Value,
    at: &At<'_>,
    mode: Mode,
) {
    if let [only] = ids {
        return walk.value(arena, *only, value, at, mode);
    }
    let required: Option<Vec<_>> = ids.iter().map(|id| only_required(arena, *id)).collect();
    let said = match required {
        Some(sets) => {
            let sets: Vec<_> = sets.iter().map(|set| set.join(" with ")).collect();
            format!("must have {how_many} of {}", sets.join(", "))
        }
        None => format!("must match {how_many} of the {} alternatives in its schema", ids.len()),
    };
    walk.say(at, || messages::invalid(at, &said));
}

/// The required fields of a node that says nothing else.
fn only_required(arena: &Arena, id: NodeId) -> Option<Vec<&str>> {
    let node = arena.get(id)?;
    let fields = node.object.as_ref()?;
    let plain = node.rules.is_none() && fields.iter().next().is_none() && !fields.required.is_empty();
    plain.then(|| fields.required.iter().map(|name| &**name).collect())
}

/// Positions of elements that repeat an earlier one.
pub(super) fn repeated(items: &Items, list: &[Value]) -> Vec<usize> {
    let mut seen = HashSet::new();
    let repeats = |(index, value): (usize, &Value)| {
        let identity = match items.unique {
            Unique::Nothing => return None,
            Unique::Elements => vec![Some(value.clone())],
            Unique::Keys => items.keys.iter().map(|key| value.get(key).cloned()).collect(),
        };
        (!seen.insert(identity)).then_some(index)
    };
    list.iter().enumerate().filter_map(repeats).collect()
}

/// Equality as JSON has it: `1` and `1.0` are one number.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}
