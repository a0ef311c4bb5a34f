//! Exemptions: changes that others may make because Git says so, with file and line.

mod expired;

use jiff::Timestamp;

use crate::change::Change;
use crate::config::{Configuration, EnvironmentConfig, Exemption};
use crate::finding::Place;
use crate::object::ObjectKey;
use crate::path::{FieldPath, Step};
use crate::request::User;
use crate::verdict::Origin;

pub use expired::expired;

impl Exemption {
    /// Whether it holds at `now`.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now <= until)
    }

    /// Whether it speaks of objects of this kind.
    pub fn names_kind_of(&self, key: &ObjectKey) -> bool {
        self.kinds.iter().any(|k| kind_matches(k, key))
    }

    /// Whether it speaks of this object at all.
    pub fn concerns(&self, key: &ObjectKey) -> bool {
        self.names_kind_of(key) && (self.namespaces.is_empty() || self.namespaces.contains(&key.namespace))
    }

    /// Whether it can speak of anything that an environment governs or shares: one for other
    /// namespaces is another environment's.
    pub fn is_of(&self, environment: &EnvironmentConfig) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|n| environment.has_namespace(n))
    }

    /// Whether it covers a change at `path`. Without fields it covers the whole object.
    pub fn covers(&self, path: &FieldPath) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|f| is_prefix(&parse_fields(f), path))
    }
}

/// `Kind` or `Kind.group`, as `gitward.yaml` names kinds.
pub(crate) fn kind_matches(pattern: &str, key: &ObjectKey) -> bool {
    match pattern.split_once('.') {
        Some((kind, group)) => kind == key.kind && group == key.group,
        None => pattern == key.kind,
    }
}

/// The exemption that lets `user` make this change, if there is one.
pub fn exempts(
    configuration: &Configuration,
    key: &ObjectKey,
    change: &Change,
    user: &User,
    now: Timestamp,
) -> Option<Origin> {
    in_force(configuration, key, now)
        .find(|(e, _)| user.is_among(&e.accounts) && e.covers(&change.path))
        .map(|(e, place)| Origin::Exempted { name: e.name.clone(), place })
}

/// Exemptions that speak of an object and hold at `now`, with their places in Git.
pub fn in_force<'a>(
    configuration: &'a Configuration,
    key: &'a ObjectKey,
    now: Timestamp,
) -> impl Iterator<Item = (&'a Exemption, Place)> + 'a {
    let speaking = configuration.exemptions.iter().enumerate().filter(move |(_, e)| e.in_force(now) && e.concerns(key));
    speaking.map(|(i, e)| (e, configuration.exemption_place(i)))
}

/// The exemption that gives a whole object to others, if there is one.
pub fn of_whole(configuration: &Configuration, key: &ObjectKey, now: Timestamp) -> Option<Origin> {
    in_force(configuration, key, now)
        .find(|(e, _)| e.fields.is_empty())
        .map(|(e, place)| Origin::Exempted { name: e.name.clone(), place })
}

/// The field names of an exemption's path: dots separate, `["…"]` quotes a name with dots in it.
/// Empty for anything else, indices among it: a path that is understood in part would give away more
/// than it says.
pub fn parse_fields(path: &str) -> Vec<String> {
    split_fields(path).unwrap_or_default()
}

fn split_fields(path: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = path;
    loop {
        let (name, after) = match rest.strip_prefix("[\"") {
            Some(quoted) => quoted.split_once("\"]")?,
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        let is_plain = !name.contains(['[', ']', '"', '\'', '*']) && name.trim() == name;
        if name.is_empty() || !is_plain {
            return None;
        }
        fields.push(name.to_owned());
        rest = match after.strip_prefix('.') {
            Some(next) => next,
            None if after.is_empty() => return Some(fields),
            None if after.starts_with("[\"") => after,
            None => return None,
        };
    }
}

/// Whether the fields on a path begin with these names; elements of lists are not told apart. No
/// names are the beginning of nothing.
pub(crate) fn is_prefix(prefix: &[String], path: &FieldPath) -> bool {
    let mut fields = path.0.iter().filter_map(|s| if let Step::Field(f) = s { Some(f) } else { None });
    !prefix.is_empty() && prefix.iter().all(|p| fields.next() == Some(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_keep_their_dots() {
        assert_eq!(
            parse_fields("metadata.annotations[\"a.b/c\"].x"),
            ["metadata", "annotations", "a.b/c", "x"].map(String::from)
        );
    }

    #[test]
    fn what_is_understood_in_part_names_nothing() {
        let paths = [
            "",
            ".",
            "[broken",
            "[\"a",
            "metadata.",
            ".metadata",
            "metadata..labels",
            "metadata.annotations['a.b/c']",
            "metadata.annotations[a]",
            "metadata.annotations[\"a\"]b",
            "spec.containers[0].image",
            "spec.containers[*].image",
            "spec.containers.*.image",
            "spec. replicas",
        ];
        for path in paths {
            assert_eq!(parse_fields(path), Vec::<String>::new(), "{path}");
        }
        assert!(!is_prefix(&[], &FieldPath::of(["spec", "replicas"])), "nothing is named");
    }
}
