//! `sprintf` as OPA has it. The engine's own is undefined where verbs and arguments do not match,
//! and a deny rule whose message is undefined denies nothing.

use regorus::Value;

/// Characters that a width or precision may ask for.
const MAX_WIDTH: usize = 256;

/// Bytes of one result.
const MAX_RESULT: usize = 64 << 10;

/// A part of a format.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    Verb(Verb),
    /// `%` with nothing behind it.
    Dangling,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Verb {
    verb: char,
    minus: bool,
    plus: bool,
    sharp: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Splits a format into its parts; `%%` becomes text.
fn parts(format: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(percent) = rest.find('%') {
        if percent > 0 {
            parts.push(Part::Text(&rest[..percent]));
        }
        let (part, after) = verb(&rest[percent + 1..]);
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// Reads flags, width, precision and verb behind a `%`.
fn verb(text: &str) -> (Part<'_>, &str) {
    let flags = text.len() - text.trim_start_matches(['+', '-', '#', '0', ' ']).len();
    let (flags, rest) = text.split_at(flags);
    let (width, rest) = number(rest);
    let (precision, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (precision, rest) = number(rest);
            (Some(precision.unwrap_or(0)), rest)
        }
        None => (None, rest),
    };
    let mut chars = rest.chars();
    match chars.next() {
        None => (Part::Dangling, ""),
        Some('%') => (Part::Text("%"), chars.as_str()),
        Some(verb) => {
            let has = |flag| flags.contains(flag);
            let verb =
                Verb { verb, minus: has('-'), plus: has('+'), sharp: has('#'), zero: has('0'), width, precision };
            (Part::Verb(verb), chars.as_str())
        }
    }
}

fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = text.split_at(digits);
    let value = if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(MAX_WIDTH).min(MAX_WIDTH)) };
    (value, rest)
}

/// What is wrong with a literal format for so many arguments (`None`: not known).
pub(super) fn fault(format: &str, arguments: Option<usize>) -> Option<String> {
    let mut verbs = 0;
    for part in parts(format) {
        match part {
            Part::Text(_) => {}
            Part::Dangling => return Some("the format ends in a `%` without a verb".to_owned()),
            Part::Verb(verb) if !"svdqxXobcUeEfFgGtT".contains(verb.verb) => {
                return Some(format!("the format has an unknown verb `%{}`", verb.verb));
            }
            Part::Verb(_) => verbs += 1,
        }
    }
    let arguments = arguments.filter(|count| *count != verbs)?;
    Some(format!("the format has {verbs} verbs for {arguments} arguments"))
}

/// Formats, with Go's notes where an argument is missing, too many or of the wrong type.
pub(super) fn sprintf(format: &str, arguments: &[Value]) -> String {
    let mut arguments = arguments.iter();
    let mut out = String::new();
    for part in parts(format) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Dangling => out.push_str("%!(NOVERB)"),
            Part::Verb(verb) => match arguments.next() {
                Some(argument) => out.push_str(&padded(&verb, formatted(&verb, argument))),
                None => out.push_str(&format!("%!{}(MISSING)", verb.verb)),
            },
        }
        if out.len() > MAX_RESULT {
            break;
        }
    }
    let extra: Vec<String> = arguments.map(|a| format!("{}={}", go_type(a), plain(a))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn formatted(verb: &Verb, value: &Value) -> String {
    let text = match (verb.verb, value) {
        ('s' | 'v', _) => Some(cut(plain(value), verb.precision)),
        ('q', Value::String(s)) => Some(format!("{s:?}")),
        ('t', Value::Bool(b)) => Some(b.to_string()),
        ('T', _) => Some(go_type(value).to_owned()),
        ('x', Value::String(s)) => Some(s.bytes().map(|b| format!("{b:02x}")).collect()),
        ('X', Value::String(s)) => Some(s.bytes().map(|b| format!("{b:02X}")).collect()),
        (_, Value::Number(_)) => numeric(verb, value),
        _ => None,
    };
    text.unwrap_or_else(|| format!("%!{}({}={})", verb.verb, go_type(value), plain(value)))
}

fn numeric(verb: &Verb, value: &Value) -> Option<String> {
    if let Ok(integer) = value.as_i128() {
        let (sign, size) = (sign(verb, integer < 0), integer.unsigned_abs());
        let prefix = |mark| if verb.sharp { mark } else { "" };
        let digits = match verb.verb {
            'd' => format!("{size}"),
            'x' => format!("{}{size:x}", prefix("0x")),
            'X' => format!("{}{size:X}", prefix("0X")),
            'o' => format!("{}{size:o}", prefix("0")),
            'b' => format!("{}{size:b}", prefix("0b")),
            'U' => return Some(format!("U+{size:04X}")),
            'c' => return u32::try_from(integer).ok().and_then(char::from_u32).map(String::from),
            _ => return float(verb, value),
        };
        return Some(format!("{sign}{digits}"));
    }
    float(verb, value)
}

fn float(verb: &Verb, value: &Value) -> Option<String> {
    let float = value.as_f64().ok()?;
    let (sign, size) = (sign(verb, float < 0.0), float.abs());
    let precision = verb.precision.unwrap_or(6);
    let digits = match verb.verb {
        'f' | 'F' => format!("{size:.precision$}"),
        'e' => exponent(&format!("{size:.precision$e}"), 'e'),
        'E' => exponent(&format!("{size:.precision$e}"), 'E'),
        'g' | 'G' => format!("{size}"),
        _ => return None,
    };
    Some(format!("{sign}{digits}"))
}

/// Go writes a sign and at least two digits.
fn exponent(text: &str, mark: char) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}{mark}{sign}{digits:0>2}")
}

