//! The edits.

use super::Then::{Back, Gone, Nothing, Stays};
use super::{Edit, Input, Then};

const APP: &str = "prod/apps/{app}.yaml";
const WEB: &str = "prod/shop/web.yaml";
const CHECKOUT: &str = "prod/shop/checkout.yaml";
const MORE: &str = "prod/more.yaml";

const fn edit(name: &'static str, kubectl: &'static str, object: &'static str, then: Then) -> Edit {
    Edit { name, kubectl, input: Input::Nothing, object, says: &[], place: None, then }
}

impl Edit {
    const fn reads(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    const fn says(mut self, says: &'static [&'static str]) -> Self {
        self.says = says;
        self
    }

    const fn at(mut self, file: &'static str, text: &'static str) -> Self {
        self.place = Some((file, text));
        self
    }
}

const APP_OBJECT: &str = "deployment/{app} -n shop";

/// Every way past Git that the stories try.
pub(crate) const EDITS: &[Edit] = &[
    // A declared field.
    edit("set image", "set image deployment/{app} -n shop app=evil.example.com/app:6", APP_OBJECT, Back)
        .says(&[
            "spec.template.spec.containers[name=app].image",
            "Git declares \"registry.example.org/shop/app:1.4.2\"",
            "the request sets \"evil.example.com/app:6\"",
        ])
        .at(APP, "image:"),
    edit("kubectl edit", "edit deployment/{app} -n shop", APP_OBJECT, Back)
        .reads(Input::Editor("s/app:1.4.2/app:6.6.6/"))
        .says(&["containers[name=app].image", "app:6.6.6"])
        .at(APP, "image:"),
    edit(
        "strategic merge patch",
        r#"patch deployment/{app} -n shop -p '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"evil"}]}}}}'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["containers[name=app].image"])
    .at(APP, "image:"),
    edit(
        "JSON patch",
        r#"patch deployment/{app} -n shop --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/env/0/value","value":"debug"}]'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["env[name=MODE].value", "Git declares \"production\"", "\"debug\""])
    .at(APP, "value: production"),
    edit("kubectl replace", "replace -f -", APP_OBJECT, Back)
        .reads(Input::Live("registry.example.org/shop/app:1.4.2", "evil.example.com/app:1.4.2"))
        .says(&["containers[name=app].image"])
        .at(APP, "image:"),
    edit("kubectl apply", "apply -f -", APP_OBJECT, Back)
        .reads(Input::Text(
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{app}","namespace":"shop"},
                "spec":{"selector":{"matchLabels":{"app":"{app}"}},"template":{"metadata":{"labels":{"app":"{app}"}},
                "spec":{"containers":[{"name":"app","image":"evil.example.com/app:7"}]}}}}"#,
        ))
        .says(&["containers[name=app].image"])
        .at(APP, "image:"),
    edit(
        "server-side apply with force",
        "apply --server-side --force-conflicts --field-manager=gitward -f -",
        APP_OBJECT,
        Back,
    )
    .reads(Input::Text(
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{app}","namespace":"shop"},
            "spec":{"selector":{"matchLabels":{"app":"{app}"}},"template":{"metadata":{"labels":{"app":"{app}"}},
            "spec":{"containers":[{"name":"app","image":"evil.example.com/app:8"},{"name":"miner","image":"evil"}]}}}}"#,
    ))
    .says(&["containers[name=app].image", "containers[name=miner]", "Git does not declare it"])
    .at(APP, "image:"),
    edit("scale", "scale deployment/{app} -n shop --replicas=5", APP_OBJECT, Back)
        .says(&["Deployment/{app} in shop"]),
    edit("replicas in the object", r#"patch deployment/{app} -n shop -p '{"spec":{"replicas":0}}'"#, APP_OBJECT, Back)
        .says(&["spec.replicas: Git declares 1", "the request sets 0"])
        .at(APP, "replicas: 1"),
    edit(
        "a declared field removed",
        r#"patch deployment/{app} -n shop --type=json -p '[{"op":"remove","path":"/spec/template/spec/securityContext/runAsNonRoot"}]'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["securityContext.runAsNonRoot: Git declares true", "the request removes it"])
    .at(APP, "runAsNonRoot"),
    edit("a declared label changed", "label deployment/{app} -n shop --overwrite team=attackers", APP_OBJECT, Back)
        .says(&["metadata.labels.team: Git declares \"storefront\"", "\"attackers\""])
        .at(APP, "labels: {app: app-"),
    // A field that Git does not declare.
    edit(
        "a container added",
        r#"patch deployment/{app} -n shop -p '{"spec":{"template":{"spec":{"containers":[{"name":"miner","image":"evil"}]}}}}'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["spec.template.spec.containers[name=miner]", "Git does not declare it"])
    .at(APP, "containers:"),
    edit("a label added", "label deployment/{app} -n shop injected=yes", APP_OBJECT, Back)
        .says(&["metadata.labels.injected", "Git does not declare it"])
        .at(APP, "labels: {app: app-"),
    edit("an annotation added", "annotate deployment/{app} -n shop injected=yes", APP_OBJECT, Back)
        .says(&["metadata.annotations.injected", "Git does not declare it"]),
    edit("set env", "set env deployment/{app} -n shop LD_PRELOAD=/tmp/evil.so", APP_OBJECT, Back)
        .says(&["env[name=LD_PRELOAD]", "Git does not declare it"])
        .at(APP, "env:"),
    edit("set resources", "set resources deployment/{app} -n shop --limits=memory=1Gi", APP_OBJECT, Back)
        .says(&["resources.limits", "Git does not declare it"])
        .at(APP, "resources:"),
    edit("set serviceaccount", "set serviceaccount deployment/{app} -n shop web", APP_OBJECT, Back)
        .says(&["spec.template.spec.serviceAccountName"]),
    edit(
        "a volume of the host added",
        r#"patch deployment/{app} -n shop -p '{"spec":{"template":{"spec":{"volumes":[{"name":"host","hostPath":{"path":"/"}}]}}}}'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["volumes", "Git does not declare it"]),
    edit("a default changed", r#"patch deployment/{app} -n shop -p '{"spec":{"paused":true}}'"#, APP_OBJECT, Back)
        .says(&["spec.paused"]),
    edit(
        "a default changed to another value",
        r#"patch deployment/{app} -n shop -p '{"spec":{"revisionHistoryLimit":3}}'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["spec.revisionHistoryLimit", "the API server makes it 10", "the request sets 3"]),
    edit("a restart", "rollout restart deployment/{app} -n shop", APP_OBJECT, Nothing)
        .says(&["kubectl.kubernetes.io/restartedAt"]),
    edit(
        "a finalizer added",
        r#"patch deployment/{app} -n shop --type=merge -p '{"metadata":{"finalizers":["evil.example.com/stay"]}}'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["metadata.finalizers"]),
    edit(
        "an owner reference added",
        r#"patch deployment/{app} -n shop --type=merge -p '{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Secret","name":"payment","uid":"8e8f4f4e-0000-4000-8000-000000000000"}]}}'"#,
        APP_OBJECT,
        // The garbage collector removes the object for want of the owner; it is made again.
        Back,
    )
    .says(&["metadata.ownerReferences"]),
    edit(
        "metadata through the status",
        r#"patch deployment/{app} -n shop --subresource=status --type=merge -p '{"metadata":{"annotations":{"injected":"yes"}}}'"#,
        APP_OBJECT,
        Back,
    )
    .says(&["Deployment/{app} in shop/status"]),
    edit(
        "a finalizer through the status of a Service",
        r#"patch service/web -n shop --subresource=status --type=merge -p '{"metadata":{"finalizers":["evil.example.com/stay"]}}'"#,
        "service/web -n shop",
        Back,
    )
    .says(&["Service/web in shop/status"]),
    edit(
        "a forged status",
        r#"patch deployment/{app} -n shop --subresource=status --type=merge -p '{"status":{"replicas":9}}'"#,
        APP_OBJECT,
        Nothing,
    )
    .says(&["Deployment/{app} in shop/status"]),
    // Other kinds.
    edit("a ConfigMap's data", r#"patch configmap/web -n shop -p '{"data":{"greeting":"owned"}}'"#, "configmap/web -n shop", Back)
        .says(&["data.greeting: Git declares \"hello\"", "the request sets \"owned\""])
        .at(WEB, "greeting:"),
    edit("a ConfigMap's key added", r#"patch configmap/web -n shop -p '{"data":{"extra":"owned"}}'"#, "configmap/web -n shop", Back)
        .says(&["data.extra", "Git does not declare it"]),
    edit(
        "a ConfigMap made immutable",
        r#"patch configmap/web -n shop -p '{"immutable":true}'"#,
        "configmap/web -n shop",
        Back,
    )
    .says(&["immutable", "Git does not declare it"]),
    edit("a Secret's data", r#"patch secret/payment -n shop -p '{"data":{"token":"c3RvbGVu"}}'"#, "secret/payment -n shop", Back)
        .says(&["data.token: Git declares (value hidden)", "the request sets (value hidden)"])
        .at("prod/shop/payment.yaml", "token:"),
    edit(
        "a Service's selector",
        r#"patch service/web -n shop -p '{"spec":{"selector":{"app":"evil"}}}'"#,
        "service/web -n shop",
        Back,
    )
    .says(&["spec.selector.app: Git declares \"web\""])
    .at(WEB, "selector: {app: web}"),
    edit(
        "a Service's node port",
        r#"patch service/door -n shop --type=json -p '[{"op":"replace","path":"/spec/ports/0/nodePort","value":30999}]'"#,
        "service/door -n shop",
        Back,
    )
    .says(&["nodePort"]),
    edit(
        "a Service's cluster IP",
        // An address is let go only by another type.
        r#"patch service/door -n shop --type=merge -p '{"spec":{"type":"ExternalName","externalName":"evil.example.com","clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}}'"#,
        "service/door -n shop",
        Back,
    )
    .says(&["spec.type: Git declares \"NodePort\""])
    .at(MORE, "type: NodePort"),
    edit(
        "an external IP of a Service",
        r#"patch service/web -n shop -p '{"spec":{"externalIPs":["203.0.113.9"]}}'"#,
        "service/web -n shop",
        Back,
    )
    .says(&["spec.externalIPs", "Git does not declare it"]),
    edit(
        "an Ingress's class",
        r#"patch ingress/web -n shop -p '{"spec":{"ingressClassName":"evil"}}'"#,
        "ingress/web -n shop",
        Back,
    )
    .says(&["spec.ingressClassName", "Git does not declare it"]),
    edit(
        "an Ingress's backend",
        r#"patch ingress/web -n shop --type=json -p '[{"op":"replace","path":"/spec/rules/0/host","value":"evil.example.com"}]'"#,
        "ingress/web -n shop",
        Back,
    )
    .says(&["spec.rules", "evil.example.com"])
    .at(WEB, "- host:"),
    edit("an HPA's bound", r#"patch hpa/checkout -n shop -p '{"spec":{"maxReplicas":500}}'"#, "hpa/checkout -n shop", Back)
        .says(&["spec.maxReplicas: Git declares 5", "the request sets 500"])
        .at(CHECKOUT, "maxReplicas"),
    edit("scale past the HPA's bound", "scale deployment/checkout -n shop --replicas=9", "deployment/checkout -n shop", Nothing)
        .says(&["9 replicas are not within 2 and 5"]),
    edit(
        "a network policy's rule",
        r#"patch networkpolicy/web -n shop --type=merge -p '{"spec":{"ingress":[{}]}}'"#,
        "networkpolicy/web -n shop",
        Back,
    )
    .says(&["spec.ingress"])
    .at(MORE, "- ports:"),
    edit(
        "a disruption budget",
        r#"patch pdb/web -n shop --type=merge -p '{"spec":{"minAvailable":0}}'"#,
        "pdb/web -n shop",
        Back,
    )
    .says(&["spec.minAvailable: Git declares 1"])
    .at(MORE, "minAvailable"),
    edit("a role widened", r#"patch role/web -n shop --type=json -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]'"#, "role/web -n shop", Back)
        .says(&["rules"])
        .at("prod/shop/rbac.yaml", "- apiGroups"),
    edit("a verb added to a role", r#"patch role/web -n shop --type=json -p '[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]'"#, "role/web -n shop", Back)
        .says(&["rules"]),
    edit(
        "a subject added to a binding",
        r#"patch rolebinding/web -n shop --type=json -p '[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory","apiGroup":"rbac.authorization.k8s.io"}}]'"#,
        "rolebinding/web -n shop",
        Back,
    )
    .says(&["subjects"])
    .at("prod/shop/rbac.yaml", "- kind: ServiceAccount"),
    edit("a custom resource's field", r#"patch coupon/spring -n shop --type=merge -p '{"spec":{"percent":90}}'"#, "coupon/spring -n shop", Back)
        .says(&["spec.percent: Git declares 15", "the request sets 90"])
        .at("prod/shop/coupons.yaml", "percent: 15"),
    edit("a custom resource's default", r#"patch coupon/spring -n shop --type=merge -p '{"spec":{"once":false}}'"#, "coupon/spring -n shop", Back)
        .says(&["spec.once", "the API server makes it true"]),
    edit(
        "a definition's schema",
        r#"patch crd/coupons.shop.example.org --type=json -p '[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/percent/maximum","value":100}]'"#,
        "crd/coupons.shop.example.org",
        Back,
    )
    .says(&["maximum: Git declares 90"])
    .at("prod/setup/crd.yaml", "percent: {type: integer"),
    edit("a namespace's label", "label namespace/shop pod-security.kubernetes.io/enforce=privileged", "namespace/shop", Back)
        .says(&["metadata.labels", "Git does not declare it"]),
    edit("a storage class's annotation", "annotate storageclass/fast --overwrite storageclass.kubernetes.io/is-default-class=false", "storageclass/fast", Back)
        .says(&["metadata.annotations", "Git declares \"true\""])
        .at("prod/setup/storage.yaml", "is-default-class"),
    edit("a volume's path", r#"patch pv/ledger-disk-0 --type=merge -p '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'"#, "pv/ledger-disk-0", Back)
        .says(&["persistentVolumeReclaimPolicy: Git declares \"Retain\""])
        .at("prod/setup/storage.yaml", "persistentVolumeReclaimPolicy"),
    edit("a stateful set's image", "set image statefulset/ledger -n data ledger=evil", "statefulset/ledger -n data", Back)
        .says(&["containers[name=ledger].image"])
        .at("prod/data/ledger.yaml", "image:"),
    edit("a cron job's schedule", r#"patch cronjob/report -n data -p '{"spec":{"schedule":"* * * * *"}}'"#, "cronjob/report -n data", Back)
        .says(&["spec.schedule: Git declares \"0 0 1 1 *\""])
        .at(MORE, "schedule:"),
    edit("a claim's label", "label pvc/scratch -n data injected=yes", "pvc/scratch -n data", Back)
        .says(&["metadata.labels.injected", "Git does not declare it"]),
    edit("the label of a claim that a stateful set made", "label pvc/books-ledger-0 -n data injected=yes", "pvc/books-ledger-0 -n data", Nothing)
        .says(&["PersistentVolumeClaim/books-ledger-0 in data"]),
    edit("a Pod's label", "label pod/{pod} -n shop injected=yes", "pod/{pod} -n shop", Nothing)
        .says(&["Pod/{pod} in shop"]),
    edit("a Pod's image", "set image pod/{pod} -n shop web=evil", "pod/{pod} -n shop", Gone)
        .says(&["Pod/{pod} in shop"]),
    // Deletions.
    edit("delete a declared object", "delete deployment/{app} -n shop --wait=false", APP_OBJECT, Back)
        .says(&["is declared at prod/apps/{app}.yaml:1:1", "may not be deleted"]),
    edit("delete a declared Service", "delete service/web -n shop --wait=false", "service/web -n shop", Back)
        .says(&["is declared at prod/shop/web.yaml:", "may not be deleted"]),
    edit("delete a custom resource", "delete coupon/welcome -n shop --wait=false", "coupon/welcome -n shop", Back)
        .says(&["may not be deleted"]),
    edit("delete a role binding", "delete rolebinding/web -n shop", "rolebinding/web -n shop", Back)
        .says(&["may not be deleted"]),
    edit("delete a collection", "delete --raw /apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", "networkpolicy/web -n shop", Back)
        .says(&["NetworkPolicy/web in shop is declared", "may not be deleted"]),
    edit("delete a definition", "delete crd/coupons.shop.example.org --wait=false", "crd/coupons.shop.example.org", Nothing)
        .says(&["may not be deleted"]),
    edit("delete a namespace", "delete namespace/shop --wait=false", "namespace/shop", Nothing)
        .says(&["Namespace/shop is declared", "may not be deleted"]),
    edit("delete a claim", "delete pvc/books-ledger-0 -n data --wait=false", "pvc/books-ledger-0 -n data", Nothing)
        .says(&["PersistentVolumeClaim/books-ledger-0 in data"]),
    edit("delete a Pod", "delete pod/{pod} -n shop --wait=false", "pod/{pod} -n shop", Nothing)
        .says(&["Pod/{pod} in shop"]),
    edit("delete a ReplicaSet", "delete replicasets -n shop -l app={app} --wait=false", APP_OBJECT, Nothing)
        .says(&["ReplicaSet/{app}-"]),
    // Objects that Git does not declare.
    edit("create a Pod", "run evil -n shop --image=evil", "pod/evil -n shop", Gone)
        .says(&["Pod/evil in shop is not declared in Git", "add a manifest under prod and push to main"]),
    edit("create a Deployment", "create deployment evil -n shop --image=evil", "deployment/evil -n shop", Gone)
        .says(&["Deployment/evil in shop is not declared in Git"]),
    edit("create a Job", "create job evil -n shop --image=evil", "job/evil -n shop", Gone)
        .says(&["Job/evil in shop is not declared in Git"]),
    edit("create a Job from a declared CronJob", "create job evil-2 -n data --from=cronjob/report", "job/evil-2 -n data", Gone)
        .says(&["Job/evil-2 in data"]),
    edit("create a CronJob", "create cronjob evil -n shop --image=evil --schedule='* * * * *'", "cronjob/evil -n shop", Gone)
        .says(&["CronJob/evil in shop is not declared in Git"]),
    edit("create a ConfigMap", "create configmap evil -n shop --from-literal=a=b", "configmap/evil -n shop", Gone)
        .says(&["ConfigMap/evil in shop is not declared in Git"]),
    edit("expose a Deployment", "expose deployment/web -n shop --name=evil --port=80", "service/evil -n shop", Gone)
        .says(&["Service/evil in shop is not declared in Git"]),
    edit("create an HPA", "create -f -", "hpa/evil -n shop", Gone)
        .reads(Input::Text(
            r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"evil","namespace":"shop"},
                "spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"minReplicas":9,"maxReplicas":9}}"#,
        ))
        .says(&["HorizontalPodAutoscaler/evil in shop is not declared in Git"]),
    edit("create a service account", "create serviceaccount evil -n shop", "serviceaccount/evil -n shop", Gone)
        .says(&["ServiceAccount/evil in shop is not declared in Git"]),
    edit("create a role", "create role evil -n shop --verb=* --resource=secrets", "role/evil -n shop", Gone)
        .says(&["Role/evil in shop is not declared in Git"]),
    edit("create a role binding", "create rolebinding evil -n shop --clusterrole=admin --user=mallory", "rolebinding/evil -n shop", Gone)
        .says(&["RoleBinding/evil in shop is not declared in Git"]),
    edit("create an Ingress", "create ingress evil -n shop --rule=evil.example.com/*=web:80", "ingress/evil -n shop", Gone)
        .says(&["Ingress/evil in shop is not declared in Git"]),
    edit("create a quota", "create quota evil -n shop --hard=pods=1", "quota/evil -n shop", Gone)
        .says(&["ResourceQuota/evil in shop is not declared in Git"]),
    edit("create a disruption budget", "create pdb evil -n data --selector=app=ledger --min-available=1", "pdb/evil -n data", Gone)
        .says(&["PodDisruptionBudget/evil in data is not declared in Git"]),
    edit("create a custom resource", "create -f -", "coupon/evil -n shop", Gone)
        .reads(Input::Text(r#"{"apiVersion":"shop.example.org/v1","kind":"Coupon","metadata":{"name":"evil","namespace":"shop"},"spec":{"percent":90}}"#))
        .says(&["Coupon/evil in shop is not declared in Git"]),
    edit("create a storage class", "create -f -", "storageclass/evil", Gone)
        .reads(Input::Text(r#"{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"evil"},"provisioner":"evil.example.com"}"#))
        .says(&["StorageClass/evil is not declared in Git"]),
    edit(
        "create a Pod that looks like a declared Deployment's",
        "create -f -",
        "pod/web-imposter -n shop",
        Gone,
    )
    .reads(Input::Text(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-imposter","namespace":"shop","labels":{"app":"web"}},
            "spec":{"containers":[{"name":"web","image":"evil"}]}}"#,
    ))
    .says(&["Pod/web-imposter in shop"]),
    edit("create a Secret", "create secret generic evil -n shop --from-literal=a=b", "secret/evil -n shop", Stays)
        .says(&["Secret/evil in shop is not declared in Git"]),
    edit("create a claim", "create -f -", "pvc/evil -n shop", Stays)
        .reads(Input::Text(
            r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"evil","namespace":"shop"},
                "spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}"#,
        ))
        .says(&["PersistentVolumeClaim/evil in shop is not declared in Git"]),
    edit("create a volume", "create -f -", "pv/evil", Stays)
        .reads(Input::Text(
            r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"evil"},"spec":{"capacity":{"storage":"1Gi"},
                "accessModes":["ReadWriteOnce"],"storageClassName":"other","hostPath":{"path":"/"}}}"#,
        ))
        .says(&["PersistentVolume/evil is not declared in Git"]),
    // What leaves nothing behind.
    edit("exec", "exec {pod} -n shop -c web -- id", "pod/{pod} -n shop", Nothing)
        .says(&["Pod/{pod} in shop/exec", "connections leave no trace in Git"]),
    edit("attach", "attach {pod} -n shop -c web", "pod/{pod} -n shop", Nothing)
        .says(&["Pod/{pod} in shop/attach"]),
    edit("an ephemeral container", "debug {pod} -n shop --image=evil --target=web -c debugger", "pod/{pod} -n shop", Nothing)
        .says(&["Pod/{pod} in shop/ephemeralcontainers"]),
    edit("a token", "create token web -n shop", "serviceaccount/web -n shop", Nothing)
        .says(&["ServiceAccount/web in shop/token"]),
    edit("a forged binding", "create --raw /api/v1/namespaces/shop/pods/{pod}/binding -f -", "pod/{pod} -n shop", Nothing)
        .reads(Input::Text(
            r#"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"{pod}","namespace":"shop"},
                "target":{"apiVersion":"v1","kind":"Node","name":"node-0"}}"#,
        ))
        .says(&["in shop"]),
];
