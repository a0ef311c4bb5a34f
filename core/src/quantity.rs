//! Quantities: `500m`, `1.5Gi`, `2e3`, compared by what they mean, exactly.
//!
//! Source: `k8s.io/apimachinery/pkg/api/resource`. Kubernetes keeps nothing finer than a
//! billionth, so a quantity is a whole number of billionths.

use std::ops::Add;

use serde_json::Value;

const NANO: i128 = 1_000_000_000;

/// Digits beyond these cannot matter to Kubernetes, and bound what is parsed.
const MAX_LENGTH: usize = 64;

/// An amount of a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    billionths: i128,
}

impl Quantity {
    /// Reads a quantity; `None` if it is none, or too large to be kept exactly.
    ///
    /// What is finer than a billionth is rounded away from zero, as Kubernetes does.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        let mantissa: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let (base, exponent) = scale(suffix)?;
        let decimal = exponent + 9 - i32::try_from(fraction.len()).ok()?;
        let scaled = mantissa.checked_mul(base)?;
        let billionths = if mantissa == 0 {
            0
        } else if decimal >= 0 {
            scaled.checked_mul(10i128.checked_pow(decimal.unsigned_abs())?)?
        } else {
            match 10i128.checked_pow(decimal.unsigned_abs()) {
                Some(divisor) => scaled.checked_add(divisor - 1)? / divisor,
                None => 1,
            }
        };
        Some(Self { billionths: if negative { -billionths } else { billionths } })
    }

    /// Reads a quantity as JSON has it, a string or a number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Rounded up to a thousandth, as API servers keep the amounts in lists of resources
    /// (`SetDefaults_ResourceList`).
    #[must_use]
    pub fn rounded_up_to_milli(self) -> Self {
        let rest = self.billionths.rem_euclid(NANO / 1000);
        let missing = if rest == 0 { 0 } else { NANO / 1000 - rest };
        Self { billionths: self.billionths.saturating_add(missing) }
    }

    /// Whether there is nothing after the point.
    pub fn is_whole(self) -> bool {
        self.billionths % NANO == 0
    }

    /// The sum; `None` if it is too large.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self { billionths: self.billionths.checked_add(other.billionths)? })
    }
}

impl Add for Quantity {
    type Output = Self;

    /// The sum, or the largest quantity there is.
    fn add(self, other: Self) -> Self {
        Self { billionths: self.billionths.saturating_add(other.billionths) }
    }
}

impl From<Quantity> for Value {
    /// A form that Kubernetes reads; not always the one that it would write.
    fn from(quantity: Quantity) -> Self {
        let sign = if quantity.billionths < 0 { "-" } else { "" };
        let amount = quantity.billionths.unsigned_abs();
        let (whole, rest) = (amount / NANO.unsigned_abs(), amount % NANO.unsigned_abs());
        let text = if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:09}") };
        Value::String(text)
    }
}

/// Whether two values are the same quantity, however written.
pub fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((Quantity::of(a), Quantity::of(b)), (Some(x), Some(y)) if x == y)
}

/// A suffix as a factor and a power of ten.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            (1, exponent.parse::<i8>().ok()?.into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn quantities_compare_by_what_they_mean() {
        let cases = [
            ("1", "1000m", true),
            ("0.5", "500m", true),
            (".5", "500m", true),
            ("1k", "1000", true),
            ("1e3", "1k", true),
            ("1E3", "1k", true),
            ("1Ki", "1024", true),
            ("1.5Gi", "1536Mi", true),
            ("100n", "0.0000001", true),
            ("0", "0Gi", true),
            ("0.00000000001", "1n", true),
            ("-1", "-1000m", true),
            ("1Gi", "1G", false),
            ("1m", "1M", false),
            ("8Ei", "9223372036854775808", true),
        ];
        for (a, b, equal) in cases {
            let read = (Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap());
            assert_eq!(read.0 == read.1, equal, "{a} {b}");
        }
        assert!(same(&json!(1), &json!("1000m")));
        assert!(!same(&json!("x"), &json!("y")));
    }

    #[test]
    fn lists_of_resources_keep_thousandths() {
        for (written, kept) in [("0.3333", "334m"), ("1u", "1m"), ("500m", "500m"), ("1Gi", "1Gi"), ("0", "0")] {
            let read = (Quantity::parse(written).unwrap(), Quantity::parse(kept).unwrap());
            assert_eq!(read.0.rounded_up_to_milli(), read.1, "{written}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "-", "Gi", "1x", "1.2.3", "1 ", "1e", "1ee3", "1e999", "--1", "1e120", &"9".repeat(60)] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(billionths in any::<i64>()) {
            let quantity = Quantity { billionths: billionths.into() };
            prop_assert_eq!(Quantity::of(&Value::from(quantity)), Some(quantity));
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = Quantity::parse(&text);
        }
    }
}
