//! The relay's routes, with a body of any bytes, by a device that is signed in. The first byte says which route; the relay is one for
//! all inputs of a thread.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use mecum_relay::simulated::Wire;
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::VerifyingKey;
use mecum_seal::testing::SeededEntropy;
use mecum_sync::limits::MAX_SMALL_FRAME_BYTES;
use mecum_sync::testing::Actor as Device;
use mecum_sync::{Challenge, EnrolRequest, PROTOCOL_VERSION, SessionGrant, SignIn, Signed, decode, encode};
use tokio::runtime::{Builder, Runtime};

const PATHS: [(&str, &str); 11] = [
    ("POST", "/v1/enrol"),
    ("POST", "/v1/session"),
    ("POST", "/v1/recover"),
    ("POST", "/v1/challenge"),
    ("POST", "/v1/sync"),
    ("PUT", "/v1/mailbox/00112233445566778899aabbccddeeff/offer"),
    ("PUT", "/v1/mailbox/00112233445566778899aabbccddeeff/join"),
    ("POST", "/v1/helpers/ask"),
    ("POST", "/v1/helpers/fetch"),
    ("POST", "/v1/helpers/part"),
    ("POST", "/v1/helpers/stop"),
];

struct Served {
    runtime: Runtime,
    wire: Wire,
    key: VerifyingKey,
    token: String,
    _folder: tempfile::TempDir,
}

thread_local! {
    static SERVED: RefCell<Option<Served>> = const { RefCell::new(None) };
}

fn serve() -> Served {
    let open = Rate { burst: 1e12, per_second: 1e12 };
    let limits = Limits {
        requests_per_source: open,
        failures_per_source: open,
        mailboxes_per_source: open,
        short_mailboxes_per_account: open,
        helper_asks_per_source: open,
        syncs_per_device: open,
        ..Limits::default()
    };
    let options = RelayOptions {
        limits,
        entropy: Arc::new(SeededEntropy::new(1)),
        log: Arc::new(|_| {}),
        ..RelayOptions::default()
    };
    let folder = in_memory();
    let relay = Relay::open(folder.path(), options).expect("a fresh folder takes a relay");
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let wire = relay.wire().expect("a wire");
    let code = relay.make_enrolment_code().expect("a code");
    let token = runtime.block_on(signed_in(&wire, code));
    Served { runtime, wire, key: relay.key(), token, _folder: folder }
}

/// A folder whose files cost no disk, where there is one.
pub(super) fn in_memory() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

/// Enrols the device that everything is recorded of, and signs it in.
async fn signed_in(wire: &Wire, code: String) -> String {
    let Device { account, device, incarnation, signing, .. } = &Device::new(1);
    let genesis = Device::new(1).account_genesis();
    let enrolment = encode(&EnrolRequest { version: PROTOCOL_VERSION, code, genesis });
    let (status, _) = wire.ask("POST", "/v1/enrol", None, enrolment).await;
    assert_eq!(status, 200, "it is enrolled");
    let (_, challenge) = wire.ask("POST", "/v1/challenge", None, Vec::new()).await;
    let challenge: Challenge = decode(&challenge, MAX_SMALL_FRAME_BYTES).expect("a challenge");
    let Challenge { nonce, server_time_ms, server } = challenge;
    let (account, device, incarnation) = (*account, *device, *incarnation);
    let claim = SignIn { server, nonce, server_time_ms, account, device, incarnation };
    let (_, grant) = wire.ask("POST", "/v1/session", None, encode(&Signed::sign(claim, signing))).await;
    decode::<SessionGrant>(&grant, MAX_SMALL_FRAME_BYTES).expect("a session").token.to_hex()
}

pub(super) fn ask(bytes: &[u8]) -> bool {
    let (route, body) = bytes.split_first().map_or((0, &[][..]), |(route, body)| (usize::from(*route), body));
    let (method, path) = PATHS.get(route % PATHS.len()).copied().unwrap_or_default();
    SERVED.with_borrow_mut(|served| {
        let served = served.get_or_insert_with(serve);
        let asked = served.wire.ask(method, path, Some(&served.token), body.to_vec());
        let (status, _) = served.runtime.block_on(asked);
        assert!((200..500).contains(&status), "{path} is answered {status}");
        status < 300
    })
}

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let key = SERVED.with_borrow_mut(|served| served.get_or_insert_with(serve).key);
    for bytes in [super::handshakes(), super::requests(), super::with_helpers(key)].concat() {
        for route in 0..PATHS.len() {
            all.push([&[u8::try_from(route).unwrap_or(0)], bytes.as_slice()].concat());
        }
    }
    all
}
