//! The control plane's accounts, and when a request is believed to come from one.

use std::fmt;

use crate::request::User;

/// User names of kubelets begin so; the rest is the node's name.
pub(super) const NODE_PREFIX: &str = "system:node:";

/// User names of controllers begin so; the rest is the controller's name.
pub(super) const CONTROLLER_PREFIX: &str = "system:serviceaccount:kube-system:";
pub(super) const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";
pub(super) const SCHEDULER: &str = "system:kube-scheduler";
pub(super) const API_SERVER: &str = "system:apiserver";

/// An account of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// A kubelet, or an account that `nodeAccounts` names.
    Node,
    /// kube-apiserver, by its loopback client.
    ApiServer,
    /// kube-scheduler.
    Scheduler,
    /// kube-controller-manager itself.
    ControllerManager,
    /// A controller by the name of its service account, or the controller manager where it runs
    /// its controllers without accounts of their own.
    Controller(&'static str),
}

impl Account {
    /// Whether a request comes from this account.
    ///
    /// Controllers authenticate with service account tokens, which always carry a uid and a
    /// credential id; a bare impersonation carries neither. The scheduler and the controller
    /// manager authenticate with a certificate or a token file, which carry none.
    pub(super) fn is(self, user: &User, node_accounts: &[String]) -> bool {
        let in_group = |group: &str| user.groups.iter().any(|g| g == group);
        match self {
            Self::Node => {
                (user.name.starts_with(NODE_PREFIX) && in_group("system:nodes")) || node_accounts.contains(&user.name)
            }
            Self::ApiServer => user.name == API_SERVER && in_group("system:masters"),
            Self::Scheduler => user.name == SCHEDULER,
            Self::ControllerManager => user.name == CONTROLLER_MANAGER,
            Self::Controller(_) => {
                user.name == CONTROLLER_MANAGER
                    || (self.has_name(&user.name) && !user.uid.is_empty() && user.has_credential_id)
            }
        }
    }

    /// Whether the name alone is this account's.
    pub(super) fn has_name(self, name: &str) -> bool {
        match self {
            Self::Node => name.starts_with(NODE_PREFIX),
            Self::ApiServer => name == API_SERVER,
            Self::Scheduler => name == SCHEDULER,
            Self::ControllerManager => name == CONTROLLER_MANAGER,
            Self::Controller(controller) => name.strip_prefix(CONTROLLER_PREFIX) == Some(controller),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("a kubelet"),
            Self::ApiServer => f.write_str(API_SERVER),
            Self::Scheduler => f.write_str(SCHEDULER),
            Self::ControllerManager => f.write_str(CONTROLLER_MANAGER),
            Self::Controller(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, uid: &str, has_credential_id: bool, groups: &[&str]) -> User {
        let groups = groups.iter().map(|g| (*g).to_owned()).collect();
        User { name: name.to_owned(), groups, uid: uid.to_owned(), has_credential_id, ..User::default() }
    }

    #[test]
    fn accounts_are_believed_only_with_what_the_genuine_ones_carry() {
        let controller = "system:serviceaccount:kube-system:job-controller";
        let job = Account::Controller("job-controller");
        let cases = [
            (job, user(controller, "u", true, &[]), true),
            (job, user(controller, "", true, &[]), false),
            (job, user(controller, "u", false, &[]), false),
            (job, user("system:serviceaccount:demo:job-controller", "u", true, &[]), false),
            (job, user("system:serviceaccount:kube-system:cronjob-controller", "u", true, &[]), false),
            (job, user(CONTROLLER_MANAGER, "", false, &[]), true),
            (Account::ControllerManager, user(controller, "u", true, &[]), false),
            (Account::Scheduler, user(SCHEDULER, "", false, &[]), true),
            (Account::Node, user("system:node:a", "", false, &["system:nodes"]), true),
            (Account::Node, user("system:node:a", "", false, &[]), false),
            (Account::Node, user("kwok", "", false, &[]), true),
            (Account::Node, user("admin", "", false, &["system:nodes"]), false),
            (Account::ApiServer, user(API_SERVER, "", false, &["system:masters"]), true),
            (Account::ApiServer, user(API_SERVER, "", false, &[]), false),
        ];
        for (account, user, believed) in cases {
            assert_eq!(account.is(&user, &["kwok".to_owned()]), believed, "{account:?} {user:?}");
        }
    }
}
