//! Load over TLS with keep-alive: the gate beside handlers of the same server that do nothing.
//!
//! `cargo bench -p gitward-webhook --bench load [-- SECONDS]` prints, for an UPDATE review with two
//! Deployments of nine kilobytes, median, 99th percentile, requests a second and the server's
//! processor time a request; SECONDS is how long each row is measured in each of three rounds.
//! The server is a process of its own; the driver shares the machine with it.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod driver;
mod server;
#[allow(dead_code, reason = "shared with the benchmark of decisions")]
#[path = "../../../core/benches/decision/shop.rs"]
mod shop;

use driver::{Figures, Target};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Set in the process that serves: the number of declared objects.
const SERVE: &str = "GITWARD_LOAD_OBJECTS";

const ROUNDS: usize = 3;

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(objects) = std::env::var(SERVE) {
        runtime.block_on(server::serve(objects.parse().unwrap()));
        return;
    }
    let seconds = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1.0);
    let each = Duration::from_secs_f64(seconds);
    println!("handler                    objects conn.    median       p99      req/s   CPU/req      RSS");
    for objects in [100, 10_000, 100_000] {
        let server = Server::start(objects);
        for connections in [1, 16] {
            let mut rows: BTreeMap<usize, Figures> = BTreeMap::new();
            for _ in 0..ROUNDS {
                for (i, (_, path, body)) in ROWS.iter().enumerate() {
                    let target = Target { port: server.port, ca: &server.ca, path, body: body() };
                    let before = server.processor_time();
                    let mut figures = runtime.block_on(driver::run(&target, connections, each));
                    figures.processor = server.processor_time() - before;
                    rows.entry(i).or_default().add(figures);
                }
            }
            for (i, mut figures) in rows {
                let micro = |d: Duration| format!("{} µs", d.as_micros());
                println!(
                    "{:25} {objects:>8} {connections:>5} {:>9} {:>9} {:>10.0} {:>9} {:>5} MB",
                    ROWS[i].0,
                    micro(figures.quantile(0.5)),
                    micro(figures.quantile(0.99)),
                    figures.rate(),
                    micro(figures.processor_each()),
                    server.resident_megabytes(),
                );
            }
        }
    }
}

type Row = (&'static str, &'static str, fn() -> Vec<u8>);

/// Name, path and body.
const ROWS: [Row; 4] = [
    ("no-op", server::NOTHING, server::convergence),
    ("no-op that parses", server::PARSE, server::convergence),
    ("gate, towards Git", gitward_webhook::serve::ADMIT, server::convergence),
    ("gate, nothing changes", gitward_webhook::serve::ADMIT, server::nothing_changes),
];

/// The server's process.
struct Server {
    process: Child,
    port: u16,
    ca: String,
}

impl Server {
    fn start(objects: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(SERVE, objects.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let ca: Vec<String> = lines.map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, port, ca: ca.join("\n") }
    }

    /// Processor time used so far; the unit of `/proc` is a hundredth of a second.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
        Duration::from_millis(10 * ticks)
    }

    fn resident_megabytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().split(' ').next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
