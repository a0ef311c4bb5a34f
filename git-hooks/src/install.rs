//! Installing the hooks in a repository, beside what is there already.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{Error, Hook, Result};

/// The line by which gitward knows its own files.
const MARK: &str = "# Installed by `gitward hook install`; `gitward hook uninstall` takes it away.";

/// Name of a hook that was there before, inside `HOOK.d`.
const PREVIOUS: &str = "10-previous";

/// Name of gitward's hook inside a `HOOK.d` that the Git host runs itself.
const DELEGATED: &str = "50-gitward";

/// What was done about one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// The hook is new.
    Fresh,
    /// It runs the hook that was there before, then gitward.
    Chained,
    /// It was put into the directory whose hooks the Git host runs.
    Delegated,
    /// It was there already and has been renewed.
    Renewed,
    /// There was nothing to take away.
    Untouched,
    /// It was taken away; what was there before is back.
    Removed,
}

/// Installs a hook that runs `program`. Doing it again changes nothing but the program's path.
///
/// # Errors
/// [`Error::Install`] if a file cannot be written or `program` is no absolute path.
pub fn install(hooks: &Path, hook: Hook, program: &Path) -> Result<Installed> {
    let Some(program) = program.to_str().filter(|_| program.is_absolute()) else {
        return Err(Error::Install { path: program.to_owned(), reason: "is no absolute path in UTF-8".to_owned() });
    };
    fs::create_dir_all(hooks).map_err(|e| failed(hooks, &e))?;
    let place = Places::of(hooks, hook);
    if is_ours(&place.delegated) {
        write_script(&place.delegated, &simple(hook, program))?;
        return Ok(Installed::Renewed);
    }
    if is_ours(&place.hook) {
        let script = if place.previous.exists() { chained(hook, program) } else { simple(hook, program) };
        write_script(&place.hook, &script)?;
        return Ok(Installed::Renewed);
    }
    if !place.hook.exists() {
        write_script(&place.hook, &simple(hook, program))?;
        return Ok(Installed::Fresh);
    }
    if place.directory.is_dir() {
        // A hook with a directory of hooks beside it is a Git host's own, which runs them.
        write_script(&place.delegated, &simple(hook, program))?;
        return Ok(Installed::Delegated);
    }
    fs::create_dir(&place.directory).map_err(|e| failed(&place.directory, &e))?;
    fs::rename(&place.hook, &place.previous).map_err(|e| failed(&place.previous, &e))?;
    write_script(&place.hook, &chained(hook, program))?;
    Ok(Installed::Chained)
}

/// Takes a hook away and puts back what was there before.
///
/// # Errors
/// [`Error::Install`] if a file cannot be moved or removed.
pub fn uninstall(hooks: &Path, hook: Hook) -> Result<Installed> {
    let place = Places::of(hooks, hook);
    if is_ours(&place.delegated) {
        fs::remove_file(&place.delegated).map_err(|e| failed(&place.delegated, &e))?;
        return Ok(Installed::Removed);
    }
    if !is_ours(&place.hook) {
        return Ok(Installed::Untouched);
    }
    if place.previous.exists() {
        fs::rename(&place.previous, &place.hook).map_err(|e| failed(&place.hook, &e))?;
        // Somebody else's files may lie there by now.
        let _ = fs::remove_dir(&place.directory);
    } else {
        fs::remove_file(&place.hook).map_err(|e| failed(&place.hook, &e))?;
    }
    Ok(Installed::Removed)
}

struct Places {
    hook: PathBuf,
    directory: PathBuf,
    previous: PathBuf,
    delegated: PathBuf,
}

impl Places {
    fn of(hooks: &Path, hook: Hook) -> Self {
        let directory = hooks.join(format!("{}.d", hook.name()));
        Self {
            hook: hooks.join(hook.name()),
            previous: directory.join(PREVIOUS),
            delegated: directory.join(DELEGATED),
            directory,
        }
    }
}

fn simple(hook: Hook, program: &str) -> String {
    format!("#!/bin/sh\n{MARK}\nexec {} hook {} \"$@\"\n", quoted(program), hook.name())
}

