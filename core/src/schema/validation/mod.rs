//! Rules that CRDs write in CEL (`x-kubernetes-validations`).
//!
//! They are run by the crate `cel` with the functions of Kubernetes from `kube-cel`, on the object as
//! the API server sees it: with its defaults, without its status. As there, they are asked only of an
//! object that fits its schema. Rules that compare with the object before (`oldSelf`) are asked of a
//! change, where that object is known, and not of an object alone: so the API server leaves them out when
//! an object is made. Differences that remain: rules with `optionalOldSelf`, and those that use a
//! function that is not known here, are left to the API server (the latter with a warning on the CRD).
//!
//! The library knows no limits, and CRDs are written by those who are judged. So an expression is
//! bounded in length, nodes and depth when it is compiled, each turn of a loop pays from the
//! object's budget, and what could grow without a loop is refused where its input is large.

mod expression;
mod functions;
mod run;
mod value;

use serde_json::{Map, Value};

use crate::path::FieldPath;
use expression::Expression;
pub(super) use expression::Unusable;
pub(super) use run::{check, check_change};

/// Rules at one point of a schema.
const MOST_RULES: usize = 200;

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// As it is written.
    text: Box<str>,
    expression: Expression,
    message: Option<Box<str>>,
    message_expression: Option<Expression>,
    /// Where the finding points to, from the value on.
    field: FieldPath,
}

impl Rule {
    /// Whether it compares with the object before.
    pub(super) fn is_transition(&self) -> bool {
        self.expression.is_transition()
    }
}

/// What stands in one entry of `x-kubernetes-validations`.
pub(super) enum Entry {
    /// A rule to ask.
    Rule(Rule),
    /// A rule that knows by itself whether there was an object before.
    OptionalTransition,
    /// One that cannot be used, and the field of the entry that says so.
    Unusable(&'static str, Unusable),
}

/// The entries of a schema, as many as are read.
pub(super) fn entries(schema: &Map<String, Value>) -> impl Iterator<Item = Entry> {
    let list = schema.get("x-kubernetes-validations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().take(MOST_RULES).map(entry)
}

fn entry(written: &Value) -> Entry {
    let text = |name: &str| written.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let Some(rule) = text("rule") else {
        return Entry::Unusable("rule", Unusable::Broken("it says nothing".to_owned()));
    };
    let expression = match Expression::compile(rule) {
        Ok(expression) => expression,
        Err(unusable) => return Entry::Unusable("rule", unusable),
    };
    let message_expression = match text("messageExpression").map(Expression::compile).transpose() {
        Ok(message) => message.filter(|m| !m.is_transition() || expression.is_transition()),
        // The rule itself can be asked; what it says then is the plain message.
        Err(Unusable::NotKnown(_)) => None,
        Err(unusable) => return Entry::Unusable("messageExpression", unusable),
    };
    if expression.is_transition() && written["optionalOldSelf"].as_bool() == Some(true) {
        return Entry::OptionalTransition;
    }
    let field = match text("fieldPath").map(FieldPath::parse).transpose() {
        Ok(field) => field.unwrap_or_default(),
        Err(unreadable) => return Entry::Unusable("fieldPath", Unusable::Broken(unreadable.to_string())),
    };
    Entry::Rule(Rule {
        text: rule.trim().into(),
        expression,
        message: text("message").map(Into::into),
        message_expression,
        field,
    })
}
