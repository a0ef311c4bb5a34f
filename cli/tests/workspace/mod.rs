//! A bare repository that plays the server, a clone that plays the laptop, and the built program.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const GITWARD: &str = env!("CARGO_BIN_EXE_gitward");

pub(crate) struct Workspace {
    dir: TempDir,
    server: String,
}

/// What came of a push.
pub(crate) struct Push {
    pub(crate) accepted: bool,
    pub(crate) text: String,
}

/// What came of a run of the program.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Workspace {
    /// With the hooks installed on the server.
    pub(crate) fn new() -> Self {
        let work = Self::without_hooks();
        work.install_hooks();
        work
    }

    pub(crate) fn without_hooks() -> Self {
        Self::of_hash("sha1")
    }

    /// With objects named by that hash, without hooks.
    pub(crate) fn of_hash(hash: &str) -> Self {
        let format = format!("--object-format={hash}");
        let dir = tempfile::tempdir().unwrap();
        let server = dir.path().join("server.git").to_str().unwrap().to_owned();
        let work = Self { dir, server };
        fs::create_dir(work.path("")).unwrap();
        work.run_git(
            work.dir.path(),
            &["init", "--quiet", "--bare", "--initial-branch=main", &format, &work.server],
            &[],
        );
        work.git(&["init", "--quiet", "--initial-branch=main", &format]);
        work.git(&["remote", "add", "origin", &work.server]);
        work
    }

    pub(crate) fn install_hooks(&self) {
        self.gitward(&["hook", "install", "--repo", self.server()]);
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn hook(&self, name: &str) -> PathBuf {
        Path::new(&self.server).join("hooks").join(name)
    }

    pub(crate) fn make_executable(&self, path: &Path) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A path in the clone.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("laptop").join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    /// Runs git in the clone; it has to succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = self.run_git(&self.path(""), args, &[]);
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn run_git(&self, at: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
        Command::new("git")
            .current_dir(at)
            .args(["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("LC_ALL", "C")
            .env_remove("GIT_DIR")
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    pub(crate) fn push(&self, refspec: &str) -> Push {
        self.push_refs(&[refspec])
    }

    pub(crate) fn push_refs(&self, refspecs: &[&str]) -> Push {
        self.push_with(refspecs, &[])
    }

    pub(crate) fn push_with(&self, refspecs: &[&str], env: &[(&str, &str)]) -> Push {
        let args: Vec<&str> = ["push", "origin"].into_iter().chain(refspecs.iter().copied()).collect();
        let output = self.run_git(&self.path(""), &args, env);
        // Git pads what comes from the other side to clear the line.
        let text = String::from_utf8(output.stderr).unwrap();
        let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        Push { accepted: output.status.success(), text }
    }

    /// Runs the program in the clone; it has to succeed.
    pub(crate) fn gitward(&self, args: &[&str]) -> String {
        let run = self.try_gitward(args);
        assert_eq!(run.code, Some(0), "gitward {args:?}: {}", run.text);
        run.text
    }

    pub(crate) fn try_gitward(&self, args: &[&str]) -> Run {
        let output = Command::new(GITWARD).current_dir(self.path("")).args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Run { code: output.status.code(), text: String::from_utf8(text).unwrap() }
    }
}

impl Push {
    pub(crate) fn shows(&self, parts: &[&str]) {
        shows(&self.text, parts);
    }

    pub(crate) fn longest_remote_line(&self) -> usize {
        self.text.lines().filter(|l| l.starts_with("remote: ")).map(|l| l.chars().count()).max().unwrap_or_default()
    }
}

impl Run {
    pub(crate) fn shows(&self, parts: &[&str]) {
        shows(&self.text, parts);
    }
}

fn shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
