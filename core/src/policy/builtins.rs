//! Functions that replace the engine's own.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Error as RegexError, Regex, RegexBuilder};
use regorus::{Engine, Value};

use super::format;

/// Elements of a list of numbers; the engine's clock does not run inside a built-in.
const MAX_RANGE: u64 = 100_000;

/// Bytes of a compiled pattern, as in the engine.
const MAX_PATTERN: usize = 100 << 10;

/// Patterns that a thread keeps; a policy may make them out of its input.
const MOST_PATTERNS: usize = 256;

/// Gives an engine our own functions that mean the same whether faults of functions count or not.
pub(super) fn install(engine: &mut Engine) {
    let installed = [
        engine.add_extension("sprintf".into(), 2, Box::new(|args: Vec<Value>| Ok(format_call(&args)?))),
        engine.add_extension("numbers.range".into(), 2, Box::new(|args: Vec<Value>| Ok(range(&args)?))),
        engine.add_extension("numbers.range_step".into(), 3, Box::new(|args: Vec<Value>| Ok(range(&args)?))),
    ];
    debug_assert!(installed.iter().all(Result::is_ok), "a new engine has no extension yet");
}

/// Gives an engine those of which a fault is either an error or, as in OPA, undefined.
pub(super) fn install_fallible(engine: &mut Engine, strict: bool) {
    let call = move |args: Vec<Value>| match regex_match(&args) {
        Ok(is_match) => Ok(Value::Bool(is_match)),
        Err(BuiltinError::Text | BuiltinError::Pattern) if !strict => Ok(Value::Undefined),
        Err(error) => Err(error.into()),
    };
    let installed = engine.add_extension("regex.match".into(), 2, Box::new(call));
    debug_assert!(installed.is_ok(), "no engine has it yet");
}

type Answer = Result<Value, BuiltinError>;

#[derive(Debug, thiserror::Error)]
enum BuiltinError {
    #[error("sprintf takes a string and an array")]
    Sprintf,
    #[error("a range of numbers takes integers, and a step above 0")]
    Range,
    #[error("a range of numbers has at most {MAX_RANGE} elements")]
    LongRange,
    #[error("`regex.match` expects strings")]
    Text,
    #[error("invalid regex")]
    Pattern,
    #[error("the regex is too large")]
    LargePattern,
}

fn format_call(args: &[Value]) -> Answer {
    let [Value::String(format), Value::Array(values)] = args else { return Err(BuiltinError::Sprintf) };
    Ok(format::sprintf(format, values.as_slice()).into())
}

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
}

/// The engine copies a pattern for each call, and a copy has to find out anew how to go through a text fast.
fn regex_match(args: &[Value]) -> Result<bool, BuiltinError> {
    let [Value::String(pattern), Value::String(text)] = args else { return Err(BuiltinError::Text) };
    PATTERNS.with_borrow_mut(|known| {
        if let Some(regex) = known.get(&**pattern) {
            return Ok(regex.is_match(text));
        }
        let regex = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build().map_err(|error| match error {
            RegexError::CompiledTooBig(_) => BuiltinError::LargePattern,
            _ => BuiltinError::Pattern,
        })?;
        let is_match = regex.is_match(text);
        if known.len() >= MOST_PATTERNS {
            known.clear();
        }
        known.insert(pattern.to_string(), regex);
        Ok(is_match)
    })
}

fn range(args: &[Value]) -> Answer {
    let numbers: Option<Vec<i64>> = args.iter().map(|arg| arg.as_i64().ok()).collect();
    let (from, to, step) = match numbers.as_deref() {
        Some([from, to]) => (*from, *to, 1),
        Some([from, to, step]) if *step > 0 => (*from, *to, step.unsigned_abs()),
        _ => return Err(BuiltinError::Range),
    };
    let count = from.abs_diff(to) / step + 1;
    if count > MAX_RANGE {
        return Err(BuiltinError::LongRange);
    }
    let element = |i: u64| {
        if from <= to { from.saturating_add_unsigned(i * step) } else { from.saturating_sub_unsigned(i * step) }
    };
    Ok((0..count).map(|i| Value::from(element(i))).collect::<Vec<_>>().into())
}
