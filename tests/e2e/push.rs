//! Bad input over a real push: Git's own server program, the hooks as `gitward hook install` puts
//! them there, and what the pusher reads.

use std::os::unix::fs::symlink;
use std::process::Command;

use gitward_test_cluster::{GitHost, Output, Repository, WorkTree};

use crate::fleet::gitward;

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: prod, namespaces: [shop]}
";

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\n";

struct Hosted {
    work: WorkTree,
    repository: Repository,
    _host: GitHost,
    _folder: tempfile::TempDir,
}

impl Hosted {
    /// A host that guards `main`, with one good commit.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = GitHost::start(folder.path().join("host")).unwrap();
        let repository = host.create_repository("fleet").unwrap();
        let install = Command::new(gitward()).args(["hook", "install", "--repo"]).arg(repository.path()).output();
        assert!(install.unwrap().status.success());
        let work = WorkTree::clone(repository.url(), folder.path().join("work")).unwrap();
        let hosted = Self { work, repository, _host: host, _folder: folder };
        hosted.work.write("gitward.yaml", CONFIGURATION).unwrap();
        hosted.work.write("prod/a.yaml", MAP).unwrap();
        let pushed = hosted.push("The first one");
        assert!(pushed.success(), "{}", pushed.stderr);
        hosted
    }

    fn push(&self, message: &str) -> Output {
        self.work.commit(message).unwrap();
        self.work.push().unwrap()
    }

    /// The push is rejected with all of it, the ref stays, and the work tree is as before.
    fn rejected(&self, name: &str, parts: &[&str]) {
        let before = self.head();
        let pushed = self.push(name);
        let text = heard(&pushed);
        assert!(!pushed.success(), "{name}: {text}");
        for part in parts.iter().chain(&["pre-receive hook declined", "gitward: rejected: "]) {
            assert!(text.contains(part), "{name}: {part:?} is not in\n{text}");
        }
        assert!(!text.contains("panicked") && !text.contains("failed inside gitward"), "{name}: {text}");
        assert_eq!(self.head(), before, "{name}");
        self.work.git(&["reset", "--quiet", "--hard", &before]).unwrap().checked().unwrap();
    }

    fn head(&self) -> String {
        self.repository.git(&["rev-parse", "refs/heads/main"]).unwrap().checked().unwrap().trim().to_owned()
    }
}

