//! Work on a thread of its own, which may panic or never end without taking the hook along.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Stack of the thread: manifests and policies may nest.
const STACK: usize = 64 << 20;

/// Begins it; what comes of it, or the panic that ended it.
///
/// # Errors
/// No thread can be started.
pub(crate) fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Receiver<thread::Result<T>>> {
    let (sender, receiver) = channel();
    panic::set_hook(Box::new(|_| {}));
    thread::Builder::new().stack_size(STACK).spawn(move || {
        let _ = sender.send(panic::catch_unwind(AssertUnwindSafe(work)));
    })?;
    Ok(receiver)
}
