//! Broken frames against the live relay, and what must never be found in its files and logs.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{DocumentId, Entropy, Place, seal_envelope};
use mecum_sync::{EnrolRequest, encode};

use crate::device::Device;
use crate::server::{Server, roomy};

const SEED: u64 = 20_261_122;
const MUTATIONS: usize = 2_000;

/// What a recorded request is sent to, its bytes, and how many at its start and end stay as they are.
type Recorded = (&'static str, Vec<u8>, usize, usize);

#[tokio::test]
async fn mutated_frames_change_nothing_and_end_nothing() {
    println!("seed {SEED}");
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    let phone = mecum_sync::testing::Actor::second(5, &laptop.actor);
    // A request that was stored whole: whatever of it still holds after a mutation is a repetition.
    let mut stored = laptop.request();
    let log = laptop.follower.account_log().unwrap().clone();
    stored.account_entries.push(laptop.actor.add_device(&log, &phone));
    stored.space_entries.push(laptop.actor.found_space(Some(server.pin())).1);
    stored.pushes.push(laptop.actor.push(space, &["b", "c"], vec![]));
    laptop.sync(&server, &stored).await.unwrap();
    // A push that was never sent: mutated anywhere inside, it must not count.
    let mut fresh = laptop.request();
    fresh.pushes.push(laptop.actor.push(space, &["d", "e"], vec![]));
    let genesis = mecum_sync::testing::Actor::new(9).account_genesis();
    let code = server.relay.make_enrolment_code().unwrap();
    let enrolment = EnrolRequest { version: 1, code: code.clone(), genesis };
    let challenge = server.ask("POST", "/v1/challenge", None, &[]).await.frame();
    let recorded: [Recorded; 4] = [
        ("/v1/sync", encode(&stored), 0, 0),
        ("/v1/sync", encode(&fresh), 8, 7),
        ("/v1/session", encode(&laptop.sign(&challenge, &phone.signing)), 0, 0),
        ("/v1/enrol", encode(&enrolment), 3 + code.len(), 0),
    ];
    let before = server.digest(&[]);
    let entropy = SeededEntropy::new(SEED);
    let mut refused = 0;
    for n in 0..MUTATIONS {
        let (path, bytes, start, end) = &recorded[n % recorded.len()];
        let mutated = mutate(bytes, *start, *end, &entropy);
        if mutated == *bytes {
            continue;
        }
        let answer = server.ask("POST", path, Some(&laptop.token), &mutated).await;
        assert!(answer.status < 500, "mutation {n} of {path} is refused, not {}", answer.status);
        refused += usize::from(answer.status >= 400);
        if n % 100 == 0 {
            assert_eq!(server.digest(&[]), before, "nothing is changed up to mutation {n}");
        }
    }
    assert!(refused > MUTATIONS / 2, "most mutations are refused outright: {refused}");
    assert_eq!(server.digest(&[]), before, "nothing is changed");
    laptop.sync(&server, &fresh).await.expect("the honest request is answered after all that");
    assert_ne!(server.digest(&[]), before, "the control: an honest push does change the database");
}

fn mutate(bytes: &[u8], start: usize, end: usize, entropy: &SeededEntropy) -> Vec<u8> {
    let mut dice = [0u8; 6];
    entropy.fill(&mut dice);
    let mut mutated = bytes.to_vec();
    let at = u32::from_be_bytes([dice[0], dice[1], dice[2], dice[3]]) as usize % (bytes.len() - start - end)
        + start;
    match dice[4] % 4 {
        0 => mutated[at] ^= 1 << (dice[5] % 8),
        1 => mutated.truncate(at),
        2 => mutated.insert(at, dice[5]),
        _ => mutated[at] = dice[5],
    }
    mutated
}

#[tokio::test]
async fn what_people_wrote_is_in_no_file_and_no_log() {
    const CANARIES: [&str; 4] =
        ["Ratna Wulandari", "canary-diagnosis-E11.9", "canary phone name", "canary label"];
    let mut server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &[CANARIES[0], CANARIES[1]]).await;
    // Names and labels go through the envelope too: what the relay gets of them is sealed.
    let place = Place {
        space,
        document: DocumentId::CONTROL,
        device: laptop.actor.device,
        incarnation: laptop.actor.incarnation,
        envelope_seq: 1,
        epoch: 1,
        membership_head: mecum_seal::Hash32::ZERO,
        previous: mecum_seal::Hash32::ZERO,
    };
    let sealed =
        seal_envelope(&laptop.actor.document_key, &place, CANARIES[2].as_bytes(), &laptop.actor.entropy);
    let body = sealed.unwrap().bytes;
    let path = "/v1/mailbox/00112233445566778899aabbccddeeff/offer";
    assert_eq!(server.ask("PUT", path, None, &body).await.status, 204, "a sealed name is put");
    // What is sent to the wrong place must not be logged either.
    server.ask("POST", "/v1/sync", Some(&laptop.token), CANARIES[3].as_bytes()).await;
    server.ask("GET", "/v1/canary label", None, &[]).await;
    server.ask("GET", "/v1/mailbox/canary-diagnosis-E11.9/offer", None, &[]).await;
    let ids = [laptop.actor.account.to_string(), laptop.actor.device.to_string(), space.to_string()];
    server.stop().await;

    let mut places = vec![("the log".to_owned(), server.lines.lock().unwrap().join("\n").into_bytes())];
    for entry in std::fs::read_dir(server.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    assert!(places.len() >= 3, "log, key and database were searched");
    assert!(places.iter().any(|(_, bytes)| bytes.len() > 10_000), "the database holds what was pushed");
    for (name, bytes) in &places {
        for canary in CANARIES {
            assert!(!holds(bytes, canary.as_bytes()), "{canary:?} is not in {name}");
        }
    }
    let log = &places[0].1;
    assert!(holds(log, b"route=sync"), "the log has lines");
    for id in ids {
        assert!(!holds(log, id.as_bytes()), "no id is in the log");
    }
    assert!(!holds(log, laptop.token.as_bytes()) && !holds(log, b"127.0.0.1"), "no token and no address");
}

#[test]
fn the_search_for_canaries_finds_one_that_is_there() {
    assert!(holds(b"..Ratna Wulandari..", b"Ratna Wulandari"), "the control: a planted name is found");
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
