//! The fence: admission configuration.

use crate::case::{Case, case, delete, exists, gone, json_patch, merge, post, says};

const VWC: &str = "validatingwebhookconfigurations/gitward-prod";

pub(crate) fn cases() -> Vec<Case> {
    admission().into_iter().map(Case::person).collect()
}

fn admission() -> Vec<Case> {
    vec![
        case(
            "the registration's label",
            &[],
            vec![merge(VWC, r#"{"metadata":{"labels":{"NAME":"x"}}}"#)],
            says(VWC, "NAME"),
        ),
        case(
            "the registration made to fail open",
            &[],
            vec![json_patch(VWC, r#"[{"op":"add","path":"/metadata/annotations","value":{"evil":"NAME"}}]"#)],
            says(VWC, "NAME"),
        ),
        case(
            "another registration of gitward's name",
            &[],
            vec![post(
                "validatingwebhookconfigurations",
                r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"gitward-NAME"}}"#,
            )],
            exists("validatingwebhookconfigurations/gitward-NAME"),
        ),
        case(
            "a validating webhook that refuses everything",
            &[],
            vec![post(
                "validatingwebhookconfigurations",
                r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"NAME"},"webhooks":[{"name":"a.evil.example.org","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Ignore","timeoutSeconds":1,"clientConfig":{"url":"https://127.0.0.1:1/"},"objectSelector":{"matchLabels":{"nobody":"NAME"}},"rules":[{"apiGroups":["x"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["x"]}]}]}"#,
            )],
            exists("validatingwebhookconfigurations/NAME"),
        ),
        case(
            "a policy of the fence, deleted",
            &[],
            vec![delete("validatingadmissionpolicies/gitward-namespace")],
            gone("validatingadmissionpolicies/gitward-namespace"),
        ),
        case(
            "a policy of the fence, emptied",
            &[],
            vec![merge(
                "validatingadmissionpolicies/gitward-trust",
                r#"{"spec":{"failurePolicy":"Ignore","validations":[{"expression":"1 == 1"}]}}"#,
            )],
            says("validatingadmissionpolicies/gitward-trust", "1 == 1"),
        ),
        case(
            "a binding of the fence, deleted",
            &[],
            vec![delete("validatingadmissionpolicybindings/gitward-identities")],
            gone("validatingadmissionpolicybindings/gitward-identities"),
        ),
        case(
            "a binding of the fence, made to warn",
            &[],
            vec![merge(
                "validatingadmissionpolicybindings/gitward-registration",
                r#"{"spec":{"validationActions":["Warn"]}}"#,
            )],
            says("validatingadmissionpolicybindings/gitward-registration", "Warn"),
        ),
    ]
}
