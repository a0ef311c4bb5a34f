//! What a delegation allows, bound by bound, and what of it was ever used: so that it is told where it is
//! broader than what its operator does. Told, and never enforced.

mod used;

use std::collections::BTreeSet;

use crate::config::{Delegation, EnvironmentConfig, Injects, Makes, Sets};
use crate::path::FieldPath;

use super::{PodSecurity, is_whole_folder};

pub use used::{Use, by_live, by_request};

/// Bounds of one delegation that are watched; the rest is not told of.
pub const MOST_BOUNDS: usize = 128;

/// Values of one bound that are told apart: a bound that two were seen of is needed as it is.
pub const MOST_VALUES: usize = 3;

/// One thing that a delegation allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Where it stands, from the delegation on: `makes[0].kinds[1]`.
    pub field: FieldPath,
    of: Of,
    /// The namespaces that its part of the delegation names.
    within: Vec<String>,
    allows: Allows,
}

/// The part of a delegation that a bound is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Makes(usize),
    Sets(usize),
    Injects(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allows {
    Account(String),
    Kind(String),
    Namespace(String),
    AnyNamespace,
    /// A `*` at the end stands for any rest.
    Name(String),
    AnyName,
    Owner(String),
    Image(String),
    ServiceAccount(String),
    AnyServiceAccount,
    Level(PodSecurity),
    Field(String),
    /// What is added, and its name.
    Added(&'static str, String),
}

/// All bounds of a delegation, in the order of the file.
pub fn of(delegation: &Delegation) -> Vec<Bound> {
    let mut list = List(Vec::new());
    list.each(Of::All, "accounts", &delegation.accounts, Allows::Account);
    for (i, makes) in delegation.makes.iter().enumerate() {
        list.within(&makes.namespaces, |list| list.makes(Of::Makes(i), makes));
    }
    for (i, sets) in delegation.sets.iter().enumerate() {
        list.within(&sets.namespaces, |list| list.sets(Of::Sets(i), sets));
    }
    for (i, injects) in delegation.injects.iter().enumerate() {
        list.within(&injects.namespaces, |list| list.injects(Of::Injects(i), injects));
    }
    list.0.truncate(MOST_BOUNDS);
    list.0
}

/// Tells the bounds of a delegation from those that it had before.
pub fn digest(bounds: &[Bound]) -> String {
    let mut hasher = blake3::Hasher::new();
    for bound in bounds {
        hasher.update(format!("{} {:?}\n", bound.field, bound.allows).as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Tells values apart, for whom they are not to be told.
pub fn fingerprint(value: &str) -> String {
    blake3::hash(value.as_bytes()).to_hex()[..16].to_owned()
}

struct List(Vec<Bound>);

impl List {
    /// Adds bounds of a part that names these namespaces.
    fn within(&mut self, namespaces: &[String], add: impl FnOnce(&mut Self)) {
        let before = self.0.len();
        add(self);
        self.0[before..].iter_mut().for_each(|bound| bound.within = namespaces.to_vec());
    }

    fn one(&mut self, of: Of, field: &str, index: Option<usize>, allows: Allows) {
        let root = FieldPath::root();
        let at = match of {
            Of::All => root,
            Of::Makes(i) => root.field("makes").index(i),
            Of::Sets(i) => root.field("sets").index(i),
            Of::Injects(i) => root.field("injects").index(i),
        };
        let at = at.field(field);
        let field = index.map_or_else(|| at.clone(), |i| at.index(i));
        self.0.push(Bound { field, of, within: Vec::new(), allows });
    }

    fn each(&mut self, of: Of, field: &str, values: &[String], allows: impl Fn(String) -> Allows) {
        for (i, value) in values.iter().enumerate() {
            self.one(of, field, Some(i), allows(value.clone()));
        }
    }

    /// The values named, or anything where none is.
    fn each_or_any(&mut self, of: Of, field: &str, values: &[String], allows: fn(String) -> Allows, any: Allows) {
        self.each(of, field, values, allows);
        if values.is_empty() {
            self.one(of, field, None, any);
        }
    }

    fn makes(&mut self, of: Of, makes: &Makes) {
        self.each(of, "kinds", &makes.kinds, Allows::Kind);
        self.each_or_any(of, "namespaces", &makes.namespaces, Allows::Namespace, Allows::AnyNamespace);
        self.each_or_any(of, "names", &makes.names, Allows::Name, Allows::AnyName);
        for (i, owner) in makes.owners.iter().enumerate() {
            self.one(of, "owners", Some(i), Allows::Owner(owner.kind.clone()));
        }
        self.each(of, "images", &makes.images, Allows::Image);
        if !makes.images.is_empty() {
            let accounts = &makes.service_accounts;
            self.each_or_any(of, "serviceAccounts", accounts, Allows::ServiceAccount, Allows::AnyServiceAccount);
            self.one(of, "podSecurity", None, Allows::Level(makes.pod_security));
        }
    }

    fn sets(&mut self, of: Of, sets: &Sets) {
        self.each(of, "kinds", &sets.kinds, Allows::Kind);
        self.each(of, "namespaces", &sets.namespaces, Allows::Namespace);
        self.each(of, "names", &sets.names, Allows::Name);
        self.each(of, "fields", &sets.fields, Allows::Field);
    }

    fn injects(&mut self, of: Of, injects: &Injects) {
        self.each(of, "namespaces", &injects.namespaces, Allows::Namespace);
        for (field, what, names) in [
            ("containers", "container", &injects.containers),
            ("volumes", "volume", &injects.volumes),
            ("env", "variable", &injects.env),
            ("labels", "label", &injects.labels),
            ("annotations", "annotation", &injects.annotations),
        ] {
            self.each(of, field, names, |name| Allows::Added(what, name));
        }
        self.each(of, "images", &injects.images, Allows::Image);
    }
}

impl Bound {
    /// Whether it is needed as it is, by the values that were seen of it.
    pub fn is_needed(&self, seen: &BTreeSet<String>) -> bool {
        match &self.allows {
            Allows::Level(level) => seen.contains(name_of(*level)),
            _ if self.is_open() => seen.len() > 1,
            _ => !seen.is_empty(),
        }
    }

    /// Values with which it is needed as it is, whatever they were.
    pub fn any_values(&self) -> Vec<String> {
        match &self.allows {
            Allows::Level(level) => vec![name_of(*level).to_owned()],
            _ => (0..2).map(|i| format!("something {i}")).collect(),
        }
    }

    /// Whether more values of it would be told apart, where so many were seen.
    pub fn tells_values(&self, seen: usize) -> bool {
        match self.allows {
            Allows::Level(_) => seen < MOST_VALUES,
            _ => self.is_open() && seen < 2,
        }
    }

    /// In what it is broader than what was seen: a part of a sentence. `None` where it is not, or where
    /// another bound says so already.
    pub fn broader(&self, seen: &BTreeSet<String>, environment: &EnvironmentConfig) -> Option<String> {
        if self.is_needed(seen) || !self.is_of(environment) {
            return None;
        }
        let only = seen.first();
        let told = match (&self.allows, only) {
            (Allows::AnyNamespace, Some(only)) if environment.named_namespaces() > 1 => {
                format!("any namespace, and only {only} was seen")
            }
            (Allows::AnyName, Some(only)) => format!("any name, and only {only} was seen"),
            (Allows::AnyServiceAccount, Some(only)) => {
                format!("any service account that Git declares, and only {only} was seen")
            }
            (Allows::Name(pattern) | Allows::Image(pattern) | Allows::ServiceAccount(pattern), Some(only)) => {
                format!("{pattern}, and only {only} was seen")
            }
            (Allows::Level(level), Some(_)) => {
                let strictest = if seen.contains(name_of(PodSecurity::Baseline)) { "baseline" } else { "restricted" };
                format!("podSecurity {}, and all that was seen keeps {strictest}", name_of(*level))
            }
            (Allows::Account(account), None) => format!("never by {account}"),
            (Allows::Kind(kind), None) if matches!(self.of, Of::Makes(_)) => format!("never made {kind}"),
            (Allows::Kind(kind), None) => format!("never set anything of {kind}"),
            (Allows::Namespace(namespace), None) => format!("never in namespace {namespace}"),
            (Allows::Name(name), None) => format!("never named {name}"),
            (Allows::Owner(kind), None) => format!("never belonging to {kind}"),
            (Allows::Image(image), None) => format!("no image of {image}"),
            (Allows::ServiceAccount(account), None) => format!("never running as {account}"),
            (Allows::Field(field), None) => format!("never set {field}"),
            (Allows::Added(what, name), None) => format!("never added {what} {name}"),
            _ => return None,
        };
        Some(told)
    }

    /// Whether an environment can have any use of it: others may be meant by the same delegation.
    fn is_of(&self, environment: &EnvironmentConfig) -> bool {
        match &self.allows {
            Allows::Namespace(namespace) => environment.has_namespace(namespace),
            _ => self.within.is_empty() || self.within.iter().any(|n| environment.has_namespace(n)),
        }
    }

    /// Whether it stands for more than one value.
    fn is_open(&self) -> bool {
        match &self.allows {
            Allows::AnyNamespace | Allows::AnyName | Allows::AnyServiceAccount => true,
            // What makes chooses, Git does not; of what Git declares it is Git that chooses.
            Allows::Name(pattern) | Allows::ServiceAccount(pattern) => {
                pattern.ends_with('*') && matches!(self.of, Of::Makes(_))
            }
            // Tags come and go.
            Allows::Image(pattern) => pattern.strip_suffix('*').is_some_and(is_whole_folder),
            _ => false,
        }
    }
}

fn name_of(level: PodSecurity) -> &'static str {
    match level {
        PodSecurity::Privileged => "privileged",
        PodSecurity::Baseline => "baseline",
        PodSecurity::Restricted => "restricted",
    }
}

impl EnvironmentConfig {
    fn named_namespaces(&self) -> usize {
        self.namespaces.len() + self.shared_namespaces.len()
    }
}

#[cfg(test)]
mod tests;
