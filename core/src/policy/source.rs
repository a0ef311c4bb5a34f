//! Reading Rego: bounds on the text, the two syntaxes, and where an error stands.

use std::sync::Arc;

use regorus::Engine;
use regorus::unstable::{Lexer, Source, TokenKind};

use super::PolicyFile;
use crate::finding::{Finding, Place};

/// Bytes of one policy file.
const MAX_BYTES: usize = 256 << 10;

/// Operators in one policy file: the parser builds chains of them as a tree as deep as it is long.
const MAX_OPERATORS: usize = 3_000;

/// Steps of parsing. The parser reads a bracket as a comprehension first and then again as a plain
/// list, so the text inside `n` brackets is read `2^n` times.
const MAX_STEPS: u64 = 4 << 20;

/// Adds a file to an engine, as Rego v1 or, failing that, as v0.
///
/// # Errors
/// A `policy/compile` finding with its place.
pub(super) fn add(engine: &mut Engine, file: &PolicyFile) -> Result<(), Box<Finding>> {
    bounded(file)?;
    engine.set_rego_v0(false);
    let Err(v1) = engine.add_policy(file.file.to_string(), file.text.clone()) else { return Ok(()) };
    engine.set_rego_v0(true);
    let Err(v0) = engine.add_policy(file.file.to_string(), file.text.clone()) else { return Ok(()) };
    let (v1, v0) = (Located::of(&v1.to_string()), Located::of(&v0.to_string()));
    // The syntax that the author meant is the one that gets further.
    let furthest = if v0.position() > v1.position() { v0 } else { v1 };
    Err(Box::new(furthest.into_finding(&file.file)))
}

fn bounded(file: &PolicyFile) -> Result<(), Box<Finding>> {
    if file.text.len() > MAX_BYTES {
        return Err(Box::new(refusal(&file.file, 1, 1, format!("the file is larger than {MAX_BYTES} bytes"))));
    }
    let source = Source::from_contents(file.file.to_string(), file.text.clone())
        .map_err(|e| Box::new(Located::of(&e.to_string()).into_finding(&file.file)))?;
    let mut lexer = Lexer::new(&source);
    let (mut depth, mut steps, mut operators) = (0_u32, 0_u64, 0_usize);
    loop {
        let token = lexer.next_token().map_err(|e| Box::new(Located::of(&e.to_string()).into_finding(&file.file)))?;
        if token.0 == TokenKind::Eof {
            return Ok(());
        }
        let text = token.1.text();
        match (&token.0, text) {
            (TokenKind::Symbol, "[" | "{") => depth += 1,
            (TokenKind::Symbol, "]" | "}") => depth = depth.saturating_sub(1),
            (TokenKind::Symbol, "(" | ")" | "," | ";" | ":" | ".") => {}
            (TokenKind::Symbol, _) | (TokenKind::Ident, "in") => operators += 1,
            _ => {}
        }
        steps = steps.saturating_add(1_u64.checked_shl(depth).unwrap_or(u64::MAX));
        if steps > MAX_STEPS || depth > 62 {
            let message = "the brackets are nested too deeply; name the inner values in rules of their own";
            return Err(Box::new(refusal(&file.file, token.1.line, token.1.col, message)));
        }
        if operators > MAX_OPERATORS {
            let message = format!("more than {MAX_OPERATORS} operators in one file; split it");
            return Err(Box::new(refusal(&file.file, token.1.line, token.1.col, message)));
        }
    }
}

/// A `policy/compile` finding at a place.
pub(super) fn refusal(file: &Arc<str>, line: u32, column: u32, message: impl Into<String>) -> Finding {
    let place = Place { file: file.clone(), line: line.max(1), column: column.max(1) };
    Finding::error("policy/compile", message).with_place(Some(place))
}

/// An error of the engine, whose position stands inside its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Located {
    place: Option<(String, u32, u32)>,
    /// What is wrong, in one line.
    pub(super) message: String,
}

impl Located {
    /// Takes `--> file:line:column` and the message out of the engine's text.
    pub(super) fn of(text: &str) -> Self {
        let place = text.split("--> ").nth(1).and_then(|rest| {
            let mut parts = rest.lines().next()?.rsplitn(3, ':');
            let column = parts.next()?.parse().ok()?;
            let line = parts.next()?.parse().ok()?;
            Some((parts.next()?.to_owned(), line, column))
        });
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message,
            None => text,
        };
        let first = message.trim().lines().next().unwrap_or("unknown error");
        Self { place, message: first.trim_end_matches(':').to_owned() }
    }

    fn position(&self) -> (u32, u32) {
        self.place.as_ref().map_or((0, 0), |(_, line, column)| (*line, *column))
    }

    /// A `policy/compile` finding; `file` is meant where the error does not say.
    pub(super) fn into_finding(self, file: &Arc<str>) -> Finding {
        match self.place {
            Some((f, line, column)) => refusal(&Arc::from(f), line, column, self.message),
            None => refusal(file, 1, 1, self.message),
        }
    }

    /// `file:line:column`, if known.
    pub(super) fn place(&self) -> Option<String> {
        self.place.as_ref().map(|(file, line, column)| format!("{file}:{line}:{column}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        let file = PolicyFile { file: "policies/a.rego".into(), text: text.to_owned() };
        let finding = add(&mut Engine::new(), &file).err()?;
        Some(format!("{} {}", finding.place?, finding.message))
    }

    #[test]
    fn both_syntaxes_are_read() {
        assert_eq!(refused("package main\n\ndeny[msg] {\n  msg := \"no\"\n}\n"), None);
        assert_eq!(refused("package main\n\ndeny contains \"no\" if true\n"), None);
    }

    #[test]
    fn a_broken_file_names_its_line() {
        assert_eq!(
            refused("package main\ndeny contains \"x\" if {\n  1 ==\n}\n").unwrap(),
            "policies/a.rego:4:1 expecting expression"
        );
    }

    #[test]
    fn texts_that_take_the_parser_too_long_are_refused() {
        let nested = format!("package a\nx := {}1{}\n", "[".repeat(25), "]".repeat(25));
        let long = format!("package a\nx := 1{}\n", "+1\n".repeat(4_000));
        for text in [nested, long, "x".repeat(MAX_BYTES + 1)] {
            assert!(refused(&text).is_some());
        }
    }
}
