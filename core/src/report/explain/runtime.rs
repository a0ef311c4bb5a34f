//! Rules about bringing a commit to the cluster, told in the Environment's conditions, Events and the
//! reconciler's log.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "runtime/refused",
        title: "The API server takes every object of a commit",
        why: "Each object is tried by a dry run before anything is written. If the API server refuses one, nothing of the commit is applied: half a commit is a state that nobody declared. Where it refuses the write itself, which was dry-run before, that object alone is missing.",
        example: r#"kind: Voucher    # no CustomResourceDefinition is declared or installed
apiVersion: shop.example.org/v1"#,
        fix: "Correct the object at the place named and push; or give the reconciler's account the right that it lacks. Refused commits are tried again, so that what is put right in the cluster needs no push.",
    },
    Row {
        rule: "runtime/unknown-mutator",
        title: "Every mutator in force is known to Git",
        why: "What the API server makes of an object is learnt by dry runs, which pass through every mutating webhook, MutatingAdmissionPolicy and LimitRange, and through the default PriorityClass. A stranger among them would teach its changes as if Git had declared them. What no list shows (a policy that the API server has from a file, a plugin that is off by default) is known by what it does: it adds what no default and no built-in plugin adds.",
        example: "kubectl apply -f sidecar-injector.yaml    # a MutatingWebhookConfiguration",
        fix: "Declare it in Git, or name it under `knownMutators` in gitward.yaml (`ControlPlane/RESOURCE` for what is no object of the cluster), or remove it.",
    },
    Row {
        rule: "runtime/stuck",
        title: "An object can be brought to what Git declares",
        why: "Some fields cannot be changed once they are set, and making the object anew would cost its data or its work. The rest of the object is brought to Git; these fields stay as they are until somebody decides.",
        example: r#"kind: PersistentVolumeClaim
spec:
  storageClassName: fast    # the live claim is bound with another class"#,
        fix: "Declare in Git what the object has become, or delete it so that it is made anew.",
    },
    Row {
        rule: "runtime/prune-bound",
        title: "One commit removes a bounded number of objects",
        why: "A wrong path or a moved directory makes a whole shop look undeclared. Past the bound nothing is removed.",
        example: "git rm -r prod/    # with more than 50 objects in it",
        fix: "If it is meant, raise `prune.max` of the environment in gitward.yaml; else put the manifests back.",
    },
    Row {
        rule: "runtime/not-pruned",
        title: "What Git declares no more can be removed",
        why: "Git stopped declaring the object, and the API server did not let it be read or deleted.",
        example: "",
        fix: "Give the reconciler's account the right, or take away what keeps the object; it is tried again with the next round.",
    },
];