/// What came from the other side, without the blanks that clear the line.
fn heard(pushed: &Output) -> String {
    pushed.stderr.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn bad_manifests_are_shown_to_the_pusher_with_line_and_remedy() {
    let hosted = Hosted::new();
    let second = MAP.replace("name: a", "name: b");
    let cases: [(&str, String, [&str; 4]); 5] = [
        (
            "broken YAML",
            second.replace("namespace: shop", "namespace: [shop"),
            ["error[manifest/syntax]", "--> prod/b.yaml:6:1", "remote:   | ^", "= fix: A `[` was opened"],
        ),
        (
            "no kind",
            second.replace("kind: ConfigMap\n", ""),
            [
                "error[manifest/missing-kind]",
                "--> prod/b.yaml:1:1",
                "remote: 1 | apiVersion: v1",
                "= fix: Add `apiVersion`",
            ],
        ),
        (
            "the same twice",
            MAP.to_owned(),
            [
                "error[tree/duplicate-object]",
                "--> prod/b.yaml:1:1",
                "remote: 1 | apiVersion: v1",
                "prod/a.yaml:1:1 already",
            ],
        ),
        (
            "an unknown kind",
            second.replace("v1\nkind: ConfigMap", "shop.example.org/v1\nkind: Voucher"),
            [
                "error[schema/unknown-kind]",
                "--> prod/b.yaml:1:13",
                "remote: 1 | apiVersion: shop.example.org/v1",
                "= fix: Keep its schema in the repository",
            ],
        ),
        (
            "what makes the parser panic",
            "[!a,b]\n".to_owned(),
            ["error[manifest/syntax]", "--> prod/b.yaml:1:1", "remote: 1 | [!a,b]", "= fix: Write it without"],
        ),
    ];
    for (name, text, parts) in &cases {
        hosted.work.write("prod/b.yaml", text).unwrap();
        hosted.rejected(name, parts);
    }
    hosted.work.write("prod/b.yaml", second).unwrap();
    let pushed = hosted.push("Correct it");
    let text = heard(&pushed);
    assert!(pushed.success(), "{text}");
    assert!(text.contains("remote: gitward: accepted: prod at refs/heads/main: 2 objects"), "{text}");
}

#[test]
fn hostile_files_get_an_answer() {
    let hosted = Hosted::new();
    let deep = format!("{MAP}x: {}{}\n", "{a: ".repeat(100_000), "}".repeat(100_000));
    let bomb: String = (1..30).fold(format!("{MAP}x0: &x0 [a, b, c, d, e, f, g, h, i]\n"), |text, n| {
        format!("{text}x{n}: &x{n} [{}]\n", vec![format!("*x{}", n - 1); 9].join(", "))
    });
    let big = format!("{MAP}data:\n  a: {}\n", "x".repeat(20 << 20));
    let invalid = [MAP.as_bytes(), b"data: {a: \xff\xfe}\n"].concat();
    let nul = [MAP.as_bytes(), b"data: {a: \0}\n"].concat();
    let cases: [(&str, &[u8], &str, &str); 5] = [
        ("deep nesting", deep.as_bytes(), "manifest/too-large", "prod/b.yaml:6:"),
        ("an alias bomb", bomb.as_bytes(), "manifest/too-large", "prod/b.yaml:"),
        ("a very big file", big.as_bytes(), "tree/too-large", "prod/b.yaml:1:1"),
        ("not UTF-8", &invalid, "manifest/encoding", "prod/b.yaml:6:11"),
        ("NUL", &nul, "manifest/encoding", "prod/b.yaml:6:11"),
    ];
    for (name, text, rule, place) in cases {
        hosted.work.write("prod/b.yaml", text).unwrap();
        hosted.rejected(name, &[&format!("error[{rule}]"), &format!("--> {place}"), "= fix: "]);
    }

    let link = |target: &str, name: &str| symlink(target, hosted.work.path().join(name)).unwrap();
    link("loop.yaml", "prod/loop.yaml");
    link("..", "prod/again");
    hosted.rejected("a symlink loop", &["error[tree/symlink]", "--> prod/loop.yaml:1:1", "1 error, "]);

    let head = hosted.head();
    let submodule = format!("160000,{head},prod/inner");
    hosted.work.git(&["update-index", "--add", "--cacheinfo", &submodule]).unwrap().checked().unwrap();
    std::fs::create_dir_all(hosted.work.path().join("prod/inner")).unwrap();
    hosted.rejected("a submodule", &["error[tree/submodule]", "--> prod/inner:1:1", "put the files themselves"]);
}

#[test]
fn odd_names_of_files_are_read_or_refused_by_name() {
    let hosted = Hosted::new();
    let broken = "apiVersion: v1\nkind: [\n";
    for name in ["a b.yaml", "a'b.yaml", "a\"b.yaml", "größe.yaml", "$(touch x).yaml", "-rf.yaml", "::error::.yaml"] {
        hosted.work.write(&format!("prod/{name}"), broken).unwrap();
        hosted.rejected(name, &["error[manifest/syntax]", &format!("--> prod/{name}:3:1")]);
    }
    for (name, shown) in
        [("a\nb.yaml", "\"a\\nb.yaml\""), ("a\tb.yaml", "\"a\\tb.yaml\""), ("a\u{1b}[2Jb.yaml", "a\\u{1b}[2Jb.yaml")]
    {
        hosted.work.write(&format!("prod/{name}"), MAP.replace("name: a", "name: b")).unwrap();
        hosted.rejected(shown, &["error[tree/name]", shown, "= fix: rename or remove it"]);
    }
}
