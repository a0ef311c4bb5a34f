//! What can be known of policies without running them. The engine would find some of it only at
//! evaluation, some never, and some it would not survive.

mod calls;
mod graph;
mod names;
mod walk;

pub(super) use names::{Names, Path, RuleName};

use regorus::unstable::{Module, Ref, Rule, Span};

use crate::finding::Finding;

/// What the checks found: errors keep the policies from being used, lints do not.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Policies with these are not evaluated.
    pub(super) errors: Vec<Finding>,
    /// Likely mistakes that change no verdict.
    pub(super) lints: Vec<Finding>,
    /// What packages read of others: who, and the path.
    pub(super) read: Vec<(names::Path, names::Path)>,
}

/// Checks all modules together, since they refer to each other.
pub(super) fn check(modules: &[Ref<Module>], names: &Names) -> Checked {
    let mut checked = Checked::default();
    let mut graph = graph::Graph::default();
    for (module, package) in modules.iter().zip(&names.modules) {
        for rule in &module.policy {
            let caller = names::rule_path(package, rule);
            checked.errors.extend(two_bodies(rule));
            walk::rule(rule, package, names, &mut |event| match event {
                walk::Event::Call { path, args, span } => {
                    calls::call(&path, args, span, package, names, &mut checked);
                    if let Some(callee) = names.function(package, &path) {
                        checked.read.push((package.path.clone(), callee.clone()));
                        graph.edge(&caller, callee, span);
                    }
                }
                walk::Event::Reference { path, span } => {
                    if let Some(error) = calls::reference(&path, span, package, names) {
                        checked.errors.push(error);
                    }
                    for callee in names.reached(&path) {
                        graph.edge(&caller, callee, span);
                    }
                    checked.read.push((package.path.clone(), path));
                }
                walk::Event::TooDeep { span } => {
                    checked.errors.push(at(span, "the expression is nested too deeply"));
                }
            });
        }
        for (path, span) in &package.import_spans {
            checked.errors.extend(calls::reference(path, span, package, names));
            checked.read.push((package.path.clone(), path.clone()));
        }
    }
    checked.errors.extend(graph.faults());
    checked
}

/// The engine reads `f(x) { a } { b }` and evaluates only the first body.
fn two_bodies(rule: &Rule) -> Option<Finding> {
    let Rule::Spec { bodies, .. } = rule else { return None };
    let second = bodies.iter().skip(1).find(|body| !body.is_else)?;
    Some(at(&second.span, "a second body of a rule is not evaluated; write it as a rule of its own"))
}

fn at(span: &Span, message: impl Into<String>) -> Finding {
    super::source::refusal(&span.source.get_path().as_str().into(), span.line, span.col, message)
}
