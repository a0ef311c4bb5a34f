//! Receipts: what the webhook writes into the status of a `BreakGlass` that it judged and let in.

use std::time::Duration;

use gitward_core::break_glass::Receipt;
use gitward_index::break_glass::BreakGlass;
use gitward_index::pauses::Pauses;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::{Instant, sleep};

/// A creation that is not stored by then never will be.
const WITHIN: Duration = Duration::from_secs(30);

/// Writes the receipt as soon as the object is there. Without it the glass stays whole: whoever
/// wants it broken asks anew.
pub fn write(client: Client, receipt: Receipt) {
    tokio::spawn(async move {
        let glasses: Api<BreakGlass> = Api::all(client);
        let deadline = Instant::now() + WITHIN;
        for pause in Pauses::default() {
            match written(&glasses, &receipt).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(name = receipt.name, %error, "a receipt cannot be written yet"),
            }
            if Instant::now() + pause > deadline {
                break;
            }
            sleep(pause).await;
        }
        tracing::warn!(name = receipt.name, "no receipt was written: the glass was never made, or is another");
    });
}

/// Whether it is written, or nothing is left to be written to.
async fn written(glasses: &Api<BreakGlass>, receipt: &Receipt) -> Result<bool, kube::Error> {
    let Some(glass) = glasses.get_opt(&receipt.name).await? else { return Ok(false) };
    if glass.uid().as_deref() != Some(receipt.uid.as_str()) {
        return Ok(true);
    }
    let body = json!({
        "metadata": {"uid": receipt.uid},
        "status": {"receipt": {"uid": receipt.uid, "account": receipt.account, "until": receipt.until.to_string()}},
    });
    glasses.patch_status(&receipt.name, &PatchParams::default(), &Patch::Merge(&body)).await?;
    tracing::info!(name = receipt.name, account = receipt.account, until = %receipt.until, "a glass is broken");
    Ok(true)
}
