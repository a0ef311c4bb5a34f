//! The account `default` of every namespace.

use super::case::Case;
use super::compare::{at, only};
use super::{Judged, Proof, table};
use crate::object;

const SERVER_METADATA: [&str; 6] =
    ["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"];

/// The account is made, or is there, with nothing on it.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let account = case.object()?;
    if object::name(account) != "default" {
        return Err(table::unknown(case));
    }
    ensure!(
        only(account, &["apiVersion", "kind", "metadata"]) && only(at(account, &["metadata"]), &SERVER_METADATA),
        "the account default has more on it than its name"
    );
    Ok(Proof::Content)
}
