//! A push converges.

use std::time::Duration;

use crate::fleet::converged;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_push_converges_and_everything_gets_ready() {
    let (stage, _) = converged().await.unwrap();
    let message = stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    assert!(message.contains("ready"), "{message}");
}
