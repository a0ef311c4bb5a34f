//! One walk over a rule: every call and every reference in it that is no local variable.

use std::collections::HashSet;

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleHead, Span};

use super::names::{Names, Package, Path, static_path};

/// Depth of an expression; the evaluation's own stack grows with it.
const MAX_DEPTH: usize = 100;

/// What the walk meets.
pub(super) enum Event<'a> {
    /// A function is called.
    Call { path: Path, args: &'a [Ref<Expr>], span: &'a Span },
    /// `input`, `data` or a rule is read; `path` is its fixed beginning.
    Reference { path: Path, span: &'a Span },
    /// The expression goes on deeper than is followed.
    TooDeep { span: &'a Span },
}

struct Walk<'a, 'b> {
    package: &'b Package,
    names: &'b Names,
    locals: Vec<HashSet<String>>,
    depth: usize,
    visit: &'b mut dyn FnMut(Event<'a>),
}

/// Walks a rule.
pub(super) fn rule<'a>(rule: &'a Rule, package: &Package, names: &Names, visit: &mut dyn FnMut(Event<'a>)) {
    let mut walk = Walk { package, names, locals: Vec::new(), depth: 0, visit };
    match rule {
        Rule::Spec { head, bodies, .. } => {
            let args: &[Ref<Expr>] = if let RuleHead::Func { args, .. } = head { args } else { &[] };
            let mut parameters = HashSet::new();
            args.iter().for_each(|arg| pattern(arg, &mut parameters));
            walk.locals.push(parameters);
            // A name in the head is a local only if every body makes it one.
            let shared = bodies.iter().map(|body| declared(&body.query)).reduce(|a, b| &a & &b).unwrap_or_default();
            walk.scoped(shared, |walk| walk.head(head));
            for body in bodies {
                walk.scoped(declared(&body.query), |walk| {
                    walk.statements(&body.query);
                    if let Some(assign) = &body.assign {
                        walk.expr(&assign.value);
                    }
                });
            }
        }
        Rule::Default { value, .. } => walk.expr(value),
    }
}

/// Variables that a query declares for itself and what is inside it.
fn declared(query: &Query) -> HashSet<String> {
    let mut names = HashSet::new();
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|v| v.text().to_owned())),
            Literal::SomeIn { key, value, .. } => {
                key.iter().for_each(|key| pattern(key, &mut names));
                pattern(value, &mut names);
            }
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                    pattern(lhs, &mut names);
                }
            }
            Literal::NotExpr { .. } | Literal::Every { .. } => {}
        }
    }
    names
}

/// Variables in a pattern. Patterns are as deep as the parser lets them be: 32.
fn pattern(expr: &Expr, names: &mut HashSet<String>) {
    match expr {
        Expr::Var { span, .. } => {
            names.insert(span.text().to_owned());
        }
        Expr::Array { items, .. } => items.iter().for_each(|item| pattern(item, names)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| pattern(value, names)),
        _ => {}
    }
}

impl<'a> Walk<'a, '_> {
    fn scoped(&mut self, locals: HashSet<String>, inner: impl FnOnce(&mut Self)) {
        self.locals.push(locals);
        inner(self);
        self.locals.pop();
    }

    fn head(&mut self, head: &'a RuleHead) {
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.indices(refr);
                assign.iter().for_each(|assign| self.expr(&assign.value));
            }
            RuleHead::Set { refr, key, .. } => {
                self.indices(refr);
                key.iter().for_each(|key| self.expr(key));
            }
            RuleHead::Func { assign, args, .. } => {
                assign.iter().for_each(|assign| self.expr(&assign.value));
                args.iter().for_each(|arg| self.expr(arg));
            }
        }
    }

    fn query(&mut self, query: &'a Query, also: impl FnOnce(&mut Self)) {
        self.scoped(declared(query), |walk| {
            walk.statements(query);
            also(walk);
        });
    }

    fn statements(&mut self, query: &'a Query) {
        query.stmts.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().for_each(|key| self.expr(key));
                self.expr(value);
                self.expr(collection);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
            Literal::Every { key, value, domain, query, .. } => {
                self.expr(domain);
                let own = key.iter().chain([value]).map(|span| span.text().to_owned()).collect();
                self.scoped(own, |walk| walk.query(query, |_| {}));
            }
        }
        for with in &statement.with_mods {
            // What is replaced need not exist: tests replace built-ins and data.
            let path = static_path(&with.refr);
            if path.first().is_some_and(|root| root == "input") {
                (self.visit)(Event::Reference { path, span: with.refr.span() });
            }
            self.expr(&with.r#as);
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        if self.depth > MAX_DEPTH {
            (self.visit)(Event::TooDeep { span: expr.span() });
            return;
        }
        self.depth += 1;
        self.expr_inside(expr);
        self.depth -= 1;
    }

    fn expr_inside(&mut self, expr: &'a Expr) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expr);
                self.indices(expr);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.expr(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.query(query, |walk| walk.expr(term));
            }
            Expr::ObjectCompr { key, value, query, .. } => self.query(query, |walk| {
                walk.expr(key);
                walk.expr(value);
            }),
            Expr::Call { fcn, params, .. } => {
                let path = static_path(fcn);
                let path = self.imported(&path).unwrap_or(path);
                (self.visit)(Event::Call { path, args: params, span: fcn.span() });
                params.iter().for_each(|param| self.expr(param));
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| self.expr(key));
                self.expr(value);
                self.expr(collection);
            }
        }
    }

    /// The expressions in the brackets of a reference, and what it begins with if that is no name.
    fn indices(&mut self, expr: &'a Expr) {
        let mut at = expr;
        loop {
            match at {
                Expr::RefDot { refr, .. } => at = refr,
                Expr::RefBrack { refr, index, .. } => {
                    self.expr(index);
                    at = refr;
                }
                Expr::Var { .. } => return,
                other => return self.expr(other),
            }
        }
    }

    fn reference(&mut self, expr: &'a Expr) {
        let path = static_path(expr);
        let Some(root) = path.first() else { return };
        if self.locals.iter().any(|scope| scope.contains(root)) {
            return;
        }
        let path = if root == "input" || root == "data" {
            path
        } else if let Some(path) = self.imported(&path) {
            path
        } else if self.names.is_rule(self.package, root) {
            self.package.path.iter().cloned().chain(path).collect()
        } else {
            return;
        };
        (self.visit)(Event::Reference { path, span: first_span(expr) });
    }

    fn imported(&self, path: &[String]) -> Option<Path> {
        let (root, rest) = path.split_first()?;
        let target = self.package.imports.get(root)?;
        Some(target.iter().chain(rest).cloned().collect())
    }
}

/// The span of a reference's first name; that of the whole points at its last dot.
fn first_span(expr: &Expr) -> &Span {
    let mut at = expr;
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = at {
        at = refr;
    }
    at.span()
}
