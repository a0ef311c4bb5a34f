//! Tells versions of the engine apart that have the same number: the digest of everything that a finding
//! may come from.

include!("../tools/digest/digest.rs");

fn main() -> io::Result<()> {
    tell("GITWARD_ENGINE", &["src", "schemas", "../policies", "../Cargo.lock", "Cargo.toml"])
}
