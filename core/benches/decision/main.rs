//! Time of one decision in the process: `cargo bench -p gitward-core --bench decision`.
//!
//! Each request is judged by snapshots of 100 and of 10,000 declared objects.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gitward_core::derived::Context;
use gitward_core::request::{Operation, Request, User};
use gitward_core::trace::judge;
use gitward_core::verdict::Verdict;
use jiff::Timestamp;

mod shop;

use shop::{Shop, Write};

fn decide(write: &Write, shop: &Shop) -> Verdict {
    let user = User {
        name: write.account.to_owned(),
        groups: vec!["system:authenticated".to_owned()],
        uid: "u".to_owned(),
        has_credential_id: true,
        ..User::default()
    };
    let request = Request {
        operation: if write.old.is_some() { Operation::Update } else { Operation::Create },
        key: write.key.clone(),
        resource: write.resource,
        subresource: "",
        user,
        object: Some(&write.new),
        old_object: write.old.as_ref(),
        options: None,
        dry_run: false,
    };
    let now = Timestamp::UNIX_EPOCH;
    judge(&request, &Context { snapshot: &shop.snapshot, live: &shop.cluster, now })
}

fn decisions(criterion: &mut Criterion) {
    let bytes = serde_json::to_string(&Write::nothing().new).unwrap_or_default().len();
    assert!((8500..9500).contains(&bytes), "the Deployment has {bytes} bytes");
    let mut group = criterion.benchmark_group("decision");
    group.sample_size(50).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    for objects in [100, 10_000] {
        let mut shop = Shop::with(objects);
        for (name, write, allowed) in [
            ("UPDATE Deployment towards Git", Write::convergence(), true),
            ("UPDATE Deployment, nothing changes", Write::nothing(), true),
            ("UPDATE Deployment, denied", Write::denied(), false),
            ("CREATE ReplicaSet", Write::replica_set(), true),
            ("CREATE Pod", Write::pod(), true),
        ] {
            if write.resource == "pods" {
                shop = shop.with_replica_set();
            }
            let verdict = decide(&write, &shop);
            assert_eq!(verdict.allowed(), allowed, "{name}: {verdict:?}");
            group.bench_function(BenchmarkId::new(name, objects), |b| b.iter(|| decide(black_box(&write), &shop)));
        }
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
