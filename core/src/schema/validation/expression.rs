//! Expressions, compiled and bounded.

use std::thread;

use kube_cel::cel::common::ast::operators::{LOGICAL_AND, OPT_INDEX, OPT_SELECT};
use kube_cel::cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use kube_cel::cel::parser::Parser;
use kube_cel::cel::{Context, ExecutionError, Value};

use regex::RegexBuilder;

use super::functions::{COMPILING, GROWING, KNOWN, STEP};
use crate::caught::caught;

/// Bytes of an expression. The longest of well-known CRDs have two thousand.
const LONGEST: usize = 8 << 10;

/// Parts of an expression.
const MOST_NODES: usize = 2_000;

/// Nesting of an expression, as it is evaluated.
const MOST_DEPTH: usize = 80;

/// Nesting of an expression, as it is written.
const MOST_PARSED_DEPTH: u16 = 64;

/// Stack to compile with: what is too deep is known only once it is read.
const STACK: usize = 64 << 20;

/// Sizes of compiled patterns in bytes, and what compiling one costs in steps of ten nanoseconds.
const PATTERN_PRICES: [(usize, u64); 3] = [(16 << 10, 5_000), (128 << 10, 50_000), (1 << 20, 500_000)];

/// Digits after the point in a format, beyond which it is refused.
const MOST_PRECISION_DIGITS: usize = 2;

/// Why an expression cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::schema) enum Unusable {
    /// It is no expression, or refers to what there is not.
    Broken(String),
    /// It is longer or deeper than what is run.
    TooLarge(&'static str),
    /// It uses a function that is not known here, though the API server may know it.
    NotKnown(String),
}

/// An expression that can be run.
#[derive(Debug)]
pub(super) struct Expression {
    tree: IdedExpr,
    /// Parts.
    pub(super) nodes: usize,
    /// Whether it calls something that grows beyond what it is given.
    pub(super) grows: bool,
    /// What its regular expressions cost, which are compiled each time they are asked.
    pub(super) patterns: u64,
    transition: bool,
}

impl Expression {
    pub(super) fn compile(text: &str) -> Result<Self, Unusable> {
        if text.len() > LONGEST {
            return Err(Unusable::TooLarge("is too long"));
        }
        // The parser follows the nesting on the stack, and so does everything after it until the
        // depth is known.
        let compiled = thread::scope(|scope| {
            let work = || caught(|| parse(text));
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?;
            thread.join().ok().flatten()
        });
        compiled.unwrap_or_else(|| Err(Unusable::Broken("it makes the parser fail".to_owned())))
    }

    /// Whether it compares with the object as it was before.
    pub(super) fn is_transition(&self) -> bool {
        self.transition
    }

    pub(super) fn run(&self, context: &Context<'_>) -> Result<Value, ExecutionError> {
        context.resolve(&self.tree)
    }
}

fn parse(text: &str) -> Result<Expression, Unusable> {
    let parser = Parser::new().enable_optional_syntax(true).max_recursion_depth(MOST_PARSED_DEPTH);
    let mut tree = parser.parse(text).map_err(|errors| {
        let first = errors.errors.first().map_or_else(|| "it is no CEL".to_owned(), |e| e.msg.clone());
        Unusable::Broken(first.lines().next().unwrap_or_default().trim_start_matches("Syntax error: ").to_owned())
    })?;
    let mut survey = Survey::default();
    survey.node(&mut tree, 0)?;
    let Survey { nodes, grows, patterns, transition, .. } = survey;
    Ok(Expression { tree, nodes, grows, patterns, transition })
}

/// Goes through an expression once: measures it, looks for what is not known, and lets every turn
/// of every loop pay.
#[derive(Default)]
struct Survey {
    nodes: usize,
    /// Calls of growing functions around the present point.
    growing: usize,
    grows: bool,
    patterns: u64,
    transition: bool,
    /// Variables of the loops around the present point.
    variables: Vec<String>,
}

