//! What a rule may ask of the cluster, and a record of what it asked.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::object::ObjectKey;

/// Live objects, as far as the one who asks knows them.
///
/// At the edge this is an index fed by watches, or, after a mismatch, fresh reads laid over it.
pub trait Lookup {
    /// The live object, or `None` if there is none (or it is not known).
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>>;

    /// All live objects of a kind in a namespace; an empty namespace means all of them.
    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>>;

    /// What was seen last of an object that went a short while ago, where somebody keeps that: a
    /// controller may still write what it read then.
    fn gone(&self, _key: &ObjectKey) -> Option<Arc<Value>> {
        None
    }
}

/// One question that a rule asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// One object.
    Get(ObjectKey),
    /// All objects of a kind in a namespace: group, kind, namespace.
    List(String, String, String),
}

/// Passes questions on and remembers them, so that after a mismatch exactly these can be read
/// live, once, and the same rule be run again.
pub struct Recording<'a> {
    inner: &'a dyn Lookup,
    asked: RefCell<BTreeSet<Question>>,
}

impl<'a> Recording<'a> {
    /// Records the questions put to `inner`.
    pub fn new(inner: &'a dyn Lookup) -> Self {
        Self { inner, asked: RefCell::default() }
    }

    /// What was asked, in a stable order.
    pub fn into_questions(self) -> BTreeSet<Question> {
        self.asked.into_inner()
    }
}

impl Lookup for Recording<'_> {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.asked.borrow_mut().insert(Question::Get(key.clone()));
        self.inner.get(key)
    }

    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        self.asked.borrow_mut().insert(Question::List(group.to_owned(), kind.to_owned(), namespace.to_owned()));
        self.inner.list(group, kind, namespace)
    }

    fn gone(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.inner.gone(key)
    }
}

/// Live objects held in memory: what tests use, and what fresh reads are laid over an index with.
///
/// A question that was answered freshly (also with "there is none") is answered from here; any
/// other goes to `beneath`.
#[derive(Default)]
pub struct Overlay<'a> {
    beneath: Option<&'a dyn Lookup>,
    objects: HashMap<ObjectKey, Option<Arc<Value>>>,
    lists: HashMap<(String, String, String), Vec<Arc<Value>>>,
    gone: HashMap<ObjectKey, Arc<Value>>,
}

impl<'a> Overlay<'a> {
    /// An overlay over another lookup.
    pub fn over(beneath: &'a dyn Lookup) -> Self {
        Self { beneath: Some(beneath), ..Self::default() }
    }

    /// Sets the fresh answer for one object.
    pub fn set(&mut self, key: ObjectKey, object: Option<Arc<Value>>) {
        self.objects.insert(key, object);
    }

    /// Sets what was seen last of an object that is not there any more.
    pub fn set_gone(&mut self, key: ObjectKey, last: Arc<Value>) {
        self.objects.insert(key.clone(), None);
        self.gone.insert(key, last);
    }

    /// Sets the fresh answer for one list.
    pub fn set_list(&mut self, group: &str, kind: &str, namespace: &str, objects: Vec<Arc<Value>>) {
        self.lists.insert((group.to_owned(), kind.to_owned(), namespace.to_owned()), objects);
    }
}

impl Lookup for Overlay<'_> {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        match self.objects.get(key) {
            Some(answer) => answer.clone(),
            None => self.beneath.and_then(|b| b.get(key)),
        }
    }

    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        if let Some(list) = self.lists.get(&(group.to_owned(), kind.to_owned(), namespace.to_owned())) {
            return list.clone();
        }
        match self.beneath {
            Some(beneath) => beneath.list(group, kind, namespace),
            None => self
                .objects
                .iter()
                .filter(|(k, _)| {
                    k.group == group && k.kind == kind && (namespace.is_empty() || k.namespace == namespace)
                })
                .filter_map(|(_, o)| o.clone())
                .collect(),
        }
    }

    fn gone(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.gone.get(key).cloned().or_else(|| self.beneath.and_then(|b| b.gone(key)))
    }
}
