//! Rules about what a push may do to refs.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "push/reserved-ref",
        title: "Reserved refs are not pushed",
        why: "`refs/replace/` makes Git show other objects under the ids that were judged, and `refs/gitward/` is gitward's own memory.",
        example: "git push origin refs/replace/…",
        fix: "Leave these refs out of the push.",
    },
    Row {
        rule: "push/force",
        title: "A ref that feeds an environment only goes forward",
        why: "A rewound ref takes away what was judged and what the cluster runs, and with it the record of it.",
        example: "git push --force origin main",
        fix: "Revert with a new commit (`git revert`), or allow it for the environment in gitward.yaml.",
    },
    Row {
        rule: "push/deletion",
        title: "A ref that feeds an environment stays",
        why: "Without it nothing is declared any more.",
        example: "git push origin :main",
        fix: "Take the environment out of gitward.yaml first (`allowRemoval: true` on it lets you).",
    },
    Row {
        rule: "push/unguarded",
        title: "An environment stays guarded unless its end was announced",
        why: "Without its entry in gitward.yaml nothing that is pushed is judged for an environment any more; and what came in meanwhile would be there before when the entry is back. So the push before has to say that it may go. It is a warning then.",
        example: "git rm gitward.yaml",
        fix: "Keep the environment in gitward.yaml. If it is meant to go, push `allowRemoval: true` on it first.",
    },
    Row {
        rule: "push/no-commit",
        title: "A ref that feeds an environment points to a commit",
        why: "Only a commit has a tree, an author and a history.",
        example: "",
        fix: "Push a commit.",
    },
    Row {
        rule: "push/broken-rules",
        title: "The rules that judge a push can be read",
        why: "A push is judged by the rules of the commit before it. If they are broken, only a push that mends them passes.",
        example: "",
        fix: "Push a commit that mends gitward.yaml or the policies, and nothing else.",
    },
    Row {
        rule: "push/too-many-commits",
        title: "Where every commit is judged, a push brings few of them",
        why: "An environment with `everyCommit` has each commit of a push judged, and that has to end in good time.",
        example: "",
        fix: "Push fewer commits at once, or squash them.",
    },
    Row {
        rule: "push/effect",
        title: "A change of the rules is told with what it does",
        why: "A push is judged by the rules before it. What its own rules find in the tree would only be met by the next push, as something that was there before; so it is told at once. It changes no verdict.",
        example: "",
        fix: "Read what would now be found or let through, and mend it or the rules where that is not meant.",
    },
];
