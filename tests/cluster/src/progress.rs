//! Lines that tell a waiting person what is being done.

use std::fmt;
use std::sync::Arc;

/// Where progress lines go. By default they become `tracing` events only.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Listener>>);

type Listener = dyn Fn(&str) + Send + Sync;

impl Progress {
    /// Sends every line, without a line end, to `listener`.
    pub fn to(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn line(&self, line: &str) {
        tracing::debug!("{line}");
        if let Some(listener) = &self.0 {
            listener(line);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
