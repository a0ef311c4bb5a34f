//! The shape of `gitward.yaml`: every unknown field, missing field and value of a wrong type.
//!
//! The types stop at the first mistake. It is told and mended in a copy, until the rest can be read:
//! an unknown field is taken out, and something of the right type stands in for what is missing or
//! wrong. List positions stay, so that every place is the file's.

use serde_json::{Value, json};
use serde_path_to_error::Segment;

use super::Source;
use super::words;
use crate::config::Configuration;
use crate::finding::Finding;
use crate::path::{FieldPath, Step};

/// Most mistakes that are told at once: each costs a reading of the file.
const MOST: usize = 50;

/// How far a file could be read.
pub(super) struct Shaped {
    /// The configuration, with what was mended; `None` where even that could not be read.
    pub(super) configuration: Option<Configuration>,
    /// One finding for each mistake.
    pub(super) findings: Vec<Finding>,
    /// What was mended.
    pub(super) mended: Mended,
}

/// Paths that were mended, each with how often it was tried.
#[derive(Default)]
pub(super) struct Mended(Vec<(FieldPath, usize)>);

impl Mended {
    /// Whether what is said of a field could be said of something that was mended.
    pub(super) fn touches(&self, field: &FieldPath) -> bool {
        self.0.iter().any(|(mended, _)| mended.0.starts_with(&field.0) || field.0.starts_with(&mended.0))
    }

    /// Whether a path lies in something that was mended.
    fn holds(&self, path: &FieldPath) -> bool {
        self.0.iter().any(|(mended, _)| path.0.starts_with(&mended.0))
    }

    /// How often this path was tried before.
    fn tried(&mut self, path: &FieldPath) -> usize {
        if let Some((_, tries)) = self.0.iter_mut().find(|(mended, _)| mended == path) {
            *tries += 1;
            return *tries - 1;
        }
        self.0.push((path.clone(), 1));
        0
    }
}

/// Reads a file as far as it can be read.
pub(super) fn read(source: &Source<'_>) -> Shaped {
    let mut value = source.document.value.clone();
    let (mut findings, mut mended) = (Vec::new(), Mended::default());
    while findings.len() < MOST {
        let error = match serde_path_to_error::deserialize::<_, Configuration>(&value) {
            Ok(configuration) => return Shaped { configuration: Some(configuration), findings, mended },
            Err(error) => error,
        };
        let mistake = Mistake::of(&error, &value);
        if !mended.holds(&mistake.path) {
            findings.push(mistake.finding(source, &error.inner().to_string()));
        }
        let tries = mended.tried(&mistake.path);
        if !mend(&mut value, &mistake, tries) {
            break;
        }
    }
    Shaped { configuration: None, findings, mended }
}

enum Kind {
    Unknown,
    Missing,
    Wrong,
}

/// What keeps a file from being read further.
struct Mistake {
    kind: Kind,
    path: FieldPath,
}

impl Mistake {
    fn of(error: &serde_path_to_error::Error<serde_json::Error>, value: &Value) -> Self {
        let path = field_path(error.path());
        let message = error.inner().to_string();
        let named = message.split('`').nth(1).map(|name| path.field(name));
        if message.starts_with("missing field") {
            return Self { kind: Kind::Missing, path: named.unwrap_or(path) };
        }
        if message.starts_with("unknown field") {
            // The path ends at the map or at the field itself.
            return Self { kind: Kind::Unknown, path: named.filter(|p| p.get(value).is_some()).unwrap_or(path) };
        }
        Self { kind: Kind::Wrong, path }
    }

    fn finding(&self, source: &Source<'_>, said: &str) -> Finding {
        let (last, holder) = (self.path.0.last(), self.path.parent().unwrap_or_default());
        let name = last.map(|step| FieldPath(vec![step.clone()]).to_string()).unwrap_or_default();
        match self.kind {
            Kind::Unknown => {
                let place = source.document.spans.key_place(source.file, &self.path);
                let message = format!("`{name}` is no field of {}", words::place(&holder));
                Finding::error("config/unknown-field", message)
                    .with_field(self.path.clone())
                    .with_place(Some(place))
                    .with_hint(words::fields(&name, said))
            }
            // It stands nowhere: what lacks it does.
            Kind::Missing => {
                let message = format!("{} has no `{name}`", words::place(&holder));
                source.finding("config/missing-field", &holder, message).with_hint(format!("add `{name}`"))
            }
            Kind::Wrong => {
                let found = self.path.get(&source.document.value);
                let message = format!("{} {}", words::place(&self.path), words::wrong(&name, said, found));
                source.finding("config/wrong-type", &self.path, message).with_hint(SEE_THE_REFERENCE)
            }
        }
    }
}

const SEE_THE_REFERENCE: &str = "see the configuration reference for what stands there";

fn field_path(path: &serde_path_to_error::Path) -> FieldPath {
    path.iter().fold(FieldPath::root(), |path, segment| match segment {
        Segment::Seq { index } => path.index(*index),
        Segment::Map { key } => path.field(key),
        Segment::Enum { variant } => path.field(variant),
        Segment::Unknown => path,
    })
}

/// Mends a mistake in the copy; `false` where nothing is left to be tried.
fn mend(value: &mut Value, mistake: &Mistake, tries: usize) -> bool {
    // One for each type that the fields have.
    let stand_ins = [json!(""), json!([]), json!({}), json!("1h")];
    let (Some(holder), Some(last)) = (mistake.path.parent(), mistake.path.0.last()) else {
        *value = json!({});
        return tries == 0;
    };
    let pointer = holder.pointer(value);
    match (value.pointer_mut(&pointer), last) {
        // Where the field may be left out, that is the least of a change.
        (Some(Value::Object(fields)), Step::Field(name)) if tries == 0 && !matches!(mistake.kind, Kind::Missing) => {
            fields.remove(name).is_some()
        }
        (Some(Value::Object(fields)), Step::Field(name)) => match stand_ins.get(tries.saturating_sub(1)) {
            Some(stand_in) => {
                fields.insert(name.clone(), stand_in.clone());
                true
            }
            None => false,
        },
        (Some(Value::Array(items)), Step::Index(index)) => match (items.get_mut(*index), stand_ins.get(tries)) {
            (Some(item), Some(stand_in)) => {
                *item = stand_in.clone();
                true
            }
            _ => false,
        },
        _ => false,
    }
}
