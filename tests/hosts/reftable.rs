//! A bare repository whose refs are kept in the reftable format, behind OpenSSH.

use crate::debian::Programs;
use crate::ssh;

pub(crate) fn story(programs: &Programs) {
    for hash in ["sha1", "sha256"] {
        let host = ssh::Host::start(programs, &[&format!("--object-format={hash}"), "--ref-format=reftable"]);
        let laptop = host.laptop(hash);
        laptop.good_bad_and_mended();
        laptop.rewrites_nothing();
        laptop.is_free_elsewhere();
    }
}
