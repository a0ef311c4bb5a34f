//! Running a hook: input, deadline, a verdict on the pusher's terminal, and an answer to Git.
//!
//! Whatever goes wrong on the way to a verdict rejects the push.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use gitward_core::report::harmless;
use gitward_repo::{Limits, Repository};

use crate::apart::apart;
use crate::at_commit::Configured;
use crate::host::{Caller, Host};
use crate::present::in_short;
use crate::{
    Error, Index, RefUpdate, RefVerdict, Result, confirmation, details, judge, look_now, parse_lines, remember, summary,
};

/// Which hook Git runs. Source: githooks(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Once for a whole push, before any ref moves.
    PreReceive,
    /// Once for each ref, before it moves.
    Update,
    /// Once for a whole push, after the refs have moved.
    PostReceive,
}

impl Hook {
    /// Its file name.
    pub fn name(self) -> &'static str {
        match self {
            Hook::PreReceive => "pre-receive",
            Hook::Update => "update",
            Hook::PostReceive => "post-receive",
        }
    }
}

/// How a hook runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Time for the whole verdict; `None` for what suits the Git host.
    pub timeout: Option<Duration>,
    /// Bytes of memory that judging may take; more, and the push is rejected.
    pub memory: u64,
    /// Columns of the pusher's terminal that are written.
    pub width: usize,
    /// Findings that are written, of all refs together.
    pub findings: usize,
    /// Bounds on what is read.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self { timeout: None, memory: 2 << 30, width: 78, findings: 30, limits: Limits::default() }
    }
}

/// Runs a hook in the environment that Git has set up and returns whether Git may go on.
///
/// `arguments` are those of the `update` hook (`ref old new`); the others read `old new ref` lines
/// from `input`. What the pusher shall read goes to `terminal`.
pub fn run(
    hook: Hook,
    arguments: &[String],
    input: &mut dyn Read,
    terminal: &mut dyn Write,
    options: &Options,
) -> bool {
    let caller = Caller::of_this_process();
    let updates = match (hook, arguments) {
        (Hook::Update, [git_ref, old, new]) => RefUpdate::new(old, new, git_ref).map(|u| vec![u]),
        (Hook::Update, _) => Err(Error::Updates("the update hook takes `ref old new`".to_owned())),
        _ => parse_lines(input),
    };
    let mut moved = Vec::new();
    let outcome = updates.and_then(|updates| match hook {
        Hook::PostReceive => {
            let text = confirmations(&updates)?;
            moved = updates;
            Ok((text, true))
        }
        _ => Ok(guarded(updates, options, caller.host)),
    });
    let (mut text, allowed) = outcome.unwrap_or_else(|error| (failure(&error), false));
    if let (Some(pusher), false) = (&caller.pusher, hook == Hook::PostReceive || text.is_empty()) {
        text.push_str(&format!("gitward: pushed by {pusher} ({})\n", caller.host));
    }
    // Where the terminal is gone nobody reads the verdict; it holds all the same.
    let text: Vec<_> = text.split('\n').map(harmless).collect();
    let _ = terminal.write_all(text.join("\n").as_bytes()).and_then(|()| terminal.flush());
    if !moved.is_empty() {
        remember::accepted(moved, options.limits, options.timeout.unwrap_or_else(|| caller.host.deadline()));
    }
    allowed || hook == Hook::PostReceive
}

/// Judges on a thread of its own, so that neither a verdict that never comes nor a panic lets a
/// push through.
fn guarded(updates: Vec<RefUpdate>, options: &Options, host: Host) -> (String, bool) {
    let limits = options.limits;
    let judging = match apart(move || verdicts(&updates, &limits)) {
        Ok(judging) => judging,
        Err(error) => return (format!("gitward: rejected: cannot start judging: {error}\n"), false),
    };
    let timeout = options.timeout.unwrap_or_else(|| host.deadline());
    match within_bounds(&judging, timeout, options.memory) {
        Err(Exceeded::Memory) => {
            let memory = options.memory >> 20;
            let text = format!(
                "gitward: rejected: no verdict within {memory} MiB of memory\nhint: a policy or the tree takes more than \
                 any should; {}\n",
                host.way_out()
            );
            (text, false)
        }
        Err(Exceeded::Time) => {
            let text =
                format!("gitward: rejected: no verdict within {} s\nhint: {}\n", timeout.as_secs_f32(), host.way_out());
            (text, false)
        }
        Ok(Ok(Ok(verdicts))) => {
            let allowed = verdicts.iter().all(RefVerdict::allowed);
            let pages = if allowed { String::new() } else { host.for_pages(&in_short(&verdicts)) };
            let details = details(&verdicts, options.width, options.findings);
            (format!("{details}{}{pages}", summary(&verdicts)), allowed)
        }
        Ok(Ok(Err(error))) => (failure(&error), false),
        Ok(Err(_)) | Err(Exceeded::Crashed) => {
            let text = "gitward: rejected: judging this push failed inside gitward itself\nhint: run `gitward check \
                        --range OLD..NEW` on the same commits and report what it says\n";
            (text.to_owned(), false)
        }
    }
}

/// Why a verdict never comes.
enum Exceeded {
    Time,
    Memory,
    Crashed,
}

/// Waits for a verdict for as long as it may take, and take of memory.
fn within_bounds<T>(verdict: &Receiver<T>, time: Duration, memory: u64) -> std::result::Result<T, Exceeded> {
    const LOOK: Duration = Duration::from_millis(20);
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match verdict.recv_timeout(left.min(LOOK)) {
            Ok(verdict) => return Ok(verdict),
            Err(RecvTimeoutError::Disconnected) => return Err(Exceeded::Crashed),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Exceeded::Time),
            Err(RecvTimeoutError::Timeout) if resident().is_some_and(|taken| taken > memory) => {
                return Err(Exceeded::Memory);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Bytes of memory that this process holds, where the system tells. Source: proc_pid_status(5).
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}

fn verdicts(updates: &[RefUpdate], limits: &Limits) -> Result<Vec<RefVerdict>> {
    let repository = Repository::open_from_env()?;
    let index = Index::of(&repository);
    updates.iter().map(|update| judge(&repository, update, limits, &index)).collect()
}

fn confirmations(updates: &[RefUpdate]) -> Result<String> {
    let repository = Repository::open_from_env()?;
    let mut text = String::new();
    for update in updates {
        let Some(new) = update.new.as_ref().and_then(|id| repository.peel(id).ok().flatten()) else { continue };
        let configured = Configured::at(&repository, &new);
        let Some(configuration) = configured.good() else { continue };
        let git_ref = update.followed(&repository).git_ref;
        for environment in configuration.fed_from(&git_ref) {
            text.push_str(&confirmation(&environment.name, &git_ref, &repository.commit(&new)?));
        }
    }
    if !text.is_empty() {
        text.push_str(&look_now::tell(&repository));
    }
    Ok(text)
}

fn failure(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    format!("gitward: rejected: {error}\n{hint}")
}
