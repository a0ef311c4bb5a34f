//! Asking the rules of an object, at every point of its schema that has some.

use kube_cel::cel::{ExecutionError, Value as Cel};
use serde_json::Value;

use super::super::node::{Arena, Items, Kind, NodeId};
use super::super::report::{At, Report};
use super::expression::Expression;
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

/// Asks all rules of an object that fits its schema, but for those that compare it with the one before.
pub(in crate::schema) fn check(arena: &Arena, root: NodeId, object: &Value, report: &mut Report<'_>) {
    all(arena, report, |check| check.value(root, object, None, &At::ROOT, 0));
}

/// Asks the rules that compare an object with the one before it, both of which fit their schema.
pub(in crate::schema) fn check_change(
    arena: &Arena,
    root: NodeId,
    (before, object): (&Value, &Value),
    report: &mut Report<'_>,
) {
    all(arena, report, |check| {
        check.of_changes = true;
        check.value(root, object, Some(before), &At::ROOT, 0);
    });
}

fn all(arena: &Arena, report: &mut Report<'_>, ask: impl FnOnce(&mut Check<'_, '_, '_>)) {
    functions::allow(BUDGET);
    let mut check = Check { arena, report, of_changes: false };
    ask(&mut check);
    if functions::is_spent() {
        let finding = Finding::error("schema/limit", "the rules of its CRD take too long for an object of this size");
        report.add(finding.with_hint("Split the object, or bound the loops in its CRD's rules."), FieldPath::root());
    }
}

struct Check<'a, 'r, 'm> {
    arena: &'a Arena,
    report: &'r mut Report<'m>,
    /// Whether the rules that compare are asked, or the others.
    of_changes: bool,
}

impl Check<'_, '_, '_> {
    fn value(&mut self, id: NodeId, value: &Value, before: Option<&Value>, at: &At<'_>, depth: usize) {
        let Some(node) = self.arena.get(id) else { return };
        let before = before.filter(|before| !before.is_null());
        // What was not there before is compared with nothing.
        let is_compared = !self.of_changes || before.is_some();
        if !is_compared || node.dropped || value.is_null() || depth > MOST_DEPTH || functions::is_spent() {
            return;
        }
        if node.validations.iter().any(|rule| rule.is_transition() == self.of_changes) {
            self.rules(id, &node.validations, value, before, at);
        }
        for id in node.rules.iter().flat_map(|rules| &rules.all_of) {
            self.value(*id, value, before, at, depth + 1);
        }
        // What every object has of the kind is not the CRD's to judge.
        if node.kind == Kind::ObjectMeta {
            return;
        }
        match (value, &node.object, &node.items) {
            (Value::Object(map), Some(fields), _) => {
                for (name, value) in map {
                    if let Some(id) = fields.child(name) {
                        let before = before.and_then(|before| before.get(name));
                        self.value(id, value, before, &at.field(name), depth + 1);
                    }
                }
            }
            (Value::Array(list), _, Some(items)) => self.items(items, list, before, at, depth),
            _ => {}
        }
    }

    fn items(&mut self, items: &Items, list: &[Value], before: Option<&Value>, at: &At<'_>, depth: usize) {
        let before = before.and_then(Value::as_array);
        for (index, value) in list.iter().enumerate() {
            let before = before.and_then(|before| same(items, before, value));
            self.value(items.node, value, before, &at.item(index, list, &items.keys), depth + 1);
        }
    }

    fn rules(&mut self, id: NodeId, rules: &[Rule], value: &Value, before: Option<&Value>, at: &At<'_>) {
        let weight = value::weight(value) + before.map_or(0, value::weight);
        let node = self.arena.get(id);
        let asked = Asked {
            this: value::of(self.arena, node, value),
            before: before.filter(|_| self.of_changes).map(|before| value::of(self.arena, node, before)),
            weight,
        };
        for rule in rules.iter().filter(|rule| rule.is_transition() == self.of_changes) {
            if rule.expression.grows && weight > MOST_GROWN {
                let message = format!("{} is not checked: it is too large for a rule of its CRD", at.path_or_object());
                self.report.add(Finding::warning("schema/unchecked", message).with_hint(quoted(rule)), at.path());
                continue;
            }
            if let Some(finding) = ask(rule, &asked, at) {
                let path = rule.field.0.iter().fold(at.path(), |path, step| path.with(step.clone()));
                self.report.add(finding, path);
            }
        }
    }
}

