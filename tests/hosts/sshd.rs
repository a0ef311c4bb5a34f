//! An OpenSSH server of a story's own, on a port of its own.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::debian::Programs;

/// How long the server may take to listen.
const STARTED_WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct Sshd {
    folder: PathBuf,
    port: u16,
    user: String,
    server: Child,
}

impl Sshd {
    /// Lets those in whose keys are in `.ssh/authorized_keys` of `home`, as the account that runs
    /// this, with `home` as their home.
    pub(crate) fn start(programs: &Programs, folder: &Path, home: &Path, path: &str) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        key(folder, "host");
        let mut config = format!("Port {port}\nListenAddress 127.0.0.1\n");
        let at = |name: &str| folder.join(name).display().to_string();
        let _ = writeln!(config, "HostKey {}\nPidFile {}", at("host"), at("sshd.pid"));
        let _ = writeln!(config, "AuthorizedKeysFile {}", home.join(".ssh/authorized_keys").display());
        config.push_str("StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n");
        let _ = writeln!(config, "PermitRootLogin yes\nSetEnv HOME={} PATH={path} USER=git", home.display());
        fs::write(folder.join("sshd_config"), config).unwrap();

        let user = said(Command::new("id").arg("-un"));
        let mut command = if is_root() { as_root(programs, folder) } else { Command::new(&programs.sshd) };
        let log = fs::File::create(folder.join("sshd.log")).unwrap();
        command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")).env("LD_LIBRARY_PATH", &programs.libraries);
        let server = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let sshd = Self { folder: folder.to_owned(), port, user, server };
        sshd.wait();
        sshd
    }

    fn wait(&self) {
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = fs::read_to_string(self.folder.join("sshd.log")).unwrap_or_default();
            assert!(started.elapsed() < STARTED_WITHIN, "sshd does not listen: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where to push to: a path on the server, or what the server makes of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("ssh://{}@127.0.0.1:{}/{path}", self.user, self.port)
    }

    /// `GIT_SSH_COMMAND` of somebody with that key.
    pub(crate) fn client(&self, key: &str) -> String {
        client(&self.folder.join(key))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// `GIT_SSH_COMMAND` of somebody with that key, to a server that nobody has met before.
pub(crate) fn client(key: &Path) -> String {
    format!(
        "ssh -F /dev/null -i {} -oIdentitiesOnly=yes -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null \
         -oLogLevel=ERROR",
        key.display()
    )
}

pub(crate) fn is_root() -> bool {
    said(Command::new("id").arg("-u")) == "0"
}

/// As root the server wants an account and a folder of its own; it gets them in a mount namespace, so
/// that the machine stays as it is.
fn as_root(programs: &Programs, folder: &Path) -> Command {
    fs::write(folder.join("passwd"), "root:x:0:0::/root:/bin/sh\nsshd:x:65533:65533::/nonexistent:/bin/false\n")
        .unwrap();
    fs::write(folder.join("shadow"), "root:*:1:0:99999:7:::\nsshd:*:1:0:99999:7:::\n").unwrap();
    let script = "set -e; mount --bind \"$0/passwd\" /etc/passwd; mount --bind \"$0/shadow\" /etc/shadow; \
                  mount -t tmpfs tmpfs /run; mkdir -p /run/sshd; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(folder).arg(&programs.sshd);
    command
}

/// Makes a key; its public half is `NAME.pub`.
pub(crate) fn key(folder: &Path, name: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(folder.join(name))
        .status()
        .unwrap();
    assert!(made.success());
}

pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
