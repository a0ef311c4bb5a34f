//! What a file of a tree says, as far as the rest of the tree has to know: what is wrong with it, what
//! it declares, what its objects offer to others and ask of them.
//!
//! That is a function of the file alone and of what judges it, so it can be remembered
//! ([`super::Memory`]) while the file stays as it is. All texts are borrowed: from the file's manifests
//! where it was just read, from the remembered bytes where it was not.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Place, Severity};
use crate::object::ObjectKey;
use crate::path::FieldPath;

/// Line and column, from 1.
pub(super) type Spot = (u32, u32);

/// What one file says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FileFacts<'a> {
    /// What is wrong with it, whatever else is in the tree.
    #[serde(borrow)]
    pub(super) findings: Vec<Told<'a>>,
    /// Its objects, in their order.
    #[serde(borrow)]
    pub(super) objects: Vec<ObjectFacts<'a>>,
}

impl FileFacts<'_> {
    /// Whether they would be the same once they were remembered.
    pub(super) fn can_be_remembered(&self, file: &Arc<str>) -> bool {
        self.told().all(|told| told.can_be_remembered(file))
    }

    /// What is wrong with the file by itself, if all of its objects are declared.
    pub(super) fn told(&self) -> impl Iterator<Item = &Told<'_>> {
        let of_objects = self.objects.iter().flat_map(|o| o.belonging.iter().chain(&o.if_declared));
        self.findings.iter().chain(of_objects)
    }
}

/// What one object says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ObjectFacts<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    /// Empty where the kind is cluster-scoped, whatever the manifest says.
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    /// Where it begins.
    pub(super) spot: Spot,
    /// That it is not its environment's to declare.
    #[serde(borrow)]
    pub(super) belonging: Option<Told<'a>>,
    /// What counts only if this is the object that is declared: what the further Kubernetes versions find, and
    /// what is wrong with how it changes.
    #[serde(borrow)]
    pub(super) if_declared: Vec<Told<'a>>,
    #[serde(borrow)]
    pub(super) offer: Offer<'a>,
    #[serde(borrow)]
    pub(super) asks: Vec<Ask<'a>>,
}

impl ObjectFacts<'_> {
    /// Whether others could not tell it from another, wherever in its file each part of it stands.
    pub(super) fn tells_others_the_same(&self, other: &ObjectFacts<'_>) -> bool {
        (self.group, self.kind, self.namespace, self.name) == (other.group, other.kind, other.namespace, other.name)
            && self.offer == other.offer
            && self.asks.len() == other.asks.len()
            && self.asks.iter().zip(&other.asks).all(|(one, other)| one.what.is_the_same(&other.what))
    }

    pub(super) fn key(&self) -> ObjectKey {
        ObjectKey::new(self.group, self.kind, self.namespace, self.name)
    }
}

/// What others may refer to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Offer<'a> {
    /// The Pod that it makes, or is.
    #[serde(borrow)]
    pub(super) pod: Option<PodOffer<'a>>,
    /// The keys of a ConfigMap or a Secret.
    #[serde(borrow)]
    pub(super) keys: Vec<&'a str>,
    /// Whether Kubernetes fills the Secret.
    pub(super) fills_itself: bool,
    #[serde(borrow)]
    pub(super) service: Option<ServiceOffer<'a>>,
    /// The names of a StatefulSet's claim templates.
    #[serde(borrow)]
    pub(super) claims: Vec<&'a str>,
    /// All texts of a custom resource that may make other objects, sorted.
    #[serde(borrow)]
    pub(super) texts: Vec<&'a str>,
}

/// What selects a Pod finds in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PodOffer<'a> {
    #[serde(borrow)]
    pub(super) labels: Vec<(&'a str, &'a str)>,
    /// The names of its containers' ports.
    #[serde(borrow)]
    pub(super) ports: Vec<&'a str>,
}

/// The ports of a Service: name and number of each, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ServiceOffer<'a> {
    pub(super) is_external: bool,
    #[serde(borrow)]
    pub(super) ports: Vec<PortOffer<'a>>,
}

/// A port of a Service, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PortOffer<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) port: Cow<'a, str>,
}

/// Something that an object needs of another, and where it says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ask<'a> {
    #[serde(borrow)]
    pub(super) what: Need<'a>,
    #[serde(borrow)]
    pub(super) at: At<'a>,
}

/// A field and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct At<'a> {
    /// The field, as it is displayed.
    #[serde(borrow)]
    field: Cow<'a, str>,
    spot: Spot,
}

