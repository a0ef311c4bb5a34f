//! Commands that cannot start say why and what to do, and end with exit code 2.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]
users: [{name: u, user: {token: not-to-be-shown}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
";

/// Runs the program, which has to end by itself with exit code 2, one message and one hint.
fn refused(arguments: &[&str], message: &[&str], hint: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_gitward")).args(arguments).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    for part in message {
        assert!(text.contains(part), "{arguments:?}: {part:?} is not in\n{text}");
    }
    assert!(text.contains(hint), "{arguments:?}: {hint:?} is not in\n{text}");
    assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    assert!(!text.contains("not-to-be-shown"), "{arguments:?}: {text}");
    assert!(text.lines().count() <= 4, "{arguments:?}: {text}");
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let state = folder.path().join("state").to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| write(folder.path(), name, text);
    let without = KUBECONFIG.replace("current-context: x\n", "");
    let cases = [
        (missing.clone(), "missing cannot be read: No such file", "--kubeconfig"),
        (folder.path().to_str().unwrap().to_owned(), "cannot be read: Is a directory", "--kubeconfig"),
        (write("broken", &KUBECONFIG.replace("contexts: [", "contexts: [[[")), "broken:", "kubectl --kubeconfig"),
        (write("secret", "users: [{name: u, user: {token: not-to-be-shown"), "this is no kubeconfig", "kubectl"),
        (write("text", "just some text\n"), "text:1:1: this is no kubeconfig", "kubectl --kubeconfig"),
        (write("without", &without), "has no current context", "config use-context"),
        (write("empty", &format!("{without}current-context: ''\n")), "has no current context", "config use-context"),
        (write("other", &format!("{without}current-context: y\n")), "has no context \"y\"", "config use-context"),
        (write("nothing", ""), "has no current context", "config use-context"),
        (write("cluster", &KUBECONFIG.replace("cluster: c,", "cluster: d,")), "cluster cannot be used", "kubectl"),
        (
            write("address", &KUBECONFIG.replace("https://127.0.0.1:9", "https://[")),
            "failed to parse cluster url",
            "kubectl --kubeconfig",
        ),
    ];
    for (file, message, hint) in &cases {
        for command in ["reconcile", "webhook"] {
            let arguments =
                [command, "--environment=prod", "--state-dir", &state, "--kubeconfig", file, "--listen=127.0.0.1:0"];
            let arguments = if command == "webhook" { &arguments[..] } else { &arguments[..6] };
            refused(arguments, &[message], hint);
        }
    }
    for (file, message) in [
        (missing, "missing cannot be used as a kubeconfig: No such file"),
        (cases[3].0.clone(), "it cannot be read at 1:"),
    ] {
        refused(&["demo", "--once", "--kubeconfig", &file], &[message], "kubectl --kubeconfig FILE get namespaces");
    }
}

#[test]
fn a_state_directory_belongs_to_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, state) = (write(folder.path(), "config", KUBECONFIG), folder.path().join("state"));
    let arguments =
        ["reconcile", "--environment=prod", "--state-dir", state.to_str().unwrap(), "--kubeconfig", &kubeconfig];
    let mut first = Command::new(env!("CARGO_BIN_EXE_gitward")).args(arguments).spawn().unwrap();
    while !state.join(".lock").exists() {
        assert!(first.try_wait().unwrap().is_none(), "the first ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    refused(&arguments, &["another process works with the state directory"], "a directory of its own");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_name_that_no_environment_can_have_is_refused() {
    for name in ["No Pe", "", "-a", "ä"] {
        let named = format!("--environment={name}");
        refused(&["reconcile", &named, "--state-dir=s"], &["an Environment's name"], "--environment");
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "file", "");
    let kubeconfig = write(folder.path(), "kubeconfig", KUBECONFIG);
    for directory in [format!("{file}/below"), "/proc/gitward".to_owned()] {
        for command in ["reconcile", "webhook"] {
            refused(
                &[command, "--environment=prod", "--kubeconfig", &kubeconfig, "--state-dir", &directory],
                &["error: the state directory ", &directory, " cannot be written: "],
                "hint: name a directory that this account may write with --state-dir",
            );
        }
    }
}

#[test]
fn a_busy_port_is_told_with_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").to_str().unwrap().to_owned();
    let kubeconfig = write(folder.path(), "kubeconfig", KUBECONFIG);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let webhook = |address: &str, message: &str, hint: &str| {
        let arguments = ["webhook", "--environment=prod", "--kubeconfig", &kubeconfig, "--state-dir", &state];
        let message = format!("error: cannot serve at {address}: {message}");
        refused(&[&arguments[..], &["--listen", address]].concat(), &[&message], hint);
    };
    webhook(&address, "Address already in use", "hint: something listens there already");
    webhook("192.0.2.1:9443", "Cannot assign requested address", "hint: name an address of this machine");
}

#[test]
fn polling_has_a_shortest_time() {
    for command in ["reconcile", "webhook"] {
        for (time, message) in [("0s", "takes a time"), ("99ms", "is at least 100 ms"), ("soon", "takes a time")] {
            refused(
                &[command, "--environment=prod", "--state-dir=/tmp", "--poll", time],
                &["--poll", message],
                "For more information, try '--help'",
            );
        }
    }
}
