//! The container image, unpacked: the binary and what it runs work in it, as its user, with nothing
//! else of this machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gitward_image::{archive, root};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

/// Unpacks the one layer of an image into a folder.
fn unpack(image: &Path, folder: &Path) {
    let files = folder.join("image");
    tar::Archive::new(fs::File::open(image).unwrap()).unpack(&files).unwrap();
    let manifest: Value = serde_json::from_slice(&fs::read(files.join("manifest.json")).unwrap()).unwrap();
    let layer = fs::File::open(files.join(manifest[0]["Layers"][0].as_str().unwrap())).unwrap();
    let mut layer = tar::Archive::new(layer);
    layer.set_preserve_permissions(true);
    layer.set_preserve_ownerships(true);
    layer.unpack(folder.join("root")).unwrap();
}

/// Runs a program within a root, as the image's user.
fn within(root: &Path, program: &[&str]) -> Output {
    let user = format!("--userspec={0}:{0}", root::USER);
    let mut command = Command::new("chroot");
    command.arg(user).arg(root).args(program).env_clear().env("PATH", "/usr/sbin:/usr/bin").env("HOME", "/tmp");
    command.output().unwrap()
}

fn main() {
    let run = Trial::test("gitward_git_and_ssh_run_in_the_image", || {
        gitward_git_and_ssh_run_in_it();
        Ok(())
    });
    // Only root changes the root of a process.
    let is_root = rustix::process::geteuid().is_root();
    libtest_mimic::run(&Arguments::from_args(), vec![run.with_ignored_flag(!is_root)]).exit();
}

fn gitward_git_and_ssh_run_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("gitward.tar");
    let root = root::with(Path::new(env!("CARGO_BIN_EXE_gitward"))).unwrap();
    archive::write(&root, "gitward:test", fs::File::create(&image).unwrap()).unwrap();
    unpack(&image, folder.path());
    let root = folder.path().join("root");
    // A container has one; here it stands in.
    fs::write(root.join("dev/null"), "").unwrap();
    fs::set_permissions(root.join("dev/null"), std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();

    let repository = root.join("tmp/repository");
    let made = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&repository).status().unwrap();
    assert!(made.success());
    let owner = format!("{0}:{0}", root::USER);
    assert!(Command::new("chown").args(["-R", &owner]).arg(&repository).status().unwrap().success());
    let version = concat!("gitward ", env!("CARGO_PKG_VERSION"));
    let read = "file:///tmp/repository";
    let password = r#"credential.helper=!f() { echo username=a; echo "password=$HOME"; }; f"#;
    let cases: [(&[&str], bool, &str); 6] = [
        (&["/usr/bin/gitward", "--version"], true, version),
        (&["/usr/bin/git", "--version"], true, "git version 2."),
        (&["/usr/bin/ssh", "-V"], true, "OpenSSH"),
        (&["/usr/bin/git", "ls-remote", read], true, ""),
        // Its transports are there: they fail for want of a server and of nothing else.
        (&["/usr/bin/git", "-c", password, "ls-remote", "https://127.0.0.1:1/a.git"], false, "Failed to connect"),
        (&["/usr/bin/git", "ls-remote", "ssh://git@127.0.0.1:1/a.git"], false, "Connection refused"),
    ];
    for (program, succeeds, says) in cases {
        let output = within(&root, program);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), succeeds, "{program:?}: {said}");
        assert!(said.contains(says), "{program:?}: {said}");
    }
}
