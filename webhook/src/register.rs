//! The registration with the API server: which requests it has to ask about, kept as it must be.

mod commits;
mod configuration;
mod conversions;
mod keeper;

pub use configuration::{Address, Converted, Registration, configuration, converted};
pub use conversions::{Conversions, Requested};
pub use keeper::{Keeper, keep};
