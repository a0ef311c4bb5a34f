//! What the types alone cannot say of delegations.

use super::Check;
use crate::config::{Delegation, Injects, Makes, OwnerRule, Sets};
use crate::delegation::bounds_images;
use crate::exemption::parse_fields;
use crate::path::FieldPath;

const RULE: &str = "config/delegation";

/// Kinds whose content is a right, or decides what others may do: an operator that makes them could
/// give itself anything.
const NEVER_MADE: [&str; 4] =
    ["rbac.authorization.k8s.io", "admissionregistration.k8s.io", "apiregistration.k8s.io", "gitward.dev"];

const RIGHTS: [&str; 12] = [
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "MutatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicyBinding",
    "APIService",
    "Environment",
];

const MUTATORS: [&str; 2] = ["MutatingWebhookConfiguration", "MutatingAdmissionPolicy"];

/// Kinds that are Pods, or of which controllers make some.
const WORKLOADS: [&str; 8] =
    ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController"];

impl Check<'_> {
    pub(super) fn delegation(&mut self, delegation: &Delegation, at: &FieldPath) {
        let configuration = self.configuration;
        let same = |other: &&Delegation| other.name == delegation.name;
        if configuration.delegations.iter().filter(same).count() > 1 {
            let message = format!("{:?} is named twice", delegation.name);
            self.report(RULE, &at.field("name"), message, "give each delegation a name of its own");
        }
        let works_itself = !delegation.makes.is_empty() || !delegation.sets.is_empty();
        let empty = |values: &[String]| values.is_empty() || values.iter().any(|v| v.trim().is_empty());
        let needed = [
            ("name", delegation.name.trim().is_empty()),
            ("reason", delegation.reason.trim().is_empty()),
            ("accounts", works_itself && empty(&delegation.accounts)),
        ];
        for (field, missing) in needed {
            if missing {
                let message = format!("delegation {:?} has no {field}", delegation.name);
                self.report(RULE, &at.field(field), message, "say which operator may do what, and why");
            }
        }
        if !works_itself && delegation.injects.is_empty() {
            let message = format!("delegation {:?} allows nothing", delegation.name);
            self.report(RULE, at, message, "say under `makes`, `sets` or `injects` what the operator does");
        }
        for (i, makes) in delegation.makes.iter().enumerate() {
            self.makes(makes, &at.field("makes").index(i));
        }
        for (i, sets) in delegation.sets.iter().enumerate() {
            self.sets(sets, &at.field("sets").index(i));
        }
        for (i, injects) in delegation.injects.iter().enumerate() {
            self.injects(injects, &at.field("injects").index(i));
        }
    }

    fn injects(&mut self, injects: &Injects, at: &FieldPath) {
        let named = injects.mutator.split_once('/').filter(|(kind, name)| MUTATORS.contains(kind) && !name.is_empty());
        if named.is_none() {
            let message = format!("{:?} is no mutator", injects.mutator);
            self.report(RULE, &at.field("mutator"), message, "write it like `MutatingWebhookConfiguration/name`");
        }
        if !injects.containers.is_empty() && injects.images.is_empty() {
            let hint = "name the images under `images`";
            self.report(RULE, at, "the containers run images, and none is allowed", hint);
        }
        for (i, namespace) in injects.namespaces.iter().enumerate() {
            self.namespace(namespace, true, &at.field("namespaces").index(i));
        }
        for (field, patterns) in [
            ("containers", &injects.containers),
            ("volumes", &injects.volumes),
            ("env", &injects.env),
            ("labels", &injects.labels),
            ("annotations", &injects.annotations),
        ] {
            self.patterns(field, patterns, at);
        }
        self.images(&injects.images, at);
        self.policy_names(&injects.policies, at);
    }

    fn makes(&mut self, makes: &Makes, at: &FieldPath) {
        self.scope(&makes.kinds, &makes.namespaces, &makes.names, at);
        for (i, kind) in makes.kinds.iter().enumerate() {
            let (name, group) = kind.split_once('.').unwrap_or((kind, ""));
            if NEVER_MADE.contains(&group) || (group.is_empty() && RIGHTS.contains(&name)) {
                let message = format!("{kind} decides what others may do, and is not left to an operator");
                self.report(RULE, &at.field("kinds").index(i), message, "declare such objects in Git");
            }
            if WORKLOADS.contains(&name) && makes.images.is_empty() {
                let message = format!("a {name} runs images, and none is allowed");
                self.report(RULE, &at.field("kinds").index(i), message, "name the images under `images`");
            }
        }
        self.patterns("serviceAccounts", &makes.service_accounts, at);
        self.images(&makes.images, at);
        self.policy_names(&makes.policies, at);
        for (i, owner) in makes.owners.iter().enumerate() {
            self.owner(owner, &at.field("owners").index(i));
        }
    }

    fn owner(&mut self, owner: &OwnerRule, at: &FieldPath) {
        self.kind_name(&owner.kind, &at.field("kind"));
        if owner.annotation.as_deref().is_some_and(|a| a.trim().is_empty()) {
            self.report(RULE, &at.field("annotation"), "the annotation is empty", "name it, or leave the field out");
        }
        if owner.name_field.as_deref().is_some_and(|f| parse_fields(f).is_empty()) {
            let message = "nameField is no path of fields";
            self.report(RULE, &at.field("nameField"), message, "write it like `spec.secretName`");
        }
    }

    fn sets(&mut self, sets: &Sets, at: &FieldPath) {
        self.scope(&sets.kinds, &sets.namespaces, &sets.names, at);
        self.policy_names(&sets.policies, at);
        if sets.fields.is_empty() {
            self.report(RULE, at, "no fields are named", "name the fields that the operator sets, such as `status`");
        }
        for (i, field) in sets.fields.iter().enumerate() {
            if parse_fields(field).is_empty() {
                let message = format!("{field:?} is no path of fields");
                self.report(RULE, &at.field("fields").index(i), message, "write it like `metadata.finalizers`");
            }
        }
    }

    fn scope(&mut self, kinds: &[String], namespaces: &[String], names: &[String], at: &FieldPath) {
        if kinds.is_empty() {
            self.report(RULE, at, "no kinds are named", "name them as `Kind` or `Kind.group`");
        }
        for (i, kind) in kinds.iter().enumerate() {
            self.kind_name(kind, &at.field("kinds").index(i));
        }
        for (i, namespace) in namespaces.iter().enumerate() {
            self.namespace(namespace, true, &at.field("namespaces").index(i));
        }
        self.patterns("names", names, at);
    }

    /// Whether there are such policies is asked once they are read.
    fn policy_names(&mut self, policies: &[String], at: &FieldPath) {
        for (i, policy) in policies.iter().enumerate().filter(|(_, p)| p.trim().is_empty()) {
            let message = format!("{policy:?} names no policy");
            self.report(RULE, &at.field("policies").index(i), message, "write its package, like `ceiling.retention`");
        }
    }

    /// A `*` stands at the end, or nowhere; alone it would be no bound.
    fn patterns(&mut self, field: &str, patterns: &[String], at: &FieldPath) {
        for (i, pattern) in patterns.iter().enumerate() {
            let fixed = pattern.strip_suffix('*').unwrap_or(pattern);
            if fixed.contains('*') || fixed.trim().is_empty() {
                let message = format!("{pattern:?} is neither a whole name nor the beginning of one with `*`");
                let is_image = field == "images";
                let hint =
                    if is_image { "write it like `registry.example.org/app/*`" } else { "write it like `app-*`" };
                self.report(RULE, &at.field(field).index(i), message, hint);
            }
        }
    }

    /// Of images a `*` stands for tags, digests, or repositories below one.
    fn images(&mut self, images: &[String], at: &FieldPath) {
        self.patterns("images", images, at);
        for (i, image) in images.iter().enumerate() {
            if image.strip_suffix('*').is_some_and(|fixed| !fixed.trim().is_empty() && !bounds_images(fixed)) {
                let message = format!("{image:?} stands for other repositories, or registries, that begin so as well");
                let hint = "end it after the repository, like `registry.example.org/app:*`, or after a `/`";
                self.report(RULE, &at.field("images").index(i), message, hint);
            }
        }
    }
}
