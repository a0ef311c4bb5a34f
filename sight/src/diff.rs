//! What differs between what Git expects and what is live.

use std::collections::BTreeSet;
use std::sync::Arc;

use gitward_core::adoption::stays_because;
use gitward_core::break_glass;
use gitward_core::change::Change;
use gitward_core::finding::Place;
use gitward_core::lookup::{Lookup, Overlay, Question};
use gitward_core::object::{self, ObjectKey};
use gitward_core::path::FieldPath;
use gitward_core::snapshot::Declared;
use gitward_core::trace::{Judged, judge_live};
use gitward_index::listing::{Listing, Unread, list};
use gitward_index::registration::is_gitwards_own;
use gitward_index::trouble::says;
use gitward_index::{read, scope};
use serde::Serialize;
use serde_json::Value;

use crate::sight::InForce;
use crate::{Error, Result, Shown, Sight, Target};

/// The differences of an environment, or of one object.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// What the cluster is held against.
    #[serde(flatten)]
    pub in_force: InForce,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What could not be told.
    pub unknown: Vec<Unknown>,
    /// How many objects there are of each sort.
    pub counts: Counts,
}

/// Objects by how they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Declared.
    pub declared: usize,
    /// Declared, and as expected.
    pub converged: usize,
    /// Declared, and different in some field.
    pub diverged: usize,
    /// Declared, and not there.
    pub missing: usize,
    /// Not declared, and nobody's.
    pub undeclared: usize,
    /// Not declared, and a controller's, exempted or on its way out.
    pub derived: usize,
    /// Of which it could not be told.
    pub unknown: usize,
}

impl Counts {
    /// Whether all that could be told is as Git says.
    pub fn is_as_git(&self) -> bool {
        self.diverged + self.missing + self.undeclared == 0
    }
}

/// One object that is not as Git says.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The object.
    pub object: ObjectKey,
    /// How it differs.
    #[serde(flatten)]
    pub how: Differing,
    /// Why it is left as it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// How an object differs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase", tag = "difference")]
pub enum Differing {
    /// Git declares it, and it is not there.
    Missing {
        /// Where in Git.
        place: Place,
    },
    /// Git does not declare it, and no rule recognises it.
    Undeclared {
        /// Why none does.
        reason: String,
    },
    /// Some fields are not as expected.
    Diverged {
        /// They.
        fields: Vec<FieldDifference>,
    },
}

/// One field that is not as expected.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDifference {
    /// Which.
    pub path: FieldPath,
    /// What is expected; `None` if nothing is to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Shown>,
    /// Whether Git itself says so, and not the API server.
    pub declared: bool,
    /// What is there; `None` if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Shown>,
    /// Where in Git it stands, or the nearest to it.
    pub place: Place,
}

/// Something that could not be told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unknown {
    /// An object, or a kind and a namespace.
    pub what: String,
    /// Why.
    pub why: String,
}

/// How one object stands.
enum Standing {
    Elsewhere,
    Converged,
    Derived,
    Differs(Difference),
    Unknown(String),
}

impl Diff {
    /// Whether everything is as Git says, as far as could be told.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether everything could be told.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty()
    }

    fn empty(in_force: &InForce) -> Self {
        let (differences, unknown, counts) = (Vec::new(), Vec::new(), Counts::default());
        Self { in_force: in_force.clone(), differences, unknown, counts }
    }

    fn add(&mut self, key: &ObjectKey, is_declared: bool, standing: Standing) {
        let counts = &mut self.counts;
        if is_declared && !matches!(standing, Standing::Elsewhere) {
            counts.declared += 1;
        }
        match standing {
            Standing::Elsewhere => {}
            Standing::Converged => counts.converged += 1,
            Standing::Derived => counts.derived += 1,
            Standing::Differs(difference) => {
                match &difference.how {
                    Differing::Missing { .. } => counts.missing += 1,
                    Differing::Undeclared { .. } => counts.undeclared += 1,
                    Differing::Diverged { .. } => counts.diverged += 1,
                }
                self.differences.push(difference);
            }
            Standing::Unknown(why) => {
                counts.unknown += 1;
                self.unknown.push(Unknown { what: key.to_string(), why });
            }
        }
    }
}