/// What a rule is asked of.
struct Asked {
    this: Cel,
    before: Option<Cel>,
    weight: u64,
}

impl Asked {
    /// Runs an expression; the library has panicked on what it does not know.
    fn run(&self, expression: &Expression, price: u64) -> Option<Result<Cel, ExecutionError>> {
        functions::with(price, |functions| {
            let mut scope = functions.new_inner_scope();
            scope.add_variable_from_value("self", self.this.clone());
            if let Some(before) = &self.before {
                scope.add_variable_from_value("oldSelf", before.clone());
            }
            caught(|| expression.run(&scope))
        })
    }
}

/// The element that is the same one in another list, by what tells elements apart. Where their positions do, none
/// is.
fn same<'v>(items: &Items, list: &'v [Value], element: &Value) -> Option<&'v Value> {
    let is_same = |other: &&Value| items.keys.iter().all(|key| other.get(key) == element.get(key));
    list.iter().find(|other| !items.keys.is_empty() && is_same(other))
}

/// What a rule has against a value.
fn ask(rule: &Rule, asked: &Asked, at: &At<'_>) -> Option<Finding> {
    let (expression, weight) = (&rule.expression, asked.weight);
    // A step may copy what it looks at.
    if !functions::pay(expression.nodes as u64 * (1 + weight / 16) + expression.patterns) {
        return None;
    }
    let price = 1 + expression.nodes as u64 / 4 + weight / 16 + expression.patterns;
    let result = asked.run(expression, price);
    if functions::is_spent() {
        return None;
    }
    match result {
        Some(Ok(Cel::Bool(true))) => None,
        Some(Ok(Cel::Bool(false))) => {
            let message = format!("{} breaks a rule of its CRD: {}", at.path_or_object(), said(rule, asked, price));
            Some(Finding::error("schema/rule", message).with_hint(quoted(rule)))
        }
        // The API server refuses the object as well where a rule looks for what is not there.
        Some(Err(error)) if is_an_answer(&error) => {
            let message = format!("{}: a rule of its CRD cannot be answered: {}", at.path_or_object(), why(&error));
            Some(Finding::error("schema/rule", message).with_hint(quoted(rule)))
        }
        Some(Ok(_) | Err(_)) | None => {
            let message = format!("{} is not checked: a rule of its CRD could not be run", at.path_or_object());
            Some(Finding::warning("schema/unchecked", message).with_hint(quoted(rule)))
        }
    }
}

/// Functions that make another value of one, where it is of the right form.
const CONVERSIONS: [&str; 8] = ["int", "uint", "double", "timestamp", "duration", "quantity", "ip", "cidr"];

/// Whether a rule fails by the value that it is asked of, wherever it is asked.
fn is_an_answer(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::NoSuchKey(_)
        | ExecutionError::IndexOutOfBounds(_)
        | ExecutionError::DivisionByZero(_)
        | ExecutionError::RemainderByZero(_)
        | ExecutionError::Overflow(..) => true,
        ExecutionError::FunctionError { function, .. } => CONVERSIONS.contains(&function.as_str()),
        _ => false,
    }
}

/// Why a rule has no answer, without the values in it.
fn why(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("there is no `{}`", cut(name, LONGEST_QUOTE)),
        ExecutionError::IndexOutOfBounds(_) => "the list has fewer elements".to_owned(),
        ExecutionError::Overflow(..) => "a number becomes too large".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("{function}() cannot read its value"),
        _ => "it divides by zero".to_owned(),
    }
}

/// What the rule itself says.
fn said(rule: &Rule, asked: &Asked, price: u64) -> String {
    let expressed = rule.message_expression.as_ref().and_then(|expression| match asked.run(expression, price) {
        Some(Ok(Cel::String(text))) if !text.trim().is_empty() && !text.contains('\n') => Some(text.to_string()),
        _ => None,
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
