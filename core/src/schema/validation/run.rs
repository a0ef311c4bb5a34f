//! Asking the rules of an object, at every point of its schema that has some.

use kube_cel::cel::{ExecutionError, Value as Cel};
use serde_json::Value;

use super::super::node::{Arena, Items, Kind, NodeId};
use super::super::report::{At, Report};
use super::{Rule, functions, value};
use crate::caught::caught;
use crate::finding::Finding;
use crate::path::FieldPath;

/// What the rules of one object may cost, in steps of some ten nanoseconds.
const BUDGET: u64 = 10_000_000;

/// Largest value, by its weight, of which a rule may build longer texts: some eight kibibytes.
const MOST_GROWN: u64 = 512;

/// Nesting that is followed.
const MOST_DEPTH: usize = 100;

/// Characters of a rule's own message.
const LONGEST_MESSAGE: usize = 1_000;

/// Characters of a rule that are quoted.
const LONGEST_QUOTE: usize = 200;

/// Asks all rules of an object that fits its schema.
pub(in crate::schema) fn check(arena: &Arena, root: NodeId, object: &Value, report: &mut Report<'_>) {
    functions::allow(BUDGET);
    let mut check = Check { arena, report };
    check.value(root, object, &At::ROOT, 0);
    if functions::is_spent() {
        let finding = Finding::error("schema/limit", "the rules of its CRD take too long for an object of this size");
        report.add(finding.with_hint("Split the object, or bound the loops in its CRD's rules."), FieldPath::root());
    }
}

struct Check<'a, 'r, 'm> {
    arena: &'a Arena,
    report: &'r mut Report<'m>,
}

impl Check<'_, '_, '_> {
    fn value(&mut self, id: NodeId, value: &Value, at: &At<'_>, depth: usize) {
        let Some(node) = self.arena.get(id) else { return };
        if node.dropped || value.is_null() || depth > MOST_DEPTH || functions::is_spent() {
            return;
        }
        if !node.validations.is_empty() {
            self.rules(id, &node.validations, value, at);
        }
        for id in node.rules.iter().flat_map(|rules| &rules.all_of) {
            self.value(*id, value, at, depth + 1);
        }
        // What every object has of the kind is not the CRD's to judge.
        if node.kind == Kind::ObjectMeta {
            return;
        }
        match (value, &node.object, &node.items) {
            (Value::Object(map), Some(fields), _) => {
                for (name, value) in map {
                    if let Some(id) = fields.child(name) {
                        self.value(id, value, &at.field(name), depth + 1);
                    }
                }
            }
            (Value::Array(list), _, Some(items)) => self.items(items, list, at, depth),
            _ => {}
        }
    }

    fn items(&mut self, items: &Items, list: &[Value], at: &At<'_>, depth: usize) {
        for (index, value) in list.iter().enumerate() {
            self.value(items.node, value, &at.item(index, list, &items.keys), depth + 1);
        }
    }

    fn rules(&mut self, id: NodeId, rules: &[Rule], value: &Value, at: &At<'_>) {
        let weight = value::weight(value);
        let this = value::of(self.arena, self.arena.get(id), value);
        for rule in rules {
            if rule.expression.grows && weight > MOST_GROWN {
                let message = format!("{} is not checked: it is too large for a rule of its CRD", at.path_or_object());
                self.report.add(Finding::warning("schema/unchecked", message).with_hint(quoted(rule)), at.path());
                continue;
            }
            if let Some(finding) = ask(rule, &this, weight, at) {
                let path = rule.field.0.iter().fold(at.path(), |path, step| path.with(step.clone()));
                self.report.add(finding, path);
            }
        }
    }
}

/// What a rule has against a value.
fn ask(rule: &Rule, this: &Cel, weight: u64, at: &At<'_>) -> Option<Finding> {
    let expression = &rule.expression;
    // A step may copy what it looks at.
    if !functions::pay(expression.nodes as u64 * (1 + weight / 16) + expression.patterns) {
        return None;
    }
    let price = 1 + expression.nodes as u64 / 4 + weight / 16 + expression.patterns;
    let result = functions::with(price, |functions| {
        let mut scope = functions.new_inner_scope();
        scope.add_variable_from_value("self", this.clone());
        // The library has panicked on what it does not know.
        caught(|| expression.run(&scope))
    });
    if functions::is_spent() {
        return None;
    }
    match result {
        Some(Ok(Cel::Bool(true))) => None,
        Some(Ok(Cel::Bool(false))) => {
            let message = format!("{} breaks a rule of its CRD: {}", at.path_or_object(), said(rule, this, price));
            Some(Finding::error("schema/rule", message).with_hint(quoted(rule)))
        }
        // The API server refuses the object as well where a rule looks for what is not there.
        Some(Err(
            error @ (ExecutionError::NoSuchKey(_)
            | ExecutionError::IndexOutOfBounds(_)
            | ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_)),
        )) => {
            let message = format!("{}: a rule of its CRD cannot be answered: {}", at.path_or_object(), why(&error));
            Some(Finding::error("schema/rule", message).with_hint(quoted(rule)))
        }
        Some(Ok(_) | Err(_)) | None => {
            let message = format!("{} is not checked: a rule of its CRD could not be run", at.path_or_object());
            Some(Finding::warning("schema/unchecked", message).with_hint(quoted(rule)))
        }
    }
}

/// Why a rule has no answer, without the values in it.
fn why(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("there is no `{}`", cut(name, LONGEST_QUOTE)),
        ExecutionError::IndexOutOfBounds(_) => "the list has fewer elements".to_owned(),
        _ => "it divides by zero".to_owned(),
    }
}

/// What the rule itself says.
fn said(rule: &Rule, this: &Cel, price: u64) -> String {
    let expressed = rule.message_expression.as_ref().and_then(|expression| {
        functions::with(price, |functions| {
            let mut scope = functions.new_inner_scope();
            scope.add_variable_from_value("self", this.clone());
            match caught(|| expression.run(&scope)) {
                Some(Ok(Cel::String(text))) if !text.trim().is_empty() && !text.contains('\n') => {
                    Some(text.to_string())
                }
                _ => None,
            }
        })
    });
    let text = expressed.or_else(|| rule.message.as_deref().map(str::to_owned));
    cut(text.as_deref().unwrap_or("it says no more").trim(), LONGEST_MESSAGE)
}

fn quoted(rule: &Rule) -> String {
    format!("The rule: `{}`", cut(&rule.text.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST_QUOTE))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