impl Sight {
    /// Compares everything that the environment governs with what Git expects.
    ///
    /// # Errors
    /// None of its own: what cannot be read is among what could not be told.
    pub async fn diff(&self) -> Result<Diff> {
        let snapshot = &self.snapshot;
        let table = self.discovery.table();
        let declared = || snapshot.declared.values().map(AsRef::as_ref);
        let kinds = scope::everything_governed(&table, &snapshot.environment, declared());
        let listing = list(&self.client, &self.discovery, &kinds, &snapshot.environment.namespaces).await;
        let mut diff = Diff::empty(&self.in_force);
        let there = listing.objects().filter(|(key, _)| snapshot.governs(key)).map(|(key, _)| key);
        let keys: BTreeSet<&ObjectKey> = there.chain(declared().map(|d| &d.manifest.key)).collect();
        for key in keys {
            let standing = self.standing(key, listing.get(key), &listing).await;
            diff.add(key, snapshot.is_declared(key), standing);
        }
        diff.unknown.extend(
            listing
                .unread
                .iter()
                .filter(|u| self.may_govern(u))
                .map(|u| Unknown { what: described(u), why: u.why.clone() }),
        );
        Ok(diff)
    }

    /// Compares one object with what Git expects.
    ///
    /// # Errors
    /// There is no such object, it is not governed, or it cannot be read.
    pub async fn diff_of(&self, target: &Target) -> Result<Diff> {
        let (key, live, path) = self.find(target).await?;
        if !path.is_empty() {
            return Err(Error::NoObject { object: format!("{}/{}{path}", key.kind, key.name), declared: None });
        }
        let mut diff = Diff::empty(&self.in_force);
        let standing = match &live {
            None => self.missing(&key),
            Some(live) => self.afresh(&key, live, &Overlay::default()).await,
        };
        if matches!(standing, Standing::Elsewhere) {
            return Err(Error::NotGoverned {
                object: key.to_string(),
                environment: self.in_force.environment.clone(),
                namespaces: self.snapshot.environment.namespaces.clone(),
            });
        }
        diff.add(&key, self.snapshot.is_declared(&key), standing);
        Ok(diff)
    }

    /// How one object stands; what looks like a difference is read afresh before it is told.
    async fn standing(&self, key: &ObjectKey, listed: Option<Arc<Value>>, listing: &Listing) -> Standing {
        if !self.snapshot.governs(key) {
            return Standing::Elsewhere;
        }
        if let Some(live) = &listed {
            let (judged, asked) = self.judge(listing, &|context| judge_live(key, live, context));
            if let Some(unread) = asked.iter().find_map(|question| unread(question, &listing.unread)) {
                return Standing::Unknown(format!("it rests on {}: {}", described(unread), unread.why));
            }
            match judged {
                Judged::NotGoverned => return Standing::Elsewhere,
                Judged::Converged => return Standing::Converged,
                Judged::Explained(_) => return Standing::Derived,
                Judged::Diverged(_) | Judged::NotLearnt | Judged::Undeclared(_) => {}
            }
        } else if let Some(unread) = listing.unread.iter().find(|u| u.may_hold(&key.group, &key.kind, &key.namespace)) {
            return Standing::Unknown(unread.why.clone());
        }
        match self.read_now(key).await {
            Ok(Some(live)) => self.afresh(key, &live, listing).await,
            Ok(None) => self.missing(key),
            Err(why) => Standing::Unknown(why),
        }
    }

    /// The object as it is now, in the version that Git declares it in.
    async fn read_now(&self, key: &ObjectKey) -> std::result::Result<Option<Value>, String> {
        let told = |error: kube::Error| says(&error);
        let Some(served) = self.discovery.resolve(&key.group, &key.kind).await.map_err(told)? else {
            return Ok(None);
        };
        let resource = match self.snapshot.declared(key) {
            Some(declared) => served.in_version(&declared.gvk().version),
            None => served.resource,
        };
        read(&self.client, &resource, key).await.map_err(told)
    }

