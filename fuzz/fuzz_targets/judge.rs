//! Any review against a small environment: always an answer, in one piece, within bounds, harmless to
//! terminals, and without the Secret's value. See `webhook/tests/reviews`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[path = "../../webhook/tests/reviews/answer.rs"]
mod answer;
#[path = "../../webhook/tests/reviews/shop.rs"]
mod shop;

thread_local! {
    static SHOP: shop::Shop = shop::Shop::open();
}

fuzz_target!(|bytes: &[u8]| SHOP.with(|shop| judge(shop, bytes)));

fn judge(shop: &shop::Shop, bytes: &[u8]) {
    answer::answered(shop, bytes);
    // Most bytes are no review, so that they are tried as the parts of one as well.
    let Ok(Value::Object(parts)) = serde_json::from_slice(bytes) else { return };
    for (kind, resource, name) in
        [("Deployment", "deployments", "web"), ("ReplicaSet", "replicasets", "web-5597669dc4")]
    {
        let mut request = json!({
            "uid": "u-1", "name": name, "namespace": "shop", "operation": "UPDATE",
            "kind": {"group": "apps", "version": "v1", "kind": kind},
            "resource": {"group": "apps", "version": "v1", "resource": resource},
            "userInfo": {"username": "system:serviceaccount:kube-system:deployment-controller"},
        });
        for (part, value) in &parts {
            request[part] = value.clone();
        }
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
        answer::answered(shop, review.to_string().as_bytes());
    }
}
