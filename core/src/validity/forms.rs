//! Names, paths and addresses, by the fields that hold them.

use std::net::IpAddr;

use super::cidr::address;
use super::formats::label_key;
use super::object::{Object, is_unset};
use super::webhooks::CONFIGURATIONS;
use super::{Containers, Everything, Kinds, On, Pods, look};
use crate::object::{is_dns_label, is_dns_subdomain};

/// How a text is written, what it is called, and how to write it.
struct Form(fn(&str) -> bool, &'static str, &'static str);

const LABEL: Form = Form(
    is_dns_label,
    "is no DNS label",
    "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
);
const SUBDOMAIN: Form = Form(
    is_dns_subdomain,
    "is no DNS name",
    "use lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
);
const QUALIFIED: Form = Form(is_qualified, "is no name", "write `name` or `example.org/name`");
const WITH_DOMAIN: Form = Form(has_domain, "has no domain before it", "write it like `example.org/name`");
const HOST: Form = Form(is_tls_host, "is no host", "write a name in lower case without port, such as shop.example.org");
const SYSCTL: Form = Form(is_sysctl, "is no name of a sysctl", "write it like net.core.somaxconn");
const HOOK: Form =
    Form(is_hook, "is no name of a webhook", "write a name with at least two dots, such as pods.shop.example.org");
const HTTPS: Form =
    Form(is_https, "is no URL that begins with https://", "write it like https://hooks.example.org/path");
const RELATIVE: Form =
    Form(is_relative, "is no path within the volume", "write one without `/` at its begin and without `..`");
const ABSOLUTE: Form = Form(is_absolute, "is no path", "begin it with `/`");
const NO_WAY_UP: Form = Form(goes_down, "has `..` in it", "write the path that it leads to");

/// Which objects, which fields, and how they are written; what is empty counts as left out.
const FORMS: &[(On, &str, Form)] = &[
    (Everything, "metadata.finalizers[]", QUALIFIED),
    (Pods, "spec.hostname|subdomain", LABEL),
    (Pods, "spec.nodeName|priorityClassName|runtimeClassName|serviceAccountName", SUBDOMAIN),
    (Pods, "spec.readinessGates[].conditionType", QUALIFIED),
    (Pods, "spec.schedulingGates[].name", QUALIFIED),
    (Pods, "spec.securityContext.sysctls[].name", SYSCTL),
    (Pods, "spec.volumes[].hostPath.path", NO_WAY_UP),
    (Pods, "spec.volumes[].nfs.path", ABSOLUTE),
    (Pods, "spec.volumes[].configMap|secret|downwardAPI.items[].path", RELATIVE),
    (Pods, "spec.volumes[].projected.sources[].configMap|secret|downwardAPI.items[].path", RELATIVE),
    (Containers, "volumeMounts[].subPath|subPathExpr", RELATIVE),
    (Kinds("", &["PersistentVolumeClaim"]), "spec.storageClassName", SUBDOMAIN),
    (Kinds("", &["Service"]), "spec.ports[].appProtocol", QUALIFIED),
    (Kinds("networking.k8s.io", &["Ingress"]), "spec.tls[].hosts[]", HOST),
    (Kinds("networking.k8s.io", &["IngressClass"]), "spec.controller", WITH_DOMAIN),
    (Kinds("node.k8s.io", &["RuntimeClass"]), "handler", LABEL),
    (Kinds("batch", &["Job"]), "spec.managedBy", WITH_DOMAIN),
    (Kinds("batch", &["CronJob"]), "spec.jobTemplate.spec.managedBy", WITH_DOMAIN),
    (CONFIGURATIONS, "webhooks[].name", HOOK),
    (CONFIGURATIONS, "webhooks[].clientConfig.url", HTTPS),
];

pub(super) fn forms(object: &mut Object<'_>) {
    for (on, path, Form(is_good, what, hint)) in FORMS {
        look(object, on, path, |object, value, at| {
            if value.as_str().is_some_and(|text| !text.is_empty() && !is_good(text)) {
                object.say("valid/name", at, what, hint);
            }
        });
    }
}

fn is_qualified(text: &str) -> bool {
    label_key(text).is_none()
}

fn has_domain(text: &str) -> bool {
    text.split_once('/').is_some_and(|(domain, path)| is_dns_subdomain(domain) && !path.is_empty())
}

fn is_sysctl(text: &str) -> bool {
    let is_part = |part: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends(part.chars().next())
            && ends(part.chars().next_back())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    };
    text.len() <= 253 && text.split(['.', '/']).all(is_part)
}

fn is_hook(text: &str) -> bool {
    is_dns_subdomain(text) && text.split('.').count() >= 3
}

/// Addresses are DNS names by their form, and taken.
fn is_tls_host(text: &str) -> bool {
    is_dns_subdomain(text.strip_prefix("*.").unwrap_or(text))
}

fn is_https(text: &str) -> bool {
    // Go reads the scheme in any case.
    text.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) && text.len() > 8
}

fn is_relative(text: &str) -> bool {
    !text.starts_with('/') && goes_down(text)
}

fn is_absolute(text: &str) -> bool {
    text.starts_with('/')
}

fn goes_down(text: &str) -> bool {
    text.split('/').all(|part| part != "..")
}

/// Which objects, and which fields hold an address.
const ADDRESSES: &[(On, &str)] = &[
    (Pods, "spec.dnsConfig.nameservers[]"),
    (Pods, "spec.hostAliases[].ip"),
    (Kinds("", &["Service"]), "spec.clusterIP"),
    (Kinds("", &["Service"]), "spec.clusterIPs[]"),
    (Kinds("", &["Service"]), "spec.externalIPs[]"),
    (Kinds("", &["Endpoints"]), "subsets[].addresses|notReadyAddresses[].ip"),
];

pub(super) fn addresses(object: &mut Object<'_>) {
    for (on, path) in ADDRESSES {
        look(object, on, path, |object, value, at| {
            let is_none = value.as_str() == Some("None");
            if value.as_str().is_some_and(|text| !is_unset(value) && !is_none && address(text).is_none()) {
                object.say("valid/cidr", at, "is no address", "write it like 10.9.8.7 or 2001:db8::1");
            }
        });
    }
    look(object, &Kinds("", &["Service"]), "spec.externalIPs[]", |object, value, at| {
        if value.as_str().and_then(address).is_some_and(|ip| is_special(&ip)) {
            object.say("valid/cidr", at, "is no address that others could reach", "write one of the network");
        }
    });
}

/// The machine itself, or none.
fn is_special(ip: &IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}

/// Addresses of slices, by their family.
pub(super) fn endpoints(object: &mut Object<'_>) {
    let family = object.value["addressType"].as_str();
    look(object, &Kinds("discovery.k8s.io", &["EndpointSlice"]), "endpoints[].addresses[]", |object, value, at| {
        let Some(text) = value.as_str() else { return };
        let fits = match family {
            Some("IPv4") => address(text).is_some_and(|ip| ip.is_ipv4()),
            Some("IPv6") => address(text).is_some_and(|ip| ip.is_ipv6()),
            _ => true,
        };
        if !fits {
            object.say(
                "valid/cidr",
                at,
                "is no address of this `addressType`",
                "write it like 10.9.8.7 or 2001:db8::1",
            );
        }
    });
}
