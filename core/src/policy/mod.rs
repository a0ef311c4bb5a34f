//! Policies: Rego, written once, with the same verdict at every gate.
//!
//! A policy is a package with rules `deny` and `warn` (or `violation`, as others call it) that hold
//! messages. It sees one object as `input.object` and its file as `input.file`, and nothing else:
//! no clock, no network, no chance. What cannot be evaluated is found when policies are compiled,
//! or becomes a finding that denies.

mod builtins;
mod check;
mod evaluate;
mod exceptions;
mod field;
mod format;
mod idle;
mod redact;
mod source;
mod starter;
mod testing;
mod view;

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use crate::finding::{Finding, Place, Severity};
use crate::manifest::Manifest;
use crate::object::Gvk;
use check::{Names, RuleName};
use exceptions::Exception;

pub use starter::{starter, starter_readme, starter_tests};
pub use testing::{Outcome, TestResult};

/// A Rego file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Path in the tree.
    pub file: Arc<str>,
    /// Its text.
    pub text: String,
}

/// Bounds on the evaluation of one policy for one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for each of a policy's rules.
    pub time: Duration,
    /// Findings of each of a policy's rules; more are counted, not listed.
    pub results: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(2), results: 100 }
    }
}

/// Steps of the evaluation between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);

/// Compiled policies. Cheap to clone, and shared by threads.
#[derive(Clone)]
pub struct Policies {
    inner: Arc<Inner>,
}

struct Inner {
    /// Built-in functions that fail end the evaluation.
    strict: Engine,
    /// Built-in functions that fail are undefined, as in OPA.
    lenient: Engine,
    names: Names,
    policies: Vec<Policy>,
    exceptions: Vec<Exception>,
    lints: Vec<Finding>,
    limits: Limits,
}

/// One policy: what it is called and what it judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The rule id of its findings, for example `policy/host-path`.
    pub rule: String,
    /// What it demands, in a few words: the rule `title` of its package.
    pub title: Option<String>,
    /// The kinds that it judges, as `Kind` or `Kind.group`: the rule `kinds` of its package. `None`
    /// judges every object. `Pod` stands for Pods and for all that has a Pod template.
    pub kinds: Option<BTreeSet<String>>,
    /// Where `kinds` stands.
    pub kinds_place: Option<Place>,
    /// The file where it stands first.
    pub file: Arc<str>,
    entries: Vec<Entry>,
}

/// A rule of a policy that holds findings.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    path: String,
    severity: Severity,
}

/// The packages whose policies judge nothing by themselves: what operators make is held to them, where a
/// delegation names them.
const CEILINGS: &str = "policy/ceiling/";

impl Policy {
    /// Whether it judges only what delegations name it for.
    pub fn is_ceiling(&self) -> bool {
        self.rule.starts_with(CEILINGS)
    }

    /// Whether it can judge objects of a kind, written as `Kind` or `Kind.group`: what a kind that is not
    /// known here holds of Pods is seen in its objects only.
    pub(crate) fn speaks_of(&self, kind: &str) -> bool {
        let Some(kinds) = &self.kinds else { return true };
        let same = |known: &String| {
            known == kind || known.split('.').next() == Some(kind) || kind.split('.').next() == Some(known)
        };
        kinds.contains("Pod") || kinds.iter().any(same)
    }

    fn judges(&self, gvk: &Gvk) -> bool {
        let Some(kinds) = &self.kinds else { return true };
        let in_group = |kind: &String| kind.split_once('.') == Some((gvk.kind.as_str(), gvk.group.as_str()));
        kinds.contains(&gvk.kind) || kinds.iter().any(in_group)
    }

    fn judges_pods(&self) -> bool {
        self.kinds.as_ref().is_some_and(|kinds| kinds.contains("Pod"))
    }
}

impl Policies {
    /// Compiles policies with the default [`Limits`].
    ///
    /// # Errors
    /// One finding for each thing that keeps policies from being evaluated, with its place: broken
    /// Rego, recursion, unknown or forbidden functions, references to nothing, bad exceptions.
    pub fn compile(files: &[PolicyFile]) -> Result<Self, Vec<Finding>> {
        Self::compile_within(files, Limits::default())
    }