    async fn afresh(&self, key: &ObjectKey, live: &Value, beneath: &dyn Lookup) -> Standing {
        let ask = |context: &gitward_core::derived::Context<'_>| {
            (judge_live(key, live, context), break_glass::over(key, None, context))
        };
        let mut looked = self.judge_afresh(beneath, &ask).await;
        if matches!(looked.answer.0, Judged::Undeclared(_)) && self.recall(key, live, beneath).await {
            looked = self.judge_afresh(beneath, &ask).await;
        }
        let (judged, glass) = looked.answer;
        if let Some(why) = looked.unread.first().filter(|_| judged != Judged::NotGoverned) {
            return Standing::Unknown(why.clone());
        }
        let broken =
            glass.map(|g| format!("{} broke the glass {} ({}): left until {}", g.account, g.name, g.place, g.until));
        let (how, left) = match judged {
            Judged::NotGoverned => return Standing::Elsewhere,
            Judged::Converged => return Standing::Converged,
            Judged::Explained(_) => return Standing::Derived,
            Judged::NotLearnt => {
                return Standing::Unknown("what the API server makes of it is not known".to_owned());
            }
            Judged::Diverged(changes) => {
                let Some(declared) = self.snapshot.declared(key) else { return Standing::Elsewhere };
                let fields = changes.into_iter().map(|change| field(declared, change)).collect();
                (Differing::Diverged { fields }, None)
            }
            Judged::Undeclared(_) if is_gitwards_own(&self.snapshot.environment.name, live) => {
                return Standing::Derived;
            }
            Judged::Undeclared(reason) => (Differing::Undeclared { reason }, self.stays(key, live)),
        };
        Standing::Differs(Difference { object: key.clone(), how, left: broken.or(left) })
    }

    fn missing(&self, key: &ObjectKey) -> Standing {
        let Some(declared) = self.snapshot.declared(key) else { return Standing::Elsewhere };
        if declared.learnt.as_ref().is_some_and(|entry| entry.ran_to_its_end(declared)) {
            return Standing::Converged;
        }
        let place = declared.place(&FieldPath::root());
        Standing::Differs(Difference { object: key.clone(), how: Differing::Missing { place }, left: None })
    }

    fn stays(&self, key: &ObjectKey, live: &Value) -> Option<String> {
        let used_to = self.additions.entries.get(key).and_then(|e| e.uid.as_deref()) == Some(object::uid(live));
        if used_to {
            return Some("Git used to declare it: it goes, or stays, by the bounds of pruning".to_owned());
        }
        stays_because(self.snapshot.environment.mode, key, live, &self.adoption).map(str::to_owned)
    }

    /// Whether something that could not be listed may hold governed objects; the rest only matters
    /// where a rule asks for it.
    fn may_govern(&self, unread: &Unread) -> bool {
        let environment = &self.snapshot.environment;
        let key = ObjectKey::new(&unread.group, &unread.kind, &unread.namespace, "");
        let is_several = unread.namespace.is_empty()
            && self.discovery.table().kind(&unread.group, &unread.kind).is_some_and(|served| served.namespaced);
        is_several || environment.governs(&key)
    }
}

fn unread<'a>(question: &Question, unread: &'a [Unread]) -> Option<&'a Unread> {
    let (group, kind, namespace) = match question {
        Question::Get(key) => (&key.group, &key.kind, &key.namespace),
        Question::List(group, kind, namespace) => (group, kind, namespace),
    };
    unread.iter().find(|u| u.may_hold(group, kind, namespace))
}

fn described(unread: &Unread) -> String {
    let place = if unread.namespace.is_empty() { String::new() } else { format!(" in {}", unread.namespace) };
    format!("every {}{place}", unread.kind)
}

fn field(declared: &Declared, change: Change) -> FieldDifference {
    let key = &declared.manifest.key;
    let Change { path, old, new } = change;
    FieldDifference {
        expected: old.map(|value| Shown::of(key, &path, value)),
        declared: path.get(&declared.canonical).is_some(),
        live: new.map(|value| Shown::of(key, &path, value)),
        place: declared.place(&path),
        path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_asks_of_what_could_not_be_listed_is_found() {
        let nodes = [Unread { group: String::new(), kind: "Node".into(), namespace: String::new(), why: "403".into() }];
        let asks = |kind: &str| unread(&Question::Get(ObjectKey::new("", kind, "", "n")), &nodes).is_some();
        assert!(asks("Node") && !asks("Namespace"));
        assert!(unread(&Question::List(String::new(), "Node".into(), String::new()), &nodes).is_some());
        assert_eq!(described(&nodes[0]), "every Node");
    }
}
