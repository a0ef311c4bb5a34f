//! Tests of policies: rules that begin with `test_`.

use regorus::Value;

use super::source::Located;
use super::{Inner, is_identifier};
use crate::finding::Place;

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The rule is true.
    Passed,
    /// The rule is false or undefined.
    Failed,
    /// The rule could not be evaluated.
    Error(String),
}

/// One test and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// Package and rule: `gitward.privileged.test_allowed`.
    pub name: String,
    /// Where the rule stands.
    pub place: Place,
    /// What came of it.
    pub outcome: Outcome,
    /// What the rule printed with `print`.
    pub printed: Vec<String>,
}

impl TestResult {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }
}

/// Runs all tests, in the order of their packages.
pub(super) fn run(inner: &Inner) -> Vec<TestResult> {
    let mut results = Vec::new();
    for (package, rules) in &inner.names.packages {
        for rule in rules.iter().filter(|rule| rule.name.starts_with("test_")) {
            let name = format!("{}.{}", package[1..].join("."), rule.name);
            let (outcome, printed) = if package.iter().all(|part| is_identifier(part)) {
                one(inner, &name)
            } else {
                (Outcome::Error("the package's name is no plain name".to_owned()), Vec::new())
            };
            let span = &rule.span;
            let place = Place { file: span.source.get_path().as_str().into(), line: span.line, column: span.col };
            results.push(TestResult { name, place, outcome, printed });
        }
    }
    results
}

fn one(inner: &Inner, name: &str) -> (Outcome, Vec<String>) {
    let mut engine = inner.strict.clone();
    engine.set_input(Value::new_object());
    let outcome = match engine.eval_rule(format!("data.{name}")) {
        Ok(Value::Bool(true)) => Outcome::Passed,
        Ok(_) => Outcome::Failed,
        Err(error) => Outcome::Error(Located::of(&error.to_string()).message),
    };
    (outcome, engine.take_prints().unwrap_or_default())
}
