//! Whether every call and every reference means something, and the same thing every time.

use regorus::unstable::{BUILTINS, Expr, Ref, Span};

use super::names::{Names, Package, literal};
use super::{Checked, at};
use crate::finding::{Finding, Place};
use crate::policy::{exceptions, format};

/// Built-ins that are no function of their arguments, that the engine only pretends to have, or
/// whose result has no bound.
const REFUSED: [(&str, &str); 6] = [
    ("http.send", "a policy reads nothing but its input, so that every gate gives the same verdict"),
    ("net.cidr_expand", "its result has no bound; use net.cidr_contains"),
    ("opa.runtime", "a policy reads nothing but its input, so that every gate gives the same verdict"),
    ("rand.intn", "the verdict would differ from one evaluation to the next"),
    ("time.now_ns", "the verdict would differ from one moment to the next"),
    ("uuid.rfc4122", "the verdict would differ from one evaluation to the next"),
];

/// Checks a call.
pub(super) fn call(
    path: &[String],
    args: &[Ref<Expr>],
    span: &Span,
    package: &Package,
    names: &Names,
    checked: &mut Checked,
) {
    if split_call(args, span) {
        let message =
            "the engine reads a line that begins with `(` as the arguments of the line before; put a name first";
        checked.errors.push(at(span, message));
        return;
    }
    if names.function(package, path).is_some() {
        return;
    }
    let name = path.join(".");
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        checked.errors.push(at(span, format!("`{name}` may not be used: {why}")));
        return;
    }
    match BUILTINS.get(name.as_str()) {
        _ if name == "print" => {}
        // One argument more takes the result.
        Some((_, count)) if args.len() != usize::from(*count) && args.len() != usize::from(*count) + 1 => {
            checked.errors.push(at(span, format!("`{name}` takes {count} arguments, not {}", args.len())));
        }
        Some(_) if name == "sprintf" => checked.lints.extend(sprintf(args, span)),
        Some(_) => {}
        None => checked.errors.push(at(span, format!("there is no function `{name}`"))),
    }
}

/// Whether the arguments of a call begin on another line than its name ends: two statements that
/// the engine's parser joined.
fn split_call(args: &[Ref<Expr>], span: &Span) -> bool {
    let Some(first) = args.first() else { return false };
    let contents = span.source.get_contents();
    let (start, end) = (span.end as usize, first.span().start as usize);
    let between = contents.get(start.min(end)..end).unwrap_or_default();
    between.split('(').next().is_some_and(|gap| gap.contains('\n'))
}

/// A literal format has to fit its arguments.
fn sprintf(args: &[Ref<Expr>], span: &Span) -> Option<Finding> {
    let format = literal(args.first()?)?;
    let count = match args.get(1)?.as_ref() {
        Expr::Array { items, .. } => Some(items.len()),
        _ => None,
    };
    let fault = format::fault(&format, count)?;
    let file = span.source.get_path().as_str().into();
    let place = Place { file, line: span.line, column: span.col };
    Some(Finding::warning("policy/sprintf", fault).with_place(Some(place)))
}

/// Checks a reference into `input` or `data`.
pub(super) fn reference(path: &[String], span: &Span, package: &Package, names: &Names) -> Option<Finding> {
    let (root, rest) = path.split_first()?;
    match (root.as_str(), rest.first().map(String::as_str)) {
        ("input", _) if package.path.iter().skip(1).map(String::as_str).eq(exceptions::PACKAGE) => {
            Some(at(span, "exceptions are fixed: they may not read the input"))
        }
        ("input", None | Some("object" | "file")) => None,
        ("input", Some(field)) => Some(
            at(span, format!("there is no `input.{field}`; the input is `input.object` and `input.file`"))
                .with_hint(format!("the manifest's field is `input.object.{field}`")),
        ),
        ("data", Some(_)) if !names.exists(path) => {
            Some(at(span, format!("nothing declares `{}`; there is no data besides the policies", path.join("."))))
        }
        _ => None,
    }
}
