//! An admission request as the engine sees it.

use serde_json::Value;

use crate::object::ObjectKey;

/// The key of a user's `extra` that says which credential it came with.
pub const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// How the id of a token begins; that of a client certificate begins otherwise.
pub const TOKEN_ID: &str = "JTI=";

/// What is being done. Source: `admission.k8s.io/v1` `Operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An object is created, or a create-only subresource (binding, eviction, token) is posted.
    Create,
    /// An object or a subresource is changed.
    Update,
    /// An object is deleted, alone or with a collection.
    Delete,
    /// A connection is opened (exec, attach, port-forward, proxy).
    Connect,
}

/// The authenticated account. Identity may be necessary for an origin, and is sufficient only for
/// the few writes that are no function of anything declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// User name.
    pub name: String,
    /// Groups.
    pub groups: Vec<String>,
    /// `userInfo.uid`; service account tokens always carry one.
    pub uid: String,
    /// Whether the account came with a token of its own: `userInfo.extra` then has [`CREDENTIAL_ID`]
    /// with the token's id ([`TOKEN_ID`]). Bare impersonation has none, a client certificate one of
    /// another form.
    pub has_credential_id: bool,
    /// Whether it is the account that brings the environment's commits to the cluster, with a token of its
    /// own.
    pub is_reconciler: bool,
}

impl User {
    /// Whether this is one of the accounts that Git names. Service accounts are believed by their
    /// tokens, which always carry a uid and a credential id; a bare impersonation carries neither.
    pub fn is_among(&self, accounts: &[String]) -> bool {
        let is_service_account = self.name.starts_with("system:serviceaccount:");
        let genuine = !is_service_account || (!self.uid.is_empty() && self.has_credential_id);
        genuine && accounts.contains(&self.name)
    }
}

/// One request, borrowed from the review it came in.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What is being done.
    pub operation: Operation,
    /// The object it is done to. The name may be empty for `generateName` creations.
    pub key: ObjectKey,
    /// Plural resource name, for example `deployments`.
    pub resource: &'a str,
    /// Subresource, for example `status`; empty for the object itself.
    pub subresource: &'a str,
    /// Who asks.
    pub user: User,
    /// The object as it would be stored (after mutation), for CREATE and UPDATE.
    pub object: Option<&'a Value>,
    /// The object as it is stored, for UPDATE and DELETE.
    pub old_object: Option<&'a Value>,
    /// The call's options (`DeleteOptions` and its like).
    pub options: Option<&'a Value>,
    /// Whether nothing would be stored.
    pub dry_run: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_is_believed_with_a_token_of_its_own_only() {
        let account = "system:serviceaccount:shop:operator";
        let named = ["sre".to_owned(), account.to_owned()];
        let user = |name: &str, uid: &str, has_credential_id| User {
            name: name.to_owned(),
            uid: uid.to_owned(),
            has_credential_id,
            ..User::default()
        };
        let cases = [
            (user("sre", "", false), true),
            (user("eve", "u", true), false),
            (user(account, "u", true), true),
            (user(account, "", true), false),
            (user(account, "u", false), false),
        ];
        for (user, believed) in cases {
            assert_eq!(user.is_among(&named), believed, "{user:?}");
        }
    }
}