    /// Compiles policies.
    ///
    /// # Errors
    /// See [`Policies::compile`].
    pub fn compile_within(files: &[PolicyFile], limits: Limits) -> Result<Self, Vec<Finding>> {
        let mut engine = engine(&limits);
        let broken: Vec<Finding> =
            files.iter().filter_map(|file| source::add(&mut engine, file).err().map(|f| *f)).collect();
        if !broken.is_empty() {
            return Err(broken);
        }
        let modules = engine.get_modules().clone();
        let names = Names::of(&modules);
        let checked = check::check(&modules, &names);
        if !checked.errors.is_empty() {
            return Err(checked.errors);
        }
        prepare(&mut engine)?;
        let policies = policies(&mut engine, &names)?;
        let exceptions = declared_exceptions(&mut engine, &names)?;
        let mut lenient = engine.clone();
        lenient.set_strict_builtin_errors(false);
        builtins::install_fallible(&mut engine, true);
        builtins::install_fallible(&mut lenient, false);
        let mut lints = checked.lints;
        lints.extend(idle::packages(&names, &checked.read));
        lints.extend(idle::without_kinds(&policies));
        lints.extend(idle::exceptions(&names, &policies, &exceptions));
        let inner = Inner { strict: engine, lenient, names, policies, exceptions, lints, limits };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What the policies say of an object: the policies' own findings, and `policy/evaluation`
    /// where one could not be evaluated.
    pub fn evaluate(&self, manifest: &Manifest) -> Vec<Finding> {
        evaluate::evaluate(&self.inner, manifest)
    }

    /// What some policies say of an object, in order and no further than the first that denies, each of
    /// their rules within a time of its own.
    pub(crate) fn evaluate_only(&self, policies: &[&Policy], manifest: &Manifest, time: Duration) -> Vec<Finding> {
        evaluate::evaluate_only(&self.inner, policies, manifest, time)
    }

    /// The policies of a name: the package, or the rule id with or without `policy/`.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Policy> {
        let rule = rule_named(name);
        self.inner.policies.iter().filter(move |policy| policy.rule == rule)
    }

    /// Warnings about the policies themselves: likely mistakes that change no verdict.
    pub fn lints(&self) -> &[Finding] {
        &self.inner.lints
    }

    /// What is wrong where the packages of the first `count` files are added to by others.
    pub(crate) fn added_to_first(&self, count: usize) -> Vec<Finding> {
        idle::added_to(&self.inner.names, count)
    }

    /// The policies, by rule id.
    pub fn list(&self) -> &[Policy] {
        &self.inner.policies
    }

    /// Runs the rules that begin with `test_`.
    ///
    /// # Errors
    /// What [`Policies::compile`] finds.
    pub fn test(files: &[PolicyFile]) -> Result<Vec<TestResult>, Vec<Finding>> {
        Ok(testing::run(&Self::compile(files)?.inner))
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("policies", &self.inner.policies).finish_non_exhaustive()
    }
}

fn engine(limits: &Limits) -> Engine {
    let mut engine = Engine::new();
    builtins::install(&mut engine);
    engine.set_strict_builtin_errors(true);
    engine.set_gather_prints(true);
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: limits.time, check_interval: CHECK_INTERVAL });
    engine
}

/// Lets the engine analyse all rules, which finds unsafe variables and conflicting names.
fn prepare(engine: &mut Engine) -> Result<(), Vec<Finding>> {
    match engine.eval_query("true".to_owned(), false) {
        Ok(_) => Ok(()),
        Err(error) => Err(vec![source::Located::of(&error.to_string()).into_finding(&Arc::from("policies"))]),
    }
}

