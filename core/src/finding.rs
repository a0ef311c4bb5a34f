//! Findings: one violation each, with its rule, its place and the way to put it right.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::object::ObjectKey;
use crate::path::FieldPath;
use crate::report::harmless;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, changes no verdict.
    Info,
    /// Let through, with a warning.
    Warning,
    /// Denies.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// A point in a file of a Git tree. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Path in the tree, with `/`.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One violation, or one thing worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable identifier, `area/name`, for example `schema/unknown-field`.
    pub rule: Cow<'static, str>,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong, in one sentence. Never holds a Secret's value.
    pub message: String,
    /// The object concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectKey>,
    /// The field concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldPath>,
    /// Where in Git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How to put it right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// An error without object, field, place or hint; the `with_` functions add them.
    pub fn error(rule: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// A warning; see [`Finding::error`].
    pub fn warning(rule: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, message)
    }

    /// A finding of the given severity; see [`Finding::error`].
    pub fn new(severity: Severity, rule: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            severity,
            message: message.into(),
            object: None,
            field: None,
            place: None,
            hint: None,
        }
    }

    /// Everything of it in one harmless line, for conditions and logs: place, message, rule, what to do.
    pub fn line(&self) -> String {
        let place = self.place.as_ref().map(|p| format!("{p}: ")).unwrap_or_default();
        let hint = self.hint.as_ref().map(|h| format!("; to do: {}", h.trim_end_matches('.'))).unwrap_or_default();
        let line = format!("{place}{} [{}]{hint}", self.message.trim_end_matches('.'), self.rule);
        harmless(&line).into_owned()
    }

    /// Names the object.
    #[must_use]
    pub fn with_object(mut self, object: ObjectKey) -> Self {
        self.object = Some(object);
        self
    }

    /// Names the field.
    #[must_use]
    pub fn with_field(mut self, field: FieldPath) -> Self {
        self.field = Some(field);
        self
    }

    /// Names the place.
    #[must_use]
    pub fn with_place(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// Adds the way to put it right.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