fn sign(verb: &Verb, negative: bool) -> &'static str {
    match (negative, verb.plus) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => "",
    }
}

fn padded(verb: &Verb, text: String) -> String {
    let missing = verb.width.unwrap_or(0).saturating_sub(text.chars().count());
    match (verb.minus, verb.zero) {
        (true, _) => text + &" ".repeat(missing),
        (false, true) => match text.strip_prefix(['-', '+']) {
            Some(digits) => format!("{}{}{digits}", &text[..1], "0".repeat(missing)),
            None => "0".repeat(missing) + &text,
        },
        (false, false) => " ".repeat(missing) + &text,
    }
}

fn cut(text: String, precision: Option<usize>) -> String {
    match precision {
        Some(count) => text.chars().take(count).collect(),
        None => text,
    }
}

/// A string without quotes, anything else as OPA writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => s.to_string(),
        other => term(other),
    }
}

/// A value as OPA writes it in messages: JSON with a blank behind each colon and comma, and sets.
fn term(value: &Value) -> String {
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    match value {
        Value::Array(items) => format!("[{}]", list(&mut items.iter().map(term))),
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => format!("{{{}}}", list(&mut items.iter_sorted().map(term))),
        Value::Object(fields) => {
            let mut entries = fields.iter_sorted().map(|(key, value)| format!("{}: {}", term(key), term(value)));
            format!("{{{}}}", list(&mut entries))
        }
        scalar => scalar.to_string(),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Number(_) if value.as_i128().is_ok() => "int",
        Value::Number(_) => "float64",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(json: &str) -> Vec<Value> {
        Value::from_json_str(json).unwrap().as_array().unwrap().iter().cloned().collect()
    }

    #[test]
    fn prints_as_go_does() {
        for (format, arguments, expected) in [
            ("%s has %d", r#"["a", 3]"#, "a has 3"),
            ("%v %v", r#"[["a", 1], {"k": true}]"#, r#"["a", 1] {"k": true}"#),
            ("100%% of %q", r#"["x"]"#, r#"100% of "x""#),
            ("%05d|%-4s|%4s|%+d", r#"[-42, "a", "b", 7]"#, "-0042|a   |   b|+7"),
            ("%x %X %o %b %#x", "[255, 255, 8, 5, 16]", "ff FF 10 101 0x10"),
            ("%.2f %e %f", "[1.005, 12345.678, 2]", "1.00 1.234568e+04 2.000000"),
            ("%T %t %.2s", r#"["a", true, "long"]"#, "string true lo"),
            ("%s %s", r#"["a"]"#, "a %!s(MISSING)"),
            ("%s", r#"["a", 1]"#, "a%!(EXTRA int=1)"),
            ("%d", r#"["a"]"#, "%!d(string=a)"),
            ("%z %", r#"["a"]"#, "%!z(string=a) %!(NOVERB)"),
        ] {
            assert_eq!(sprintf(format, &values(arguments)), expected, "{format}");
        }
    }

    #[test]
    fn a_width_is_no_way_to_fill_the_memory() {
        assert_eq!(sprintf("%99999999999999999999999d", &values("[1]")).len(), MAX_WIDTH);
    }

    #[test]
    fn literal_formats_are_checked() {
        assert_eq!(fault("%s %d", Some(2)), None);
        assert_eq!(fault("%s", None), None);
        assert_eq!(fault("%s %d", Some(1)).unwrap(), "the format has 2 verbs for 1 arguments");
        assert_eq!(fault("%y", Some(1)).unwrap(), "the format has an unknown verb `%y`");
        assert!(fault("100%", Some(0)).is_some());
    }
}
