//! Spreading independent work over the processors.

use std::num::NonZero;
use std::thread;

use crate::deep::STACK;

/// Fewer items than this are not worth a thread.
const LEAST: usize = 32;

/// Threads, at most.
const MOST_THREADS: usize = 16;

/// Applies `work` to all items and returns the results in their order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(items.len() / LEAST);
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    let chunks = items.chunks(items.len().div_ceil(threads));
    let all = |chunk: &[T]| chunk.iter().map(work).collect::<Vec<R>>();
    thread::scope(|scope| {
        let spawned: Vec<_> = chunks
            .map(|chunk| {
                let handle = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || all(chunk));
                (chunk, handle)
            })
            .collect();
        let mut results = Vec::with_capacity(items.len());
        for (chunk, handle) in spawned {
            match handle.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(done)) => results.extend(done),
                // A panic of the work is the caller's, as it would be without threads.
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(_) => results.extend(all(chunk)),
            }
        }
        results
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_their_order() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(super::map(&items, |i| i * 2), items.iter().map(|i| i * 2).collect::<Vec<_>>());
    }
}
