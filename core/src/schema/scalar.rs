//! Strings that the API server parses while it decodes an object.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Whether a text is base64 as Go decodes it: padded, line ends ignored.
pub(super) fn is_base64(text: &str) -> bool {
    if text.contains(['\r', '\n']) {
        let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        return BASE64.decode(joined).is_ok();
    }
    BASE64.decode(text).is_ok()
}

/// Whether a text is a quantity: a decimal number with a suffix such as `m`, `Mi`, `G` or `e3`.
///
/// The API server trims the text as JSON writes it: blanks, but no line ends and tabs, which are escaped there.
pub(super) fn is_quantity(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace() && !c.is_ascii_control());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number);
    let is_number = number.bytes().any(|b| b.is_ascii_digit()) && number.bytes().filter(|b| *b == b'.').count() <= 1;
    is_number && is_quantity_suffix(suffix)
}

fn is_quantity_suffix(suffix: &str) -> bool {
    match suffix {
        "" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => true,
        "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" => true,
        _ => suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| exponent.parse::<i64>().is_ok()),
    }
}

/// Whether a text is a time as RFC 3339 writes it, with any fraction of a second.
pub(super) fn is_time(text: &str) -> bool {
    parse_time(text).is_some()
}

/// Whether a text is a time with exactly six digits of fraction, as `MicroTime` wants it.
pub(super) fn is_micro_time(text: &str) -> bool {
    parse_time(text) == Some(6)
}

/// The number of digits of fraction of a time; `None` if it is no time.
fn parse_time(text: &str) -> Option<usize> {
    let (date, time) = text.split_once('T')?;
    if !is_date(date) {
        return None;
    }
    let zone = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let in_range = number(parts.next()?, 2)? < 24 && number(parts.next()?, 2)? < 60 && number(parts.next()?, 2)? < 60;
    let has_fraction = clock.len() < time.len() - zone.len();
    if !in_range || parts.next().is_some() || (has_fraction && fraction.is_empty()) {
        return None;
    }
    (fraction.bytes().all(|b| b.is_ascii_digit()) && is_zone(zone)).then_some(fraction.len())
}

fn is_zone(zone: &str) -> bool {
    let offset = || {
        let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
        Some(number(hours, 2)? <= 24 && number(minutes, 2)? < 60)
    };
    zone == "Z" || offset().unwrap_or(false)
}

/// Whether a text is a date that exists, `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    let parse = || {
        let mut parts = text.split('-');
        let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
        let date =
            jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Some(parts.next().is_none() && date.is_ok())
    };
    parse().unwrap_or(false)
}

fn number(text: &str, digits: usize) -> Option<u16> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_api_server_reads_them() {
        for good in ["1", "0", "500m", "1.5Gi", "-3", "+2k", ".5", "5.", "1e3", "1E3", "2E", "1e-3", " 1Gi "] {
            assert!(is_quantity(good), "{good}");
        }
        for bad in ["", ".", "1 Gi", "1gb", "1.2.3", "Gi", "1e", "1mi", "ten", "1Kii", "0x10", "--1", "1\n", "\t1"] {
            assert!(!is_quantity(bad), "{bad}");
        }
    }

    #[test]
    fn times_need_a_zone_and_a_day_that_exists() {
        for good in ["2024-02-29T23:59:59Z", "2024-01-01T00:00:00.123456789+02:00", "2024-01-01T00:00:00-07:30"] {
            assert!(is_time(good), "{good}");
        }
        for bad in [
            "",
            "2024-01-01",
            "2023-02-29T00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01 00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01t00:00:00z",
            "2024-01-01T00:00:00.Z",
        ] {
            assert!(!is_time(bad), "{bad}");
        }
        assert!(is_micro_time("2024-01-01T00:00:00.000000Z"));
        assert!(!is_micro_time("2024-01-01T00:00:00Z"));
    }

    #[test]
    fn base64_needs_its_padding() {
        for good in ["", "YQ==", "YWJj", "YW\nJj\n", "YR=="] {
            assert!(is_base64(good), "{good:?}");
        }
        for bad in ["YQ", "plain text", "YQ=", "Y-_=", "YWJj "] {
            assert!(!is_base64(bad), "{bad:?}");
        }
    }
}
