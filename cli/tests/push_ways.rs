//! The many ways in which pushes come: other hashes, many commits, shared objects, hosts.

mod workspace;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use workspace::Workspace;

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- name: prod
  ref: refs/heads/main
  path: deploy
  namespaces: [shop]
";

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {a: b}\n";

fn bad() -> String {
    GOOD.replace("\ndata:", "\ndta:")
}

/// A server that guards `main`, and a clone with one good commit pushed to it.
fn guarded() -> Workspace {
    let work = Workspace::new();
    first(&work, CONFIGURATION);
    work
}

fn first(work: &Workspace, configuration: &str) {
    work.write("gitward.yaml", configuration);
    work.write("deploy/web.yaml", GOOD);
    work.commit("first");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
}

#[test]
fn repositories_with_sha256_objects_are_guarded_alike() {
    let work = Workspace::of_hash("sha256");
    work.install_hooks();
    first(&work, CONFIGURATION);
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["schema/unknown-field", "deploy/web.yaml:4:1"]);
    let check = work.try_gitward(&["check", "--range", "origin/main..HEAD"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    work.git(&["reset", "--quiet", "--hard", "origin/main"]);
    work.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "rewritten"]);
    let push = work.push("+main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["push/force"]);
}

#[test]
fn repositories_that_libgit2_cannot_open_are_guarded_through_the_git_program() {
    for hash in ["sha1", "sha256"] {
        let work = Workspace::of_hash(hash);
        // As with reftable, libgit2 knows no such extension, and this one every Git has.
        for setting in [["core.repositoryFormatVersion", "1"], ["extensions.partialClone", "origin"]] {
            work.git(&[&["--git-dir", work.server(), "config"][..], &setting].concat());
        }
        work.install_hooks();
        first(&work, CONFIGURATION);
        work.write("deploy/web.yaml", &bad());
        work.commit("bad");
        let push = work.push("main");
        assert!(!push.accepted, "{}", push.text);
        push.shows(&["schema/unknown-field", "deploy/web.yaml:4:1"]);
        work.git(&["reset", "--quiet", "--hard", "origin/main"]);
        work.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "rewritten"]);
        let push = work.push("+main");
        assert!(!push.accepted, "{}", push.text);
        push.shows(&["push/force"]);
        let push = work.push("main:refs/heads/topic");
        assert!(push.accepted && !push.text.contains("gitward"), "{}", push.text);
    }
}

#[test]
fn every_commit_of_a_push_is_judged_where_that_is_configured() {
    let work = Workspace::new();
    first(&work, &CONFIGURATION.replace("  path:", "  everyCommit: true\n  path:"));
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    let short = work.git(&["rev-parse", "--short=12", "HEAD"]).trim().to_owned();
    work.write("deploy/web.yaml", &GOOD.replace("a: b", "a: c"));
    work.commit("mended");
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&[
        "remote: error[schema/unknown-field]: at commit",
        &format!("{short}:deploy/web.yaml:4:1"),
        "remote: 4 | dta: {a: b}",
        "squash",
        "gitward: rejected: 1 error in prod",
    ]);
    work.git(&["reset", "--quiet", "--soft", "origin/main"]);
    work.commit("squashed");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
}

#[test]
fn by_default_only_where_a_ref_ends_counts() {
    let work = guarded();
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    work.write("deploy/web.yaml", &GOOD.replace("a: b", "a: c"));
    work.commit("mended");
    assert!(work.push("main").accepted);
}

#[test]
fn merges_pass_and_histories_that_share_nothing_do_not() {
    let work = guarded();
    work.git(&["checkout", "--quiet", "-b", "topic"]);
    work.write("deploy/other.yaml", &GOOD.replace("web", "other"));
    work.commit("topic");
    work.git(&["checkout", "--quiet", "main"]);
    work.write("deploy/third.yaml", &GOOD.replace("web", "third"));
    work.commit("main");
    work.git(&["merge", "--quiet", "--no-edit", "topic"]);
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["accepted: prod at refs/heads/main: 3 objects"]);
    work.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    work.git(&["commit", "--quiet", "-m", "from nothing"]);
    let push = work.push("+fresh:main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["push/force"]);
}

#[test]
fn shared_objects_commit_graphs_and_push_options_change_nothing() {
    let work = guarded();
    let shared = format!("{}-shared.git", work.server());
    work.git(&["clone", "--quiet", "--bare", "--shared", work.server(), &shared]);
    for arguments in [["commit-graph", "write", "--reachable"], ["config", "receive.advertisePushOptions", "true"]] {
        work.git(&[&["--git-dir", &shared][..], &arguments].concat());
    }
    work.gitward(&["hook", "install", "--repo", &shared]);
    work.git(&["remote", "set-url", "origin", &shared]);
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    let push = work.push_refs(&["--push-option=anything", "main"]);
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["schema/unknown-field"]);
    work.write("deploy/web.yaml", &GOOD.replace("a: b", "a: c"));
    work.commit("mended");
    let push = work.push_refs(&["--push-option=anything", "main"]);
    assert!(push.accepted, "{}", push.text);
}

