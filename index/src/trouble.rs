//! What keeps the API server from answering, told once and with what to do about it. It is asked by
//! many at the same time and again and again, and nobody reads the same line twice.

use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an error means and what to do about it, in one line, for whoever runs gitward in a cluster.
pub fn explain(error: &kube::Error) -> String {
    let to_do = match error {
        kube::Error::Api(status) => match status.code {
            401 => "; to do: give a kubeconfig with a token or certificate that is valid now (tokens expire)",
            403 => "; to do: give the account its role, as `kubectl apply -k deploy/` does",
            _ => "",
        },
        _ => "; to do: start it, or give a kubeconfig with its address and authority",
    };
    format!("{}{to_do}", says(error))
}

/// What an error means, in one line.
pub fn says(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => match status.code {
            401 => "the API server refuses the credentials (401)".to_owned(),
            403 => format!("{} (403)", status.message),
            code => format!("the API server says: {} ({code})", status.message.trim()),
        },
        error => format!("the API server cannot be reached: {}", innermost(error)),
    }
}

/// Of an error and its causes the one that says most.
fn innermost(error: &kube::Error) -> String {
    let (mut last, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        last = cause.to_string();
        next = cause.source();
    }
    last
}

/// Whether no request of this account would do better than the one that failed.
pub fn is_common(error: &kube::Error) -> bool {
    !matches!(error, kube::Error::Api(status) if status.code != 401)
}

/// A line that is told when it is news. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Option<String>>>);

impl Told {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this line was not the last one told.
    pub fn is_news(&self, line: &str) -> bool {
        let mut told = self.lock();
        let is_news = told.as_deref() != Some(line);
        if is_news {
            *told = Some(line.to_owned());
        }
        is_news
    }

    /// Whether something was told that is not over yet.
    pub fn is_told(&self) -> bool {
        self.lock().is_some()
    }

    /// Whether something was told that is over now.
    pub fn is_over(&self) -> bool {
        self.lock().take().is_some()
    }
}

/// That the API server cannot be asked, shared by all who ask it.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Told);

impl Trouble {
    /// Tells an error that all share once for all of them; returns whether it was one.
    pub fn tell(&self, error: &kube::Error) -> bool {
        if !is_common(error) {
            self.over();
            return false;
        }
        // One outage shows in several ways: refused, reset, cut off.
        let kind = if matches!(error, kube::Error::Api(_)) { "refused" } else { "unreachable" };
        if self.0.is_news(kind) {
            tracing::warn!("{}; tried again until it answers", explain(error));
        }
        true
    }

    /// The API server answered.
    pub fn over(&self) {
        if self.0.is_over() {
            tracing::info!("the API server answers again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    fn answer(code: u16, message: &str) -> kube::Error {
        kube::Error::Api(Box::new(Status { code, message: message.to_owned(), ..Status::default() }))
    }

    #[test]
    fn every_error_says_what_to_do() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let cases = [
            (kube::Error::Service(Box::new(refused)), "connection refused; to do: start it", true),
            (answer(401, "Unauthorized"), "(401); to do: give a kubeconfig", true),
            (answer(403, "alice cannot get x"), "alice cannot get x (403); to do: give the account its role", false),
            (answer(500, "no"), "the API server says: no (500)", false),
        ];
        for (error, part, common) in cases {
            assert!(explain(&error).contains(part), "{}", explain(&error));
            assert_eq!(is_common(&error), common, "{error}");
        }
    }

    #[test]
    fn a_line_is_told_until_another_or_the_end() {
        let told = Told::default();
        let lines = ["a", "a", "b", "b", "a"].map(|line| told.is_news(line));
        assert_eq!(lines, [true, false, true, false, true]);
        assert!(told.is_over() && !told.is_over());
        assert!(told.clone().is_news("a") && !told.is_news("a"), "clones share it");
    }
}
