//! Every field of one live object with where it comes from.

use gitward_core::derived::Context;
use gitward_core::finding::Place;
use gitward_core::lookup::Overlay;
use gitward_core::object::ObjectKey;
use gitward_core::path::FieldPath;
use gitward_core::snapshot::Commit;
use gitward_core::trace::{Field, Source, Stated, fields};
use gitward_index::registration::is_gitwards_own;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::sight::InForce;
use crate::{Error, Result, Shown, Sight, Target};

/// One live object, field by field.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The object.
    pub object: ObjectKey,
    /// What it is held against.
    #[serde(flatten)]
    pub in_force: InForce,
    /// Why some of what the rules ask is not known. What then looks like nobody's is `Unknown`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The fields.
    pub fields: Vec<Told>,
}

/// One field and where it comes from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// Which; empty for the object as a whole.
    pub path: FieldPath,
    /// Its value; `None` if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Shown>,
    /// `Declared`, `Defaulted`, `Carried`, `Derived`, `Exempted`, `Delegated`, `BreakGlass`, `Removal`,
    /// `Kept`, `Nobody` or `Unknown`.
    pub origin: &'static str,
    /// Where in Git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Who last changed that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Author>,
    /// The rule that derives or carries it, or the name of the exemption, delegation or break-glass
    /// declaration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The declared object that a derived one goes back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<ObjectKey>,
    /// What is expected in place of what is nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Shown>,
    /// Why no rule recognises it, or why it is not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who last changed a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Author {
    /// The commit.
    pub commit: String,
    /// `Name <mail>`.
    pub author: String,
    /// When.
    pub time: Timestamp,
}

impl From<&Commit> for Author {
    fn from(commit: &Commit) -> Self {
        Self { commit: commit.id.clone(), author: commit.author.clone(), time: commit.time }
    }
}

impl Trace {
    /// Whether some field is nobody's.
    pub fn has_divergence(&self) -> bool {
        self.fields.iter().any(|f| f.origin == NOBODY)
    }

    /// Whether everything could be told.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty() && self.fields.iter().all(|f| f.origin != UNKNOWN)
    }
}

fn is_nobodys(field: &Field) -> bool {
    matches!(field.source, Source::Nobody { .. })
}

const NOBODY: &str = "Nobody";
const UNKNOWN: &str = "Unknown";

impl Sight {
    /// Traces a live object, or the part of it that the target names.
    ///
    /// # Errors
    /// There is no such object, it is not governed, or it cannot be read.
    pub async fn trace(&self, target: &Target) -> Result<Trace> {
        let (key, live, path) = self.find(target).await?;
        let Some(live) = live else {
            let declared = self.snapshot.declared(&key).map(|d| d.place(&FieldPath::root()).to_string());
            return Err(Error::NoObject { object: key.to_string(), declared });
        };
        let path = Target::path(&path)?;
        let nothing = Overlay::default();
        let ask = |context: &Context<'_>| fields(&key, &live, context);
        let mut looked = self.judge_afresh(&nothing, &ask).await;
        if looked.answer.iter().flatten().any(is_nobodys) && self.recall(&key, &live, &nothing).await {
            looked = self.judge_afresh(&nothing, &ask).await;
        }
        let Some(found) = looked.answer else {
            return Err(Error::NotGoverned {
                object: key.to_string(),
                environment: self.in_force.environment.clone(),
                namespaces: self.snapshot.environment.namespaces.clone(),
            });
        };
        let chosen: Vec<Field> = found.into_iter().filter(|field| concerns(field, &path, &live)).collect();
        if chosen.is_empty() {
            return Err(Error::NoField { object: key.to_string(), path: path.to_string() });
        }
        let mut told: Vec<Told> = chosen.into_iter().map(|field| tell(&key, field, looked.unread.is_empty())).collect();
        if is_gitwards_own(&self.in_force.environment, &live) {
            told.iter_mut().filter(|t| t.origin == NOBODY).for_each(|t| {
                (t.origin, t.reason) = ("Kept", Some("gitward's own, exactly as it brought it".to_owned()));
            });
        }
        let authors = self.authors(told.iter().filter_map(|t| t.place.as_ref()));
        for one in &mut told {
            one.by = one.place.as_ref().and_then(|place| authors.of(place)).map(Author::from);
        }
        Ok(Trace { object: key, in_force: self.in_force.clone(), unread: looked.unread, fields: told })
    }
}

