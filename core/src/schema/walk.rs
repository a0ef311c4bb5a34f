//! The walk: an object and its schema, side by side.

use serde_json::Value;

use super::catalog::{Catalog, OBJECT_META};
use super::node::{Arena, Dialect, Fields, Items, Kind, Node, NodeId, Resource, Rest, Unique};
use super::report::{At, Report};
use super::{defaults, messages, rules, validation};
use crate::finding::Finding;
use crate::manifest::Manifest;

/// Nesting that is followed; manifests are bounded to less when they are read.
const MOST_DEPTH: usize = 200;

/// Steps of one walk. Schemas of custom resources are written by those who are checked: a walk must
/// end whatever they hold.
pub(super) const MOST_STEPS: usize = 5_000_000;

/// Everything in a manifest that a kind's schema does not allow.
pub(super) fn check(builtin: &Catalog, resource: &Resource, manifest: &Manifest) -> Vec<Finding> {
    let mut walk = Walk { builtin, out: Out::Report(Report::new(manifest)), steps: MOST_STEPS };
    let arena = &*resource.arena;
    match arena.dialect {
        Dialect::BuiltIn => walk.value(arena, resource.root, &manifest.value, &At::ROOT, Mode::default()),
        Dialect::Custom => {
            let mut value = manifest.value.as_ref().clone();
            defaults::fill(arena, resource.root, &mut value, &mut walk.steps);
            walk.value(arena, resource.root, &value, &At::ROOT, Mode::default());
            if let (Out::Report(report), true) = (&mut walk.out, arena.has_validations)
                && report.fits()
            {
                validation::check(arena, resource.root, &value, report);
            }
        }
    }
    if walk.steps == 0 {
        let finding = Finding::error("schema/limit", "the object is too large to be held against its schema");
        walk.say(&At::ROOT, || finding.with_hint("Split it, or simplify the schema in its CRD."));
    }
    match walk.out {
        Out::Report(report) => report.finish(),
        Out::Probe { .. } => Vec::new(),
    }
}

/// What the rules of a CRD have against the change of an object. An object of before that does not fit its schema is
/// compared with nothing, and of one of now that does not [`check`] tells.
pub(super) fn check_change(
    builtin: &Catalog,
    resource: &Resource,
    before: &Manifest,
    manifest: &Manifest,
) -> Vec<Finding> {
    let arena = &*resource.arena;
    let fitting = |manifest| {
        let mut walk = Walk { builtin, out: Out::Report(Report::new(manifest)), steps: MOST_STEPS };
        let mut value = manifest.value.as_ref().clone();
        defaults::fill(arena, resource.root, &mut value, &mut walk.steps);
        walk.value(arena, resource.root, &value, &At::ROOT, Mode::default());
        matches!(&walk.out, Out::Report(report) if report.fits() && walk.steps > 0).then_some(value)
    };
    let (Some(before), Some(value)) = (fitting(before), fitting(manifest)) else { return Vec::new() };
    let mut report = Report::new(manifest);
    validation::check_change(arena, resource.root, (&before, &value), &mut report);
    report.finish()
}

pub(super) struct Walk<'w, 'm> {
    builtin: &'w Catalog,
    out: Out<'m>,
    steps: usize,
}

/// Where findings go.
enum Out<'m> {
    Report(Report<'m>),
    /// Only whether there is any counts: an alternative is being tried.
    Probe {
        failed: bool,
        report: Report<'m>,
    },
}

/// What has been learnt on the way down.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Mode {
    depth: usize,
    /// Only unknown fields count here.
    fields_only: bool,
}

impl Walk<'_, '_> {
    /// Reports a finding at a point; it is made only if it is wanted.
    pub(super) fn say(&mut self, at: &At<'_>, finding: impl FnOnce() -> Finding) {
        match &mut self.out {
            Out::Probe { failed, .. } => *failed = true,
            Out::Report(report) => {
                let finding = finding();
                report.add(finding, at.path());
            }
        }
    }

    /// Warns that a pattern is not understood, so that the value was not checked. An alternative
    /// that is being tried counts as matched.
    pub(super) fn not_checked(&mut self, at: &At<'_>, pattern: &str) {
        if let Out::Report(report) = &mut self.out {
            report.add(messages::unchecked_pattern(at, pattern), at.path());
        }
    }

    fn kind_name(&self) -> &str {
        match &self.out {
            Out::Report(report) | Out::Probe { report, .. } => report.kind(),
        }
    }

