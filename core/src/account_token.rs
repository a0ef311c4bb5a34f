//! The token in a Secret of type `kubernetes.io/service-account-token`: whose it says it is.
//!
//! Its signature is the API server's to check: a token that nobody signed opens nothing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::object;

/// Whether the value of `data.token` of a Secret claims to be made for this Secret, in this
/// namespace, and for this account.
pub(crate) fn is_made_for(token: &str, secret: &str, namespace: &str, account: &Value) -> bool {
    let name = object::name(account);
    let claims = || -> Option<Value> {
        let token = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let payload = token.split('.').nth(1)?.to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    };
    claims().is_some_and(|claims| {
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        claim("sub") == format!("system:serviceaccount:{namespace}:{name}")
            && claim("kubernetes.io/serviceaccount/secret.name") == secret
            && claim("kubernetes.io/serviceaccount/service-account.uid") == object::uid(account)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(claims: &Value) -> String {
        STANDARD.encode(format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    #[test]
    fn a_token_is_for_one_secret_and_one_account() {
        let account = json!({"metadata": {"name": "robot", "uid": "u1"}});
        let claims = json!({"sub": "system:serviceaccount:shop:robot",
            "kubernetes.io/serviceaccount/secret.name": "key",
            "kubernetes.io/serviceaccount/service-account.uid": "u1"});
        let with = |field: &str, value: &str| {
            let mut claims = claims.clone();
            claims[field] = json!(value);
            is_made_for(&token(&claims), "key", "shop", &account)
        };
        assert!(with("iss", "kubernetes/serviceaccount"));
        assert!(!with("sub", "system:serviceaccount:kube-system:admin"));
        assert!(!with("kubernetes.io/serviceaccount/secret.name", "other"));
        assert!(!with("kubernetes.io/serviceaccount/service-account.uid", "u2"));
        for rubbish in ["", "%%%", "aGVsbG8=", &STANDARD.encode("a.b.c")] {
            assert!(!is_made_for(rubbish, "key", "shop", &account), "{rubbish}");
        }
    }
}
