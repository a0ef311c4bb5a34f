//! A pusher's clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const GITWARD: &str = env!("CARGO_BIN_EXE_gitward");

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop]}
";

pub(crate) const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {a: b}
";

pub(crate) struct Laptop {
    folder: PathBuf,
    home: PathBuf,
    ssh: String,
}

impl Laptop {
    /// A repository of its own with a remote, and the first file to push.
    pub(crate) fn new(folder: &Path, hash: &str, url: &str, ssh: String) -> Self {
        let laptop = Self::of(folder, "laptop", ssh);
        laptop.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={hash}")]);
        laptop.git(&["remote", "add", "origin", url]);
        laptop.write("gitward.yaml", CONFIGURATION);
        laptop
    }

    /// An empty folder.
    pub(crate) fn of(folder: &Path, name: &str, ssh: String) -> Self {
        let laptop = Self { folder: folder.join(name), home: folder.to_owned(), ssh };
        fs::create_dir(&laptop.folder).unwrap();
        laptop
    }

    /// The same clone, with another remote.
    pub(crate) fn moves_to(&mut self, url: &str, ssh: String) {
        self.git(&["remote", "set-url", "origin", url]);
        self.ssh = ssh;
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("git")
            .current_dir(&self.folder)
            .args(["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_SSH_COMMAND", &self.ssh)
            .env("LC_ALL", "C")
            .output()
            .unwrap()
    }

    /// Commits all there is.
    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", "change"]);
    }

    /// Commits and pushes `main`; whether it got in, and what was said.
    pub(crate) fn push(&self) -> (bool, String) {
        self.commit();
        self.push_refs(&["main"])
    }

    /// Pushes what was committed; whether it got in, and what was said.
    pub(crate) fn push_refs(&self, refs: &[&str]) -> (bool, String) {
        let output = self.run(&[&["push", "origin"], refs].concat());
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// A good push, a bad one, and the mended one; what was said of the three.
    pub(crate) fn good_bad_and_mended(&self) -> [String; 3] {
        self.write("deploy/web.yaml", CONFIG_MAP);
        let (accepted, first) = self.push();
        assert!(accepted, "{first}");
        shows(
            &first,
            &["remote: gitward: accepted: prod at refs/heads/main: 1 object", "prod follows refs/heads/main"],
        );
        let [second, third] = self.bad_and_mended();
        [first, second, third]
    }

    /// The same in a repository that was pushed to before.
    pub(crate) fn good_bad_and_mended_again(&self) {
        self.write("deploy/web.yaml", &CONFIG_MAP.replace("a: b", "a: d"));
        let (accepted, said) = self.push();
        assert!(accepted, "{said}");
        shows(&said, &["remote: gitward: accepted: prod at refs/heads/main: 1 object"]);
        self.bad_and_mended();
    }

    /// What was said of a bad push, which changed nothing on the server, and of the mended one.
    fn bad_and_mended(&self) -> [String; 2] {
        let before = self.on_server("refs/heads/main");
        self.write("deploy/web.yaml", &bad());
        let (accepted, second) = self.push();
        assert!(!accepted, "{second}");
        shows(
            &second,
            &[
                &REFUSED[..],
                &["remote: gitward: rejected: 1 error in prod at refs/heads/main", "pre-receive hook declined"],
            ]
            .concat(),
        );
        assert_eq!(self.on_server("refs/heads/main"), before);
        self.write("deploy/web.yaml", &CONFIG_MAP.replace("a: b", "a: c"));
        let (accepted, third) = self.push();
        assert!(accepted, "{third}");
        [second, third]
    }

    /// The commit that a ref of the server is at, or nothing.
    pub(crate) fn on_server(&self, git_ref: &str) -> String {
        self.git(&["ls-remote", "origin", git_ref]).split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// A push that takes commits off the guarded branch is refused.
    pub(crate) fn rewrites_nothing(&self) {
        self.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "rewritten"]);
        let (accepted, said) = self.push_refs(&["+main"]);
        assert!(!accepted, "{said}");
        shows(&said, &["push/force"]);
        self.git(&["fetch", "--quiet", "origin", "main"]);
        self.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    }

    /// What no environment follows is nobody's business: bad manifests on a branch and a tag.
    pub(crate) fn is_free_elsewhere(&self) {
        self.git(&["checkout", "--quiet", "-b", "elsewhere"]);
        self.write("deploy/web.yaml", &bad());
        self.commit();
        for git_ref in ["HEAD:refs/heads/elsewhere", "HEAD:refs/tags/v1"] {
            let (accepted, said) = self.push_refs(&[git_ref]);
            assert!(accepted && !said.contains("gitward"), "{said}");
        }
        self.git(&["checkout", "--quiet", "main"]);
    }
}

/// [`CONFIG_MAP`] with a field that it does not have.
pub(crate) fn bad() -> String {
    CONFIG_MAP.replace("\ndata:", "\ndta:")
}

/// What a pusher of [`bad`] reads.
pub(crate) const REFUSED: [&str; 2] =
    ["remote: error[schema/unknown-field]: `dta` is not a field of ConfigMap", "deploy/web.yaml:4:1"];

pub(crate) fn shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
