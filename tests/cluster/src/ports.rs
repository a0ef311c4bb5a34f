//! Free ports for components that cannot choose their own.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Below the range that systems take the ports of outgoing connections from: a port of ours stays
/// free while its component is stopped, and no client that retries can connect to itself.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of the loopback address that nothing listens on now. Another process may still take it
/// before its component does, so starting is retried with new ports.
pub(crate) fn free() -> Result<u16> {
    // Processes start at places far apart, so that they seldom meet.
    let start = (process::id().wrapping_mul(7919) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start.wrapping_add(step) % COUNT);
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Error::Invalid(format!("no free port between {FIRST} and {}", FIRST + COUNT - 1)))
}

/// Waits until a port whose component was killed can be listened on again.
pub(crate) async fn wait_until_free(port: u16, within: Duration) -> Result<()> {
    let started = Instant::now();
    while !is_free(port) {
        if started.elapsed() > within {
            return Err(Error::Invalid(format!("port {port} was taken by another process")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_not_given_twice() {
        assert_ne!(free().unwrap(), free().unwrap());
    }

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }

    #[test]
    fn a_port_that_others_took_is_passed_over() {
        let before = free().unwrap();
        let neighbours: Vec<_> =
            (1..=5).filter_map(|n| TcpListener::bind((Ipv4Addr::LOCALHOST, before + n)).ok()).collect();
        let taken: Vec<u16> = neighbours.iter().map(|l| l.local_addr().unwrap().port()).collect();
        assert!(!taken.contains(&free().unwrap()));
    }
}
