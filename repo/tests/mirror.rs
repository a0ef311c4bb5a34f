//! Mirrors and trees, against repositories made by the `git` program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gitward_repo::{CommitId, Credentials, Fetched, Limits, Mirror, Repository, Selection, Source};
use tempfile::TempDir;

const MAIN: &str = "refs/heads/main";
const SOON: Duration = Duration::from_secs(20);

struct Origin {
    dir: TempDir,
}

impl Origin {
    fn new() -> Self {
        Self::with_hash("sha1")
    }

    fn with_hash(hash: &str) -> Self {
        let origin = Self { dir: tempfile::tempdir().unwrap() };
        origin.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={hash}")]);
        origin
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self, message: &str) -> CommitId {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        CommitId::parse(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    fn mirror(&self, dir: &Path) -> Mirror {
        Mirror::open_or_create(dir, self.path().to_str().unwrap()).unwrap()
    }

    fn repository(&self) -> Repository {
        Repository::open(self.path()).unwrap()
    }
}

#[test]
fn a_mirror_takes_the_hash_of_the_repository_it_follows() {
    let origin = Origin::with_hash("sha256");
    let first = origin.commit("first");
    let dir = tempfile::tempdir().unwrap();
    let mirror = origin.mirror(dir.path());
    assert_eq!(mirror.fetch("prod", MAIN, SOON).unwrap().head(), &first);
    mirror.accept("prod", &first).unwrap();
    let second = origin.commit("second");
    assert_eq!(
        mirror.fetch("prod", MAIN, SOON).unwrap(),
        Fetched::FastForward { old: Some(first.clone()), new: second }
    );

    // What it holds by then stays, wherever the URL leads.
    let other = Origin::new();
    other.commit("elsewhere");
    assert!(other.mirror(dir.path()).fetch("prod", MAIN, SOON).is_err());
    assert_eq!(mirror.accepted("prod").unwrap(), Some(first));
}

#[test]
fn a_fetch_says_how_the_ref_moved_and_keeps_what_was_accepted() {
    let (origin, dir) = (Origin::new(), tempfile::tempdir().unwrap());
    origin.write("a.yaml", "a: 1\n");
    let first = origin.commit("first");
    let mirror = origin.mirror(dir.path());
    assert_eq!(mirror.fetch("prod", MAIN, SOON).unwrap(), Fetched::FastForward { old: None, new: first.clone() });
    assert_eq!(mirror.accepted("prod").unwrap(), None);
    mirror.accept("prod", &first).unwrap();
    assert_eq!(mirror.fetch("prod", MAIN, SOON).unwrap(), Fetched::Unchanged { at: first.clone() });

    let second = origin.commit("second");
    let moved = Fetched::FastForward { old: Some(first.clone()), new: second.clone() };
    assert_eq!(mirror.fetch("prod", MAIN, SOON).unwrap(), moved);
    assert_eq!(mirror.accepted("prod").unwrap(), Some(first.clone()), "fetching accepts nothing");
    mirror.accept("prod", &second).unwrap();

    origin.git(&["reset", "--quiet", "--hard", first.as_str()]);
    let rewritten = origin.commit("rewritten");
    let rewound = Fetched::Rewound { old: second.clone(), new: rewritten };
    assert_eq!(mirror.fetch("prod", MAIN, SOON).unwrap(), rewound);
    assert_eq!(mirror.fetch("prod", MAIN, SOON).unwrap(), rewound, "it stays rewound until somebody accepts it");

    // A new start with Git away: the accepted commit and its files are still there.
    std::fs::remove_dir_all(origin.path().join(".git")).unwrap();
    let mirror = origin.mirror(dir.path());
    assert!(mirror.fetch("prod", MAIN, SOON).is_err());
    assert_eq!(mirror.accepted("prod").unwrap(), Some(second.clone()));
    let tree = mirror.repository().unwrap().files(&second, &Selection::everything(), &Limits::default()).unwrap();
    assert_eq!(&*tree.files[0].bytes, b"a: 1\n");
}

#[test]
fn a_ref_that_is_not_there_and_bad_names_are_errors() {
    let (origin, dir) = (Origin::new(), tempfile::tempdir().unwrap());
    origin.commit("first");
    let mirror = origin.mirror(dir.path());
    for (environment, git_ref) in
        [("prod", "refs/heads/none"), ("prod", "main"), ("prod", "--all"), ("../x", MAIN), ("", MAIN)]
    {
        assert!(mirror.fetch(environment, git_ref, SOON).is_err(), "{environment} {git_ref}");
    }
    assert!(Mirror::open_or_create(dir.path(), "ext::sh -c true").is_err());
}

#[test]
fn only_the_ref_asked_for_is_fetched() {
    let (origin, dir) = (Origin::new(), tempfile::tempdir().unwrap());
    origin.commit("first");
    origin.git(&["tag", "v1"]);
    origin.git(&["branch", "other"]);
    origin.mirror(dir.path()).fetch("prod", MAIN, SOON).unwrap();
    let refs = Command::new("git").args(["--git-dir"]).arg(dir.path()).arg("show-ref").output().unwrap();
    let refs = String::from_utf8(refs.stdout).unwrap();
    assert_eq!(refs.lines().count(), 1, "{refs}");
    assert!(refs.contains("refs/gitward/fetched/prod"), "{refs}");
}

#[test]
fn a_tree_is_read_as_far_as_asked_and_past_no_trick() {
    let origin = Origin::new();
    for path in ["gitward.yaml", "deploy/prod/a.yaml", "deploy/prod/b.txt", "deploy/dev/c.yaml", "policies/p.rego"] {
        origin.write(path, "x: 1\n");
    }
    origin.write("deploy/prod/big.json", &"x".repeat(2000));
    std::os::unix::fs::symlink("/etc/passwd", origin.path().join("deploy/prod/link.yaml")).unwrap();
    let id = origin.commit("first");
    let selection = Selection::under(["deploy/prod".to_owned(), "policies".to_owned()]);
    let limits = Limits { file_bytes: 1000, ..Limits::default() };
    let tree = origin.repository().files(&id, &selection, &limits).unwrap();
    let paths: Vec<&str> = tree.files.iter().map(|f| &*f.path).collect();
    assert_eq!(paths, ["deploy/prod/a.yaml", "policies/p.rego"]);
    let rules: Vec<&str> = tree.findings.iter().map(|f| f.rule.as_ref()).collect();
    assert_eq!(rules, ["tree/too-large", "tree/symlink"]);
    let on_disk = gitward_repo::read_directory(origin.path(), &selection, &limits).unwrap();
    assert_eq!((on_disk.files, on_disk.findings), (tree.files, tree.findings), "disk and commit are read alike");
    let few = Limits { files: 1, ..limits };
    assert!(origin.repository().files(&id, &selection, &few).is_err());
    assert!(origin.repository().file(&id, "deploy/prod/link.yaml", 1000).is_err());
    assert!(origin.repository().file(&id, "nothing.yaml", 1000).unwrap().is_none());
}

#[test]
fn a_line_names_its_author_and_a_diff_its_paths() {
    let origin = Origin::new();
    origin.write("a.yaml", "a: 1\nb: 2\n");
    origin.write("gone.yaml", "x\n");
    let first = origin.commit("first");
    origin.write("a.yaml", "a: 1\nb: 3\n");
    std::fs::remove_file(origin.path().join("gone.yaml")).unwrap();
    let second = origin.commit("second");
    let repository = origin.repository();
    assert_eq!(repository.blame_line(&second, "a.yaml", 1).unwrap().subject, "first");
    let commit = repository.blame_line(&second, "a.yaml", 2).unwrap();
    assert_eq!((commit.subject.as_str(), commit.author.as_str()), ("second", "Ann Author <ann@example.org>"));
    let lines = repository.blame_lines(&second, "a.yaml", &[1, 2].into());
    assert_eq!(lines.values().map(|c| c.subject.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert!(repository.blame_line(&second, "a.yaml", 99).is_none());
    assert!(repository.blame_line(&second, "--output=x", 1).is_none());
    let mut changed = repository.changed_paths(&first, &second, 10).unwrap();
    changed.sort();
    assert_eq!(changed, ["a.yaml", "gone.yaml"]);
    assert!(repository.changed_paths(&first, &second, 1).is_err());
    assert!(repository.follows(&first, &second).unwrap() && !repository.follows(&second, &first).unwrap());
}

#[test]
fn earlier_contents_of_an_object_are_found_wherever_they_stood() {
    let origin = Origin::new();
    origin.write(
        "gitward.yaml",
        "{apiVersion: gitward.dev/v1alpha1, kind: Configuration, environments: [{name: prod, ref: refs/heads/main, \
         path: prod, namespaces: [shop]}]}\n",
    );
    let said = |text: &str| {
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: shop}}, data: {{is: {text}}}}}\n")
    };
    let steps = [
        ("prod/first.yaml", "one"),
        ("prod/first.yaml", "two"),
        ("prod/unreadable.yaml", "{"),
        ("prod/second.yaml", "two"),
        ("prod/second.yaml", "three"),
        ("prod/second.yaml", "one"),
        ("elsewhere.yaml", "four"),
        ("prod/second.yaml", "five"),
    ];
    let mut head = None;
    for (i, (file, text)) in steps.into_iter().enumerate() {
        let others = ["prod/first.yaml", "prod/second.yaml", "prod/unreadable.yaml"];
        if file.starts_with("prod/") {
            others.iter().for_each(|other| drop(std::fs::remove_file(origin.path().join(other))));
        }
        origin.write(file, &if text == "{" { format!("{}---\n{{", said("lost")) } else { said(text) });
        head = Some(origin.commit(&format!("step {i}")));
    }
    let head = head.unwrap();

    let dir = tempfile::tempdir().unwrap();
    origin.mirror(dir.path()).fetch("prod", MAIN, SOON).unwrap();
    let source = Source {
        environment: "prod".into(),
        repository: origin.path().to_str().unwrap().into(),
        git_ref: MAIN.into(),
        path: None,
        mirror: dir.path().to_owned(),
        credentials: Credentials::None,
    };
    let now = source.at(head.as_str()).unwrap().declared.remove(0);
    let before = source.before(head.as_str(), &now).unwrap();
    let texts: Vec<&str> = before.iter().map(|d| d.canonical["data"]["is"].as_str().unwrap()).collect();
    assert_eq!(texts, ["two", "three", "one"], "the oldest first, each once");
}
