//! Any bytes as the body of a call: a review or a refusal, and a request without a panic.
#![no_main]

use gitward_core::report::harmless;
use gitward_index::discovery::Table;
use gitward_webhook::review;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match review::parse(body) {
        Ok(review) => {
            assert!((1..=128).contains(&review.uid.len()));
            let request = review.request(&Table::default());
            assert_eq!(request.user.name, review.account());
        }
        Err(malformed) => {
            let told = malformed.to_string();
            assert!(told.len() < 1024 && harmless(&told) == told, "{told:?}");
        }
    }
});
