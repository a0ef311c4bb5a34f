//! What the webhook says of itself.

use super::Row;

pub(super) const ROWS: &[Row] = &[Row {
    rule: "webhook/internal",
    title: "Every request can be judged",
    why: "A rule failed on an object that it was not made for. What cannot be judged is denied.",
    example: "",
    fix: "Report it as a defect, with the webhook's log; until then, make the change in Git and push.",
}];
