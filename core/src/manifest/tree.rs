//! A document as it is written: parser events folded into nodes with their places.
//!
//! Depth and number of nodes are bounded here, before anything is built from them.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;

use libyaml_safer::{Encoding, Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};

use super::Limits;
use super::chunks::{Chunk, Point};
use super::json;
use super::problem::{Problem, Rule, explain, too_deep, too_many};

/// Where a node is written: its first character, and its length in bytes (0 for collections).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: Point,
    pub(super) length: u32,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar {
        text: String,
        tag: Option<Box<str>>,
        implicit: bool,
    },
    /// Positions in [`Tree::children`].
    List(Range<usize>),
    /// Keys and values in turn.
    Map(Range<usize>),
    Alias(u32),
}

/// One document.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) children: Vec<u32>,
    pub(super) root: u32,
    /// Whether any node can be reached twice.
    pub(super) aliased: bool,
}

/// Parses a chunk; `None` if it holds nothing but comments. `nodes` is how many nodes it may have.
pub(super) fn parse(chunk: Chunk<'_>, limits: &Limits, nodes: usize) -> Result<Option<Tree>, Problem> {
    if !chunk.is_json {
        refuse_directives(chunk)?;
        refuse_late_byte_order_marks(chunk)?;
    }
    // The parser fails on a block scalar that ends the input without a line break; kubectl's
    // reader ends every line with one.
    let ending: &[u8] = if chunk.text.ends_with('\n') { b"" } else { b"\n" };
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    let blanked = if chunk.is_json { json::blanked(chunk.text) } else { String::new() };
    let text = if chunk.is_json { blanked.as_str() } else { chunk.text };
    parser.set_input(text.as_bytes().chain(ending));

    let mut builder = Builder::new(chunk, limits, nodes);
    let mut tree = None;
    for event in parser {
        let event = event.map_err(|error| explain(&error, chunk))?;
        match event.data {
            EventData::DocumentStart { .. } if tree.is_some() => {
                let at = builder.cursor.advance(event.start_mark.index);
                return Err(Problem::new(
                    Rule::Syntax,
                    at,
                    "content after the end of the document, which kubectl does not read",
                )
                .hint("Begin the next document with `---`."));
            }
            EventData::DocumentEnd { .. } => tree = Some(builder.finish()?),
            _ => builder.event(event)?,
        }
    }
    Ok(tree)
}

/// kubectl cannot read a document with directives: it cuts the file between them and their
/// document. (They would also be the one thing that the parser reads in quadratic time.)
fn refuse_directives(chunk: Chunk<'_>) -> Result<(), Problem> {
    if !chunk.text.contains('%') {
        return Ok(());
    }
    let mut offset = 0;
    for line in chunk.text.split_inclusive('\n') {
        if line.starts_with("%YAML") || line.starts_with("%TAG") {
            let at = chunk.start.after(&chunk.text[..offset]);
            return Err(Problem::new(Rule::Syntax, at, "a YAML directive, which kubectl does not read")
                .hint("Remove the line; a text of several lines needs `|` and indentation."));
        }
        offset += line.len();
    }
    Ok(())
}

/// The parser drops byte order marks at the beginning of lines, go-yaml reads some of them as text.
fn refuse_late_byte_order_marks(chunk: Chunk<'_>) -> Result<(), Problem> {
    let late = chunk
        .text
        .match_indices('\u{feff}')
        .map(|(offset, _)| &chunk.text[..offset])
        .find(|before| before.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']));
    late.map_or(Ok(()), |before| {
        let at = chunk.start.after(before);
        Err(Problem::new(Rule::Encoding, at, "a byte order mark (U+FEFF) in the middle of the file").hint("Remove it."))
    })
}

/// Turns byte indices, which only grow, into points.
struct Cursor<'a> {
    chunk: Chunk<'a>,
    index: usize,
    point: Point,
}

impl Cursor<'_> {
    fn advance(&mut self, index: u64) -> Point {
        let index = (index as usize).clamp(self.index, self.chunk.text.len());
        // The parser's marks lie between characters; if one did not, the last good point serves.
        if let Some(passed) = self.chunk.text.get(self.index..index) {
            self.point = self.point.after(passed);
            self.index = index;
        }
        self.point
    }
}

struct Open {
    node: u32,
    children: usize,
    map: bool,
    flow: bool,
}

struct Builder<'a> {
    chunk: Chunk<'a>,
    cursor: Cursor<'a>,
    depth: usize,
    limit: usize,
    nodes: Vec<Node>,
    children: Vec<u32>,
    open: Vec<Open>,
    pending: Vec<u32>,
    anchors: HashMap<String, u32>,
}