fn policies(engine: &mut Engine, names: &Names) -> Result<Vec<Policy>, Vec<Finding>> {
    let (mut policies, mut errors) = (Vec::new(), Vec::new());
    for (package, rules) in &names.packages {
        let package = &package[1..];
        let Some((first, _)) = rules.iter().find_map(|rule| Some((rule, severity(&rule.name)?))) else { continue };
        let file: Arc<str> = first.span.source.get_path().as_str().into();
        if let Some(part) = package.iter().find(|part| !is_identifier(part)) {
            let message = format!("`{part}` in the package's name is no plain name");
            errors.push(source::refusal(&file, first.span.line, first.span.col, message));
            continue;
        }
        let path = format!("data.{}", package.join("."));
        let entries = rules
            .iter()
            .filter_map(|r| Some(Entry { path: format!("{path}.{}", r.name), severity: severity(&r.name)? }))
            .collect();
        let kinds = match fixed(engine, &path, rules, "kinds", kinds) {
            Ok(kinds) => kinds,
            Err(error) => {
                errors.push(*error);
                continue;
            }
        };
        let title = match fixed(engine, &path, rules, "title", |v| v.as_string().ok().map(ToString::to_string)) {
            Ok(title) => title,
            Err(error) => {
                errors.push(*error);
                continue;
            }
        };
        let kinds_place = rules.iter().find(|rule| rule.name == "kinds").map(|rule| Place {
            file: rule.span.source.get_path().as_str().into(),
            line: rule.span.line,
            column: rule.span.col,
        });
        policies.push(Policy { rule: rule_id(package), title, kinds, kinds_place, file, entries });
    }
    if errors.is_empty() { Ok(policies) } else { Err(errors) }
}

/// The value of a rule that says something of the policy itself, if the package has it.
fn fixed<T>(
    engine: &mut Engine,
    package: &str,
    rules: &[RuleName],
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, Box<Finding>> {
    let Some(rule) = rules.iter().find(|rule| rule.name == name) else { return Ok(None) };
    let refuse = |message: String| {
        let file = rule.span.source.get_path().as_str().into();
        Box::new(source::refusal(&file, rule.span.line, rule.span.col, message))
    };
    match engine.eval_rule(format!("{package}.{name}")) {
        Ok(value) => read(&value).map(Some).ok_or_else(|| {
            let form = if name == "kinds" { "a set of strings" } else { "a string" };
            refuse(format!("`{name}` is {form}, whatever the input"))
        }),
        Err(error) => Err(refuse(source::Located::of(&error.to_string()).message)),
    }
}

fn kinds(value: &Value) -> Option<BTreeSet<String>> {
    let text = |value: &Value| value.as_string().ok().map(ToString::to_string);
    match value {
        Value::Set(kinds) => kinds.iter().map(text).collect(),
        Value::Array(kinds) => kinds.iter().map(text).collect(),
        _ => None,
    }
}

fn declared_exceptions(engine: &mut Engine, names: &Names) -> Result<Vec<Exception>, Vec<Finding>> {
    let package: Vec<String> = ["data"].into_iter().chain(exceptions::PACKAGE).map(str::to_owned).collect();
    let rule = names.packages.get(&package).and_then(|rules| rules.iter().find(|r| r.name == exceptions::RULE));
    let Some(rule) = rule else { return Ok(Vec::new()) };
    let file = rule.span.source.get_path();
    match engine.eval_rule(format!("{}.{}", package.join("."), exceptions::RULE)) {
        Ok(value) => exceptions::read(file, &value),
        Err(error) => Err(vec![source::Located::of(&error.to_string()).into_finding(&file.as_str().into())]),
    }
}

/// The weight of a rule's findings: `deny` and `violation` deny, `warn` warns, with or without a
/// suffix as in `deny_privileged`. `None` for other rules.
fn severity(rule: &str) -> Option<Severity> {
    match rule.split('_').next()? {
        "deny" | "violation" => Some(Severity::Error),
        "warn" => Some(Severity::Warning),
        _ => None,
    }
}

/// `policy/` and the package, without `gitward` and with dashes: `gitward.host_path` is
/// `policy/host-path`.
fn rule_id(package: &[String]) -> String {
    let tail = match package {
        [first, rest @ ..] if first == "gitward" && !rest.is_empty() => rest,
        all => all,
    };
    format!("policy/{}", tail.join("/").replace('_', "-"))
}

/// The rule id that a name stands for: a package (`gitward.team.owner`), or a rule id with or without
/// `policy/` (`team/owner`).
fn rule_named(name: &str) -> String {
    let name = name.strip_prefix("policy/").unwrap_or(name);
    let parts: Vec<String> = name.split(['.', '/']).map(str::to_owned).collect();
    rule_id(&parts)
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests;