/// Whether a field lies at or below a path, or holds it.
fn concerns(field: &Field, path: &FieldPath, live: &Value) -> bool {
    if path.get(live).is_none() {
        // It is not there: it may be missing.
        return field.value.is_none() && field.path.0.starts_with(&path.0);
    }
    let holds =
        |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    let asked = path.pointer(live);
    if field.value.is_none() {
        return holds(&asked, &field.path.pointer(live)) || field.path.0.starts_with(&path.0);
    }
    let found = field.path.pointer(live);
    holds(&asked, &found) || holds(&found, &asked)
}

fn tell(key: &ObjectKey, field: Field, all_known: bool) -> Told {
    let Field { path, value, source } = field;
    let shown = |value| Shown::of(key, &path, value);
    // The object as a whole is no value to print.
    let value = value.filter(|_| !path.0.is_empty()).map(shown);
    let mut told = Told {
        value,
        origin: UNKNOWN,
        place: None,
        by: None,
        rule: None,
        from: None,
        expected: None,
        reason: None,
        path: path.clone(),
    };
    match source {
        Source::Declared { place } => (told.origin, told.place) = ("Declared", Some(place)),
        Source::Defaulted => told.origin = "Defaulted",
        Source::Carried { rule } => (told.origin, told.rule) = ("Carried", Some(rule.to_owned())),
        Source::Derived { rule, from, .. } => {
            (told.origin, told.rule) = ("Derived", Some(rule.to_owned()));
            (told.from, told.place) = from.map(|Stated { object, place }| (object, place)).unzip();
        }
        Source::Exempted { name, place } => {
            (told.origin, told.rule, told.place) = ("Exempted", Some(name), Some(place))
        }
        Source::Delegated { name, place } => {
            (told.origin, told.rule, told.place) = ("Delegated", Some(name), Some(place))
        }
        Source::BreakGlass { name, place } => {
            (told.origin, told.rule, told.place) = ("BreakGlass", Some(name), Some(place));
        }
        Source::Leaving => told.origin = "Removal",
        Source::Kept => told.origin = "Kept",
        Source::Nobody { expected, place, reason } => {
            // With something unread it may be a controller's after all.
            told.origin = if all_known { NOBODY } else { UNKNOWN };
            (told.expected, told.place, told.reason) = (expected.map(shown), place, reason);
        }
        Source::Unknown => {}
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(path: &str, value: Option<Value>) -> Field {
        Field { path: FieldPath::parse(path).unwrap(), value, source: Source::Defaulted }
    }

    #[test]
    fn a_path_chooses_what_lies_below_it_and_what_holds_it() {
        let live = json!({"spec": {"c": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}], "args": ["x"]}});
        let chosen = |path: &str| {
            let path = FieldPath::parse(path).unwrap();
            let all = [
                field("spec.c[name=a].image", Some(json!("i"))),
                field("spec.c[name=b].image", Some(json!("j"))),
                field("spec.args", Some(json!(["x"]))),
                field("spec.gone", None),
            ];
            let found = all.iter().filter(|f| concerns(f, &path, &live));
            found.map(|f| f.path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(chosen("").len(), 4);
        assert_eq!(chosen("spec.c[name=b]"), ["spec.c[name=b].image"]);
        assert_eq!(chosen("spec.c[1].image"), ["spec.c[name=b].image"]);
        assert_eq!(chosen("spec.args[0]"), ["spec.args"]);
        assert_eq!(chosen("spec.gone"), ["spec.gone"]);
        assert_eq!(chosen("spec.nothing"), [""; 0]);
    }

    #[test]
    fn what_rests_on_something_unread_is_unknown() {
        let key = ObjectKey::new("", "Secret", "a", "b");
        let nobody = || Field {
            path: FieldPath::of(["data", "x"]),
            value: Some(json!("c2VjcmV0")),
            source: Source::Nobody { expected: Some(json!("b2xk")), place: None, reason: None },
        };
        assert_eq!(tell(&key, nobody(), true).origin, "Nobody");
        let told = tell(&key, nobody(), false);
        assert_eq!(told.origin, "Unknown");
        let text = serde_json::to_string(&told).unwrap();
        assert!(!text.contains("c2VjcmV0") && !text.contains("b2xk"), "{text}");
    }
}
