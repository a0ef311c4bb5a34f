//! Which repository URLs are fetched from.

use std::path::Path;

use crate::{Error, Result};

/// The transports that `git` may use, for `GIT_ALLOW_PROTOCOL`. `ext::` and other helpers that run
/// commands are not among them.
pub(crate) const ALLOWED_PROTOCOLS: &str = "https:ssh:file:http";

/// Checks a repository URL: `https://`, `ssh://`, `user@host:path`, `file://` or an absolute path;
/// `http://` to the same machine only, since nothing else protects what Git says on the way.
///
/// # Errors
/// [`Error::Url`] with the reason.
pub(crate) fn check(url: &str) -> Result<()> {
    let refuse = |reason| Err(Error::Url { url: without_user_information(url), reason });
    if url.is_empty() || url.len() > 2048 {
        return refuse("it is empty or too long");
    }
    if url.starts_with('-') {
        return refuse("it would be read as an option");
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("it holds control characters or spaces");
    }
    if Path::new(url).is_absolute() {
        return Ok(());
    }
    match url.split_once("://") {
        Some(("https" | "ssh" | "file", rest)) if !rest.is_empty() && !host(rest).starts_with('-') => Ok(()),
        Some(("http", rest)) if is_loopback(host(rest)) => Ok(()),
        Some(("http", _)) => refuse("http does not protect what Git says on its way here"),
        Some(_) => refuse("its transport is not allowed"),
        None if is_scp_like(url) => Ok(()),
        None => refuse("it is neither a URL nor an absolute path"),
    }
}

/// The URL or text without `user:password@` after a scheme.
pub(crate) fn without_user_information(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        kept.push_str(before);
        let end = after.find(['/', ' ', '\'', '"']).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(user_end) => &after[user_end + 1..],
            None => after,
        };
    }
    kept.push_str(rest);
    kept
}

fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if let Some(v6) = host.strip_prefix('[') {
        return v6.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `user@host:path`: no `::` (a transport helper), nothing that begins with `-`.
fn is_scp_like(url: &str) -> bool {
    let Some((host, path)) = url.split_once(':') else { return false };
    let bare = host.rsplit('@').next().unwrap_or_default();
    !bare.is_empty()
        && !bare.starts_with('-')
        && !host.contains('/')
        && !path.is_empty()
        && !path.starts_with(':')
        && !path.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_transports_are_fetched_from() {
        for good in [
            "https://host/a.git",
            "https://user@host:8443/a.git",
            "ssh://git@host/a.git",
            "git@host:team/a.git",
            "host:a.git",
            "file:///srv/a.git",
            "/srv/a.git",
            "http://127.0.0.1:3000/a.git",
            "http://[::1]:3000/a.git",
            "http://localhost/a.git",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "--upload-pack=touch x",
            "-oProxyCommand=x",
            "ext::sh -c x",
            "ext::x",
            "http://host/a.git",
            "http://localhost.evil.example/a.git",
            "git://host/a.git",
            "ssh://-oProxyCommand=x/a.git",
            "-x@host:a.git",
            "u@-host:a.git",
            "https://host/a\n.git",
            "relative/path",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn credentials_do_not_reach_messages() {
        assert_eq!(without_user_information("https://a:b@host/x and ssh://c@d/e@f"), "https://host/x and ssh://d/e@f");
        assert_eq!(without_user_information("git@host:x"), "git@host:x");
    }
}
