//! The relay's routes, with a body of any bytes. The first byte says which route; the relay is one for all inputs of a thread.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use mecum_relay::simulated::Wire;
use mecum_relay::{Limits, Rate, Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use tokio::runtime::{Builder, Runtime};

const PATHS: [(&str, &str); 7] = [
    ("POST", "/v1/enrol"),
    ("POST", "/v1/session"),
    ("POST", "/v1/recover"),
    ("POST", "/v1/challenge"),
    ("POST", "/v1/sync"),
    ("PUT", "/v1/mailbox/00112233445566778899aabbccddeeff/offer"),
    ("PUT", "/v1/mailbox/00112233445566778899aabbccddeeff/join"),
];

struct Served {
    runtime: Runtime,
    wire: Wire,
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
        ..Limits::default()
    };
    let options = RelayOptions {
        limits,
        entropy: Arc::new(SeededEntropy::new(1)),
        log: Arc::new(|_| {}),
        ..RelayOptions::default()
    };
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let relay = Relay::open(folder.path(), options).expect("a fresh folder takes a relay");
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    Served { runtime, wire: relay.wire().expect("a wire"), _folder: folder }
}

pub(super) fn ask(bytes: &[u8]) -> bool {
    let (route, body) = bytes.split_first().map_or((0, &[][..]), |(route, body)| (usize::from(*route), body));
    let (method, path) = PATHS.get(route % PATHS.len()).copied().unwrap_or_default();
    SERVED.with_borrow_mut(|served| {
        let served = served.get_or_insert_with(serve);
        let (status, _) = served.runtime.block_on(served.wire.ask(method, path, None, body.to_vec()));
        assert!((200..500).contains(&status), "{path} is answered {status}");
        status < 300
    })
}

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for bytes in [super::handshakes(), super::requests()].concat() {
        for route in 0..PATHS.len() {
            all.push([&[u8::try_from(route).unwrap_or(0)], bytes.as_slice()].concat());
        }
    }
    all
}
