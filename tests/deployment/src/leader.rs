//! Two replicas on the real API server: one writes at a time, another takes over when it dies, and at once when it stops in good order.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::audit::Asked;
use crate::cluster::{Cluster, until};
use crate::operator::Operator;

const LEASE: Duration = Duration::from_secs(6);
const DEADLINE: Duration = Duration::from_secs(4);
const PERIOD: Duration = Duration::from_secs(1);
/// For a machine that has much else to do.
const SLACK: Duration = Duration::from_secs(6);

fn candidate(cluster: &Cluster) -> Operator {
    let time = |name: &str, time: Duration| format!("--leader-elect-{name}={}s", time.as_secs());
    cluster.run(&[
        "--leader-elect",
        &time("lease-duration", LEASE),
        &time("renew-deadline", DEADLINE),
        &time("retry-period", PERIOD),
    ])
}

fn leads(operator: &Operator) -> bool {
    operator.page("/readyz?verbose").1.contains("[+]election ok: leading")
}

fn stands_by(operator: &Operator) -> bool {
    let (code, text) = operator.page("/readyz?verbose");
    code == 200 && text.contains("[+]election ok: standing by for ")
}

fn writes(cluster: &Cluster, token_id: &str) -> Vec<Asked> {
    cluster.audit.of(token_id).into_iter().filter(Asked::writes).collect()
}

/// Something to write each second.
fn busy(cluster: &Cluster) {
    let generators = "generators.external-secrets.io/v1alpha1";
    let reference = json!({"apiVersion": generators, "kind": "Password", "name": "password"});
    cluster.apply(
        "default",
        &[
            json!({
                "apiVersion": generators, "kind": "Password", "metadata": {"name": "password"},
                "spec": {"length": 24, "digits": 5, "symbols": 0, "allowRepeat": true, "noUpper": false},
            }),
            json!({
                "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "busy"},
                "spec": {"refreshInterval": "1s", "dataFrom": [{"sourceRef": {"generatorRef": reference}}]},
            }),
        ],
    );
}

#[test]
fn one_writes_at_a_time() {
    let Some(cluster) = Cluster::installed() else { return };
    busy(&cluster);
    let first = candidate(&cluster);
    until("the first leads", || leads(&first));
    let second = candidate(&cluster);
    until("the second stands by", || stands_by(&second));
    let status = |operator: &Operator, wanted: u8| {
        let line = format!("leader_election_master_status{{name=\"keymill\"}} {wanted}\n");
        operator.page("/metrics").1.contains(&line)
    };
    assert!(status(&first, 1) && status(&second, 0));
    let (one, two) = (first.token_id.clone(), second.token_id.clone());
    until("the first writes", || writes(&cluster, &one).len() > 20);

    first.program.kill().unwrap();
    let killed = Instant::now();
    until("the second leads", || leads(&second));
    let took = killed.elapsed();
    // The first renewed it last within its deadline before; the second looks at it every one to two periods.
    assert!(took > LEASE - DEADLINE && took < LEASE + 2 * PERIOD + SLACK, "{took:?}");
    until("the second writes", || writes(&cluster, &two).len() > 20);

    let third = candidate(&cluster);
    until("the third stands by", || stands_by(&third));
    let three = third.token_id.clone();
    let (code, output) = second.terminate();
    let stopped = Instant::now();
    assert!(code == Some(0) && output.contains("the Lease is given back"), "{output}");
    until("the third leads", || leads(&third));
    let took = stopped.elapsed();
    assert!(took < LEASE - PERIOD, "it did not wait for the end of the Lease: {took:?}");
    until("the third writes", || writes(&cluster, &three).len() > 20);
    assert_eq!(third.terminate().0, Some(0));

    let all = [&one, &two, &three].map(|token| writes(&cluster, token));
    for pair in all.windows(2) {
        let (last, first) = (pair[0].last().unwrap(), pair[1].first().unwrap());
        assert!(last.at < first.at, "{last:?} came after {first:?}");
    }
}