/// Runs the former hook first, with the same arguments and input, and gitward only if it agrees. One that cannot be
/// executed is skipped, as Git does.
fn chained(hook: Hook, program: &str) -> String {
    let (name, program) = (hook.name(), quoted(program));
    let previous = format!("\"$(dirname \"$0\")/{name}.d/{PREVIOUS}\"");
    if hook == Hook::Update {
        return format!(
            "#!/bin/sh\n{MARK}\n[ ! -x {previous} ] || {previous} \"$@\" || exit\nexec {program} hook {name} \"$@\"\n"
        );
    }
    format!(
        "#!/bin/sh\n{MARK}\nupdates=$(cat)\n\
         [ ! -x {previous} ] || printf '%s\\n' \"$updates\" | {previous} \"$@\" || exit\n\
         printf '%s\\n' \"$updates\" | {program} hook {name} \"$@\"\n"
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_ours(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.lines().any(|l| l == MARK))
}

/// Writes beside and renames, so that a push never runs half a script.
fn write_script(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("gitward-new");
    fs::write(&beside, text).map_err(|e| failed(&beside, &e))?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).map_err(|e| failed(&beside, &e))?;
    fs::rename(&beside, path).map_err(|e| failed(path, &e))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::Install { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_is_installing_once_and_uninstalling_restores() {
        let dir = tempfile::tempdir().unwrap();
        let program = Path::new("/usr/bin/it's gitward");
        for hook in [Hook::PreReceive, Hook::Update, Hook::PostReceive] {
            assert_eq!(install(dir.path(), hook, program).unwrap(), Installed::Fresh);
            let path = dir.path().join(hook.name());
            let first = fs::read_to_string(&path).unwrap();
            assert!(first.contains(r"exec '/usr/bin/it'\''s gitward' hook"), "{first}");
            assert_eq!(install(dir.path(), hook, program).unwrap(), Installed::Renewed);
            assert_eq!(fs::read_to_string(&path).unwrap(), first);
            assert_eq!(uninstall(dir.path(), hook).unwrap(), Installed::Removed);
            assert_eq!(uninstall(dir.path(), hook).unwrap(), Installed::Untouched);
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_hook_that_was_there_runs_first_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let hook = dir.path().join("pre-receive");
        let log = dir.path().join("log");
        write_script(&hook, &format!("#!/bin/sh\ncat > '{}'\n", log.display())).unwrap();
        let before = fs::read_to_string(&hook).unwrap();
        assert_eq!(install(dir.path(), Hook::PreReceive, Path::new("/bin/false")).unwrap(), Installed::Chained);
        assert_eq!(install(dir.path(), Hook::PreReceive, Path::new("/bin/false")).unwrap(), Installed::Renewed);
        let mut child = std::process::Command::new(&hook).stdin(std::process::Stdio::piped()).spawn().unwrap();
        io::Write::write_all(&mut child.stdin.take().unwrap(), b"a b c\nd e f\n").unwrap();
        assert!(!child.wait().unwrap().success(), "gitward's own verdict is the last word");
        assert_eq!(fs::read_to_string(&log).unwrap(), "a b c\nd e f\n");
        assert_eq!(uninstall(dir.path(), Hook::PreReceive).unwrap(), Installed::Removed);
        assert_eq!(fs::read_to_string(&hook).unwrap(), before);
        assert!(!dir.path().join("pre-receive.d").exists());
    }

    /// Git runs no hook that is not executable, so nobody's push may fail by one.
    #[test]
    fn a_hook_that_cannot_be_executed_is_kept_and_not_run() {
        for (hook, name) in [(Hook::PreReceive, "pre-receive"), (Hook::Update, "update")] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(name);
            fs::write(&path, "#!/bin/sh\nexit 1\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(install(dir.path(), hook, Path::new("/bin/true")).unwrap(), Installed::Chained);
            let run = || std::process::Command::new(&path).stdin(std::process::Stdio::null()).output().unwrap();
            let output = run();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            // Made executable later, it counts.
            let previous = dir.path().join(format!("{name}.d")).join(PREVIOUS);
            fs::set_permissions(&previous, fs::Permissions::from_mode(0o755)).unwrap();
            assert!(!run().status.success());
            fs::set_permissions(&previous, fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(uninstall(dir.path(), hook).unwrap(), Installed::Removed);
            assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\nexit 1\n");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        }
    }

    #[test]
    fn a_git_hosts_own_directory_of_hooks_is_used() {
        let dir = tempfile::tempdir().unwrap();
        write_script(&dir.path().join("pre-receive"), "#!/bin/sh\n# the host's\n").unwrap();
        fs::create_dir(dir.path().join("pre-receive.d")).unwrap();
        assert_eq!(install(dir.path(), Hook::PreReceive, Path::new("/bin/true")).unwrap(), Installed::Delegated);
        assert!(dir.path().join("pre-receive.d").join(DELEGATED).exists());
        assert_eq!(uninstall(dir.path(), Hook::PreReceive).unwrap(), Installed::Removed);
    }
}
