//! Manifests: YAML as Kubernetes reads it, with the place of every value.
//!
//! The rules are those of sigs.k8s.io/yaml, which kubectl and the API server use, in its strict
//! form: `yes` is a boolean, `0644` is 420, a doubled key is an error. What readers of YAML
//! disagree about is refused rather than guessed. A file is cut into documents (`chunks`), each
//! is parsed into nodes (`tree`), those are resolved into a value and its places (`compose`),
//! and the values are taken apart into objects (`objects`).

mod chunks;
mod compose;
mod json;
mod objects;
mod problem;
mod scalar;
mod spans;
mod tree;

use std::sync::Arc;

use serde_json::Value;

use crate::caught::caught;
use crate::finding::{Finding, Place};
use crate::object::{Gvk, ObjectKey};
use crate::path::FieldPath;
use chunks::{Chunk, Point};
pub use problem::{Problem, Rule};
pub use spans::Spans;

/// Bounds on one file, since everything in it is a pusher's to choose.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a file.
    pub bytes: usize,
    /// Nesting depth.
    pub depth: usize,
    /// Nodes of a file after alias expansion.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 8 << 20, depth: 100, nodes: 2_000_000 }
    }
}

/// Documents of a file, at most.
const MOST_DOCUMENTS: usize = 20_000;

/// One YAML document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its content as JSON.
    pub value: Value,
    /// The place of every value in it.
    pub spans: Spans,
}

/// An object in a tree: content and place of every field.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// What it is called in the cluster. The namespace is what the manifest says, empty if it says
    /// none.
    pub key: ObjectKey,
    /// The object as written (not defaulted, not canonical).
    pub value: Arc<Value>,
    /// The file, relative to the tree's root.
    pub file: Arc<str>,
    /// Places, shared by all objects of a document (a `List` holds several).
    pub spans: Arc<Spans>,
    /// Where in the document the object stands: the root, or `items[3]` of a list.
    pub base: FieldPath,
}

impl Manifest {
    /// The place of a field's value, or of the key of the nearest enclosing field that is written
    /// in the file. Through aliases and merge keys: where the value is written.
    pub fn place(&self, path: &FieldPath) -> Place {
        self.spans.place_in(&self.file, &self.base, &self.value, path)
    }

    /// The place of a field's key, or of the nearest enclosing one that is written. A list element
    /// has no key: its own place.
    pub fn key_place(&self, path: &FieldPath) -> Place {
        self.spans.key_place_in(&self.file, &self.base, &self.value, path)
    }

    /// Byte offset and length, in the file, of a scalar as written: with its quotes, without its
    /// tag and anchor, a block scalar from its `|` to the next line. `None` for collections and for
    /// what is not written. Behind an alias it is the anchored scalar, which others may share.
    pub fn span(&self, path: &FieldPath) -> Option<(usize, usize)> {
        self.spans.span_in(&self.base, &self.value, path)
    }
}

/// Reads all objects of a file. Whatever cannot be read becomes a finding; the rest is returned.
pub fn read(file: &Arc<str>, text: &[u8], limits: &Limits) -> (Vec<Manifest>, Vec<Finding>) {
    let (documents, mut problems) = documents(text, limits);
    let mut manifests = Vec::new();
    for document in documents {
        objects::collect(file, document, limits, &mut manifests, &mut problems);
    }
    problems.sort_by_key(|p| (p.line, p.column));
    (manifests, problems.into_iter().map(|p| p.finding(file)).collect())
}

/// Reads all documents of a file; empty ones are left out. Each broken one gives its problems and
/// does not keep the others from being read.
pub fn documents(text: &[u8], limits: &Limits) -> (Vec<Document>, Vec<Problem>) {
    let chunks = match cut(text, limits) {
        Ok(chunks) => chunks,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    let mut nodes = limits.nodes;
    for chunk in chunks {
        match chunk.map_err(|problem| vec![problem]).and_then(|chunk| document(chunk, limits, &mut nodes)) {
            Ok(found) => documents.extend(found.filter(|d| !d.value.is_null())),
            Err(found) => problems.extend(found),
        }
    }
    (documents, problems)
}

/// Reads a file that has to hold exactly one document, such as `gitward.yaml`.
///
/// # Errors
/// The first thing wrong with it, or that it holds none or several documents.
pub fn parse_document(text: &[u8], limits: &Limits) -> Result<Document, Problem> {
    let (documents, problems) = documents(text, limits);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => Ok(document),
        (None, _) => {
            Err(Problem::new(Rule::Syntax, Point::START, "the file holds no content")
                .hint("Write it, or remove the file."))
        }
        (Some(_), Some(second)) => {
            let message = "the file holds more than one document";
            Err(Problem::new(Rule::Syntax, second.spans.root_point(), message).hint("Keep one, and remove the `---`."))
        }
    }
}

fn cut<'a>(text: &'a [u8], limits: &Limits) -> Result<Vec<Result<Chunk<'a>, Problem>>, Problem> {
    let most = limits.bytes.min(u32::MAX as usize);
    if text.len() > most {
        let message = format!("the file has {} bytes; at most {most} are read", text.len());
        return Err(Problem::new(Rule::TooLarge, Point::START, message).hint("Split the file."));
    }
    let mut chunks = chunks::split(chunks::decode(text)?);
    if let Some(documents) = chunks.first().and_then(|first| json::documents(first.as_ref().ok()?)) {
        chunks.splice(..1, documents.into_iter().map(Ok));
    }
    chunks.retain(|chunk| chunk.as_ref().map_or(true, |chunk| !chunks::is_blank(chunk.text)));
    if chunks.len() > MOST_DOCUMENTS {
        let message = format!("the file holds more than {MOST_DOCUMENTS} documents");
        return Err(Problem::new(Rule::TooLarge, Point::START, message).hint("Split the file."));
    }
    Ok(chunks)
}

fn document(chunk: Chunk<'_>, limits: &Limits, nodes: &mut usize) -> Result<Option<Document>, Vec<Problem>> {
    // The parser has panicked on broken input before; one document is not worth the process.
    let parsed = caught(|| tree::parse(chunk, limits, *nodes));
    let tree = parsed.unwrap_or_else(|| {
        Err(Problem::new(Rule::Syntax, chunk.start, "the document makes the YAML parser fail")
            .hint("Write it without unusual syntax (tags, directives, open quotes)."))
    });
    match tree {
        Ok(Some(tree)) => compose::compose(chunk, tree, limits, nodes).map(Some),
        Ok(None) => Ok(None),
        Err(problem) => Err(vec![problem]),
    }
}
