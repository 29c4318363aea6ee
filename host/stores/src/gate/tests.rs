use super::*;

async fn round(gate: &Arc<Gate>, health: Health) {
    gate.enter().await.expect("the gate is open").tell(health, Why::default());
}

async fn is_shut(gate: &Arc<Gate>) -> bool {
    match gate.enter().await {
        Ok(pass) => {
            pass.served();
            false
        }
        Err(Shut { pause: wait, .. }) => {
            assert!(wait > Duration::ZERO && wait <= LONGEST_PAUSE, "{wait:?}");
            true
        }
    }
}

#[tokio::test(start_paused = true)]
async fn silence_shuts_the_gate_only_after_several_in_a_row() {
    let gate = Gate::new();
    round(&gate, Health::Silent).await;
    round(&gate, Health::Silent).await;
    round(&gate, Health::Up).await;
    round(&gate, Health::Silent).await;
    round(&gate, Health::Silent).await;
    round(&gate, Health::Silent).await;
    assert!(is_shut(&gate).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_it_is_down_shuts_the_gate_at_once_for_as_long_as_it_says() {
    let gate = Gate::new();
    round(&gate, Health::Down(Some(Duration::from_secs(7)))).await;
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(is_shut(&gate).await);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(!is_shut(&gate).await);
}

#[tokio::test(start_paused = true)]
async fn no_server_may_ask_for_an_endless_pause() {
    let gate = Gate::new();
    round(&gate, Health::Down(Some(Duration::from_secs(86_400)))).await;
    tokio::time::advance(LONGEST_PAUSE).await;
    assert!(!is_shut(&gate).await);
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_and_its_verdict_counts() {
    let gate = Gate::new();
    round(&gate, Health::Down(None)).await;
    assert!(is_shut(&gate).await);
    tokio::time::advance(PROBE_INTERVAL).await;
    let probe = gate.enter().await.expect("the probe is let through");
    assert!(is_shut(&gate).await, "a second request while the probe is under way");
    probe.tell(Health::Silent, Why::default());
    assert!(is_shut(&gate).await, "the probe failed");
    tokio::time::advance(PROBE_INTERVAL).await;
    round(&gate, Health::Up).await;
    assert!(!is_shut(&gate).await);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_let_through_says_what_the_last_one_met() {
    let gate = Gate::new();
    let refused = std::io::Error::other("the server is sealed");
    let verdict = Verdict { health: Health::Down(None), advice: "unseal it", ..Verdict::silent() };
    gate.enter().await.expect("the gate is open").failed(&verdict, &refused);
    let Err(Shut { why, .. }) = gate.enter().await else { panic!("the gate is open") };
    assert_eq!((why.to_string().as_str(), why.advice), ("the server is sealed", "unseal it"));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_lets_another_one_through_later() {
    let gate = Gate::new();
    round(&gate, Health::Down(None)).await;
    tokio::time::advance(PROBE_INTERVAL).await;
    drop(gate.enter().await.expect("the probe is let through"));
    tokio::time::advance(PROBE_INTERVAL).await;
    assert!(!is_shut(&gate).await);
}

#[tokio::test(start_paused = true)]
async fn cancelled_requests_do_not_shut_the_gate() {
    let gate = Gate::new();
    for _ in 0..10 {
        drop(gate.enter().await.expect("the gate is open"));
    }
    assert!(!is_shut(&gate).await);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_requests_at_a_time() {
    let gate = Gate::new();
    let mut passes = Vec::new();
    for _ in 0..IN_FLIGHT {
        passes.push(gate.enter().await.expect("a free place"));
    }
    assert!(tokio::time::timeout(Duration::from_secs(1), gate.enter()).await.is_err(), "no place is left");
    passes.pop().expect("one").served();
    assert!(tokio::time::timeout(Duration::from_secs(1), gate.enter()).await.is_ok());
    passes.into_iter().for_each(|pass| pass.served());
}

#[tokio::test(start_paused = true)]
async fn whoever_queued_while_the_server_went_down_fails_fast() {
    let gate = Gate::new();
    let mut passes = Vec::new();
    for _ in 0..IN_FLIGHT {
        passes.push(gate.enter().await.expect("a free place"));
    }
    let queued = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.enter().await.map(|pass| pass.served()) }
    });
    tokio::task::yield_now().await;
    passes.pop().expect("one").tell(Health::Down(None), Why::default());
    assert!(queued.await.expect("no panic").is_err());
    drop(passes);
}
