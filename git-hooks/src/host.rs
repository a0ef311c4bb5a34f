//! Git hosts: how each tells a hook who pushes, and what each does with a hook's answer.

use std::fmt;
use std::time::Duration;

use gitward_core::report::harmless;

/// Characters of a name that are shown.
const LONGEST_NAME: usize = 100;

/// Lines that a host shows in its pages.
const LINES_IN_PAGES: usize = 5;

/// Which Git host runs a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Git itself, over ssh or HTTP.
    Plain,
    /// gitolite.
    Gitolite,
    /// GitLab, self-managed.
    GitLab,
    /// Gitea or Forgejo.
    Gitea,
    /// GitHub Enterprise Server.
    GitHubEnterprise,
}

/// The host that runs a hook, and who pushes by its word. The name is shown and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The host.
    pub host: Host,
    /// The account that pushes; `None` where the host does not say.
    pub pusher: Option<String>,
}

/// What tells a host: the variable with the pusher's name. Sources: gitolite's documentation of
/// environment variables in hooks, GitLab's of server hooks, Gitea's `modules/repository/env.go`,
/// GitHub Enterprise Server's of pre-receive hook scripts, git-http-backend(1).
const NAMES: [(&str, Host); 6] = [
    ("GITEA_PUSHER_NAME", Host::Gitea),
    ("GITHUB_USER_LOGIN", Host::GitHubEnterprise),
    // GitLab sets `GL_` variables as gitolite does, and these two besides.
    ("GL_USERNAME", Host::GitLab),
    ("GL_ID", Host::GitLab),
    ("GL_USER", Host::Gitolite),
    ("REMOTE_USER", Host::Plain),
];

impl Caller {
    /// The host and the pusher by the variables of a hook's environment.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let told = NAMES.iter().find_map(|(name, host)| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some((*host, value.chars().take(LONGEST_NAME).collect::<String>()))
        });
        match told {
            Some((host, name)) => Self { host, pusher: Some(harmless(&name).into_owned()) },
            None => Self { host: Host::Plain, pusher: None },
        }
    }

    /// The same, of this process.
    pub fn of_this_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }
}

impl Host {
    /// Time for a verdict where nothing else is said. All pre-receive hooks of a GitHub Enterprise
    /// Server share five seconds, after which it rejects without a word.
    pub fn deadline(self) -> Duration {
        match self {
            Host::GitHubEnterprise => Duration::from_secs(4),
            _ => Duration::from_secs(30),
        }
    }

    /// What to do where a verdict does not come in time.
    pub(crate) fn way_out(self) -> &'static str {
        match self {
            Host::GitHubEnterprise => {
                "push less at once; for a repository of this size require `gitward check --range` as a status of \
                 pull requests instead of this hook, which shares five seconds with all others"
            }
            _ => "push less at once, or let the server's administrator raise GITWARD_HOOK_TIMEOUT",
        }
    }

    /// What is said besides so that the host's pages show a rejection too: GitLab shows nothing but
    /// what begins with this prefix there.
    pub(crate) fn for_pages(self, lines: &[String]) -> String {
        if self != Host::GitLab {
            return String::new();
        }
        let mut shown: Vec<&str> = lines.iter().map(String::as_str).take(LINES_IN_PAGES).collect();
        let hidden = lines.len() - shown.len();
        let more = format!("and {hidden} more");
        if hidden > 0 {
            shown.push(&more);
        }
        shown.iter().map(|line| format!("GL-HOOK-ERR: {line}\n")).collect()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Host::Plain => "Git",
            Host::Gitolite => "gitolite",
            Host::GitLab => "GitLab",
            Host::Gitea => "Gitea",
            Host::GitHubEnterprise => "GitHub Enterprise Server",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    #[test]
    fn each_host_is_known_by_its_variables() {
        let cases: [(Variables, Host, Option<&str>); 8] = [
            (&[], Host::Plain, None),
            (&[("REMOTE_USER", "ann")], Host::Plain, Some("ann")),
            (&[("GL_USER", "ann"), ("GL_REPO", "fleet")], Host::Gitolite, Some("ann")),
            (&[("GL_ID", "user-7"), ("GL_USERNAME", "ann"), ("GL_PROTOCOL", "ssh")], Host::GitLab, Some("ann")),
            (&[("GL_ID", "key-7"), ("GL_USERNAME", "")], Host::GitLab, Some("key-7")),
            (&[("GITEA_PUSHER_NAME", "ann"), ("REMOTE_USER", "x")], Host::Gitea, Some("ann")),
            (&[("GITHUB_USER_LOGIN", "ann")], Host::GitHubEnterprise, Some("ann")),
            (&[("REMOTE_USER", "a\u{1b}[31m")], Host::Plain, Some("a\\u{1b}[31m")),
        ];
        for (variables, host, pusher) in cases {
            let of = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(Caller::of(of), Caller { host, pusher: pusher.map(str::to_owned) }, "{variables:?}");
        }
    }

    #[test]
    fn gitlab_shows_the_first_lines_in_its_pages() {
        let lines: Vec<String> = (1..=7).map(|n| format!("line {n}")).collect();
        let shown = Host::GitLab.for_pages(&lines);
        assert!(shown.starts_with("GL-HOOK-ERR: line 1\n") && shown.ends_with("GL-HOOK-ERR: and 2 more\n"), "{shown}");
        assert!(Host::Gitea.for_pages(&lines).is_empty());
    }
}
