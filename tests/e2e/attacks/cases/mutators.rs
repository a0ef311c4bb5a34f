//! What changes other people's objects on their way in, and defaults.

use crate::case::{Case, case, exists, is, merge, post, says};
use crate::fixtures::Fixture::{Class, Config, Idle, IngressClass, Priority};

pub(crate) fn cases() -> Vec<Case> {
    let guarded = "the API server asks no webhook about admission configuration";
    vec![
        case(
            "a mutating webhook",
            &[],
            vec![post("mutatingwebhookconfigurations", r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration","metadata":{"name":"NAME"},"webhooks":[{"name":"a.evil.example.org","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Ignore","timeoutSeconds":1,"clientConfig":{"url":"https://127.0.0.1:1/"},"objectSelector":{"matchLabels":{"nobody":"NAME"}},"rules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["configmaps"]}]}]}"#)],
            exists("mutatingwebhookconfigurations/NAME"),
        ),
        case(
            "a mutating policy",
            &[],
            vec![post("mutatingadmissionpolicies", r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingAdmissionPolicy","metadata":{"name":"NAME"},"spec":{"failurePolicy":"Ignore","reinvocationPolicy":"Never","matchConstraints":{"objectSelector":{"matchLabels":{"nobody":"NAME"}},"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["configmaps"]}]},"mutations":[{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"Object{metadata: Object.metadata{labels: {\"evil\": \"x\"}}}"}}]}}"#)],
            exists("mutatingadmissionpolicies/NAME"),
        ),
        case(
            "a binding of a mutating policy",
            &[],
            vec![post("mutatingadmissionpolicybindings", r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingAdmissionPolicyBinding","metadata":{"name":"NAME"},"spec":{"policyName":"nobody-NAME"}}"#)],
            exists("mutatingadmissionpolicybindings/NAME"),
        ),
        case(
            "a limit range that gives defaults",
            &[],
            vec![post("limitranges", r#"{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"NAME"},"spec":{"limits":[{"type":"PersistentVolumeClaim","max":{"storage":"100Gi"}}]}}"#)],
            exists("limitranges/NAME"),
        ),
        case(
            "another default storage class",
            &[],
            vec![post("storageclasses", r#"{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"NAME","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"evil.example.org/disk"}"#)],
            exists("storageclasses/NAME"),
        ),
        case(
            "a declared storage class made the default",
            &[Class],
            vec![merge("storageclasses/NAME", r#"{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}"#)],
            says("storageclasses/NAME", "is-default-class"),
        ),
        case(
            "a declared ingress class made the default",
            &[IngressClass],
            vec![merge("ingressclasses/NAME", r#"{"metadata":{"annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}}}"#)],
            says("ingressclasses/NAME", "is-default-class"),
        ),
        case(
            "a declared priority made the global default",
            &[Priority],
            vec![merge("priorityclasses/NAME", r#"{"globalDefault":true}"#)],
            is("priorityclasses/NAME", "/globalDefault", true),
        )
        .apart(),
        case(
            "another priority class, preferred to all",
            &[],
            vec![post("priorityclasses", r#"{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"NAME"},"value":1000000000}"#)],
            exists("priorityclasses/NAME"),
        ),
        case(
            "a runtime class that adds a toleration",
            &[],
            vec![post("runtimeclasses", r#"{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"NAME"},"handler":"evil","scheduling":{"tolerations":[{"operator":"Exists"}]}}"#)],
            exists("runtimeclasses/NAME"),
        ),
        case(
            "a quota of nothing, which stops all",
            &[],
            vec![post("resourcequotas", r#"{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"NAME"},"spec":{"hard":{"count/gadgets.example.org":"0"}}}"#)],
            exists("resourcequotas/NAME"),
        ),
        case(
            "a pull secret on the default account, by a patch",
            &[],
            vec![merge("serviceaccounts/default", r#"{"imagePullSecrets":[{"name":"NAME"}]}"#)],
            says("serviceaccounts/default", "NAME"),
        ),
        case(
            "a validating policy that keeps gitward from writing",
            &[Config],
            vec![post("validatingadmissionpolicies", r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"generateName":"x-","labels":{"who":"NAME"}},"spec":{"failurePolicy":"Fail","matchConstraints":{"resourceRules":[{"apiGroups":["nobodys.example.org"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}]},"validations":[{"expression":"false"}]}}"#)],
            exists("validatingadmissionpolicies?labelSelector=who%3DNAME"),
        )
        .person(),
        case(
            "an API served by a stranger",
            &[],
            vec![post("apiservices", r#"{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.evil-NAME.example.org"},"spec":{"group":"evil-NAME.example.org","version":"v1","groupPriorityMinimum":1000,"versionPriority":15,"insecureSkipTLSVerify":true,"service":{"namespace":"default","name":"evil"}}}"#)],
            exists("apiservices/v1.evil-NAME.example.org"),
        )
        .apart(),
        case(
            "a declared API served by a stranger",
            &[crate::fixtures::Fixture::Definition],
            vec![merge("apiservices/v2.NAME.example.org", r#"{"metadata":{"labels":{"kube-aggregator.kubernetes.io/automanaged":null}},"spec":{"insecureSkipTLSVerify":true,"service":{"namespace":"default","name":"evil","port":443}}}"#)],
            says("apiservices/v2.NAME.example.org", "\"evil\""),
        )
        .apart(),
        case(
            "a Deployment that a class of Git's would complete",
            &[Idle],
            vec![merge("deployments/NAME", r#"{"spec":{"template":{"spec":{"runtimeClassName":"evil"}}}}"#)],
            is("deployments/NAME", "/spec/template/spec/runtimeClassName", "evil"),
        ),
    ]
    .into_iter()
    .map(|c| if c.name.contains("mutating") { c.out_of_reach(guarded) } else { c })
    .collect()
}
