//! `KIND/NAME[.field.path]`, as people name an object and a part of it.

use gitward_core::path::FieldPath;

use crate::{Error, Result};

/// An object that a person names. A name may have dots in it, as a path has: which of them end the
/// name only the cluster can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The kind as it was written.
    pub(crate) kind: String,
    rest: String,
    /// The namespace, if one was named.
    pub(crate) namespace: Option<String>,
}

impl Target {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// [`Error::Target`] where there is no kind or no name.
    pub fn parse(text: &str, namespace: Option<String>) -> Result<Self> {
        let (kind, rest) = text.split_once('/').ok_or_else(|| Error::Target(text.to_owned()))?;
        if kind.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']) {
            return Err(Error::Target(text.to_owned()));
        }
        Ok(Self { kind: kind.to_owned(), rest: rest.to_owned(), namespace })
    }

    /// The names that may be meant, each with the path that is left then; the longest first.
    pub(crate) fn readings(&self) -> Vec<(&str, &str)> {
        let end = self.rest.find('[').unwrap_or(self.rest.len());
        let mut ends: Vec<usize> = self.rest[..end].match_indices('.').map(|(at, _)| at).collect();
        ends.push(end);
        ends.into_iter().rev().map(|end| self.rest.split_at(end)).filter(|(name, _)| !name.is_empty()).collect()
    }

    /// The path of a reading.
    pub(crate) fn path(text: &str) -> Result<FieldPath> {
        Ok(FieldPath::parse(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(text: &str) -> Vec<(String, String)> {
        let target = Target::parse(text, None).unwrap();
        target.readings().into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    #[test]
    fn every_dot_may_end_the_name() {
        let pairs =
            |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        assert_eq!(readings("deploy/web"), pairs(&[("web", "")]));
        assert_eq!(
            readings("crd/coupons.shop.example.org.spec"),
            pairs(&[
                ("coupons.shop.example.org.spec", ""),
                ("coupons.shop.example.org", ".spec"),
                ("coupons.shop.example", ".org.spec"),
                ("coupons.shop", ".example.org.spec"),
                ("coupons", ".shop.example.org.spec"),
            ])
        );
        assert_eq!(
            readings("pod/web.metadata.labels[\"a.b/c\"]"),
            pairs(&[
                ("web.metadata.labels", "[\"a.b/c\"]"),
                ("web.metadata", ".labels[\"a.b/c\"]"),
                ("web", ".metadata.labels[\"a.b/c\"]"),
            ])
        );
    }

    #[test]
    fn what_names_no_object_is_refused() {
        for text in ["", "web", "deploy/", "/web", "deploy/.spec"] {
            assert!(Target::parse(text, None).is_err(), "{text}");
        }
    }
}
