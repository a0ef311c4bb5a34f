//! A bare repository that plays the server, a clone that plays the laptop, and the built program.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const GITWARD: &str = env!("CARGO_BIN_EXE_gitward");

pub struct Workspace {
    dir: TempDir,
    server: String,
}

/// What came of a push.
pub struct Push {
    pub accepted: bool,
    pub text: String,
}

/// What came of a run of the program.
pub struct Run {
    pub code: Option<i32>,
    pub text: String,
}

impl Workspace {
    /// With the hooks installed on the server.
    pub fn new() -> Self {
        let work = Self::without_hooks();
        work.install_hooks();
        work
    }

    pub fn without_hooks() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = dir.path().join("server.git").to_str().unwrap().to_owned();
        let work = Self { dir, server };
        fs::create_dir(work.path("")).unwrap();
        work.run_git(work.dir.path(), &["init", "--quiet", "--bare", "--initial-branch=main", &work.server], &[]);
        work.git(&["init", "--quiet", "--initial-branch=main"]);
        work.git(&["remote", "add", "origin", &work.server]);
        work
    }

    pub fn install_hooks(&self) {
        self.gitward(&["hook", "install", "--repo", self.server()]);
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    pub fn hook(&self, name: &str) -> PathBuf {
        Path::new(&self.server).join("hooks").join(name)
    }

    pub fn make_executable(&self, path: &Path) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A path in the clone.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("laptop").join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    /// Runs git in the clone; it has to succeed.
    pub fn git(&self, args: &[&str]) -> String {
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

    pub fn push(&self, refspec: &str) -> Push {
        self.push_refs(&[refspec])
    }

    pub fn push_refs(&self, refspecs: &[&str]) -> Push {
        self.push_with(refspecs, &[])
    }

    pub fn push_with(&self, refspecs: &[&str], env: &[(&str, &str)]) -> Push {
        let args: Vec<&str> = ["push", "origin"].into_iter().chain(refspecs.iter().copied()).collect();
        let output = self.run_git(&self.path(""), &args, env);
        // Git pads what comes from the other side to clear the line.
        let text = String::from_utf8(output.stderr).unwrap();
        let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        Push { accepted: output.status.success(), text }
    }

    /// Runs the program in the clone; it has to succeed.
    pub fn gitward(&self, args: &[&str]) -> String {
        let run = self.try_gitward(args);
        assert_eq!(run.code, Some(0), "gitward {args:?}: {}", run.text);
        run.text
    }

    pub fn try_gitward(&self, args: &[&str]) -> Run {
        let output = Command::new(GITWARD).current_dir(self.path("")).args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Run { code: output.status.code(), text: String::from_utf8(text).unwrap() }
    }
}

impl Push {
    pub fn shows(&self, parts: &[&str]) {
        shows(&self.text, parts);
    }

    pub fn longest_remote_line(&self) -> usize {
        self.text.lines().filter(|l| l.starts_with("remote: ")).map(|l| l.chars().count()).max().unwrap_or_default()
    }
}

impl Run {
    pub fn shows(&self, parts: &[&str]) {
        shows(&self.text, parts);
    }
}

fn shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
