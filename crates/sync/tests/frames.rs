//! Frames: each survives its encoding, has one encoding only, and no mutation of it does harm.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{AccountId, Entropy, Hash32, SigningKey};
use mecum_sync::limits::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountLog, Challenge, Countersign, DecodeError, EnrolRequest, EnrolResponse, Follower,
    Handed, HandedAnswer, HelpersAnswer, HelpersAsk, HelpersDone, HelpersFetch, HelpersNotice, HelpersPart,
    HelpersProof, HelpersStage, HelpersStop, HelpersStopping, Item, Outcome, PROTOCOL_VERSION, Pruning,
    PruningAnswer, Receipt, Receipts, RecoverRequest, RecoverResponse, RecoveryProof, Refusal, RefusalCode,
    Role, SaidPush, SaidRequest, ServerInfo, SessionGrant, SessionToken, SignIn, Signed, SpaceBody, SpaceLog,
    StoredSnapshot, SyncRequest, SyncResponse, decode, encode, helping,
};
use minicbor::{Decode, Encode};
use proptest::prelude::*;

/// One frame of each kind, by name: its bytes, and whether bytes decode as that kind.
type Sample = (&'static str, Vec<u8>, fn(&[u8]) -> Option<Vec<u8>>);

fn sample<T>(name: &'static str, value: &T) -> Sample
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + std::fmt::Debug,
{
    let bytes = encode(value);
    let back: T = decode(&bytes, MAX_REQUEST_BYTES).unwrap();
    assert_eq!(&back, value, "{name} survives its encoding");
    (name, bytes, |bytes| decode::<T>(bytes, MAX_RESPONSE_BYTES).ok().map(|value| encode(&value)))
}

fn samples() -> Vec<Sample> {
    let relay = SigningKey::make(&SeededEntropy::new(99));
    let mut laptop = Actor::new(1);
    let phone = Actor::second(2, &laptop);
    let genesis = laptop.account_genesis();
    let log = AccountLog::found(&genesis).unwrap();
    let add = laptop.add_device(&log, &phone);
    let (space, space_genesis) = laptop.found_space(Some(relay.verifying_key()));
    let push = laptop.push(space, &["one", "two"], vec![phone_received(&phone)]);
    let countersign = Signed::sign(
        Countersign { space, seq: 1, entry: space_genesis.hash(), space_seq: 0, stored_at_ms: 5 },
        &relay,
    );
    let confirmed = countersign.clone();
    let statement = push.statement.clone();
    let chain = statement.unverified().chain();
    let receipt = Receipt {
        chain,
        envelope_seq: 2,
        last: statement.unverified().last,
        space_seq: 2,
        stored_at_ms: 1_700_000_000_000,
    };
    let request = SyncRequest {
        version: PROTOCOL_VERSION,
        cursor: 300,
        account_entries: vec![add.clone()],
        space_entries: vec![space_genesis.clone()],
        pushes: vec![push.clone()],
        max_bytes: 4 << 20,
        snapshots: vec![laptop.snapshot(space, 2, vec![laptop.folded(space)], &["keys", "one"])],
        from_snapshots: true,
        pruning: Some(Pruning {
            over_pruned: true,
            show: Some(space),
            verified: vec![laptop.verified(&laptop.snapshot(space, 2, vec![], &["keys"]))],
        }),
        handed: Some(Handed { pushes: vec![push.clone()] }),
    };
    let notice = HelpersNotice {
        request: Hash32::from_bytes([9; 32]),
        asked_at_ms: 5,
        released_at_ms: 604_800_005,
        others: None,
    };
    let refused = Refusal {
        code: RefusalCode::ChainGap,
        last: Some(LastAccepted { seq: 4, hash: Hash32::from_bytes([4; 32]) }),
    };
    let response = SyncResponse {
        server_time_ms: -1,
        account_outcomes: vec![Outcome::Stored],
        space_outcomes: vec![Outcome::Refused(refused)],
        push_outcomes: vec![Outcome::Refused(RefusalCode::Quota.into())],
        receipts: Some(Signed::sign(Receipts { receipts: vec![receipt] }, &relay)),
        items: vec![
            Item::AccountEntry(genesis.clone()),
            Item::SpaceEntry { entry: space_genesis, countersign },
            Item::Batch { first_space_seq: 1, push },
            Item::Own { first_space_seq: 3, count: 0, statement: statement.clone() },
            Item::Snapshot {
                snapshot: laptop.snapshot(space, 2, vec![laptop.folded(space)], &["keys"]),
                statements: vec![statement],
            },
            Item::SnapshotStored { space, space_seq: 2 },
            Item::Confirmed(confirmed),
        ],
        cursor: 304,
        more: true,
        snapshot_outcomes: vec![Outcome::Stored],
        pruned: Some(PruningAnswer {
            shown: Some(StoredSnapshot {
                snapshot: laptop.snapshot(space, 2, vec![laptop.folded(space)], &["keys"]),
                statements: vec![laptop.push(space, &["three"], vec![]).statement],
            }),
            verified_outcomes: vec![Outcome::Stored],
            to_verify: vec![space],
        }),
        helpers_notice: Some(notice),
        handed: Some(HandedAnswer { outcomes: vec![Outcome::Stored] }),
    };
    let mut follower = Follower::found(&genesis, laptop.incarnation, Some(relay.verifying_key())).unwrap();
    follower.add_own_account_entry(&add).unwrap();
    let mut all = vec![
        sample("sync request", &request),
        sample("sync request in short forms", &short_request(&request, &mut laptop)),
        sample("sync response", &response),
        sample("enrol request", &EnrolRequest { version: 1, code: "ABCD-EFGH".into(), genesis }),
        sample("enrol response", &EnrolResponse { server_time_ms: 1 }),
    ];
    all.extend(sign_in_samples(&relay, &laptop));
    all.extend([sample("refusal", &refused), sample("follower", &follower)]);
    all
}

/// The same and a further push in their short forms.
fn short_request(request: &SyncRequest, laptop: &mut Actor) -> SaidRequest {
    let base = request.pushes[0].statement.unverified().clone();
    let further = laptop.push(base.space, &["four"], base.received.clone());
    let request = SyncRequest { pushes: vec![further], ..request.clone() };
    let said = SaidRequest::short(&request, |_| Some(&base));
    assert!(matches!(said.pushes[..], [SaidPush::Short(_)]), "it can be said short");
    said
}

/// What is said before a device exchanges.
fn sign_in_samples(relay: &SigningKey, laptop: &Actor) -> Vec<Sample> {
    let info = ServerInfo { version: 1, name: "Mecum".into(), key: relay.verifying_key(), server_time_ms: 7 };
    let sign_in = SignIn {
        server: relay.verifying_key(),
        nonce: Hash32::from_bytes([8; 32]),
        server_time_ms: 7,
        account: laptop.account,
        device: laptop.device,
        incarnation: laptop.incarnation,
    };
    vec![
        sample(
            "challenge",
            &Challenge {
                nonce: Hash32::from_bytes([1; 32]),
                server_time_ms: 3,
                server: relay.verifying_key(),
            },
        ),
        sample("sign-in", &Signed::sign(sign_in, &laptop.signing)),
        sample(
            "session",
            &SessionGrant {
                token: SessionToken::from_bytes([3; 32]),
                expires_at_ms: 9,
                server_time_ms: 1,
                forms: Some(1),
            },
        ),
        sample("server info", &Signed::sign(info, relay)),
    ]
}

/// Recovery, and entries of the later kinds with what they amount to.
fn later_samples() -> Vec<Sample> {
    let relay = SigningKey::make(&SeededEntropy::new(99));
    let mut laptop = Actor::new(1);
    let phone = Actor::second(2, &laptop);
    let log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let add = laptop.add_device(&log, &phone);
    let (space, shared_genesis) = laptop.found_space(Some(relay.verifying_key()));
    let kit = SigningKey::make(&SeededEntropy::new(98));
    let proof = RecoveryProof {
        server: relay.verifying_key(),
        nonce: Hash32::from_bytes([8; 32]),
        server_time_ms: 7,
        account: laptop.account,
        key: kit.verifying_key(),
    };
    let mut everything = log.clone();
    let body = AccountBody::SetRecovery {
        signing: kit.verifying_key(),
        kem: laptop.kem.public(),
        sealed: vec![1; 40],
    };
    everything.append(&add).unwrap();
    everything.append(&laptop.account_entry(&everything, body)).unwrap();
    everything.append(&laptop.remove_device(&everything, phone.device)).unwrap();
    let alone =
        AccountBody::Recover { device: phone.card(b"n"), alone: Some(laptop.rotation(&everything, None)) };
    let entry = Some(Actor::recovery_entry(&kit, &everything, alone));
    let recover = RecoverRequest { version: 1, proof: Signed::sign(proof, &kit), after: 2, entry };
    let recovered = RecoverResponse { server_time_ms: 1, entries: vec![add.clone()], more: false };
    let mut shared = SpaceLog::found(&shared_genesis, &laptop.signing.verifying_key()).unwrap();
    let grant =
        laptop.grant(&shared, (AccountId::from_bytes([5; 16]), Hash32::from_bytes([6; 32])), Role::Writer);
    shared.append(&grant, &laptop.signing.verifying_key()).unwrap();
    let removal = laptop.remove(&shared, AccountId::from_bytes([5; 16]), vec![laptop.cut(space)]);
    shared.append(&removal, &laptop.signing.verifying_key()).unwrap();
    let next = Actor::next_epoch(&shared, None);
    let epoch = laptop.space_entry(&shared, SpaceBody::Epoch { next, cuts: vec![laptop.cut(space)] });
    vec![
        sample("recover request", &recover),
        sample("recover response", &recovered),
        sample("removal of a member", &removal),
        sample("end of an epoch", &epoch),
        sample("shared space", &shared),
        sample("account with everything", &everything),
    ]
}

/// Coming back with helpers.
fn helpers_samples() -> Vec<Sample> {
    let relay = SigningKey::make(&SeededEntropy::new(99));
    let laptop = Actor::new(1);
    let fresh = Actor::second(5, &laptop);
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let (key, helpers, part) = laptop.helpers(88);
    let set = laptop.account_entry(&log, AccountBody::SetHelpers { helpers: Some(helpers.clone()) });
    log.append(&set).unwrap();
    let with_helpers = log.clone();
    let rotated = laptop.account_entry(&log, AccountBody::Rotate { rotation: laptop.rotation(&log, None) });
    log.append(&rotated).unwrap();
    let request = fresh.helpers_request(relay.verifying_key());
    let named = request.hash();
    let recover = AccountBody::Recover { device: fresh.card(b"n"), alone: None };
    let recover = Actor::helpers_entry(&key, &log, recover);
    let end = laptop.account_entry(&log, AccountBody::SetHelpers { helpers: None });
    let entries = vec![Hash32::from_bytes([1; 32]), Hash32::from_bytes([2; 32])];
    let uphold = laptop.account_entry(&log, AccountBody::Uphold { entries });
    let mut upholding = log.clone();
    upholding.append(&uphold).unwrap();
    let (server, account) = (relay.verifying_key(), laptop.account);
    let nonce = Hash32::from_bytes([8; 32]);
    let proof = HelpersProof { server, nonce, server_time_ms: 7, account, request: named };
    let stop = HelpersStop { server, account, request: named, signer: laptop.device };
    let answer = HelpersAnswer {
        server_time_ms: 9,
        stage: HelpersStage::Released,
        asked_at_ms: 1,
        released_at_ms: 8,
        again_at_ms: 10,
        sealed_part: vec![4; 1_200],
        entries: vec![set.clone()],
        more: true,
    };
    let notice = HelpersNotice { request: named, asked_at_ms: 1, released_at_ms: 8, others: None };
    let counting = SaidRequest::from(&SyncRequest::pull(7, 4 << 20)).counting();
    vec![
        sample("notice", &notice),
        sample("notice that counts", &HelpersNotice { others: Some(99), ..notice }),
        sample("request that takes a count", &counting),
        sample("helpers' entry", &set),
        sample("rotation with helpers", &rotated),
        sample("recovery by helpers", &recover),
        sample("end of helpers", &end),
        sample("account with helpers", &with_helpers),
        sample("what is upheld", &uphold),
        sample("account that upholds", &upholding),
        sample("helpers ask", &HelpersAsk { version: 1, request }),
        sample(
            "helpers fetch",
            &HelpersFetch { version: 1, proof: Signed::sign(proof, &fresh.signing), after: 3 },
        ),
        sample("helpers answer", &answer),
        sample("helpers part", &HelpersPart { version: 1, set: helping::set_hash(&helpers.set), part }),
        sample("helpers stop", &HelpersStopping { version: 1, stop: Signed::sign(stop, &laptop.signing) }),
        sample("helpers done", &HelpersDone { server_time_ms: 3 }),
    ]
}

fn phone_received(phone: &Actor) -> mecum_sync::Received {
    mecum_sync::Received {
        device: phone.device,
        incarnation: phone.incarnation,
        envelope_seq: 3,
        last: Hash32::from_bytes([5; 32]),
    }
}

#[test]
fn every_frame_survives_its_encoding_and_every_cut_is_refused() {
    for (name, bytes, reads) in samples().into_iter().chain(later_samples()).chain(helpers_samples()) {
        assert_eq!(reads(&bytes).as_ref(), Some(&bytes), "{name} reads back");
        for end in 0..bytes.len() {
            assert!(reads(&bytes[..end]).is_none(), "{name} cut at {end} is refused");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(reads(&longer).is_none(), "{name} with a byte behind it is refused");
    }
}

#[test]
fn a_second_spelling_of_a_frame_is_refused() {
    let request = SyncRequest::pull(5, 100);
    let bytes = encode(&request);
    // 88 01 81 05 ..: the array head, the version, the cursor.
    let mut long = bytes.clone();
    assert_eq!(long[1], 1, "the version is the second byte");
    long.splice(1..2, [0x18, 0x01]);
    let refused = decode::<SyncRequest>(&long, 100).unwrap_err();
    assert_eq!(refused, DecodeError::NotCanonical, "a long integer");
    let mut indefinite = bytes;
    indefinite[0] = 0x9f;
    indefinite.push(0xff);
    let refused = decode::<SyncRequest>(&indefinite, 100).unwrap_err();
    assert_eq!(refused, DecodeError::NotCanonical, "an indefinite array");
}

#[test]
fn lists_above_their_limit_are_refused_before_they_take_memory() {
    // A request whose list of pushes claims 2^32 - 1 elements, and one that claims one too many.
    for head in [vec![0x9a, 0xff, 0xff, 0xff, 0xff], vec![0x99, 0x01, 0x01]] {
        let mut bytes = vec![0x88, 1, 0x81, 0, 0x80, 0x80];
        bytes.extend(head);
        bytes.extend(std::iter::repeat_n(0x80, 300));
        assert_eq!(
            decode::<SyncRequest>(&bytes, MAX_REQUEST_BYTES).unwrap_err(),
            DecodeError::Malformed,
            "too many pushes"
        );
    }
    let refused = decode::<SyncRequest>(&[0; 101], 100).unwrap_err();
    assert_eq!(refused, DecodeError::TooLarge, "a frame above its limit is not looked at");
}

#[test]
fn refusal_codes_keep_their_numbers() {
    let numbers: Vec<_> = RefusalCode::ALL.iter().map(|code| code.number()).collect();
    assert_eq!(numbers, (1..=28).collect::<Vec<u16>>(), "numbers are on the wire: only ever added to");
    for code in RefusalCode::ALL {
        assert_eq!(RefusalCode::from_number(code.number()), *code, "{} reads back", code.name());
    }
    assert_eq!(RefusalCode::from_number(999), RefusalCode::Other(999), "a newer code is kept");
}

#[test]
fn a_token_is_never_printed() {
    let token = SessionToken::from_bytes([0xab; 32]);
    assert!(!format!("{token:?}").contains("ab"), "debug output holds no byte of it");
    assert_eq!(SessionToken::from_hex(&token.to_hex()), Some(token), "the header's form reads back");
}

/// Changes bytes of a frame at random: flips, swaps, cuts, insertions.
fn mutate(bytes: &mut Vec<u8>, entropy: &SeededEntropy) {
    let mut dice = [0u8; 12];
    entropy.fill(&mut dice);
    let times = 1 + dice[0] % 4;
    for _ in 0..times {
        entropy.fill(&mut dice);
        let at = u32::from_be_bytes([dice[1], dice[2], dice[3], dice[4]]) as usize % bytes.len().max(1);
        match dice[0] % 6 {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << (dice[5] % 8),
            1 if !bytes.is_empty() => bytes[at] = dice[5],
            2 => bytes.insert(at, dice[5]),
            3 if bytes.len() > 1 => {
                bytes.remove(at);
            }
            4 => bytes.truncate(at.max(1)),
            _ => {
                let tail = bytes[at..].to_vec();
                bytes.extend(tail.into_iter().take(64));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_frame_is_refused_or_reads_as_exactly_what_it_says(seed in any::<u64>()) {
        let entropy = SeededEntropy::new(seed);
        for (name, bytes, reads) in SAMPLES.with(Clone::clone) {
            let mut mutated = bytes.clone();
            mutate(&mut mutated, &entropy);
            if let Some(again) = reads(&mutated) {
                prop_assert_eq!(again, mutated, "{} has one encoding", name);
            }
        }
    }

    #[test]
    fn random_bytes_are_no_frame_or_exactly_one(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (name, _, reads) in SAMPLES.with(Clone::clone) {
            if let Some(again) = reads(&bytes) {
                prop_assert_eq!(&again, &bytes, "{} has one encoding", name);
            }
        }
    }
}

thread_local! {
    static SAMPLES: Vec<Sample> = samples().into_iter().chain(later_samples()).chain(helpers_samples()).collect();
}
