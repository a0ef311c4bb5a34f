//! Rules about changes in the cluster that Git does not explain.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "trace/undeclared-field",
        title: "Git declares every field",
        why: "A field that Git does not declare, and that neither the API server nor a controller has cause to set, is nobody's decision: an added container, label or right.",
        example: "kubectl label deployment web owner=me",
        fix: "Add the field to the manifest and push.",
    },
    Row {
        rule: "trace/declared-field",
        title: "A declared field has its declared value",
        why: "The cluster runs what Git says. A change by hand would be undone, and is told so at once.",
        example: "kubectl scale deployment web --replicas=9",
        fix: "Change the manifest at the place named and push.",
    },
    Row {
        rule: "trace/defaulted-field",
        title: "A field that the API server fills in keeps its value",
        why: "What the API server makes of the manifest is part of what was declared.",
        example: r#"kubectl patch service web -p '{"spec":{"sessionAffinity":"ClientIP"}}'"#,
        fix: "Declare the field in the manifest and push.",
    },
    Row {
        rule: "trace/undeclared-object",
        title: "Git declares every object",
        why: "In a governed namespace nothing runs that Git did not say, and that no controller makes from what Git says.",
        example: "kubectl create deployment test --image=nginx:1.29.1",
        fix: "Add a manifest and push, or use a namespace that no environment governs.",
    },
    Row {
        rule: "trace/declared-delete",
        title: "Declared objects are not deleted",
        why: "Git still says that the object exists; it would come back.",
        example: "kubectl delete deployment web",
        fix: "Remove the manifest and push.",
    },
    Row {
        rule: "trace/connect",
        title: "Connections into Pods are exempted by name",
        why: "exec, attach and port-forward change what runs and leave no trace in Git.",
        example: "kubectl exec -it web-0 -- sh",
        fix: "Exempt the account in gitward.yaml for as long as it needs it.",
    },
    Row {
        rule: "trace/no-rule",
        title: "Every change has an origin",
        why: "The change is neither declared, nor a default, nor what a controller makes of a declared object, nor exempted. What is not understood is denied.",
        example: "",
        fix: "Make the change in Git and push; if a controller does this rightly, exempt its account for these fields in gitward.yaml.",
    },
    Row {
        rule: "trace/not-learnt",
        title: "What the API server makes of a manifest is known first",
        why: "A write is compared with what the API server makes of the declared object; for a new commit this is learnt first.",
        example: "",
        fix: "Wait a moment and try again; the Environment's status says what stands in the way.",
    },
    Row {
        rule: "trace/other-version",
        title: "An object is compared in the version that Git declares it in",
        why: "Versions of a kind differ in their fields. Requests in another served version are converted by the API server; this one could not be, for example since Git declares objects of one kind in several versions.",
        example: "kubectl edit horizontalpodautoscalers.v1.autoscaling web   # declared as autoscaling/v2",
        fix: "Make the change in Git and push; declare all objects of a kind in one version.",
    },
    Row {
        rule: "trace/malformed-review",
        title: "An admission review is complete",
        why: "A request without its object cannot be judged.",
        example: "",
        fix: "Look at the API server's version and at what stands between it and gitward.",
    },
    Row {
        rule: "trace/break-glass",
        title: "Only whom Git names breaks a glass",
        why: "Break-glass is for the hour in which Git cannot be waited for: who may, over what and for how long at most stands in Git. A request for it beyond that is denied; what it lets through is warned of, and undone when it ends.",
        example: r#"kind: BreakGlass
spec:
  declaration: on-call
  reason: ""    # say why"#,
        fix: "Ask for what the declaration under breakGlass in gitward.yaml gives, with a reason, or have Git declare it. Push what is to stay before the time is over.",
    },
];
