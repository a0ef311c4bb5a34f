//! Calls that need more stack than the thread they come from may have.

use std::thread;

/// Stack of a thread: manifests and policies may nest.
pub(crate) const STACK: usize = 16 << 20;

/// Calls something with [`STACK`] bytes of stack; `None` if there is no thread for it.
pub(crate) fn call<R: Send>(work: impl FnOnce() -> R + Send) -> Option<R> {
    thread::scope(|scope| match thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?.join() {
        Ok(done) => Some(done),
        // A panic of the work is the caller's, as it would be without a thread.
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
