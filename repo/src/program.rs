//! Running the `git` program: no shell, no prompts, bounded time and output.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::url::without_user_information;
use crate::{Error, Result};

/// Bytes of standard output and of standard error that are kept; what exceeds them is read and
/// dropped, so that the program never blocks on a full pipe.
const OUTPUT_LIMIT: u64 = 4 << 20;

/// Variables that the repository's own environment keeps in a hook; a quarantined push is
/// readable only with them.
const QUARANTINE: [&str; 3] = ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"];

/// One run of `git` on a repository.
pub(crate) struct Git {
    command: Command,
    name: &'static str,
    timeout: Duration,
}

impl Git {
    /// `git --git-dir DIR NAME`, with nothing of the caller's Git environment but the quarantine.
    pub(crate) fn new(git_dir: &Path, name: &'static str, timeout: Duration) -> Self {
        Self::run_at("--git-dir", git_dir, name, timeout)
    }

    /// `git -C DIR NAME`: on the repository that holds the directory.
    pub(crate) fn below(directory: &Path, name: &'static str, timeout: Duration) -> Self {
        Self::run_at("-C", directory, name, timeout)
    }

    fn run_at(option: &str, directory: &Path, name: &'static str, timeout: Duration) -> Self {
        let mut command = Command::new("git");
        let inherited = std::env::vars_os().map(|(key, _)| key);
        for key in inherited.filter(|key| key.to_str().is_some_and(|k| k.starts_with("GIT_"))) {
            if !QUARANTINE.iter().any(|kept| key == *kept) {
                command.env_remove(key);
            }
        }
        command
            .arg(option)
            .arg(directory)
            .args(["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .arg(name)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Self { command, name, timeout }
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it and returns its standard output.
    pub(crate) fn run(mut self) -> Result<Vec<u8>> {
        let mut child = self.command.spawn().map_err(Error::Start)?;
        let deadline = Instant::now() + self.timeout;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let finished = wait(&mut child, &stdout, &stderr, deadline);
        let Some((status, output, errors)) = finished else {
            stop(&mut child);
            return Err(Error::Timeout { command: self.name, limit: self.timeout });
        };
        if status.success() {
            return Ok(output);
        }
        Err(Error::Program { command: self.name, reason: last_lines(&errors) })
    }
}

fn collect(source: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut source) = source {
            // A broken pipe ends the output like its end does; the exit status tells the rest.
            let _ = source.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut source, &mut std::io::sink());
        }
        let _ = sender.send(kept);
    });
    receiver
}

fn wait(
    child: &mut Child,
    stdout: &Receiver<Vec<u8>>,
    stderr: &Receiver<Vec<u8>>,
    deadline: Instant,
) -> Option<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let output = stdout.recv_timeout(left()).ok()?;
    let errors = stderr.recv_timeout(left()).ok()?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((status, output, errors)),
            Ok(None) if !left().is_zero() => std::thread::sleep(Duration::from_millis(1)),
            _ => return None,
        }
    }
}

/// Ends the program and what it started (transport helpers share its process group).
fn stop(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn last_lines(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let kept = &lines[lines.len().saturating_sub(4)..];
    let joined: Vec<String> = kept.iter().map(|l| without_user_information(&printable(l))).collect();
    if joined.is_empty() { "no message".to_owned() } else { joined.join("; ") }
}

/// A line of a program's output without control characters, at most 300 characters.
fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_last_lines_without_credentials() {
        let text = b"one\ntwo\nfatal: unable to access 'https://user:secret@host/x': nope\n";
        assert_eq!(last_lines(text), "one; two; fatal: unable to access 'https://host/x': nope");
    }

    #[test]
    fn a_program_that_does_not_finish_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(dir.path()).unwrap();
        // An alias is the shortest way to a git subcommand that waits.
        git2::Repository::open(dir.path()).unwrap().config().unwrap().set_str("alias.wait", "!sleep 60").unwrap();
        let started = Instant::now();
        let error = Git::new(dir.path(), "wait", Duration::from_millis(200)).run().unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
