//! What a scalar means: the rules of sigs.k8s.io/yaml (YAML 1.1 as go-yaml v2 reads it).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Number, Value};

/// A scalar, resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Text(String),
}

/// Why a scalar cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Its tag says another type than its text.
    Tag,
    /// `!!binary` with what is not base64, or not text once decoded.
    Binary,
    /// `!!timestamp`.
    Timestamp,
    /// Infinity or no number: JSON has neither.
    NotFinite,
    /// A key that is no text, number or boolean.
    Key,
}

const CORE: &str = "tag:yaml.org,2002:";

/// Resolves a scalar. `implicit` says that it is plain (or tagged `!`), so that its text decides.
pub(super) fn resolve(tag: Option<&str>, implicit: bool, text: String) -> Result<Scalar, Unreadable> {
    let tag = tag.filter(|tag| !tag.is_empty());
    let Some(tag) = tag else {
        return Ok(if implicit { guess(&text).unwrap_or(Scalar::Text(text)) } else { Scalar::Text(text) });
    };
    match tag.strip_prefix(CORE) {
        Some("str") => Ok(Scalar::Text(text)),
        Some("binary") => binary(&text),
        Some("timestamp") => Err(Unreadable::Timestamp),
        Some(core @ ("bool" | "int" | "float" | "null")) => tagged(core, &text),
        _ => Ok(Scalar::Text(text)),
    }
}

fn tagged(tag: &str, text: &str) -> Result<Scalar, Unreadable> {
    match (tag, guess(text)) {
        ("null", Some(Scalar::Null)) => Ok(Scalar::Null),
        ("bool", Some(value @ Scalar::Bool(_))) => Ok(value),
        ("int", Some(value @ (Scalar::Int(_) | Scalar::Uint(_)))) => Ok(value),
        ("float", Some(Scalar::Int(value))) => Ok(Scalar::Float(value as f64)),
        ("float", Some(value @ Scalar::Float(_))) => Ok(value),
        _ => Err(Unreadable::Tag),
    }
}

fn binary(text: &str) -> Result<Scalar, Unreadable> {
    const LAX: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );
    let packed: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = LAX.decode(packed).map_err(|_| Unreadable::Binary)?;
    String::from_utf8(bytes).map(Scalar::Text).map_err(|_| Unreadable::Binary)
}

/// What a plain text means other than itself. Dates and `12:30` are nothing else than text.
fn guess(text: &str) -> Option<Scalar> {
    match text.bytes().next() {
        None => Some(Scalar::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => word(text).or_else(|| float(&underscored(text)?)),
        Some(b'+' | b'-' | b'0'..=b'9') => word(text).or_else(|| number(text)),
        _ => None,
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Scalar> {
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| float(&plain)).or_else(|| odd_binary(&plain))
}

/// Go's `ParseInt` and `ParseUint` with base 0: `0x`, `0o` and `0b` prefixes, and a leading zero
/// for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(true), &text[1..]),
        b'+' => (Some(false), &text[1..]),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0'] => (10, digits),
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        Some(true) => 0i64.checked_sub_unsigned(size).map(Scalar::Int),
        Some(false) => i64::try_from(size).ok().map(Scalar::Int),
        None => Some(i64::try_from(size).map_or(Scalar::Uint(size), Scalar::Int)),
    }
}

/// `0b` before a sign: go-yaml hands the rest to `ParseInt`, which takes signs.
fn odd_binary(text: &str) -> Option<Scalar> {
    let digits = text.strip_prefix("0b")?;
    let (negative, digits) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = i64::from_str_radix(digits, 2).ok()?;
    Some(Scalar::Int(if negative { -size } else { size }))
}

/// A decimal float. What overflows is text, as it is there.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || !exponent_fits {
        return None;
    }
    text.parse::<f64>().ok().filter(|f| f.is_finite()).map(Scalar::Float)
}

/// Go takes an underscore between two digits of a float.
fn underscored(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let fits = (0..bytes.len()).all(|i| bytes[i] != b'_' || digit(i.checked_sub(1)) && digit(Some(i + 1)));
    fits.then(|| text.replace('_', ""))
}

