//! The push gate on Git hosts, each story with the real server: OpenSSH's and gitolite's, from the
//! machine or from Debian's packages. Where neither is to be had the stories count as ignored.

#![allow(clippy::print_stderr, reason = "says why a story is not told")]

mod debian;
mod gitolite;
mod laptop;
mod ssh;
mod sshd;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

type Story = fn(&debian::Programs);

const STORIES: [(&str, Story); 3] = [
    ("a_push_over_ssh_is_judged", ssh::plain_git),
    ("a_push_of_sha256_objects_over_ssh_is_judged", ssh::sha256),
    ("gitolite_pushes_are_judged_and_their_pusher_is_named", gitolite::story),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs = if arguments.list { Err("not looked for".to_owned()) } else { debian::Programs::provide() };
    let programs = programs.inspect_err(|why| eprintln!("no servers: {why}")).ok();
    let trials = STORIES.map(|(name, story)| {
        let (programs, ignored) = (programs.clone(), programs.is_none());
        let tell = move || {
            if let Some(programs) = &programs {
                story(programs);
            }
            Ok(())
        };
        Trial::test(name, tell).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}