    /// Whether a value satisfies a node; nothing is reported.
    pub(super) fn accepts(&mut self, arena: &Arena, id: NodeId, value: &Value, at: &At<'_>, mode: Mode) -> bool {
        let outer_failed = match &mut self.out {
            Out::Probe { failed, .. } => Some(std::mem::take(failed)),
            Out::Report(report) => {
                let report = std::mem::replace(report, report.empty());
                self.out = Out::Probe { failed: false, report };
                None
            }
        };
        self.value(arena, id, value, at, mode);
        let Out::Probe { failed, report } = &mut self.out else { return false };
        let accepted = !*failed;
        match outer_failed {
            Some(outer) => *failed = outer,
            None => {
                let report = std::mem::replace(report, report.empty());
                self.out = Out::Report(report);
            }
        }
        accepted
    }

    pub(super) fn value(&mut self, arena: &Arena, id: NodeId, value: &Value, at: &At<'_>, mode: Mode) {
        let Some(node) = arena.get(id) else { return };
        if self.steps == 0 || self.is_done() {
            return;
        }
        self.steps -= 1;
        if mode.depth > MOST_DEPTH {
            let finding = || Finding::error("schema/limit", format!("nested more than {MOST_DEPTH} levels deep"));
            return self.say(at, finding);
        }
        let mode = Mode { depth: mode.depth + 1, fields_only: mode.fields_only || node.dropped };
        if value.is_null() && (node.nullable || arena.dialect == Dialect::BuiltIn) {
            if let (Some(rules), false) = (&node.rules, mode.fields_only) {
                rules::check_listed(self, rules, value, at);
            }
            return;
        }
        if let Some(problem) = messages::type_problem(&node.kind, value) {
            if !mode.fields_only {
                self.say(at, || problem.finding(at));
            }
            return;
        }
        if node.kind == Kind::ObjectMeta {
            let meta = self.builtin.arena.clone();
            self.value(&meta, OBJECT_META, value, at, mode);
        }
        self.inside(arena, node, value, at, mode);
        if let (Some(rules), false) = (&node.rules, mode.fields_only) {
            rules::check(self, arena, rules, value, at, mode);
        }
    }

    fn is_done(&self) -> bool {
        matches!(&self.out, Out::Probe { failed: true, .. })
    }

    fn inside(&mut self, arena: &Arena, node: &Node, value: &Value, at: &At<'_>, mode: Mode) {
        match value {
            Value::Object(map) => {
                if let Some(like) = node.like {
                    self.value(arena, like, value, at, mode);
                }
                if let Some(fields) = &node.object {
                    let at = at.with_fields(Some(fields));
                    self.fields(arena, fields, map, &at, mode);
                }
            }
            Value::Array(list) => {
                if let Some(items) = &node.items {
                    self.items(arena, items, list, at, mode);
                }
            }
            _ => {}
        }
    }

    fn fields(
        &mut self,
        arena: &Arena,
        fields: &Fields,
        map: &serde_json::Map<String, Value>,
        at: &At<'_>,
        mode: Mode,
    ) {
        for (name, value) in map {
            let child = at.field(name);
            match (fields.get(name), fields.rest) {
                (Some(id), _) | (None, Rest::Values(id)) => self.value(arena, id, value, &child, mode),
                (None, Rest::Kept) => {}
                (None, Rest::Unknown) => self.unknown(arena, fields, name, &child),
            }
        }
        if mode.fields_only {
            return;
        }
        for name in &fields.required {
            let missing = match map.get(&**name) {
                None => true,
                Some(value) => value.is_null() && arena.dialect == Dialect::BuiltIn,
            };
            if missing {
                let child = at.field(name);
                self.say(&child, || messages::required(&child));
            }
        }
    }

    fn unknown(&mut self, arena: &Arena, fields: &Fields, name: &str, at: &At<'_>) {
        let kind = self.kind_name().to_owned();
        self.say(at, || messages::unknown_field(arena, fields, name, at, &kind));
    }

    fn items(&mut self, arena: &Arena, items: &Items, list: &[Value], at: &At<'_>, mode: Mode) {
        for (index, value) in list.iter().enumerate() {
            self.value(arena, items.node, value, &at.item(index, list, &items.keys), mode);
        }
        if items.unique != Unique::Nothing && !mode.fields_only {
            for index in rules::repeated(items, list) {
                // The position, since the key would name the first of them.
                let child = at.item(index, list, &[]);
                self.say(&child, || messages::repeated(items));
            }
        }
    }
}
