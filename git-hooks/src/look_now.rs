//! Telling clusters that there is something to look at. It says no more than that, carries no
//! credential, and is believed nothing: clusters fetch by themselves, sooner.
//!
//! Whom to tell is a setting of the server's repository (`git config --add gitward.lookNow URL`) and
//! not of `gitward.yaml`: else whoever may push could have the Git server call what they like.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gitward_repo::Repository;
use ureq::tls::{RootCerts, TlsConfig};

/// The setting's name.
const SETTING: &str = "gitward.lookNow";

/// Clusters that are told, at most.
const MOST: usize = 16;

/// Time for all of them together, since they are told at once: the pusher waits for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Tells every cluster that the repository names. Gives a line for each that could not be told; the
/// push has happened, so nothing worse follows.
pub(crate) fn tell(repository: &Repository) -> String {
    let urls = repository.settings(SETTING);
    if urls.is_empty() {
        return String::new();
    }
    let agent = agent();
    let told: Vec<_> = urls
        .into_iter()
        .take(MOST)
        .map(|url| {
            let agent = agent.clone();
            let whom = host(&url).to_owned();
            (whom, thread::spawn(move || call(&agent, &url)))
        })
        .collect();
    told.into_iter()
        .filter_map(|(whom, call)| {
            let why = call.join().unwrap_or_else(|_| Err("the call failed".to_owned())).err()?;
            Some(format!("gitward: {whom} was not told to look now and will find out by itself: {why}\n"))
        })
        .collect()
}

fn call(agent: &ureq::Agent, url: &str) -> Result<(), String> {
    let is_plain = (url.starts_with("https://") || url.starts_with("http://")) && !url.contains('@');
    if !is_plain {
        return Err(format!("{SETTING} has to be an http or https URL without user information"));
    }
    let answer = agent.post(url).send_empty().map_err(|error| error.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
}

fn agent() -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into()
}

/// The host of a URL, without what else may be in it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_a_url_is_told() {
        for (url, expected) in [
            ("https://gitward.example.org/look-now", "gitward.example.org"),
            ("http://user:secret@127.0.0.1:9443/look-now?x=secret", "127.0.0.1:9443"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(host(url), expected);
        }
    }

    #[test]
    fn urls_that_carry_something_are_refused() {
        for url in ["https://user:secret@127.0.0.1/look-now", "file:///etc/passwd", "gopher://127.0.0.1/"] {
            assert!(call(&agent(), url).unwrap_err().contains("without user information"), "{url}");
        }
    }
}
