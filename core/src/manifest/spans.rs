//! Where every key and value of a document is written.

use std::sync::Arc;

use serde_json::Value;

use super::chunks::Point;
use super::tree::Mark;
use crate::finding::Place;
use crate::path::{FieldPath, Step, position_of};

/// The places of all keys and values of a document: about 60 bytes a field, names stored once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans {
    pub(super) root: u32,
    pub(super) nodes: Vec<Spot>,
    pub(super) collections: Vec<Children>,
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<u32>,
    pub(super) names: Vec<Box<str>>,
}

/// One node: where it is written and, for collections, which one it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) mark: Mark,
    /// Position in [`Spans::collections`]; [`SCALAR`] for scalars.
    pub(super) collection: u32,
}

/// What stands for "no collection".
pub(super) const SCALAR: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Children {
    Map { from: u32, count: u32 },
    List { from: u32, count: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub(super) name: u32,
    pub(super) key: u32,
    pub(super) value: u32,
}

/// How far a path leads.
#[derive(Debug, Clone, Copy)]
struct Found {
    node: u32,
    /// The key that the node stands under, if it is a field.
    key: Option<u32>,
    whole: bool,
}

impl Spans {
    /// The place of a value, or of the key of the nearest enclosing one that is written. Steps by
    /// merge key are not followed: that takes the values, see [`super::Manifest::place`].
    pub fn place(&self, file: &Arc<str>, path: &FieldPath) -> Place {
        self.locate(None, &path.0).map_or_else(|| start(file), |found| self.value_place(file, found))
    }

    /// The place of a key, or of the nearest enclosing one that is written; see [`Self::place`].
    pub fn key_place(&self, file: &Arc<str>, path: &FieldPath) -> Place {
        self.locate(None, &path.0).map_or_else(|| start(file), |found| self.key_or_value_place(file, found))
    }

    /// Byte offset and length of a scalar as written, with its quotes.
    pub fn span(&self, path: &FieldPath) -> Option<(usize, usize)> {
        self.scalar(self.locate(None, &path.0)?)
    }

    pub(super) fn place_in(&self, file: &Arc<str>, base: &FieldPath, value: &Value, path: &FieldPath) -> Place {
        self.locate_in(base, value, path).map_or_else(|| start(file), |found| self.value_place(file, found))
    }

    pub(super) fn key_place_in(&self, file: &Arc<str>, base: &FieldPath, value: &Value, path: &FieldPath) -> Place {
        self.locate_in(base, value, path).map_or_else(|| start(file), |found| self.key_or_value_place(file, found))
    }

    pub(super) fn span_in(&self, base: &FieldPath, value: &Value, path: &FieldPath) -> Option<(usize, usize)> {
        self.scalar(self.locate_in(base, value, path)?)
    }

    fn value_place(&self, file: &Arc<str>, found: Found) -> Place {
        match found.key {
            Some(key) if !found.whole => self.place_of(file, key),
            _ => self.place_of(file, found.node),
        }
    }

    fn key_or_value_place(&self, file: &Arc<str>, found: Found) -> Place {
        self.place_of(file, found.key.unwrap_or(found.node))
    }

    fn scalar(&self, found: Found) -> Option<(usize, usize)> {
        let spot = self.nodes.get(found.node as usize)?;
        let known = found.whole && spot.collection == SCALAR;
        known.then_some((spot.mark.at.offset as usize, spot.mark.length as usize))
    }

    fn place_of(&self, file: &Arc<str>, node: u32) -> Place {
        let Some(spot) = self.nodes.get(node as usize) else { return start(file) };
        Place { file: file.clone(), line: spot.mark.at.line, column: spot.mark.at.column }
    }

    fn locate_in(&self, base: &FieldPath, value: &Value, path: &FieldPath) -> Option<Found> {
        let found = self.locate(None, &base.0)?;
        if !found.whole {
            return Some(found);
        }
        Some(self.follow(found, Some(value), &path.0))
    }

    fn locate(&self, value: Option<&Value>, path: &[Step]) -> Option<Found> {
        self.nodes.get(self.root as usize)?;
        Some(self.follow(Found { node: self.root, key: None, whole: true }, value, path))
    }

    fn follow(&self, from: Found, mut value: Option<&Value>, path: &[Step]) -> Found {
        let mut found = from;
        for step in path {
            let next = match step {
                Step::Field(name) => self.field(found.node, name),
                Step::Index(index) => self.item(found.node, *index),
                Step::Key(keys) => {
                    value.and_then(|v| position_of(v, keys)).and_then(|index| self.item(found.node, index))
                }
            };
            let Some(next) = next else { return Found { whole: false, ..found } };
            found = next;
            value = value.and_then(|v| step.get(v));
        }
        found
    }

    fn children(&self, node: u32) -> Option<Children> {
        let spot = self.nodes.get(node as usize)?;
        self.collections.get(spot.collection as usize).copied()
    }

    fn field(&self, node: u32, name: &str) -> Option<Found> {
        let Some(Children::Map { from, count }) = self.children(node) else { return None };
        let entries = self.entries.get(from as usize..(from + count) as usize)?;
        let entry = entries.iter().find(|e| self.names.get(e.name as usize).is_some_and(|n| **n == *name))?;
        Some(Found { node: entry.value, key: Some(entry.key), whole: true })
    }

    fn item(&self, node: u32, index: usize) -> Option<Found> {
        let Some(Children::List { from, count }) = self.children(node) else { return None };
        let items = self.items.get(from as usize..(from + count) as usize)?;
        Some(Found { node: *items.get(index)?, key: None, whole: true })
    }

    pub(super) fn root_point(&self) -> Point {
        self.nodes.get(self.root as usize).map_or(Point::START, |spot| spot.mark.at)
    }
}

fn start(file: &Arc<str>) -> Place {
    Place { file: file.clone(), line: 1, column: 1 }
}
