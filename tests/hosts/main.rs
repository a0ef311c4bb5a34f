//! The push gate on Git hosts, each story with the real server: OpenSSH's and gitolite's, from the
//! machine or from Debian's packages, and Gitea's, built once from its Go module. Stories whose
//! server is not to be had count as ignored.

#![allow(clippy::print_stderr, reason = "says why a story is not told")]

mod debian;
mod git;
mod gitea;
mod gitolite;
mod laptop;
mod reftable;
mod shallow;
mod ssh;
mod sshd;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

/// A story's name, what it asks of Git, and the story itself, told on a server.
type Story<Server> = (&'static str, git::Needs, fn(&Server));

const OVER_SSH: [Story<debian::Programs>; 6] = [
    ("a_push_over_ssh_is_judged", git::ANY, ssh::plain_git),
    ("a_push_of_sha256_objects_over_ssh_is_judged", git::ANY, ssh::sha256),
    ("gitolite_pushes_are_judged_and_their_pusher_is_named", git::ANY, gitolite::story),
    ("a_push_from_a_shallow_clone_is_judged", git::ANY, shallow::clones),
    ("a_push_that_makes_the_server_shallow_is_judged", git::ANY, shallow::servers),
    ("a_push_to_a_reftable_repository_is_judged", git::REFTABLE, reftable::story),
];

/// The first build of Gitea takes minutes.
const ON_GITEA: [Story<gitea::Server>; 7] = [
    ("gitea_pushes_are_judged_and_their_pusher_is_named", git::ANY, gitea::pushes::story),
    ("gitea_pushes_over_ssh_are_judged", git::ANY, gitea::pushes::over_ssh),
    ("gitea_pushes_of_sha256_objects_are_judged", git::SHA256_ON_GITEA, gitea::pushes::sha256),
    ("gitea_commits_made_through_its_api_are_judged", git::ANY, gitea::commits::story),
    ("gitea_merges_are_judged", git::ANY, gitea::merges::story),
    ("gitea_keeps_its_own_hooks_and_those_of_others", git::ANY, gitea::hooks::story),
    ("gitea_asks_no_hooks_where_the_documentation_says_so", git::ANY, gitea::without_hooks::story),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = told(&arguments, "ssh", &OVER_SSH, debian::Programs::provide);
    trials.extend(told(&arguments, "Gitea", &ON_GITEA, gitea::Server::provide));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The stories of one kind of server, which is provided only if one of them is asked for.
fn told<Server: Send + Sync + 'static>(
    arguments: &Arguments,
    kind: &str,
    stories: &[Story<Server>],
    provide: impl FnOnce() -> Result<Server, String>,
) -> Vec<Trial> {
    let asked_for = |name: &str| arguments.filter.as_ref().is_none_or(|part| name.contains(part));
    let is_wanted = !arguments.list && stories.iter().any(|(name, ..)| asked_for(name));
    let provided = is_wanted.then(provide).transpose().inspect_err(|why| eprintln!("no server for {kind}: {why}"));
    let server = provided.ok().flatten().map(Arc::new);
    let trial = |&(name, needs, story): &Story<Server>| {
        let server = server.clone().filter(|_| git::suits(needs));
        let ignored = server.is_none();
        let tell = move || {
            if let Some(server) = &server {
                story(server);
            }
            Ok(())
        };
        Trial::test(name, tell).with_ignored_flag(ignored)
    };
    stories.iter().map(trial).collect()
}
