//! The `format` of strings in custom resources, as far as the API server checks it.
//!
//! Formats that the API server does not know are no rule at all. Those that it checks by lists of
//! known values or loose parsers (`email`, `hostname`, `isbn`, `creditcard`, …) are left to it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::scalar;

/// A format that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    Duration,
    Bytes,
    Ipv4,
    Ipv6,
    Cidr,
    Mac,
    Uuid,
    Uri,
}

impl Format {
    /// By its name in the CRD; hyphens do not count.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.replace('-', "").as_str() {
            "datetime" => Self::DateTime,
            "date" => Self::Date,
            "duration" => Self::Duration,
            "byte" => Self::Bytes,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "cidr" => Self::Cidr,
            "mac" => Self::Mac,
            "uuid" => Self::Uuid,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    /// What to call a value of this format.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::DateTime => "a date and time such as 2006-01-02T15:04:05Z",
            Self::Date => "a date such as 2006-01-02",
            Self::Duration => "a duration such as 1m30s",
            Self::Bytes => "base64",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Cidr => "a network such as 10.0.0.0/8",
            Self::Mac => "a MAC address",
            Self::Uuid => "a UUID",
            Self::Uri => "a URI",
        }
    }

    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::DateTime => is_date_time(text),
            Self::Date => scalar::is_date(text),
            Self::Duration => is_duration(text),
            Self::Bytes => !text.is_empty() && scalar::is_base64(text),
            Self::Ipv4 => is_ipv4(text),
            Self::Ipv6 => is_ipv6(text),
            Self::Cidr => is_cidr(text),
            Self::Mac => is_mac(text),
            Self::Uuid => is_uuid(text),
            Self::Uri => is_uri(text),
        }
    }
}

/// Looser than RFC 3339: small letters are taken too.
fn is_date_time(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    scalar::is_time(&upper)
}

/// Go's durations (`1h30m`, `-1.5s`, `0`), and words as Scala writes them (`22 ns`, `3 days`).
fn is_duration(text: &str) -> bool {
    is_go_duration(text) || has_worded_duration(text)
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(number);
        if !digits.bytes().any(|b| b.is_ascii_digit()) || digits.matches('.').count() > 1 {
            return false;
        }
        let Some(unit) = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].into_iter().find(|u| {
            // "m" is a prefix of "ms": a unit ends where the next number begins.
            tail.strip_prefix(u)
                .is_some_and(|t| t.is_empty() || t.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
        }) else {
            return false;
        };
        rest = &tail[unit.len()..];
    }
    true
}

/// A number followed by a word that begins like a unit of time, anywhere in the text.
fn has_worded_duration(text: &str) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let tail = rest[start..].trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        if tail.starts_with(['n', 'u', 'µ', 'm', 's', 'h', 'd', 'w', 'N', 'U', 'M', 'S', 'H', 'D', 'W']) {
            return true;
        }
        rest = tail;
    }
    false
}

/// Leading zeros are taken, as the API server does.
fn is_ipv4(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u32>().is_ok_and(|n| n < 256)
        })
        || text.parse::<Ipv6Addr>().is_ok_and(|ip| ip.to_ipv4_mapped().is_some()) && text.contains('.')
}

fn is_ipv6(text: &str) -> bool {
    text.contains(':') && text.parse::<Ipv6Addr>().is_ok()
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = if is_ipv6(address) {
        128
    } else if is_ipv4(address) || address.parse::<Ipv4Addr>().is_ok() {
        32
    } else {
        return false;
    };
    !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()) && bits.parse::<u32>().is_ok_and(|n| n <= most)
}

/// 6, 8 or 20 bytes in pairs with `:` or `-`, or in fours with `.`.
fn is_mac(text: &str) -> bool {
    let groups = |separator, width| {
        let parts: Vec<&str> = text.split(separator).collect();
        let hex = parts.iter().all(|p| p.len() == width && p.bytes().all(|b| b.is_ascii_hexdigit()));
        hex && matches!(parts.len() * width / 2, 6 | 8 | 20)
    };
    groups(':', 2) || groups('-', 2) || groups('.', 4)
}

/// Hyphens are optional.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (i, width) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, tail)) = rest.split_at_checked(width) else { return false };
        if !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
        rest = tail;
    }
    rest.is_empty()
}

/// A URI with a scheme, or an absolute path; the rest of its syntax is left to the API server.
fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').is_some_and(|(scheme, _)| scheme.starts_with(|c: char| c.is_ascii_alphabetic()));
    text.starts_with('/') || scheme
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_what_the_api_server_takes() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("date-time", &["2024-01-01T00:00:00Z", "2024-01-01t00:00:00.5z"], &["2024-01-01", "now"]),
            ("date", &["2024-02-29"], &["2023-02-29", "2024-1-1"]),
            ("duration", &["1h30m", "0", "-1.5s", "10ms", "22 ns", "3 days", "5M"], &["", "h", "5", "5x"]),
            ("byte", &["YQ=="], &["", "a b"]),
            ("ipv4", &["10.0.0.1", "010.0.0.1"], &["10.0.0", "10.0.0.256", "::1"]),
            ("ipv6", &["::1", "fe80::1"], &["10.0.0.1", ":::"]),
            ("cidr", &["10.0.0.0/8", "fd00::/64"], &["10.0.0.0", "10.0.0.0/33", "fd00::/129"]),
            ("mac", &["00:1b:44:11:3a:b7", "001b.4411.3ab7"], &["00:1b:44", "zz:1b:44:11:3a:b7"]),
            ("uuid", &["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"], &["123e4567"]),
            ("uri", &["https://example.com/x", "/path"], &["", "example"]),
        ];
        for (name, good, bad) in cases {
            let format = Format::named(name).expect(name);
            for text in *good {
                assert!(format.accepts(text), "{name}: {text}");
            }
            for text in *bad {
                assert!(!format.accepts(text), "{name}: {text}");
            }
        }
        assert_eq!(Format::named("no-such"), None);
    }
}