#[test]
fn pushes_at_the_same_time_are_judged_each_for_itself() {
    let work = guarded();
    work.write("deploy/web.yaml", &GOOD.replace("a: b", "a: c"));
    work.commit("good");
    work.git(&["branch", "bad"]);
    work.git(&["checkout", "--quiet", "bad"]);
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    thread::scope(|scope| {
        let work = &work;
        let topics = ["one", "two"].map(|n| scope.spawn(move || work.push(&format!("bad:refs/heads/{n}"))));
        let bad = scope.spawn(|| work.push("bad:main"));
        assert!(topics.into_iter().all(|push| push.join().unwrap().accepted));
        assert!(!bad.join().unwrap().accepted);
    });
    assert!(work.push("main").accepted);
}

#[test]
fn hosts_say_who_pushes_and_show_what_they_can() {
    let work = guarded();
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(Variables, &[&str]); 4] = [
        (&[("GL_USER", "ann"), ("GL_REPO", "fleet")], &["remote: gitward: pushed by ann (gitolite)"]),
        (
            &[("GL_ID", "key-1"), ("GL_USERNAME", "ann")],
            &["remote: gitward: pushed by ann (GitLab)", "remote: GL-HOOK-ERR: gitward: deploy/web.yaml:4:1: `dta`"],
        ),
        (&[("GITEA_PUSHER_NAME", "ann")], &["remote: gitward: pushed by ann (Gitea)"]),
        (
            &[("GITHUB_USER_LOGIN", "ann"), ("GITWARD_HOOK_TIMEOUT", "0.001")],
            &["no verdict within 0.001 s", "`gitward check --range`", "pushed by ann (GitHub Enterprise Server)"],
        ),
    ];
    for (variables, shown) in cases {
        let push = work.push_with(&["main"], variables);
        assert!(!push.accepted, "{}", push.text);
        push.shows(shown);
    }
    let push = work.push_with(&["main:topic"], &[("GL_USER", "ann")]);
    assert!(!push.text.contains("gitward"), "a ref that feeds nothing is nobody's business: {}", push.text);
}

#[test]
fn clusters_are_told_to_look_after_a_push_that_concerns_them_and_told_nothing_else() {
    let work = guarded();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{address}/look-now"), format!("http://{nobody}/look-now")] {
        work.git(&["--git-dir", work.server(), "config", "--add", "gitward.lookNow", &url]);
    }
    let cluster = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = connection.read(&mut request).unwrap();
        connection.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    work.write("deploy/web.yaml", &bad());
    work.commit("bad");
    assert!(!work.push("main").accepted);
    assert!(work.push("main:topic").accepted);
    work.write("deploy/web.yaml", &GOOD.replace("a: b", "a: c"));
    work.commit("good");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&[&format!("gitward: {nobody} was not told to look now and will find out by itself")]);
    assert!(!push.text.contains(&address.to_string()), "{}", push.text);
    let request = cluster.join().unwrap().to_lowercase();
    assert!(request.starts_with("post /look-now http/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n") && !request.contains("authorization"), "{request}");
}

#[test]
fn only_so_many_findings_are_written_and_the_others_counted() {
    let work = guarded();
    for n in 0..5 {
        work.write(&format!("deploy/{n}.yaml"), &bad().replace("web", &format!("web-{n}")));
    }
    work.commit("bad");
    let push = work.push_with(&["main"], &[("GITWARD_HOOK_FINDINGS", "2")]);
    assert!(!push.accepted, "{}", push.text);
    assert_eq!(push.text.matches("error[schema/unknown-field]").count(), 2, "{}", push.text);
    push.shows(&["5 errors, 0 warnings (3 more not shown)", "hint: `gitward check --range "]);
    assert!(!push.text.contains('\u{1b}'));
}

#[test]
fn hooks_are_installed_where_the_host_keeps_them() {
    let work = Workspace::without_hooks();
    let custom = work.path("../custom_hooks");
    let custom = custom.to_str().unwrap();
    work.gitward(&["hook", "install", "--directory", custom, "--hooks", "pre-receive"]);
    let run = Command::new(format!("{custom}/pre-receive")).current_dir(work.server()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    work.gitward(&["hook", "uninstall", "--directory", custom]);
    assert!(!std::path::Path::new(custom).join("pre-receive").exists());
}

#[test]
fn code_hosts_and_ci_systems_get_reports_of_their_own() {
    let work = guarded();
    work.write("deploy/web.yaml", &bad());
    let run = |format: &str| {
        let run = work.try_gitward(&["check", ".", "--format", format]);
        assert_eq!(run.code, Some(1), "{}", run.text);
        run
    };
    run("gitlab").shows(&["\"check_name\": \"schema/unknown-field\"", "\"path\": \"deploy/web.yaml\"", "\"begin\": 4"]);
    run("junit").shows(&["<failure type=\"schema/unknown-field\"", "classname=\"deploy/web.yaml:4:1\""]);
}
