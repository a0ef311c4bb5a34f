//! Which rule evaluates which. A cycle would overflow the stack and end the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regorus::unstable::Span;

use super::at;
use super::names::Path;
use crate::finding::Finding;

/// Rules that evaluate one another in a row; each takes its share of the stack.
const MAX_CHAIN: usize = 40;

/// Edges from each rule to the rules that it reads or calls.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: BTreeMap<Path, BTreeSet<Path>>,
    spans: HashMap<(Path, Path), Span>,
}

impl Graph {
    /// `caller` evaluates `callee`, at `span`.
    pub(super) fn edge(&mut self, caller: &Path, callee: &Path, span: &Span) {
        if self.edges.entry(caller.clone()).or_default().insert(callee.clone()) {
            self.spans.insert((caller.clone(), callee.clone()), span.clone());
        }
    }

    /// One finding for the first cycle or overlong chain met from each rule.
    pub(super) fn faults(&self) -> Vec<Finding> {
        let mut heights: HashMap<&Path, usize> = HashMap::new();
        let mut faults = Vec::new();
        for start in self.edges.keys() {
            if !heights.contains_key(start) {
                self.visit(start, &mut heights, &mut faults);
            }
        }
        faults
    }

    /// Depth first with a stack of its own, since the graph is as deep as a policy makes it.
    fn visit<'a>(&'a self, start: &'a Path, heights: &mut HashMap<&'a Path, usize>, faults: &mut Vec<Finding>) {
        let mut stack: Vec<(&Path, Vec<&Path>, usize)> = vec![(start, self.callees(start), 0)];
        while let Some((rule, pending, height)) = stack.last_mut() {
            let rule = *rule;
            let Some(next) = pending.pop() else {
                let height = *height;
                stack.pop();
                heights.insert(rule, height);
                if height > MAX_CHAIN {
                    let message = format!("more than {MAX_CHAIN} rules evaluate one another in a row");
                    faults.extend(self.callees(rule).first().and_then(|callee| self.fault(rule, callee, message)));
                    return;
                }
                if let Some((_, _, parent)) = stack.last_mut() {
                    *parent = (*parent).max(height + 1);
                }
                continue;
            };
            if let Some(known) = heights.get(next) {
                *height = (*height).max(known + 1);
            } else if let Some(from) = stack.iter().position(|(on_stack, _, _)| *on_stack == next) {
                let cycle: Vec<&Path> = stack[from..].iter().map(|(rule, _, _)| *rule).chain([next]).collect();
                faults.extend(self.fault(rule, next, format!("rules evaluate themselves: {}", chain(&cycle))));
            } else {
                stack.push((next, self.callees(next), 0));
            }
        }
    }

    fn callees(&self, rule: &Path) -> Vec<&Path> {
        self.edges.get(rule).map(|callees| callees.iter().collect()).unwrap_or_default()
    }

    fn fault(&self, caller: &Path, callee: &Path, message: String) -> Option<Finding> {
        Some(at(self.spans.get(&(caller.clone(), callee.clone()))?, message))
    }
}

fn chain(rules: &[&Path]) -> String {
    rules.iter().map(|rule| rule.join(".")).collect::<Vec<_>>().join(" → ")
}