impl<'a> Builder<'a> {
    fn new(chunk: Chunk<'a>, limits: &Limits, nodes: usize) -> Self {
        Self {
            chunk,
            cursor: Cursor { chunk, index: 0, point: chunk.start },
            depth: limits.depth,
            limit: nodes,
            nodes: Vec::new(),
            children: Vec::new(),
            open: Vec::new(),
            pending: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    fn event(&mut self, event: Event) -> Result<(), Problem> {
        let (start, end) = (event.start_mark.index, event.end_mark.index);
        match event.data {
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                let begin = match style {
                    ScalarStyle::Plain if value.is_empty() => end,
                    _ => self.content(start, end, anchor.is_some() || tag.is_some()),
                };
                let at = self.cursor.advance(begin);
                if style == ScalarStyle::Plain && value.contains('?') && self.open.last().is_some_and(|o| o.flow) {
                    let message = "`?` in an unquoted value within `[ ]` or `{ }`, which kubectl does not read";
                    return Err(Problem::new(Rule::Syntax, at, message).hint("Quote the value."));
                }
                let end = (end as usize).min(self.chunk.text.len());
                let written = self.chunk.text.get(self.cursor.index..end).unwrap_or_default();
                let value = match style {
                    ScalarStyle::DoubleQuoted => self.double_quoted(value, written, at)?,
                    _ => value,
                };
                let length = written.len() as u32;
                let content = Content::Scalar { text: value, tag: tag.map(String::into), implicit: plain_implicit };
                self.node(Mark { at, length }, content, anchor)
            }
            EventData::Alias { anchor } => {
                let at = self.cursor.advance(start);
                let Some(&target) = self.anchors.get(&anchor) else {
                    return Err(Problem::new(Rule::Syntax, at, format!("the anchor `{anchor}` is not defined"))
                        .hint("Define it earlier in the same document, or quote a value that begins with `*`."));
                };
                let length = (end.saturating_sub(start)) as u32;
                self.node(Mark { at, length }, Content::Alias(target), None)
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let at = self.content(start, u64::MAX, anchor.is_some() || tag.is_some());
                self.begin(at, anchor, false, style == SequenceStyle::Flow)
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                let at = self.content(start, u64::MAX, anchor.is_some() || tag.is_some());
                self.begin(at, anchor, true, style == MappingStyle::Flow)
            }
            EventData::SequenceEnd | EventData::MappingEnd => {
                self.end();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A value in double quotes, which JSON and YAML read by different rules.
    fn double_quoted(&self, value: String, written: &str, at: Point) -> Result<String, Problem> {
        if self.chunk.is_json {
            let unreadable =
                || Problem::new(Rule::Syntax, at, "a text that cannot be read").hint("Correct its escapes.");
            return json::text(written).ok_or_else(unreadable);
        }
        // The parser knows an escape of YAML 1.2 that kubectl's does not.
        let mut rest = written;
        while let Some(backslash) = rest.find('\\') {
            if rest[backslash..].starts_with("\\/") {
                return Err(Problem::new(Rule::Syntax, at, "`\\/` in a text, which kubectl does not read in YAML")
                    .hint("Write `/`: it needs no backslash."));
            }
            rest = rest.get(backslash + 2..).unwrap_or_default();
        }
        Ok(value)
    }

    /// Where a node's content begins: behind its anchor and its tag.
    fn content(&self, start: u64, end: u64, has_properties: bool) -> u64 {
        if !has_properties {
            return start;
        }
        let end = (end as usize).min(self.chunk.text.len());
        let mut rest = self.chunk.text.get(start as usize..end).unwrap_or_default();
        loop {
            rest = rest.trim_start();
            if rest.starts_with(['&', '!']) {
                rest = rest.trim_start_matches(|c: char| !c.is_whitespace());
            } else if rest.starts_with('#') {
                rest = rest.trim_start_matches(|c| c != '\n');
            } else {
                return (end - rest.len()) as u64;
            }
        }
    }

    fn begin(&mut self, start: u64, anchor: Option<String>, map: bool, flow: bool) -> Result<(), Problem> {
        let at = self.cursor.advance(start);
        if self.open.len() >= self.depth {
            return Err(too_deep(at, self.depth));
        }
        self.push(Mark { at, length: 0 }, Content::List(0..0), anchor)?;
        self.open.push(Open { node: self.last(), children: self.pending.len(), map, flow });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let from = self.children.len();
        self.children.extend(self.pending.drain(open.children..));
        let range = from..self.children.len();
        self.nodes[open.node as usize].content = if open.map { Content::Map(range) } else { Content::List(range) };
        self.pending.push(open.node);
    }

    fn node(&mut self, mark: Mark, content: Content, anchor: Option<String>) -> Result<(), Problem> {
        self.push(mark, content, anchor)?;
        self.pending.push(self.last());
        Ok(())
    }

    fn push(&mut self, mark: Mark, content: Content, anchor: Option<String>) -> Result<(), Problem> {
        if self.nodes.len() >= self.limit {
            return Err(too_many(mark.at));
        }
        self.nodes.push(Node { mark, content });
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, self.last());
        }
        Ok(())
    }

    fn last(&self) -> u32 {
        (self.nodes.len() - 1) as u32
    }

    fn finish(&mut self) -> Result<Tree, Problem> {
        let Some(root) = self.pending.pop() else {
            return Err(Problem::new(Rule::Syntax, self.cursor.point, "the document has no content"));
        };
        Ok(Tree {
            nodes: std::mem::take(&mut self.nodes),
            children: std::mem::take(&mut self.children),
            root,
            aliased: !self.anchors.is_empty(),
        })
    }
}
