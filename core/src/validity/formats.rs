//! How names and values are written. Source: `apimachinery/pkg/util/validation` and
//! `apimachinery/pkg/api/validate/content` of Kubernetes.

use crate::object::is_dns_subdomain;

/// What is wrong with a key of a label; `None` if nothing is.
pub(super) fn label_key(key: &str) -> Option<&'static str> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if prefix.is_some_and(|prefix| !is_dns_subdomain(prefix)) {
        return Some("has a prefix that is no DNS subdomain");
    }
    if name.contains('/') {
        return Some("has more than one `/`");
    }
    if name.is_empty() || !is_plain(name) {
        return Some(PLAIN);
    }
    (name.len() > 63).then_some("has a name of more than 63 characters")
}

/// What is wrong with a value of a label.
pub(super) fn label_value(value: &str) -> Option<&'static str> {
    if value.len() > 63 {
        return Some("has more than 63 characters");
    }
    (!value.is_empty() && !is_plain(value)).then_some(PLAIN)
}

const PLAIN: &str = "may hold letters, digits, `-`, `_` and `.`, with a letter or digit at both ends";

fn is_plain(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Whether a text names a port (RFC 6335, lower case).
pub(super) fn is_port_name(name: &str) -> bool {
    name.len() <= 15
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
}

pub(super) const PORT_NAME: &str =
    "use at most 15 lower-case letters, digits and single `-` between them, with a letter among them";

/// Whether a text names a variable of a container, by the relaxed form that is valid since Kubernetes 1.34.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| (b.is_ascii_graphic() || b == b' ') && b != b'=')
}

/// Whether a text is a key of a ConfigMap or Secret.
pub(super) fn is_data_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 253
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && key != "."
        && !key.starts_with("..")
}

/// Whether a text is the host of an Ingress.
pub(super) fn is_host(host: &str) -> bool {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    !is_address && host.len() <= 253 && is_dns_subdomain(host.strip_prefix("*.").unwrap_or(host))
}

/// Whether a number is a port.
pub(super) fn is_port(number: i64) -> bool {
    (1..=65535).contains(&number)
}
