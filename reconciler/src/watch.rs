//! What the reconciler watches.

use gitward_core::config::EnvironmentConfig;
use gitward_core::snapshot::Declared;
use gitward_index::scope;

use crate::state::State;

/// Watches what is served now, and returns when every watch has listed.
pub async fn everything_governed<'a>(
    state: &State,
    environment: &EnvironmentConfig,
    declared: impl Iterator<Item = &'a Declared>,
) {
    let kinds = scope::everything_governed(&state.index.discovery().table(), environment, declared);
    state.index.rescope(&kinds, &environment.namespaces);
    state.index.wait_synced().await;
}
