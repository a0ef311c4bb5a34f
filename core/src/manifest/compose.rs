//! From a document as written to its value: scalars resolved, aliases and merge keys followed,
//! doubled keys refused; and the places of everything that is left.

use std::collections::HashMap;

use indexmap::IndexMap;
use indexmap::map::Entry as Slot;
use serde_json::{Map, Value};

use super::Document;
use super::Limits;
use super::chunks::{Chunk, Point};
use super::problem::{Problem, Rule, template_hint, too_deep, too_many};
use super::scalar::{Scalar, Unreadable, resolve};
use super::spans::{Children, Entry, SCALAR, Spans, Spot};
use super::tree::{Content, Tree};

/// Problems listed for one document at most.
const MOST_PROBLEMS: usize = 50;

/// The document, or everything wrong with it. `nodes` bounds the values after alias expansion and
/// is lowered by those used.
pub(super) fn compose(
    chunk: Chunk<'_>,
    tree: Tree,
    limits: &Limits,
    nodes: &mut usize,
) -> Result<Document, Vec<Problem>> {
    let spots = tree.nodes.iter().map(|n| Spot { mark: n.mark, collection: SCALAR }).collect();
    let mut composer = Composer {
        chunk,
        spans: Spans { root: tree.root, nodes: spots, ..Spans::default() },
        open: vec![false; tree.nodes.len()],
        tree,
        depth: limits.depth,
        left: *nodes,
        decoded: 1,
        expanded: 0,
        aliases: 0,
        names: HashMap::new(),
        problems: Vec::new(),
    };
    let root = composer.spans.root;
    let value = composer.value(root, 0);
    *nodes = composer.left;
    match value {
        Ok(value) if composer.problems.is_empty() => {
            composer.spans.root = composer.target(root);
            Ok(Document { value, spans: composer.spans })
        }
        _ => Err(composer.problems),
    }
}

/// Reading cannot go on; why is among the problems.
struct Stop;

/// A field of a mapping in the making.
#[derive(Clone, Copy)]
struct Field {
    key: u32,
    value: u32,
    /// The merge key (`<<`) that it came by; `None` if it is written in the mapping itself.
    merged_by: Option<u32>,
}

type Fields = IndexMap<String, Field>;

struct Composer<'a> {
    chunk: Chunk<'a>,
    tree: Tree,
    spans: Spans,
    /// Collections that are being read: an alias to one of them would never end.
    open: Vec<bool>,
    depth: usize,
    left: usize,
    decoded: usize,
    expanded: usize,
    aliases: usize,
    names: HashMap<String, u32>,
    problems: Vec<Problem>,
}

