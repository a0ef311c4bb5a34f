//! Who installed an object, by the notes that tools leave on it. It tells whom to ask to let go; no
//! verdict rests on it.

use std::fmt;

use serde_json::Value;

use crate::object::{self, ObjectKey};

/// What a tool calls the set of objects that it installs and removes together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Installer {
    /// A Kustomization of Flux: its namespace and name.
    Kustomization(String, String),
    /// A HelmRelease of Flux: its namespace and name.
    HelmRelease(String, String),
    /// An Application of Argo CD: its name, in the namespace of Argo CD if it says no other.
    Application(String),
    /// A release that somebody installed with Helm: its namespace and name.
    Release(String, String),
}

impl fmt::Display for Installer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kustomization(namespace, name) => write!(f, "Flux's Kustomization {namespace}/{name}"),
            Self::HelmRelease(namespace, name) => write!(f, "Flux's HelmRelease {namespace}/{name}"),
            Self::Application(name) => write!(f, "Argo CD's Application {name}"),
            Self::Release(namespace, name) => write!(f, "Helm's release {namespace}/{name}"),
        }
    }
}

impl Installer {
    /// How it lets go of what it installed, so that nothing is removed.
    pub fn let_go(&self) -> &'static str {
        match self {
            Self::Kustomization(..) => {
                "suspend it before `mode: enforce`, and remove it only while it is suspended: otherwise it removes what it \
                 installed. If it installs other namespaces as well, turn its pruning off instead, take this one out of it, \
                 and turn pruning on again"
            }
            Self::HelmRelease(..) => {
                "suspend it before `mode: enforce`, and remove it only while it is suspended: otherwise it uninstalls its release"
            }
            Self::Application(..) => {
                "turn its automated sync off before `mode: enforce`, and remove it without cascade: otherwise it removes what \
                 it installed"
            }
            Self::Release(..) => "do not upgrade or uninstall it any more, and delete its release Secrets at the end",
        }
    }
}

/// Who says that it installed an object.
pub fn installers(object: &Value) -> Vec<Installer> {
    let of_label = |prefix: &str| {
        let label = |field: &str| object::label(object, &format!("{prefix}/{field}")).map(str::to_owned);
        label("namespace").zip(label("name"))
    };
    let annotation = |name: &str| object::annotation(object, name).map(str::to_owned);
    let kustomization = of_label("kustomize.toolkit.fluxcd.io").map(|(at, name)| Installer::Kustomization(at, name));
    let release = annotation("meta.helm.sh/release-namespace").zip(annotation("meta.helm.sh/release-name"));
    // Flux's HelmRelease installs by a release of Helm, which is not to be asked beside it.
    let helm = of_label("helm.toolkit.fluxcd.io")
        .map(|(at, name)| Installer::HelmRelease(at, name))
        .or_else(|| release.map(|(at, name)| Installer::Release(at, name)));
    let tracked = annotation("argocd.argoproj.io/tracking-id").and_then(|id| Some(id.split_once(':')?.0.to_owned()));
    let application = tracked.or_else(|| object::label(object, "argocd.argoproj.io/instance").map(str::to_owned));
    [kustomization, helm, application.map(Installer::Application)].into_iter().flatten().collect()
}

/// Kinds of Argo CD that say what it installs. Its other products share the group.
const OF_ARGO_CD: [&str; 3] = ["Application", "ApplicationSet", "AppProject"];

/// Why an object that tells a tool what to install is left where it is: with it in Git, the tool would go
/// on installing what Git declares itself.
pub(super) fn instructs(key: &ObjectKey) -> Option<&'static str> {
    if key.group.ends_with(".toolkit.fluxcd.io") {
        return Some("it tells Flux what to install; remove it when Flux has let go");
    }
    let is_argo_cds = key.group == "argoproj.io" && OF_ARGO_CD.contains(&key.kind.as_str());
    is_argo_cds.then_some("it tells Argo CD what to install; remove it when Argo CD has let go")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each tool's notes, as it writes them.
    #[test]
    fn who_installed_an_object_is_read_off_its_notes() {
        let flux =
            json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
        let helm_release = json!({"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop",
            "app.kubernetes.io/managed-by": "Helm"});
        let release = json!({"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"});
        let tracked = json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"});
        let tracked_elsewhere = json!({"argocd.argoproj.io/tracking-id": "teams_shop:/ConfigMap:shop/web"});
        let cases = [
            (json!({}), json!({}), &[][..]),
            (flux, json!({}), &["Flux's Kustomization flux-system/apps"]),
            (helm_release, release.clone(), &["Flux's HelmRelease shop/web"]),
            (json!({"app.kubernetes.io/managed-by": "Helm"}), release, &["Helm's release shop/web"]),
            (json!({"app.kubernetes.io/instance": "shop"}), tracked, &["Argo CD's Application shop"]),
            (json!({}), tracked_elsewhere, &["Argo CD's Application teams_shop"]),
            (json!({"argocd.argoproj.io/instance": "shop"}), json!({}), &["Argo CD's Application shop"]),
            // Any other tool's, or a person's.
            (json!({"app.kubernetes.io/instance": "shop"}), json!({}), &[]),
        ];
        for (labels, annotations, expected) in cases {
            let object = json!({"metadata": {"labels": labels, "annotations": annotations}});
            let found: Vec<String> = installers(&object).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{object}");
        }
    }

    #[test]
    fn what_tells_a_tool_what_to_install_is_known() {
        let is_told = |group: &str, kind: &str| instructs(&ObjectKey::new(group, kind, "shop", "x")).is_some();
        assert!(
            is_told("kustomize.toolkit.fluxcd.io", "Kustomization") && is_told("source.toolkit.fluxcd.io", "Bucket")
        );
        assert!(
            is_told("argoproj.io", "Application") && !is_told("argoproj.io", "Rollout") && !is_told("", "ConfigMap")
        );
    }
}
