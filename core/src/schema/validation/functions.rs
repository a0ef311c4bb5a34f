//! The functions that rules may use, and the budget that their loops pay from.

use std::cell::Cell;

use kube_cel::KubeCelExt;
use kube_cel::cel::{Context, ExecutionError, Value};

/// The function that each turn of a loop calls. No rule can name it: it is no identifier.
pub(super) const STEP: &str = "@step";

/// Functions that are known, by name or by prefix and name. One that is not in this list leaves its
/// rule unchecked; `lists.range` is not in it, since its result has no bound.
pub(super) const KNOWN: &[&str] = &[
    // The language itself.
    "contains",
    "size",
    "startsWith",
    "endsWith",
    "string",
    "bytes",
    "double",
    "int",
    "uint",
    "matches",
    "duration",
    "timestamp",
    "getFullYear",
    "getMonth",
    "getDayOfYear",
    "getDayOfMonth",
    "getDate",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "value",
    "hasValue",
    "or",
    "orValue",
    "max",
    "min",
    // Texts.
    "charAt",
    "indexOf",
    "lastIndexOf",
    "lowerAscii",
    "upperAscii",
    "replace",
    "split",
    "join",
    "substring",
    "trim",
    "find",
    "findAll",
    "format",
    "reverse",
    "strings.quote",
    "base64.encode",
    "base64.decode",
    // Lists and sets.
    "isSorted",
    "sum",
    "distinct",
    "flatten",
    "sort",
    "slice",
    "first",
    "last",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    // Numbers.
    "math.abs",
    "math.bitAnd",
    "math.bitNot",
    "math.bitOr",
    "math.bitShiftLeft",
    "math.bitShiftRight",
    "math.bitXor",
    "math.ceil",
    "math.floor",
    "math.greatest",
    "math.isFinite",
    "math.isInf",
    "math.isNaN",
    "math.least",
    "math.round",
    "math.sign",
    "math.sqrt",
    "math.trunc",
    // Kubernetes' own.
    "quantity",
    "isQuantity",
    "isInteger",
    "asInteger",
    "asApproximateFloat",
    "sign",
    "add",
    "sub",
    "compareTo",
    "isGreaterThan",
    "isLessThan",
    "semver",
    "isSemver",
    "major",
    "minor",
    "patch",
    "url",
    "isURL",
    "getScheme",
    "getHost",
    "getHostname",
    "getPort",
    "getEscapedPath",
    "getQuery",
    "ip",
    "isIP",
    "ip.isCanonical",
    "family",
    "isLoopback",
    "isUnspecified",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isGlobalUnicast",
    "cidr",
    "isCIDR",
    "containsIP",
    "containsCIDR",
    "prefixLength",
    "masked",
    "validate",
    "format.dns1123Label",
    "format.dns1123Subdomain",
    "format.dns1035Label",
    "format.dns1035LabelPrefix",
    "format.dns1123LabelPrefix",
    "format.dns1123SubdomainPrefix",
    "format.qualifiedName",
    "format.labelValue",
    "format.uri",
    "format.uuid",
    "format.byte",
    "format.date",
    "format.datetime",
    "format.named",
    "jsonpatch.escapeKey",
];

/// Functions whose result can be larger than all they are given together.
pub(super) const GROWING: &[&str] = &["replace", "join", "format", "strings.quote"];

/// Functions that compile an expression each time they are called.
pub(super) const COMPILING: &[&str] = &["matches", "find", "findAll"];

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static PRICE: Cell<u64> = const { Cell::new(1) };
    static FUNCTIONS: Context<'static> = functions();
}

fn functions() -> Context<'static> {
    let mut context = Context::default();
    context.register_all();
    context.add_function(STEP, step);
    context
}

fn step() -> Result<Value, ExecutionError> {
    if pay(PRICE.get()) {
        Ok(Value::Bool(true))
    } else {
        Err(ExecutionError::function_error(STEP, "no budget is left"))
    }
}

/// Takes from the budget; `false` if it does not hold as much, and then nothing is left.
pub(super) fn pay(price: u64) -> bool {
    let left = LEFT.get();
    LEFT.set(left.saturating_sub(price));
    left > price
}

/// Whether the budget is spent.
pub(super) fn is_spent() -> bool {
    LEFT.get() == 0
}

/// Sets the budget of this thread for an object.
pub(super) fn allow(budget: u64) {
    LEFT.set(budget);
}

/// Runs something with the functions, at a price for each turn of a loop.
pub(super) fn with<T>(price: u64, run: impl FnOnce(&Context<'static>) -> T) -> T {
    PRICE.set(price);
    FUNCTIONS.with(run)
}

#[cfg(test)]
mod tests {
    use kube_cel::cel::Program;

    use super::*;

    #[test]
    fn every_known_function_is_there() {
        for name in KNOWN {
            let program = Program::compile(&format!("{name}()")).unwrap();
            let result = with(1, |context| crate::caught::caught(|| program.execute(context)));
            let missing = matches!(result, Some(Err(ExecutionError::UndeclaredReference(_))));
            assert!(!missing, "{name}");
        }
    }
}
