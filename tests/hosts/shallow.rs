//! Pushes from clones that do not have the whole history, over OpenSSH.

use std::process::Command;

use crate::debian::Programs;
use crate::laptop::{CONFIG_MAP, Laptop, REFUSED, bad, shows};
use crate::ssh::Host;
use crate::sshd::said;

/// The server has the whole history, the pusher the last commit of it.
pub(crate) fn clones(programs: &Programs) {
    let host = Host::start(programs, &[]);
    host.laptop("sha1").good_bad_and_mended();
    let laptop = shallow(&host);
    laptop.good_bad_and_mended_again();
    laptop.rewrites_nothing();
    laptop.is_free_elsewhere();
}

/// The server takes what it gets of a history that it does not have, and is shallow from then on.
pub(crate) fn servers(programs: &Programs) {
    let whole = Host::start(programs, &[]);
    whole.laptop("sha1").good_bad_and_mended();
    let mut laptop = shallow(&whole);

    let host = Host::start(programs, &[]);
    said(Command::new("git").arg("-C").arg(host.repository()).args(["config", "receive.shallowUpdate", "true"]));
    laptop.moves_to(&host.url(), host.client());
    // For all that can be seen its history begins with the rules, so nothing was there before them.
    laptop.write("deploy/web.yaml", &bad());
    let (accepted, text) = laptop.push();
    assert!(!accepted, "{text}");
    shows(&text, &REFUSED);
    laptop.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let (accepted, text) = laptop.push_refs(&["main"]);
    assert!(accepted, "{text}");
    shows(&text, &["remote: gitward: accepted: prod at refs/heads/main"]);
    assert!(host.repository().join("shallow").is_file(), "the server has a part of the history");
    laptop.good_bad_and_mended_again();
    laptop.rewrites_nothing();
}

/// A clone of the last commit, in which the one before is not.
fn shallow(host: &Host) -> Laptop {
    let laptop = Laptop::of(host.folder(), "shallow", host.client());
    laptop.git(&["clone", "--quiet", "--depth=1", "--branch=main", &host.url(), "."]);
    assert_eq!(laptop.git(&["rev-list", "--count", "HEAD"]).trim(), "1");
    assert!(laptop.read("deploy/web.yaml").contains("a: c") && !CONFIG_MAP.contains("a: c"));
    laptop
}
