//! A review is answered, and what holds for every answer.

use gitward_core::derived::Context;
use gitward_core::report::harmless;
use gitward_core::trace;
use gitward_index::discovery::Table;
use gitward_webhook::review::{parse, respond};
use jiff::Timestamp;
use serde_json::Value;

use super::shop::{SECRET, Shop};

/// Judges the body of a call: `None` if it is no review, else the answer as it is sent.
///
/// # Panics
/// Where the answer is not what an API server reads, or says what it must not.
pub(crate) fn answered(shop: &Shop, body: &[u8]) -> Option<Value> {
    let review = parse(body).ok()?;
    let context = Context { snapshot: &shop.snapshot, live: &shop.cluster, now: Timestamp::UNIX_EPOCH };
    let verdict = trace::judge(&review.request(&Table::default()), &context);
    let sent = serde_json::to_string(&respond(&review, &verdict, &shop.snapshot, None)).expect("it is plain data");
    let asked = String::from_utf8_lossy(body);
    assert!(SECRET.iter().all(|value| !sent.contains(value) || asked.contains(value)), "{sent}");
    let answer: Value = serde_json::from_str(&sent).expect("JSON");
    check(&answer, &review.uid);
    Some(answer)
}

fn check(answer: &Value, uid: &str) {
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    let response = &answer["response"];
    assert_eq!(response["uid"], uid);
    let allowed = response["allowed"].as_bool().expect("a verdict");
    let message = response["status"]["message"].as_str();
    assert_eq!(allowed, message.is_none(), "{answer}");
    let message = message.unwrap_or_default();
    assert!(message.len() <= 8 * 1024, "{} bytes", message.len());
    assert!(message.lines().all(|line| harmless(line) == line), "{message:?}");
    for warning in response["warnings"].as_array().into_iter().flatten().map(|w| w.as_str().unwrap_or_default()) {
        assert!(warning.len() <= 256 && harmless(warning) == warning, "{warning:?}");
    }
    for (key, value) in response["auditAnnotations"].as_object().into_iter().flatten() {
        let value = value.as_str().expect("text");
        assert!(value.len() <= 1024 && harmless(value) == value, "{key}: {value:?}");
    }
}
