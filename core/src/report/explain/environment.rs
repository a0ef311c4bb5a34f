//! Rules about what the cluster's Environment and `gitward.yaml` say of each other.

use super::Row;

pub(super) const ROWS: &[Row] = &[Row {
    rule: "environment/mismatch",
    title: "gitward.yaml and the cluster's Environment agree",
    why: "The Environment in the cluster says which Git is trusted: repository, ref and, if it likes, path. A commit whose gitward.yaml does not name that environment, or feeds it from elsewhere, is not meant for it and is not used.",
    example: r#"environments:
  - name: prod
    ref: refs/heads/next    # the Environment prod follows refs/heads/main"#,
    fix: "Let both name the same environment, ref and path. What the Environment says cannot be changed: another source is another Environment.",
}];
