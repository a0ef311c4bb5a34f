//! Functions that replace the engine's own.

use regorus::{Engine, Value};

use super::format;

/// Elements of a list of numbers; the engine's clock does not run inside a built-in.
const MAX_RANGE: u64 = 100_000;

/// Gives an engine our own functions.
pub(super) fn install(engine: &mut Engine) {
    let installed = [
        engine.add_extension("sprintf".into(), 2, Box::new(|args: Vec<Value>| Ok(format_call(&args)?))),
        engine.add_extension("numbers.range".into(), 2, Box::new(|args: Vec<Value>| Ok(range(&args)?))),
        engine.add_extension("numbers.range_step".into(), 3, Box::new(|args: Vec<Value>| Ok(range(&args)?))),
    ];
    debug_assert!(installed.iter().all(Result::is_ok), "a new engine has no extension yet");
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
}

fn format_call(args: &[Value]) -> Answer {
    let [Value::String(format), Value::Array(values)] = args else { return Err(BuiltinError::Sprintf) };
    Ok(format::sprintf(format, values.as_slice()).into())
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
