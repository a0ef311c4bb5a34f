//! A child process that never outlives its handle, nor the process that started it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Error, Result};

/// Bytes at the end of a log that an error shows.
const TAIL: u64 = 3000;
/// How long a process may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Starts the program with a watcher beside it in one process group. The watcher reads a pipe whose
/// other end this process holds: when it closes, be it because this process was killed, the whole
/// group is killed. (A parent-death signal would tie the program to one thread of this process.)
const SUPERVISE: &str = r#"exec 3<&0; (read -r _ <&3; kill -KILL 0) & exec "$@" </dev/null 3<&-"#;

/// A running program, with its standard output and error in a log.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    _lifeline: Option<ChildStdin>,
}

impl Process {
    /// Starts `program`; its output is added to `log`.
    pub(crate) fn start(program: &Path, arguments: &[String], folder: &Path, log: &Path) -> Result<Self> {
        Self::start_with(program, arguments, folder, log, &[])
    }

    /// The same with more in its environment.
    pub(crate) fn start_with(
        program: &Path,
        arguments: &[String],
        folder: &Path,
        log: &Path,
        environment: &[(&str, &OsStr)],
    ) -> Result<Self> {
        let doing = format!("start {}", program.display());
        let output = File::options().create(true).append(true).open(log).map_err(Error::io(&doing))?;
        let errors = output.try_clone().map_err(Error::io(&doing))?;
        let mut child = Command::new("/bin/sh")
            .args([OsStr::new("-c"), OsStr::new(SUPERVISE), OsStr::new("sh"), program.as_os_str()])
            .args(arguments)
            .current_dir(folder)
            // Nothing of the user's own cluster, and no proxy, is for a process that talks to its like on this machine.
            .env_remove("KUBECONFIG")
            .envs([("NO_PROXY", "*"), ("no_proxy", "*")])
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(Error::io(&doing))?;
        let lifeline = child.stdin.take();
        Ok(Self { child, log: log.to_owned(), _lifeline: lifeline })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end, and kills it where it does not.
    pub(crate) fn stop(mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let asked = Instant::now();
        while self.ended().is_none() && asked.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The program's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its log file.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group lives as long as its watcher, so its number cannot have passed to others.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(cannot be read: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for(mut condition: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(10) {
            if condition() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Processes, other than zombies, whose command line holds `word`.
    fn running(word: &str) -> usize {
        let output = Command::new("ps").args(["-eo", "stat=,args="]).output().unwrap();
        let listing = String::from_utf8_lossy(&output.stdout).into_owned();
        listing.lines().filter(|line| !line.starts_with('Z') && line.contains(word)).count()
    }

    #[test]
    fn a_dropped_process_is_gone_with_its_watcher() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let process = Process::start(Path::new("/bin/sleep"), &["98761".into()], folder.path(), &log).unwrap();
        assert!(wait_for(|| running("/bin/sleep 98761") >= 1));
        drop(process);
        assert!(wait_for(|| running("98761") == 0));
    }

    #[test]
    fn a_process_that_ends_by_itself_shows_its_status_and_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let arguments = ["-c".to_owned(), "echo so it was >&2; exit 3".to_owned()];
        let mut process = Process::start(Path::new("/bin/sh"), &arguments, folder.path(), &log).unwrap();
        assert!(wait_for(|| process.ended().is_some()));
        assert_eq!(process.ended().and_then(|status| status.code()), Some(3));
        assert_eq!(tail(process.log()), "so it was\n");
    }
}
