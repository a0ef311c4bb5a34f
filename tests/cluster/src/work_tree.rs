//! A clone that a test works in.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use crate::output::Output;
use crate::{Error, Result};

/// Who commits, unless [`WorkTree::commit_as`] says otherwise.
const NAME: &str = "Ada Author";
const EMAIL: &str = "ada@example.org";

/// A clone of a repository. It knows nothing of the user's own Git settings.
#[derive(Clone, Debug)]
pub struct WorkTree {
    path: PathBuf,
}

impl WorkTree {
    /// Clones `url` into `path`, which must not be there or be empty. An empty repository is fine.
    ///
    /// # Errors
    /// [`Error::Command`] if Git fails.
    pub fn clone(url: &str, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        fs::create_dir_all(path).map_err(Error::io(format!("create {}", path.display())))?;
        git(path, &["clone", "--quiet", url, "."])?.checked()?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, with its folders.
    ///
    /// # Errors
    /// If `file` leads out of the work tree or cannot be written.
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.inside(file)?;
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, contents)
        };
        write().map_err(Error::io(format!("write {}", path.display())))
    }

    /// Reads a text file.
    ///
    /// # Errors
    /// If `file` leads out of the work tree or is no text file.
    pub fn read(&self, file: &str) -> Result<String> {
        let path = self.inside(file)?;
        fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// If `file` leads out of the work tree or cannot be removed.
    pub fn remove(&self, file: &str) -> Result<()> {
        let path = self.inside(file)?;
        fs::remove_file(&path).map_err(Error::io(format!("remove {}", path.display())))
    }

    /// Commits everything in the work tree, even if nothing changed, and returns the commit's id.
    ///
    /// # Errors
    /// [`Error::Command`] if Git fails.
    pub fn commit(&self, message: &str) -> Result<String> {
        self.commit_as(NAME, EMAIL, message)
    }

    /// Commits everything as someone else.
    ///
    /// # Errors
    /// [`Error::Command`] if Git fails.
    pub fn commit_as(&self, name: &str, email: &str, message: &str) -> Result<String> {
        let (name, email) = (format!("user.name={name}"), format!("user.email={email}"));
        self.git(&["add", "--all"])?.checked()?;
        self.git(&["-c", &name, "-c", &email, "commit", "--quiet", "--allow-empty", "-m", message])?.checked()?;
        Ok(self.git(&["rev-parse", "HEAD"])?.checked()?.trim().to_owned())
    }

    /// Pushes the current branch. What hooks say is in the standard error, after `remote:`.
    ///
    /// # Errors
    /// If Git cannot be run; that the push fails is in the [`Output`].
    pub fn push(&self) -> Result<Output> {
        self.git(&["push", "origin", "HEAD"])
    }

    /// Fetches and moves the current branch forward to what the host has.
    ///
    /// # Errors
    /// If Git cannot be run; that the pull fails is in the [`Output`].
    pub fn pull(&self) -> Result<Output> {
        self.git(&["pull", "--quiet", "--ff-only", "origin"])
    }

    /// Runs any `git` command in the work tree.
    ///
    /// # Errors
    /// If Git cannot be run; that it fails is in the [`Output`].
    pub fn git(&self, arguments: &[&str]) -> Result<Output> {
        git(&self.path, arguments)
    }

    fn inside(&self, file: &str) -> Result<PathBuf> {
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if Path::new(file).components().all(plain) && !file.is_empty() {
            return Ok(self.path.join(file));
        }
        Err(Error::Invalid(format!("{file:?} is not a path inside a work tree")))
    }
}

/// Runs `git` in `folder`, to its end.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let command_line = format!("git {}", arguments.join(" "));
    let mut command = Command::new("git");
    isolate(&mut command, folder);
    // No test waits for Git's background housekeeping, and none is surprised by it.
    command.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "init.defaultBranch=main"]);
    let output = command.args(arguments).output().map_err(Error::io(format!("run {command_line}")))?;
    Ok(Output::new(command_line, output))
}

/// Keeps a Git program apart from the user's settings, from a repository that this process happens
/// to be run for (as in a hook), from proxies, and from questions on the terminal.
pub(crate) fn isolate(command: &mut Command, folder: &Path) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_ASKPASS", "true"), ("LC_ALL", "C")])
        .envs([("NO_PROXY", "127.0.0.1,localhost"), ("no_proxy", "127.0.0.1,localhost")])
        .stdin(Stdio::null());
}