/// What an object may need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Need<'a> {
    /// An object of a name.
    Object { group: &'a str, kind: &'a str, namespace: &'a str, name: &'a str },
    /// A key of a ConfigMap or Secret beside it.
    Key { kind: &'a str, name: &'a str, key: &'a str },
    /// Pods with these labels, and ports of these names on them.
    Pods {
        #[serde(borrow)]
        labels: Vec<(&'a str, &'a str)>,
        #[serde(borrow)]
        ports: Vec<(&'a str, At<'a>)>,
    },
    /// A port of a Service beside it, by its name or its number.
    Port {
        service: &'a str,
        by_name: bool,
        #[serde(borrow)]
        wanted: Cow<'a, str>,
    },
}

impl Need<'_> {
    /// Whether both need the same, wherever they say so.
    fn is_the_same(&self, other: &Need<'_>) -> bool {
        match (self, other) {
            (Self::Pods { labels, ports }, Need::Pods { labels: other_labels, ports: other_ports }) => {
                labels == other_labels
                    && ports.iter().map(|(name, _)| name).eq(other_ports.iter().map(|(name, _)| name))
            }
            _ => self == other,
        }
    }
}

impl<'a> At<'a> {
    pub(super) fn new(field: &FieldPath, place: &Place) -> Self {
        Self { field: Cow::Owned(field.to_string()), spot: (place.line, place.column) }
    }

    /// A field that was displayed can be read: it is made of plain names and positions.
    pub(super) fn field(&self) -> FieldPath {
        FieldPath::parse(&self.field).unwrap_or_default()
    }

    pub(super) fn place(&self, file: &Arc<str>) -> Place {
        place(file, self.spot)
    }
}

/// A place in a file.
pub(super) fn place(file: &Arc<str>, (line, column): Spot) -> Place {
    Place { file: file.clone(), line, column }
}

/// Group, kind, namespace and name.
type Key<'a> = (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);

/// A finding that is told of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    severity: Severity,
    #[serde(borrow)]
    message: Cow<'a, str>,
    object: Option<Key<'a>>,
    field: Option<Cow<'a, str>>,
    /// The file, where it is another one than the file that this is told of.
    place: Option<(Option<Cow<'a, str>>, Spot)>,
    hint: Option<Cow<'a, str>>,
    /// The finding itself, where the file was just judged.
    #[serde(skip)]
    fresh: Option<&'a Finding>,
}

impl<'a> Told<'a> {
    /// A finding about a file.
    pub(super) fn of(finding: &'a Finding, file: &str) -> Self {
        let text = |text: &'a str| Cow::Borrowed(text);
        let object = finding.object.as_ref();
        Self {
            rule: text(&finding.rule),
            severity: finding.severity,
            message: text(&finding.message),
            object: object.map(|o| (text(&o.group), text(&o.kind), text(&o.namespace), text(&o.name))),
            field: finding.field.as_ref().map(|field| Cow::Owned(field.to_string())),
            place: finding.place.as_ref().map(|p| ((*p.file != *file).then(|| text(&p.file)), (p.line, p.column))),
            hint: finding.hint.as_deref().map(text),
            fresh: Some(finding),
        }
    }

    /// The finding, told of this file.
    pub(super) fn finding(&self, file: &Arc<str>) -> Finding {
        self.fresh.cloned().unwrap_or_else(|| self.told(file))
    }

    /// Whether it would be the same finding once it was remembered. One that hangs on the time that
    /// something took is not to be remembered at all.
    pub(super) fn can_be_remembered(&self, file: &Arc<str>) -> bool {
        self.rule != "policy/evaluation" && self.fresh.is_none_or(|fresh| self.told(file) == *fresh)
    }

    fn told(&self, file: &Arc<str>) -> Finding {
        let mut finding = Finding::new(self.severity, self.rule.clone().into_owned(), self.message.clone());
        finding.object = self.object.as_ref().map(|(g, k, ns, n)| ObjectKey::new(g, k, ns, n));
        finding.field = self.field.as_ref().map(|field| FieldPath::parse(field).unwrap_or_default());
        finding.place = self.place.as_ref().map(|(other, spot)| match other {
            Some(other) => place(&Arc::from(&**other), *spot),
            None => place(file, *spot),
        });
        finding.hint = self.hint.as_ref().map(|hint| hint.clone().into_owned());
        finding
    }
}