impl Composer<'_> {
    fn value(&mut self, node: u32, depth: usize) -> Result<Value, Stop> {
        self.count(node)?;
        if depth > self.depth {
            return self.stop(too_deep(self.at(node), self.depth));
        }
        match self.tree.nodes[node as usize].content {
            Content::Scalar { .. } => {
                let value = self.scalar(node).and_then(Scalar::into_value);
                value.or_else(|why| self.unreadable(node, why).map(|()| Value::Null))
            }
            Content::Alias(target) => {
                self.guard(node, target)?;
                self.aliases += 1;
                let value = self.value(target, depth);
                self.aliases -= 1;
                value
            }
            Content::List(ref range) => {
                let range = range.clone();
                self.list(node, range, depth)
            }
            Content::Map(_) => self.map(node, depth),
        }
    }

    fn list(&mut self, node: u32, range: std::ops::Range<usize>, depth: usize) -> Result<Value, Stop> {
        self.open[node as usize] = true;
        let mut values = Vec::with_capacity(range.len());
        for position in range.clone() {
            values.push(self.value(self.tree.children[position], depth + 1)?);
        }
        self.open[node as usize] = false;
        if self.is_new(node) {
            let from = self.spans.items.len() as u32;
            for position in range.clone() {
                let item = self.target(self.tree.children[position]);
                self.spans.items.push(item);
            }
            self.record(node, Children::List { from, count: range.len() as u32 });
        }
        Ok(Value::Array(values))
    }

    fn map(&mut self, node: u32, depth: usize) -> Result<Value, Stop> {
        self.open[node as usize] = true;
        let fields = self.fields(node, depth)?;
        let is_new = self.is_new(node);
        let mut entries = Vec::with_capacity(if is_new { fields.len() } else { 0 });
        let mut map = Map::new();
        for (name, field) in fields {
            let value = self.value(field.value, depth + 1)?;
            if is_new {
                let name = self.name(&name);
                entries.push(Entry { name, key: self.target(field.key), value: self.target(field.value) });
            }
            map.insert(name, value);
        }
        self.open[node as usize] = false;
        if is_new {
            let (from, count) = (self.spans.entries.len() as u32, entries.len() as u32);
            self.spans.entries.append(&mut entries);
            self.record(node, Children::Map { from, count });
        }
        Ok(Value::Object(map))
    }

    /// The fields of a mapping, those of its merge keys among them.
    fn fields(&mut self, node: u32, depth: usize) -> Result<Fields, Stop> {
        let Content::Map(range) = &self.tree.nodes[node as usize].content else { return Ok(Fields::new()) };
        let range = range.clone();
        let mut fields = Fields::with_capacity(range.len() / 2);
        for position in range.step_by(2) {
            let (key, value) = (self.tree.children[position], self.tree.children[position + 1]);
            if self.is_merge(key) {
                self.merge(&mut fields, key, value, depth)?;
                continue;
            }
            self.count(key)?;
            match self.key(key) {
                Ok(name) => self.add(&mut fields, name, Field { key, value, merged_by: None })?,
                Err(why) => self.unreadable(key, why)?,
            }
        }
        Ok(fields)
    }

    /// Later fields take the place of earlier ones when one of them is merged. A field written
    /// before the merge key is where readers of YAML disagree, so that is refused like a double.
    fn add(&mut self, fields: &mut Fields, name: String, field: Field) -> Result<(), Stop> {
        let mut slot = match fields.entry(name) {
            Slot::Vacant(slot) => {
                slot.insert(field);
                return Ok(());
            }
            Slot::Occupied(slot) => slot,
        };
        let earlier = *slot.get();
        let overrides =
            earlier.merged_by.is_some() && (field.merged_by.is_none() || field.merged_by == earlier.merged_by);
        if overrides {
            slot.insert(field);
            return Ok(());
        }
        let line = self.tree.nodes[earlier.key as usize].mark.at.line;
        let name = slot.key().clone();
        let problem = match field.merged_by {
            None => Problem::new(Rule::DuplicateKey, self.at(field.key), format!("the key `{name}` already stands on line {line}"))
                .hint("Remove one of the two: which of them counts depends on who reads the file."),
            Some(by) => Problem::new(Rule::DuplicateKey, self.at(by), format!("`<<` brings in the key `{name}`, which already stands on line {line}"))
                .hint("Put `<<` first in its mapping, and only one of it: what is written after it overrides it for every reader."),
        };
        self.report(problem)
    }

    fn merge(&mut self, fields: &mut Fields, key: u32, value: u32, depth: usize) -> Result<(), Stop> {
        let mut sources = match &self.tree.nodes[value as usize].content {
            Content::List(range) => self.tree.children[range.clone()].to_vec(),
            _ => vec![value],
        };
        // The first of several maps wins, so it comes last.
        sources.reverse();
        for source in sources {
            self.count(source)?;
            let target = self.target(source);
            if !matches!(self.tree.nodes[target as usize].content, Content::Map(_)) {
                return self.stop(
                    Problem::new(Rule::Syntax, self.at(value), "`<<` takes a mapping or a list of mappings")
                        .hint("Quote the key if `<<` is meant as text."),
                );
            }
            if depth >= self.depth {
                return self.stop(too_deep(self.at(value), self.depth));
            }
            self.guard(source, target)?;
            self.open[target as usize] = true;
            let inherited = self.fields(target, depth + 1)?;
            self.open[target as usize] = false;
            for (name, field) in inherited {
                self.count(field.key)?;
                self.add(fields, name, Field { merged_by: Some(key), ..field })?;
            }
        }
        Ok(())
    }

    fn is_merge(&self, key: u32) -> bool {
        match &self.tree.nodes[key as usize].content {
            Content::Scalar { text, tag, implicit } => {
                text == "<<" && (*implicit || tag.as_deref() == Some("tag:yaml.org,2002:merge"))
            }
            _ => false,
        }
    }

    fn key(&mut self, key: u32) -> Result<String, Unreadable> {
        let target = self.target(key);
        self.scalar(target)?.into_key()
    }

    /// Resolves a scalar; collections are no keys.
    fn scalar(&mut self, node: u32) -> Result<Scalar, Unreadable> {
        let keep = self.tree.aliased;
        match &mut self.tree.nodes[node as usize].content {
            Content::Scalar { text, tag, implicit } => {
                let text = if keep { text.clone() } else { std::mem::take(text) };
                resolve(tag.as_deref(), *implicit, text)
            }
            _ => Err(Unreadable::Key),
        }
    }

    fn unreadable(&mut self, node: u32, why: Unreadable) -> Result<(), Stop> {
        let at = self.at(node);
        let (message, hint) = match why {
            Unreadable::Tag => ("the value does not fit its tag", "Remove the tag, or correct the value."),
            Unreadable::Binary => (
                "`!!binary` holds no base64 of UTF-8 text",
                "Drop the tag: Kubernetes takes base64 in `data` and `binaryData` as plain text.",
            ),
            Unreadable::Timestamp => ("`!!timestamp` is not read", "Write the time as quoted text."),
            Unreadable::NotFinite => {
                ("infinity and not-a-number cannot be written in JSON", "Quote the value if text is meant.")
            }
            Unreadable::Key => ("a key has to be text, a boolean or a number", "Quote the key."),
        };
        let hint = template_hint(self.chunk, at).unwrap_or(hint);
        self.report(Problem::new(Rule::Syntax, at, message).hint(hint))
    }

    /// An alias within its own anchor has no end.
    fn guard(&mut self, alias: u32, target: u32) -> Result<(), Stop> {
        if self.open[target as usize] {
            return self.stop(Problem::new(Rule::Syntax, self.at(alias), "the alias stands within its own anchor"));
        }
        Ok(())
    }

    /// Counts one value read, and refuses what go-yaml refuses as excessive aliasing.
    fn count(&mut self, node: u32) -> Result<(), Stop> {
        self.decoded += 1;
        self.expanded += usize::from(self.aliases > 0);
        let share = self.expanded as f64 / self.decoded as f64;
        if self.expanded > 100 && self.decoded > 1000 && share > allowed_share(self.decoded) {
            return self.stop(
                Problem::new(Rule::TooLarge, self.at(node), "the document grows too much through aliases")
                    .hint("Write the values out, or split the file."),
            );
        }
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return self.stop(too_many(self.at(node))),
        }
        Ok(())
    }

    fn report(&mut self, problem: Problem) -> Result<(), Stop> {
        self.problems.push(problem);
        if self.problems.len() >= MOST_PROBLEMS { Err(Stop) } else { Ok(()) }
    }

    fn stop<T>(&mut self, problem: Problem) -> Result<T, Stop> {
        self.problems.push(problem);
        Err(Stop)
    }

    /// The node itself, or what an alias stands for.
    fn target(&self, node: u32) -> u32 {
        match self.tree.nodes[node as usize].content {
            Content::Alias(target) => target,
            _ => node,
        }
    }

    fn at(&self, node: u32) -> Point {
        self.tree.nodes[node as usize].mark.at
    }

    fn is_new(&self, node: u32) -> bool {
        self.spans.nodes[node as usize].collection == SCALAR
    }

    fn record(&mut self, node: u32, children: Children) {
        self.spans.nodes[node as usize].collection = self.spans.collections.len() as u32;
        self.spans.collections.push(children);
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.names.get(name) {
            return known;
        }
        let id = self.spans.names.len() as u32;
        self.spans.names.push(name.into());
        self.names.insert(name.to_owned(), id);
        id
    }
}

/// The share of values that may come from aliases: 99 % in small documents, 10 % in huge ones.
fn allowed_share(decoded: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let within = ((decoded as f64 - LOW) / (HIGH - LOW)).clamp(0.0, 1.0);
    0.99 - 0.89 * within
}
