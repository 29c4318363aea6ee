use super::*;
use crate::call::{Call, Occasion, Owner};
use crate::description::{Description, Want};
use crate::grants::{Grants, SecretBytes};
use crate::limits::Limits;
use crate::world::World;

/// Answers everything, so that whatever is refused was refused by the runtime.
struct Willing;

impl KubeCapability for Willing {
    fn read(&self, _: Duration) -> Result<Vec<Entry>, Refusal> {
        Ok(vec![Entry::new("password", "hunter2")])
    }

    fn token(&self, _: Duration) -> Result<SecretBytes, Refusal> {
        Ok(b"token".to_vec().into())
    }
}

impl VaultCapability for Willing {
    fn read(&self, _: &str, _: &[(String, String)], _: Duration) -> Result<VaultReply, Refusal> {
        Ok(VaultReply { body: b"{}".to_vec().into(), lease: None })
    }

    fn write(&self, _: &str, body: SecretBytes, _: Duration) -> Result<VaultReply, Refusal> {
        Ok(VaultReply { body, lease: None })
    }

    fn keys(&self, _: &str, _: Duration) -> Result<Vec<String>, Refusal> {
        Ok(vec![])
    }

    fn delete(&self, _: &str, _: Duration) -> Result<(), Refusal> {
        Ok(())
    }

    fn renew(&self, lease: &str, seconds: u64, _: Duration) -> Result<Lease, Refusal> {
        Ok(Lease { id: lease.to_owned(), seconds, renewable: true })
    }

    fn revoke(&self, _: &str, _: Duration) -> Result<(), Refusal> {
        Ok(())
    }
}

fn state(grants: Grants) -> State {
    let want = |label: &str, capability| Want { label: label.to_owned(), capability, about: String::new() };
    let description = Arc::new(Description {
        name: "probe".to_owned(),
        version: "1".to_owned(),
        summary: String::new(),
        config_schema: Arc::new(serde_json::Value::Bool(true)),
        fields: vec![],
        rules: vec![],
        wants: vec![want("object", Capability::Kube), want("prefix", Capability::Vault)],
    });
    let owner = Owner { namespace: "team".to_owned(), name: "app".to_owned() };
    let call = Call::new(owner, Occasion::Initial, 1).with_grants(grants);
    State::calling(&call, Limits::of(World::Generator), &description, Randomness::Denied)
}

fn read_kube(state: &mut State, label: &str) -> Result<usize, types::Refusal> {
    kube::Host::read(state, label.to_owned()).unwrap().map(|entries| entries.len())
}

#[test]
fn a_label_needs_a_want_and_a_grant_of_its_capability() {
    let kube = || Grant::Kube(Arc::new(Willing));
    let vault = || Grant::Vault(Arc::new(Willing));
    let denied = Err(types::Refusal::Denied);
    assert_eq!(read_kube(&mut state(Grants::none()), "object"), denied);
    assert_eq!(read_kube(&mut state(Grants::none().with("object", vault())), "object"), denied);
    assert_eq!(read_kube(&mut state(Grants::none().with("other", kube())), "other"), denied);
    assert_eq!(read_kube(&mut state(Grants::none().with("prefix", kube())), "prefix"), denied);
    assert_eq!(read_kube(&mut state(Grants::none().with("object", kube())), "object"), Ok(1));
}

#[test]
fn a_quota_refuses_and_the_calls_limit_stops() {
    let grants = Grants::none().with_quota("object", Grant::Kube(Arc::new(Willing)), 2);
    let mut state = state(grants);
    assert_eq!(read_kube(&mut state, "object"), Ok(1));
    assert_eq!(read_kube(&mut state, "object"), Ok(1));
    assert_eq!(read_kube(&mut state, "object"), Err(types::Refusal::Quota));
    state.usage.host_calls = state.limits.host_calls;
    assert!(kube::Host::read(&mut state, "object".to_owned()).is_err());
    assert_eq!(state.stopped, Some(Reason::HostDenied));
}

#[test]
fn paths_cannot_leave_their_prefix() {
    let mut state = state(Grants::none().with("prefix", Grant::Vault(Arc::new(Willing))));
    state.limits.host_calls = u32::MAX;
    let mut read = |path: &str| {
        vault::Host::read(&mut state, "prefix".to_owned(), path.to_owned(), vec![]).unwrap().map(|_| ())
    };
    for path in [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/..",
        "../a",
        "a/./b",
        "a/../b",
        "a%2f..",
        "%2e%2e/a",
        "a\0b",
        "a\\..\\b",
        "a?x=1",
        "a#b",
        "a\nb",
        &"a".repeat(PATH_BYTES + 1),
    ] {
        assert_eq!(read(path), Err(types::Refusal::Invalid), "{path:?}");
    }
    for path in ["a", "a/b", "data/app one", "a/...", "a/..b", "ä"] {
        assert_eq!(read(path), Ok(()), "{path:?}");
    }
}

#[test]
fn whatever_may_be_secret_taints_the_call() {
    struct Never;
    impl crate::call::LogSink for Never {
        fn line(&self, _: LogLevel, _: &str) {}
    }
    let mut state = state(Grants::none().with("object", Grant::Kube(Arc::new(Willing))));
    state.log.sink = Some(Arc::new(Never));
    state.log.tainted = false;
    log::Host::write(&mut state, log::Level::Info, "before\u{1b}[2J\n".to_owned()).unwrap();
    assert_eq!(state.log.lines, [(LogLevel::Info, "before\\u{1b}[2J\\n".to_owned())]);
    read_kube(&mut state, "object").unwrap();
    assert!(state.log.tainted);
    log::Host::write(&mut state, log::Level::Info, "after".to_owned()).unwrap();
    assert_eq!(state.log.lines.len(), 1);
}

#[test]
fn randomness_is_denied_counted_and_never_replaced() {
    let mut denied = state(Grants::none());
    assert!(entropy::Host::bytes(&mut denied, String::new(), 1).is_err());
    assert_eq!(denied.stopped, Some(Reason::HostDenied));

    let mut counted = state(Grants::none());
    counted.randomness = Randomness::Source(Arc::new(crate::random::SystemRandom));
    counted.limits.random_bytes = 40;
    assert_eq!(entropy::Host::bytes(&mut counted, String::new(), 40).unwrap().len(), 40);
    assert!(entropy::Host::bytes(&mut counted, String::new(), 1).is_err());
    assert_eq!(counted.stopped, Some(Reason::HostDenied));

    let mut broken = state(Grants::none());
    broken.randomness = Randomness::Source(Arc::new(crate::random::tests::Script::new(vec![])));
    assert!(entropy::Host::bytes(&mut broken, String::new(), 8).is_err());
    assert!(broken.random_failed);
}
