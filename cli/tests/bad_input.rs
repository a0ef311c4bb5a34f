//! Bad input to `gitward check`: one message each with place and remedy, the right exit code, no
//! panic.

mod workspace;

use std::fs;
use std::os::unix::fs::symlink;

use workspace::{Run, Workspace};

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop]}
";

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\n";

/// The program said something that people can use, and nothing of a panic.
fn answered(run: &Run, code: i32, parts: &[&str]) {
    answered_to("", run, code, parts);
}

fn answered_to(case: &str, run: &Run, code: i32, parts: &[&str]) {
    assert_eq!(run.code, Some(code), "{case}: {}", run.text);
    run.shows(parts);
    assert!(!run.text.contains("panicked"), "{}", run.text);
}

fn configured() -> Workspace {
    let work = Workspace::without_hooks();
    work.write("gitward.yaml", CONFIGURATION);
    work
}

/// Files below `deploy/`, the rule and the place of the one error.
#[test]
fn every_bad_manifest_is_one_error_at_its_place() {
    let nested = format!("{MAP}data:\n  a: {}\n", "[".repeat(5000));
    let deep = format!("{MAP}x: {}{}\n", "{a: ".repeat(200), "}".repeat(200));
    let bomb: String = (1..12).fold(format!("{MAP}x0: &x0 [a, b, c, d, e, f, g, h, i]\n"), |text, n| {
        let aliases = vec![format!("*x{}", n - 1); 9].join(", ");
        format!("{text}x{n}: &x{n} [{aliases}]\n")
    });
    let twice = format!("{MAP}---\n{MAP}");
    let unknown = MAP.replace("v1\nkind: ConfigMap", "shop.example.org/v1\nkind: Voucher");
    let elsewhere = MAP.replace("shop", "elsewhere");
    let control = format!("{MAP}data: {{a: \u{7}}}\n");
    let cases: [(&str, &[u8], &str, &str); 19] = [
        ("broken", b"apiVersion: v1\nkind: [ConfigMap\n", "manifest/syntax", "deploy/x.yaml:3:1"),
        ("open quote", b"apiVersion: v1\nkind: \"ConfigMap\n", "manifest/syntax", "deploy/x.yaml:3:1"),
        ("tab", b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n", "manifest/syntax", "deploy/x.yaml:4:1"),
        ("a panic of the parser", b"[!a,b]\n", "manifest/syntax", "deploy/x.yaml:1:1"),
        (
            "no kind",
            b"apiVersion: v1\nmetadata: {name: a, namespace: shop}\n",
            "manifest/missing-kind",
            "deploy/x.yaml:1:1",
        ),
        (
            "no apiVersion",
            b"kind: ConfigMap\nmetadata: {name: a}\n",
            "manifest/missing-api-version",
            "deploy/x.yaml:1:1",
        ),
        ("no name", b"apiVersion: v1\nkind: ConfigMap\n", "manifest/missing-name", "deploy/x.yaml:1:1"),
        ("a text", b"just some text\n", "manifest/not-an-object", "deploy/x.yaml:1:1"),
        ("a list", b"- a\n- b\n", "manifest/not-an-object", "deploy/x.yaml:1:1"),
        ("a key twice", b"apiVersion: v1\nkind: ConfigMap\nkind: Pod\n", "manifest/duplicate-key", "deploy/x.yaml:3:1"),
        ("twice", twice.as_bytes(), "tree/duplicate-object", "deploy/x.yaml:7:1"),
        ("an unknown kind", unknown.as_bytes(), "schema/unknown-kind", "deploy/x.yaml:1:13"),
        ("another namespace", elsewhere.as_bytes(), "tree/wrong-namespace", "deploy/x.yaml:5:14"),
        ("not UTF-8", b"apiVersion: v1\nkind: \xff\xfe\n", "manifest/encoding", "deploy/x.yaml:2:7"),
        ("NUL", b"apiVersion: v1\nkind: \0\n", "manifest/encoding", "deploy/x.yaml:2:7"),
        ("a control character", control.as_bytes(), "manifest/encoding", "deploy/x.yaml:6:11"),
        ("an open bracket, often", nested.as_bytes(), "manifest/too-large", "deploy/x.yaml:7:1"),
        ("deep", deep.as_bytes(), "manifest/too-large", "deploy/x.yaml:6:"),
        ("an alias bomb", bomb.as_bytes(), "manifest/too-large", "deploy/x.yaml:"),
    ];
    for (name, text, rule, place) in cases {
        let work = configured();
        work.write("deploy/x.yaml", "");
        fs::write(work.path("deploy/x.yaml"), text).unwrap();
        let run = work.try_gitward(&["check", "."]);
        answered_to(
            name,
            &run,
            1,
            &[&format!("error[{rule}]"), &format!("--> {place}"), "= fix: ", "1 error, 0 warnings"],
        );
    }
}

#[test]
fn every_bad_configuration_is_told_at_its_place() {
    let cases = [
        ("", "gitward.yaml:1:1", "manifest/syntax"),
        ("apiVersion: [\n", "gitward.yaml:2:1", "manifest/syntax"),
        ("[!a,b]\n", "gitward.yaml:1:1", "manifest/syntax"),
        ("- a\n", "gitward.yaml:1:1", "config/"),
        ("apiVersion: v1\nkind: ConfigMap\n", "gitward.yaml:1:13", "config/"),
        (
            "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nkubernetes: [\"0.1\"]\n",
            "gitward.yaml:3:14",
            "config/",
        ),
        (
            "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nkind: Configuration\n",
            "gitward.yaml:3:1",
            "manifest/duplicate-key",
        ),
    ];
    for (text, place, rule) in cases {
        let work = Workspace::without_hooks();
        work.write("gitward.yaml", text);
        let run = work.try_gitward(&["check", "."]);
        answered_to(text, &run, 1, &[&format!("error[{rule}"), &format!("--> {place}"), "= fix: "]);
    }
}

#[test]
fn places_without_a_repository_or_without_anything_are_answered() {
    let empty = Workspace::without_hooks();
    answered(&empty.try_gitward(&["check", "."]), 0, &["no Kubernetes manifests"]);
    answered(&empty.try_gitward(&["check", "--staged"]), 0, &["no Kubernetes manifests"]);
    answered(&empty.try_gitward(&["check", "--range", "HEAD~1..HEAD"]), 2, &["error: HEAD~1", "hint: "]);
    answered(&empty.try_gitward(&["check", "nowhere"]), 2, &["error: nowhere: No such file", "hint: name a directory"]);
    for arguments in [&["check", empty.server()][..], &["check", "--staged", empty.server()]] {
        answered(&empty.try_gitward(arguments), 2, &["is in a bare repository", "hint: judge its commits: "]);
    }

    // A file that Git does not track is judged: the next commit may hold it.
    empty.write("loose.yaml", "apiVersion: v1\nkind: [\n");
    answered(&empty.try_gitward(&["check", "loose.yaml"]), 1, &["--> loose.yaml:3:1"]);
    answered(&empty.try_gitward(&["check", "--staged"]), 0, &["no Kubernetes manifests"]);

    let alone = tempfile::tempdir().unwrap();
    fs::write(alone.path().join("a.yaml"), "apiVersion: v1\nkind: [\n").unwrap();
    let path = alone.path().to_str().unwrap();
    answered(&empty.try_gitward(&["check", path]), 1, &["--> a.yaml:3:1"]);
    // Nothing that could have been a manifest is passed over, configured or not.
    for (content, told) in [
        ("apiVersion: v1\nmetadata: {name: a}\n".as_bytes().to_vec(), "manifest/missing-kind"),
        ("kind: Pod\nmetadata: {name: a}\n".as_bytes().to_vec(), "manifest/missing-api-version"),
        (
            [&[0xff, 0xfe][..], &"kind: Pod\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat(),
            "manifest/encoding",
        ),
    ] {
        fs::write(alone.path().join("a.yaml"), content).unwrap();
        answered(&empty.try_gitward(&["check", path]), 1, &[told]);
    }
    fs::write(alone.path().join("a.yaml"), vec![b'#'; 9 << 20]).unwrap();
    answered(&empty.try_gitward(&["check", path]), 0, &["tree/too-large"]);
    answered(&empty.try_gitward(&["check", "--staged", path]), 2, &["is in no Git repository", "hint: "]);
    answered(&empty.try_gitward(&["check", "--range", "a..b", path]), 2, &["is in no Git repository", "hint: "]);
}

#[test]
fn odd_entries_of_a_tree_are_told_and_read_past() {
    let work = configured();
    for name in ["a b", "a'b", "a\"b", "größe", "a\tb"] {
        work.write(&format!("deploy/{name}.yaml"), "apiVersion: v1\nkind: [\n");
    }
    symlink("loop.yaml", work.path("deploy/loop.yaml")).unwrap();
    symlink(".", work.path("deploy/again")).unwrap();
    symlink("/etc/passwd", work.path("deploy/outside.yaml")).unwrap();
    let parts =
        ["--> deploy/a b.yaml:3:1", "--> deploy/a'b.yaml:3:1", "--> deploy/a\"b.yaml:3:1", "--> deploy/größe.yaml:3:1"];
    let links = ["error[tree/symlink]", "--> deploy/loop.yaml:1:1", "--> deploy/outside.yaml:1:1"];
    for arguments in [["check", "."], ["check", "--format=text"]] {
        answered(&work.try_gitward(&arguments), 1, &[&parts[..], &links[..]].concat());
    }
    work.git(&["add", "--all"]);
    answered(&work.try_gitward(&["check", "--staged"]), 1, &[&parts[..], &links[..]].concat());
    let json = work.try_gitward(&["check", "--format=json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&json.text).is_ok(), "{}", json.text);
}

#[test]
fn a_submodule_is_not_read() {
    let work = configured();
    let inner = Workspace::without_hooks();
    inner.write("pod.yaml", "apiVersion: v1\nkind: [\n");
    inner.commit("inner");
    let commit = inner.git(&["rev-parse", "HEAD"]);
    work.commit("without it");
    work.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},deploy/inner", commit.trim())]);
    let told = ["error[tree/submodule]", "--> deploy/inner:1:1", "= fix: put the files themselves in the tree"];
    answered(&work.try_gitward(&["check", "--staged"]), 1, &told);
    work.write("deploy/inner/pod.yaml", "apiVersion: v1\nkind: [\n");
    answered(&work.try_gitward(&["check", "."]), 1, &told);
    fs::remove_dir_all(work.path("deploy")).unwrap();
    work.git(&["commit", "--quiet", "-m", "with it"]);
    answered(&work.try_gitward(&["check", "--range", "HEAD~1..HEAD"]), 1, &told);
}

#[test]
fn a_very_big_file_is_told_and_not_read() {
    let work = configured();
    let big = format!("{MAP}data:\n  a: {}\n", "x".repeat(9 << 20));
    work.write("deploy/big.yaml", &big);
    let told = ["error[tree/too-large]", "--> deploy/big.yaml:1:1", "= fix: split the file"];
    answered(&work.try_gitward(&["check", "."]), 1, &told);
    work.git(&["add", "--all"]);
    answered(&work.try_gitward(&["check", "--staged"]), 1, &told);
}
