//! A Gitea of its own, with one repository a story, guarded as the documentation says.

pub(crate) mod commits;
pub(crate) mod hooks;
pub(crate) mod merges;
pub(crate) mod pushes;
pub(crate) mod without_hooks;

mod api;

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gitward_test_cluster::{Gitea, Progress, RunningGitea, Sources};
use serde_json::json;

use crate::laptop::{GITWARD, Laptop};
use crate::sshd::said;
use api::Account;

const PASSWORD: &str = "ann's first pass-phrase";
/// The same in an address.
const PASSWORD_IN_URL: &str = "ann%27s%20first%20pass-phrase";

/// How long Gitea may take to note what was pushed.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

/// All stories share it; it is told nothing of gitward.
pub(crate) struct Server {
    gitea: RunningGitea,
    ann: Account,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn provide() -> Result<Self, String> {
        let progress = Progress::to(|line| eprintln!("{line}"));
        let gitea = Gitea::provide(&Sources::from_env(), &progress).map_err(|e| e.to_string())?;
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let gitea = gitea.start(folder.path()).map_err(|e| e.to_string())?;
        let created = ["admin", "user", "create", "--username=ann", "--email=ann@example.org"];
        let password = format!("--password={PASSWORD}");
        let arguments = [&created[..], &[&password, "--must-change-password=false"]].concat();
        gitea.command(&arguments).map_err(|e| e.to_string())?;
        let ann = Account::new(&gitea.url(), "ann", PASSWORD);
        Ok(Self { gitea, ann, _folder: folder })
    }

    /// Makes a repository through the API and installs gitward's hooks in it.
    fn guarded(&self, name: &str, hash: &str) -> Fleet<'_> {
        let fleet = self.unguarded(name, hash);
        fleet.gitward(GITWARD, "install");
        fleet
    }

    fn unguarded(&self, name: &str, hash: &str) -> Fleet<'_> {
        let wanted = json!({"name": name, "default_branch": "main", "object_format_name": hash});
        self.ann.ask("POST", "user/repos", wanted).succeeds();
        self.there("ann", name, hash)
    }

    /// A repository that Gitea has made for whatever reason, and an empty clone.
    fn there(&self, owner: &str, name: &str, hash: &str) -> Fleet<'_> {
        let folder = tempfile::tempdir().unwrap();
        let address = self.gitea.url().replace("://", &format!("://ann:{PASSWORD_IN_URL}@"));
        let laptop = Laptop::new(folder.path(), hash, &format!("{address}/{owner}/{name}.git"), String::new());
        let path = self.gitea.repository(owner, name);
        Fleet { server: self, called: format!("{owner}/{name}"), path, laptop, _folder: folder }
    }
}

/// A repository, and a clone of it.
struct Fleet<'a> {
    server: &'a Server,
    /// Its owner and its name.
    called: String,
    /// Where the server keeps it.
    path: PathBuf,
    laptop: Laptop,
    _folder: tempfile::TempDir,
}

impl Fleet<'_> {
    /// Runs `gitward hook …` on the server; what it said.
    fn gitward(&self, program: &str, what: &str) -> String {
        said(Command::new(program).args(["hook", what, "--repo"]).arg(&self.path))
    }

    /// Waits until Gitea itself knows where a branch is: its own records follow a push a little later.
    fn knows(&self, branch: &str) {
        let (pushed, started) = (self.laptop.on_server(&format!("refs/heads/{branch}")), Instant::now());
        let known = || self.ask("GET", &format!("branches/{branch}"), json!({})).body["commit"]["id"] == *pushed;
        while !known() {
            assert!(started.elapsed() < KNOWN_WITHIN, "Gitea does not learn of {branch}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks the API about this repository.
    fn ask(&self, method: &str, path: &str, body: serde_json::Value) -> api::Answer {
        self.server.ann.ask(method, &format!("repos/{}/{path}", self.called), body)
    }
}
