//! What a program takes to run to its end: time, processors, memory.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    /// On all processors together, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// The most memory that it held at once, in bytes.
    pub(crate) memory: u64,
}

/// How often the memory of the running program is looked at. Its peak is kept by the system, so only
/// what it takes within the last moment is missed.
const LOOK: Duration = Duration::from_millis(3);

/// Runs a program to its end; the end of what it printed.
pub(crate) fn run(command: &mut Command) -> (Taken, String) {
    let (before, began) = (children(), Instant::now());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = thread::spawn(move || std::io::read_to_string(&mut out).unwrap_or_default());
    let read_errors = thread::spawn(move || std::io::read_to_string(&mut errors).unwrap_or_default());
    let mut memory = 0;
    while child.try_wait().unwrap().is_none() {
        memory = memory.max(peak(child.id()));
        thread::sleep(LOOK);
    }
    let wall = began.elapsed();
    let cpu = children() - before;
    let text = read.join().unwrap() + &read_errors.join().unwrap();
    let last: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(1).collect();
    (Taken { wall, cpu, memory }, last.concat())
}

/// Asks the system to forget what it has read of files; whether it did. That takes the superuser.
pub(crate) fn forget_files() -> bool {
    let _ = Command::new("sync").status();
    fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

/// What the children of this process that have ended took of the processors. Source: proc(5).
fn children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // Some of them are below zero. After the state come fields 4 and on; these are 16 and 17, in hundredths
    // of a second.
    let fields: Vec<i64> = stat.rsplit(')').next().unwrap().split(' ').filter_map(|f| f.parse().ok()).collect();
    Duration::from_millis((fields[12] + fields[13]).unsigned_abs() * 10)
}