impl Survey {
    fn node(&mut self, tree: &mut IdedExpr, depth: usize) -> Result<(), Unusable> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Unusable::TooLarge("has too many parts"));
        }
        if depth > MOST_DEPTH {
            return Err(Unusable::TooLarge("is nested too deeply"));
        }
        let depth = depth + 1;
        match &mut tree.expr {
            Expr::Unspecified | Expr::Struct(_) => Err(Unusable::NotKnown("messages as values".to_owned())),
            Expr::Literal(literal) => precision(literal),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.node(&mut select.operand, depth),
            Expr::List(list) => list.elements.iter_mut().try_for_each(|element| self.node(element, depth)),
            Expr::Map(map) => map.entries.iter_mut().try_for_each(|entry| match &mut entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.node(&mut entry.key, depth)?;
                    self.node(&mut entry.value, depth)
                }
                EntryExpr::StructField(_) => Err(Unusable::NotKnown("messages as values".to_owned())),
            }),
            Expr::Call(call) => self.call(call, depth),
            Expr::Comprehension(turns) => {
                if turns.iter_var2.is_some() {
                    return Err(Unusable::NotKnown("loops over two variables".to_owned()));
                }
                self.node(&mut turns.iter_range, depth)?;
                self.node(&mut turns.accu_init, depth)?;
                let outer = self.variables.len();
                self.variables.extend([turns.iter_var.clone(), turns.accu_var.clone()]);
                for part in [&mut turns.loop_cond, &mut turns.loop_step, &mut turns.result] {
                    self.node(part, depth)?;
                }
                self.variables.truncate(outer);
                turns.loop_cond = paying(std::mem::take(&mut turns.loop_cond));
                Ok(())
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<(), Unusable> {
        match name {
            "self" => Ok(()),
            "oldSelf" => {
                self.transition = true;
                Ok(())
            }
            _ if self.variables.iter().any(|known| known == name) => Ok(()),
            _ => Err(Unusable::Broken(format!("there is no variable `{name}`"))),
        }
    }

    fn call(&mut self, call: &mut CallExpr, depth: usize) -> Result<(), Unusable> {
        let prefix = match call.target.as_deref().map(|target| &target.expr) {
            Some(Expr::Ident(prefix)) => Some(format!("{prefix}.{}", call.func_name)),
            _ => None,
        };
        let prefixed = prefix.filter(|name| KNOWN.contains(&name.as_str()));
        let name = prefixed.as_deref().unwrap_or(&call.func_name);
        let is_operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_operator && !KNOWN.contains(&name) {
            return Err(Unusable::NotKnown(format!("the function `{name}`")));
        }
        let growing = GROWING.contains(&name);
        if COMPILING.contains(&name) {
            self.patterns += pattern_price(call)?;
        }
        self.grows |= growing;
        self.growing += usize::from(growing);
        if self.growing > 2 {
            return Err(Unusable::TooLarge("builds texts of texts of texts"));
        }
        if let (Some(target), None) = (&mut call.target, &prefixed) {
            self.node(target, depth)?;
        }
        call.args.iter_mut().try_for_each(|argument| self.node(argument, depth))?;
        // The library fails where `a.?b` finds nothing; `a[?'b']` is the same and does not.
        if call.func_name == OPT_SELECT {
            call.func_name = OPT_INDEX.to_owned();
        }
        self.growing -= usize::from(growing);
        Ok(())
    }
}

/// What it costs to compile the pattern of a call, in steps. One that is only known when the rule is
/// asked could cost anything.
fn pattern_price(call: &CallExpr) -> Result<u64, Unusable> {
    let pattern = call.args.get(usize::from(call.target.is_none()));
    let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern.map(|argument| &argument.expr) else {
        return Err(Unusable::NotKnown("a pattern that is put together".to_owned()));
    };
    let fits = |size: usize| RegexBuilder::new(pattern.inner()).size_limit(size).build().is_ok();
    let price = PATTERN_PRICES.iter().find(|(size, _)| fits(*size)).map(|(_, price)| *price);
    price.ok_or_else(|| Unusable::NotKnown("a pattern that is too large or of another syntax".to_owned()))
}

/// The condition of a loop, asked only after the turn is paid for.
fn paying(condition: IdedExpr) -> IdedExpr {
    let call = |func_name: &str, args| Expr::Call(CallExpr { func_name: func_name.to_owned(), target: None, args });
    let step = IdedExpr { id: condition.id, expr: call(STEP, Vec::new()) };
    IdedExpr { id: condition.id, expr: call(LOGICAL_AND, vec![step, condition]) }
}

/// `%.999999999f` would write as many digits.
fn precision(literal: &LiteralValue) -> Result<(), Unusable> {
    let LiteralValue::String(text) = literal else { return Ok(()) };
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_wide = text.inner().split("%.").skip(1).any(|rest| digits(rest) > MOST_PRECISION_DIGITS);
    if is_wide { Err(Unusable::TooLarge("asks for too many digits")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_is_told_apart() {
        let deep = format!("{}self{}", "(".repeat(400), ")".repeat(400));
        let chain = format!("self{}", ".a".repeat(2_000));
        let sum = vec!["1"; 1_500].join("+");
        let cases = [
            ("self.a >", "Broken"),
            ("slef.a", "Broken"),
            ("self.all(x, y)", "Broken"),
            ("self.all(i, v, v > 0)", "NotKnown"),
            ("self.sortBy(x, x) == []", "NotKnown"),
            ("lists.range(1000000000).size() > 0", "NotKnown"),
            ("Message{a: 1}.a == 1", "NotKnown"),
            (&deep, "Broken"),
            (&chain, "TooLarge"),
            (&sum, "TooLarge"),
            (r"self.a.matches('(\\w{1,100}){1,5}')", "NotKnown"),
            ("self.a.matches(self.b)", "NotKnown"),
            ("'%.999999999f'.format([1.0]) == ''", "TooLarge"),
            ("self.replace('a', self.replace('a', self.replace('a', 'b'))) == ''", "TooLarge"),
        ];
        for (text, expected) in cases {
            let found = format!("{:?}", Expression::compile(text).unwrap_err());
            assert!(found.starts_with(expected), "{text:.60}: {found}");
        }
    }

    #[test]
    fn what_can_be_run_is() {
        for text in [
            "self.a == 1",
            "self.all(x, x.exists(y, y == x.z))",
            "math.greatest([1, self.b]) > 1",
            "self.?a.b.orValue(1) == 1",
        ] {
            assert!(
                Expression::compile(text).is_ok_and(|e| !e.is_transition()),
                "{text}: {:?}",
                Expression::compile(text)
            );
        }
        assert!(Expression::compile("self == oldSelf").unwrap().is_transition());
    }
}
