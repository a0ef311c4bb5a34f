//! The registration with the API server: which requests it has to ask about, kept as it must be.

mod configuration;
mod keeper;

pub use configuration::{Address, Registration, configuration};
pub use keeper::{Keeper, keep};
