//! The names that policies declare: packages, rules, functions, imports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead, Span};

/// A dotted path, for example `data.gitward.privileged.deny`, in its parts.
pub(crate) type Path = Vec<String>;

/// A package as one file writes it.
#[derive(Debug)]
pub(crate) struct Package {
    /// `data` and the parts of its name.
    pub(crate) path: Path,
    /// Imported names and what they stand for.
    pub(super) imports: HashMap<String, Path>,
    /// Where the imports stand.
    pub(super) import_spans: Vec<(Path, Span)>,
    /// Where it is written.
    pub(crate) span: Span,
}

/// A rule of a package, with where it stands first.
#[derive(Debug, Clone)]
pub(crate) struct RuleName {
    /// Its name within the package.
    pub(crate) name: String,
    /// Where.
    pub(crate) span: Span,
}

/// All names of a set of policies.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// One entry for each module, in their order.
    pub(crate) modules: Vec<Package>,
    /// Rules by the path of their package.
    pub(crate) packages: BTreeMap<Path, Vec<RuleName>>,
    rules: BTreeSet<Path>,
    functions: BTreeSet<Path>,
}

impl Names {
    /// Collects the names of all modules.
    pub(crate) fn of(modules: &[Ref<Module>]) -> Self {
        let mut names = Self::default();
        for module in modules {
            let package = package(module);
            let rules = names.packages.entry(package.path.clone()).or_default();
            for rule in &module.policy {
                let path = rule_path(&package, rule);
                if is_function(rule) {
                    names.functions.insert(path.clone());
                }
                if let Some(name) = path.get(package.path.len())
                    && !rules.iter().any(|r| r.name == *name)
                {
                    rules.push(RuleName { name: name.clone(), span: rule.span().clone() });
                }
                names.rules.insert(path);
            }
            names.modules.push(package);
        }
        names
    }

    /// The function that a call in `package` means, if a policy declares it.
    pub(super) fn function(&self, package: &Package, path: &[String]) -> Option<&Path> {
        let local: Path = package.path.iter().chain(path).cloned().collect();
        self.functions.get(&local).or_else(|| self.functions.get(path))
    }

    /// Whether `package` has a rule of this name.
    pub(super) fn is_rule(&self, package: &Package, name: &str) -> bool {
        self.packages.get(&package.path).is_some_and(|rules| rules.iter().any(|r| r.name == name))
    }

    /// Rules that reading `path` may evaluate: above it, itself, and below it.
    pub(super) fn reached<'a>(&'a self, path: &'a [String]) -> impl Iterator<Item = &'a Path> {
        let data = path.first().is_some_and(|root| root == "data");
        self.rules.iter().filter(move |rule| data && is_related(rule, path))
    }

    /// Whether anything under `data` has to do with this path.
    pub(super) fn exists(&self, path: &[String]) -> bool {
        self.rules.iter().any(|rule| is_related(rule, path)) || self.packages.keys().any(|p| p.starts_with(path))
    }
}

fn is_related(a: &[String], b: &[String]) -> bool {
    let shared = a.len().min(b.len());
    a[..shared] == b[..shared]
}

fn package(module: &Module) -> Package {
    let mut path = vec!["data".to_owned()];
    path.extend(static_path(&module.package.refr));
    let (mut imports, mut import_spans) = (HashMap::new(), Vec::new());
    for import in &module.imports {
        let target = static_path(&import.refr);
        let Some(root) = target.first() else { continue };
        if root != "data" && root != "input" {
            continue;
        }
        let alias = import.r#as.as_ref().map(|span| span.text().to_owned()).or_else(|| target.last().cloned());
        import_spans.push((target.clone(), import.span.clone()));
        if let Some(alias) = alias {
            imports.insert(alias, target);
        }
    }
    Package { path, imports, import_spans, span: module.package.span.clone() }
}

/// The full path of a rule, as far as it is fixed.
pub(super) fn rule_path(package: &Package, rule: &Rule) -> Path {
    let refr = match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    };
    package.path.iter().cloned().chain(static_path(refr)).collect()
}

fn is_function(rule: &Rule) -> bool {
    match rule {
        Rule::Spec { head, .. } => matches!(head, RuleHead::Func { .. }),
        Rule::Default { args, .. } => !args.is_empty(),
    }
}

/// The fixed parts at the beginning of a reference.
pub(super) fn static_path(expr: &Expr) -> Path {
    let mut steps = Vec::new();
    let mut at = expr;
    loop {
        match at {
            Expr::RefDot { refr, field, .. } => {
                steps.push(Some(field.0.text().to_owned()));
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(literal(index));
                at = refr;
            }
            Expr::Var { span, .. } => {
                steps.push(Some(span.text().to_owned()));
                break;
            }
            _ => {
                steps.push(None);
                break;
            }
        }
    }
    steps.into_iter().rev().map_while(|step| step).collect()
}

/// The text of a string literal.
pub(super) fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => Some(value.as_string().ok()?.to_string()),
        _ => None,
    }
}
