//! What is said on a wake socket, malformed: the answer to its opening, and frames of it. Whoever opened it, a client or a living app
//! with its driver, ends no other way than by taking the socket for gone; what it holds is as it was, it needs no more memory, and an
//! honest socket is taken afterwards.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mecum_api::command;
use mecum_client::App;
use mecum_client::remote::{Heard, Remote, RemoteError};
use mecum_client::testing::{first_device, surroundings};
use mecum_faults::Proof;
use mecum_sync::controls;
use mecum_testkit::Dice;
use mecum_testkit::mutate::mutated;
use mecum_vault::Location;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::MAX_GROWTH_BYTES;
use crate::routes::digest_of;
use crate::world::{Server, WORDS, call, create, device, pair, rows};

/// Of so many cases one is told to a living app.
const AN_APP_EVERY: u64 = 20;
/// What a flood has, and what a message without an end has at most.
const FLOOD_FRAMES: usize = 20_000;
const AT_MOST: usize = 96 << 20;
/// A socket that goes on for so long has no end.
const NO_END: Duration = Duration::from_mins(2);

/// How a socket is lied on.
#[derive(Clone, Copy)]
struct Lie {
    /// The dice are thrown from here, with each socket another time.
    seed: u64,
    /// One message that has no end, and nothing else.
    endless: bool,
}

/// Stands before the relay, and answers wake sockets itself while it lies.
struct Before {
    url: String,
    lie: Arc<Mutex<Option<Lie>>>,
    told: Arc<AtomicU64>,
}

impl Before {
    async fn start(relay: SocketAddr) -> Before {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (lie, told) = (Arc::new(Mutex::new(None)), Arc::new(AtomicU64::new(0)));
        let (lies, count) = (lie.clone(), told.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connection(near, relay, lies.clone(), count.clone()));
            }
        });
        Before { url, lie, told }
    }

    fn lie(&self, lie: Option<Lie>) {
        *self.lie.lock().unwrap() = lie;
    }
}

async fn connection(
    mut near: TcpStream,
    relay: SocketAddr,
    lie: Arc<Mutex<Option<Lie>>>,
    told: Arc<AtomicU64>,
) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match near.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let lie = *lie.lock().unwrap();
    let Some(lie) = lie.filter(|_| text.starts_with("GET /v1/wake")) else {
        let Ok(mut far) = TcpStream::connect(relay).await else { return };
        if far.write_all(&head).await.is_ok() {
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        }
        return;
    };
    let number = told.fetch_add(1, Ordering::SeqCst);
    let key = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    });
    let _ = talk(&mut near, lie, number, &key.unwrap_or_default()).await;
    let _ = near.shutdown().await;
}

/// A frame of a server: final, of an opcode, with its length in the shortest form.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..=125 => frame.push(u8::try_from(len).unwrap()),
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

fn opening(key: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )
}