impl Scalar {
    /// The scalar in JSON: floats as Go prints them, so that `1.0` is `1`.
    pub(super) fn into_value(self) -> Result<Value, Unreadable> {
        Ok(match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Int(i) => Value::Number(i.into()),
            Scalar::Uint(u) => Value::Number(u.into()),
            Scalar::Float(f) => Value::Number(go_number(f).ok_or(Unreadable::NotFinite)?),
            Scalar::Text(text) => Value::String(text),
        })
    }

    /// The scalar as a key of a JSON object.
    pub(super) fn into_key(self) -> Result<String, Unreadable> {
        Ok(match self {
            Scalar::Bool(b) => b.to_string(),
            Scalar::Int(i) => i.to_string(),
            Scalar::Float(f) => go_key(f).ok_or(Unreadable::Key)?,
            Scalar::Text(text) => text,
            Scalar::Null | Scalar::Uint(_) => return Err(Unreadable::Key),
        })
    }
}

/// Go writes a whole number below 1e21 without a point, so whoever reads it back reads an integer:
/// the shortest digits that tell the float from its neighbours, filled up with zeros.
fn go_number(f: f64) -> Option<Number> {
    let negative_zero = f == 0.0 && f.is_sign_negative();
    if f.fract() != 0.0 || f.abs() >= 1e21 || negative_zero {
        return Number::from_f64(f);
    }
    let digits = format!("{f}");
    let integer = digits.parse::<u64>().map(Number::from).or_else(|_| digits.parse::<i64>().map(Number::from));
    integer.ok().or_else(|| Number::from_f64(f))
}

/// Go's `FormatFloat(f, 'g', -1, 32)`, which sigs.k8s.io/yaml makes keys with. From seven digits on
/// two texts may stand for the same float, and Go and Rust choose differently: no key.
fn go_key(f: f64) -> Option<String> {
    let f = f as f32;
    if f.is_nan() {
        return Some(".nan".to_owned());
    }
    if f.is_infinite() {
        return Some(if f > 0.0 { ".inf" } else { "-.inf" }.to_owned());
    }
    let scientific = format!("{f:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    if mantissa.bytes().filter(u8::is_ascii_digit).count() >= 7 {
        return None;
    }
    Some(match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => format!("{f}"),
        e => format!("{mantissa}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plain(text: &str) -> Value {
        resolve(None, true, text.to_owned()).and_then(Scalar::into_value).unwrap()
    }

    #[test]
    fn numbers_are_what_go_says() {
        for (text, value) in [
            ("0644", json!(420)),
            ("0o644", json!(420)),
            ("08", json!(8)),
            ("1_000", json!(1000)),
            ("1.0", json!(1)),
            ("1e3", json!(1000)),
            ("-0x1F", json!(-31)),
            ("18446744073709551615", json!(u64::MAX)),
            ("99999999999999999999", json!(1e20)),
            ("-9223372036854775808", json!(i64::MIN)),
            (".5", json!(0.5)),
            ("1e999", json!("1e999")),
            ("12:30:45", json!("12:30:45")),
            ("2001-01-01", json!("2001-01-01")),
            ("0x", json!("0x")),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }

    #[test]
    fn keys_are_what_go_prints() {
        for (f, key) in
            [(1.5, "1.5"), (1e6, "1e+06"), (123456.0, "123456"), (0.0001, "0.0001"), (1e-5, "1e-05"), (1e300, ".inf")]
        {
            assert_eq!(go_key(f).as_deref(), Some(key));
        }
        assert_eq!(go_key(1204567.3), None);
    }

    #[test]
    fn tags_and_texts_have_to_agree() {
        let tagged = |tag: &str, text: &str| resolve(Some(&format!("{CORE}{tag}")), false, text.to_owned());
        assert_eq!(tagged("int", "1.5"), Err(Unreadable::Tag));
        assert_eq!(tagged("float", "1"), Ok(Scalar::Float(1.0)));
        assert_eq!(tagged("binary", "aGk="), Ok(Scalar::Text("hi".into())));
        assert_eq!(tagged("binary", "/w=="), Err(Unreadable::Binary));
        assert_eq!(tagged("str", "yes"), Ok(Scalar::Text("yes".into())));
    }
}