async fn talk(near: &mut TcpStream, lie: Lie, number: u64, key: &str) -> std::io::Result<()> {
    let dice = Dice::new(lie.seed ^ (number << 20));
    let opening = opening(key);
    if lie.endless {
        near.write_all(opening.as_bytes()).await?;
        near.write_all(&[0x02, 127]).await?;
        near.write_all(&(AT_MOST as u64).to_be_bytes()).await?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..AT_MOST >> 20 {
            near.write_all(&zeros).await?;
        }
        return Ok(());
    }
    if dice.once_in(4) {
        return ill_opened(near, &dice, &opening).await;
    }
    near.write_all(opening.as_bytes()).await?;
    if dice.once_in(2) {
        // Nothing new, news, a question, its answer, and the end.
        let said = [frame(2, &[0]), frame(2, &[1]), frame(9, b"there?"), frame(10, b""), frame(8, &[3, 232])];
        return near.write_all(&mutated(&said.concat(), &dice)).await;
    }
    let said = match dice.below(16) {
        0 => frame(2, &[0; 257]),
        1 => [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat(),
        2 => [&[0x82, 127][..], &(1_u64 << 40).to_be_bytes(), &[0; 4096]].concat(),
        // A length in a longer form, a mask that no server sets, bits and opcodes that nobody has.
        3 => vec![0x82, 126, 0, 1, 1],
        4 => vec![0x82, 0x81, 1, 2, 3, 4, 5],
        5 => [vec![0xc2, 1, 1], frame(2, &[1])].concat(),
        6 => [frame(3, &[1]), frame(0xf, b"")].concat(),
        // A continuation of nothing, a beginning in the middle, control frames that are long or in parts.
        7 => frame(0, &[1]),
        8 => [vec![0x02, 1, 1], frame(2, &[1])].concat(),
        9 => frame(9, &[0; 126]),
        10 => vec![0x09, 1, 1, 0x80, 1, 1],
        11 => frame(8, &[3]),
        12 => frame(1, &[0xff, 0xfe]),
        13 => frame(9, b"?").repeat(FLOOD_FRAMES),
        14 => [vec![0x02, 0], [0x00, 0].repeat(FLOOD_FRAMES)].concat(),
        _ => frame(2, &[0]).repeat(FLOOD_FRAMES),
    };
    near.write_all(&said).await
}

/// An answer that is none to the question for a socket.
async fn ill_opened(near: &mut TcpStream, dice: &Dice, opening: &str) -> std::io::Result<()> {
    let said = match dice.below(8) {
        0 => opening.replace("101", "200").into_bytes(),
        1 => opening.replace("accept: ", "accept: x").into_bytes(),
        2 => opening.replace("upgrade: websocket", "upgrade: other").into_bytes(),
        3 => b"HTTP/1.1 302 elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec(),
        4 => [b"HTTP/1.1 500 no\r\ncontent-length: 99999999999\r\n\r\n".as_slice(), &vec![0x41; 1 << 20]]
            .concat(),
        5 => [b"HTTP/1.1 101 yes\r\n".as_slice(), &b"x: y\r\n".repeat(100_000)].concat(),
        6 => [b"HTTP/1.1 101 ".as_slice(), &vec![0x41; 1 << 20]].concat(),
        _ => mutated(opening.as_bytes(), dice),
    };
    near.write_all(&said).await
}

fn status_bytes(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// A device of its own that opens sockets, an app that does, and another device of the app's account.
struct Stage {
    folder: tempfile::TempDir,
    server: Server,
    before: Before,
    remote: Remote,
    signed_in: mecum_client::remote::Session,
    app: App,
    chart: String,
}

impl Stage {
    async fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
        let before = Before::start(server.url.trim_start_matches("http://").parse().unwrap()).await;
        let mut session = first_device(&Location::Memory, surroundings(5));
        session.pin_for_tests(server.relay.key());
        let remote = Remote::new(&before.url, server.relay.key()).unwrap();
        let code = server.relay.make_enrolment_code().unwrap();
        remote.enrol(&code, session.genesis_for_tests().unwrap()).await.unwrap();
        let (key, account, of, life) = session.sign_in_for_tests();
        let signed_in = remote.sign_in(&key, account, of, life).await.unwrap();
        let app = device(&folder.path().join("app"));
        let chart = create(&app, "Laras", "phone").await;
        let code = server.relay.make_enrolment_code().unwrap();
        // The app has no honest socket that it would keep.
        before.lie(Some(Lie { seed: 99, endless: false }));
        let args = json!({ "url": before.url, "code": code });
        let sync = call::<command::ServerConnect>(&app, args).await;
        assert_eq!(sync["phase"], "up-to-date", "connected: {sync}");
        Stage { folder, server, before, remote, signed_in, app, chart }
    }

    /// A socket is opened and listened to until it is gone. Whether it ended as it may.
    async fn listens(&self) -> bool {
        let listening = async {
            let (mut wake, heard) = match self.remote.wake(&self.signed_in, 7).await {
                Ok(open) => open,
                Err(RemoteError::Offline | RemoteError::Unauthorised) => return true,
                Err(_) => return false,
            };
            let mut news = usize::from(heard == Heard::News);
            loop {
                match wake.next().await {
                    Ok(()) => news += 1,
                    Err(RemoteError::Offline) => return news <= FLOOD_FRAMES,
                    Err(_) => return false,
                }
            }
        };
        tokio::time::timeout(NO_END, listening).await.unwrap_or(false)
    }

    /// The app's driver opens one. Whether the app is as it was, and up to date.
    async fn goes_on(&self) -> bool {
        let before = digest_of(&self.app).await;
        let told = self.before.told.load(Ordering::SeqCst);
        let opens = async {
            while self.before.told.load(Ordering::SeqCst) == told {
                call::<command::SyncNow>(&self.app, Value::Null).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let opened = tokio::time::timeout(NO_END, opens).await.is_ok();
        let sync = call::<command::SyncNow>(&self.app, Value::Null).await;
        opened && sync["phase"] == "up-to-date" && digest_of(&self.app).await == before
    }

    /// An honest socket is taken after them, and the app shows what another device writes without being asked to exchange.
    async fn takes_an_honest_one(&self) {
        self.before.lie(None);
        let (_wake, heard) = self.remote.wake(&self.signed_in, u64::MAX).await.expect("it is open");
        assert_eq!(heard, Heard::News, "what an honest server says is heard");
        let laptop = device(&self.folder.path().join("laptop"));
        pair(&self.app, &laptop, "laptop", WORDS).await;
        call::<command::SyncNow>(&self.app, Value::Null).await;
        let before = rows(&self.app, &self.chart).await.len();
        let note = json!({ "chart": self.chart, "kind": "note", "fields": [["text", "wakes"]] });
        call::<command::EntryAdd>(&laptop, note).await;
        for _ in 0..400 {
            if rows(&self.app, &self.chart).await.len() == before + 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("what another device wrote never came");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_said_on_a_wake_socket_ends_nothing_and_costs_no_memory() {
    let proof = Proof::new(24, "wake sockets malformed, to a living client and an app", 1_000);
    let stage = Stage::new().await;
    for _ in 0..40 {
        stage.listens().await;
    }
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status_bytes("VmRSS:");
    let mut wrong = Vec::new();
    for number in proof.numbers() {
        stage.before.lie(Some(Lie { seed: proof.seed() ^ (number << 40), endless: false }));
        let held = if number % AN_APP_EVERY == 0 { stage.goes_on().await } else { stage.listens().await };
        if !held {
            println!("case {number}: it did not end as it may");
            wrong.push(number);
        }
    }
    let grown = status_bytes("VmHWM:").saturating_sub(before);
    println!("{} KiB more at the peak", grown >> 10);
    proof.end(proof.share(), wrong.len() as u64 + u64::from(grown > MAX_GROWTH_BYTES));
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(grown < MAX_GROWTH_BYTES, "and no more memory is needed: {grown} bytes");
    stage.takes_an_honest_one().await;
    stage.server.stop().await;
}

/// Checks are taken out of a whole process: the control has one of its own.
const ALONE: &str = "MECUM_WITHOUT_THE_SIZE_OF_A_WAKE";

#[tokio::test(flavor = "multi_thread")]
async fn control_a_client_that_takes_messages_of_any_size_is_seen_to_grow() {
    if std::env::var_os(ALONE).is_some() {
        let stage = Stage::new().await;
        stage.before.lie(Some(Lie { seed: 1, endless: true }));
        stage.listens().await;
        let peak = || status_bytes("VmHWM:");
        let held = peak();
        let _out = controls::take_out(&["wake-size"]);
        stage.listens().await;
        assert!(peak() - held > MAX_GROWTH_BYTES, "a message of any size is seen: {} bytes", peak() - held);
        return;
    }
    let name = "wakes::control_a_client_that_takes_messages_of_any_size_is_seen_to_grow";
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program).args(["--exact", name]).env(ALONE, "1").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
