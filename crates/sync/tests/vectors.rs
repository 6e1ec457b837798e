//! Every kind of log entry as bytes, frozen: what is in the file is what the live path writes and reads, and it stays so.
//!
//! `MECUM_WRITE_VECTORS=1` writes the file if it is not there; it is never written over.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{DocumentId, IncarnationId, SigningKey};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, Challenge, Countersign, FORMS, HelpersAsk, HelpersFetch,
    HelpersNotice, HelpersPart, HelpersProof, HelpersStop, HelpersStopping, Item, Notice, PROTOCOL_VERSION,
    Push, RecoverRequest, RecoveryProof, Role, SaidPush, SaidRequest, SaidSnapshot, SessionGrant,
    SessionToken, ShortPush, ShortSnapshot, Signed, SpaceBody, SpaceEntry, SpaceLog, SpaceStanding,
    Statement, SyncRequest, Why, decode, encode, helping, is_signed_notice, notice_name,
};

/// A name, and the bytes in hexadecimal digits: one on each line.
type Vectors = Vec<(String, Vec<u8>)>;

/// What there was first, what came with recovery helpers, the short forms, and what came with several requests beside each other.
const FILES: [&str; 6] =
    ["entries-v1.txt", "helpers-v1.txt", "short-v1.txt", "requests-v1.txt", "upheld-v1.txt", "notice-v1.txt"];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// One account's log with every kind of entry, in an order in which each follows the one before.
fn account_entries() -> Vec<(&'static str, Signed<AccountEntry>)> {
    let laptop = Actor::new(1);
    let (phone, tablet, new) =
        (Actor::second(2, &laptop), Actor::second(3, &laptop), Actor::second(4, &laptop));
    let kit = SigningKey::make(&SeededEntropy::new(77));
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let mut entries = vec![("account 1 genesis", laptop.account_genesis())];
    let mut add = |name, entry: Signed<AccountEntry>, log: &mut AccountLog| {
        log.append(&entry).unwrap();
        entries.push((name, entry));
    };
    add("account 2 add device", laptop.add_device(&log, &phone), &mut log);
    add("account 2 add another device", laptop.add_device(&log, &tablet), &mut log);
    let body = AccountBody::SetRecovery {
        signing: kit.verifying_key(),
        kem: laptop.kem.public(),
        sealed: b"sealed to the kit".to_vec(),
    };
    add("account 4 set recovery", laptop.account_entry(&log, body), &mut log);
    let incarnation = IncarnationId::random(&SeededEntropy::new(5));
    let body = AccountBody::Reincarnate { device: phone.device, incarnation };
    add("account 6 reincarnate", phone.account_entry(&log, body), &mut log);
    let body = AccountBody::Rename { device: phone.device, sealed_name: b"sealed new name".to_vec() };
    add("account 7 rename", laptop.account_entry(&log, body), &mut log);
    add("account 3 remove device", laptop.remove_device(&log, phone.device), &mut log);
    let body = AccountBody::RemoveDevice { device: tablet.device, rotation: None };
    add("account 3 a device leaves", tablet.account_entry(&log, body), &mut log);
    let rotation = laptop.rotation(&log, None);
    add("account 8 rotate", laptop.account_entry(&log, AccountBody::Rotate { rotation }), &mut log);
    let mut rotation = new.rotation(&log, None);
    rotation.wraps.truncate(1);
    rotation.wraps[0].device = new.device;
    let body = AccountBody::Recover { device: new.card(b"sealed name"), alone: Some(rotation) };
    add("account 5 recover alone", Actor::recovery_entry(&kit, &log, body), &mut log);
    let other = Actor::second(6, &laptop);
    let body = AccountBody::Recover { device: other.card(b"sealed name"), alone: None };
    add("account 5 recover beside", Actor::recovery_entry(&kit, &log, body), &mut log);
    entries
}

/// One space's log with every kind of entry.
fn space_entries() -> Vec<(&'static str, Signed<SpaceEntry>)> {
    let mut owner = Actor::new(1);
    let (daughter, cousin) = (Actor::new(11), Actor::new(12));
    let (space, genesis) = owner.found_space(None);
    let mut log = SpaceLog::found(&genesis, &owner.signing.verifying_key()).unwrap();
    let mut entries = vec![("space 1 genesis", genesis)];
    let mut add = |name, entry: Signed<SpaceEntry>, by: &Actor, log: &mut SpaceLog| {
        log.append(&entry, &by.signing.verifying_key()).unwrap();
        entries.push((name, entry));
    };
    let who = |actor: &Actor| (actor.account, actor.account_genesis().hash());
    add("space 2 grant to a writer", owner.grant(&log, who(&daughter), Role::Writer), &owner, &mut log);
    add("space 2 grant to a reader", owner.grant(&log, who(&cousin), Role::Reader), &owner, &mut log);
    add("space 2 grant of more", owner.grant(&log, who(&daughter), Role::Manager), &owner, &mut log);
    owner.follow(&log);
    owner.push(space, &["one"], vec![]);
    let body = SpaceBody::Replace {
        document: DocumentId::from_bytes([1; 16]),
        by: DocumentId::from_bytes([2; 16]),
        sealed_reason: b"sealed reason".to_vec(),
        chains: vec![owner.folded(space)],
    };
    add("space 6 replace", daughter.space_entry(&log, body), &daughter, &mut log);
    let cut = owner.cut(space);
    let body = SpaceBody::Remove {
        member: cousin.account,
        why: Why::Expired,
        cuts: vec![cut],
        next: Actor::next_epoch(&log, Some(cousin.account)),
        sealed_reason: b"sealed reason".to_vec(),
    };
    add("space 3 remove", owner.space_entry(&log, body), &owner, &mut log);
    let body = SpaceBody::Leave { cuts: vec![cut] };
    add("space 4 leave", daughter.space_entry(&log, body), &daughter, &mut log);
    let body = SpaceBody::Epoch { next: Actor::next_epoch(&log, None), cuts: vec![cut] };
    add("space 5 epoch", owner.space_entry(&log, body), &owner, &mut log);
    entries
}

fn recover_request() -> RecoverRequest {
    let kit = SigningKey::make(&SeededEntropy::new(77));
    let server = SigningKey::make(&SeededEntropy::new(99)).verifying_key();
    let nonce = mecum_seal::Hash32::from_bytes([8; 32]);
    let challenge = Challenge { nonce, server_time_ms: 7, server };
    let proof = RecoveryProof {
        server: challenge.server,
        nonce: challenge.nonce,
        server_time_ms: challenge.server_time_ms,
        account: Actor::new(1).account,
        key: kit.verifying_key(),
    };
    let (_, entry) = account_entries().pop().unwrap();
    let proof = Signed::sign(proof, &kit);
    RecoverRequest { version: PROTOCOL_VERSION, proof, after: 3, entry: Some(entry) }
}

/// An account's log with helpers: set, carried along by a new account key, used, and ended; and the frames of asking.
fn helpers_written() -> Vectors {
    let laptop = Actor::new(1);
    let (phone, new) = (Actor::second(2, &laptop), Actor::second(4, &laptop));
    let (key, helpers, part) = laptop.helpers(31);
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let mut vectors = vec![("account 1 genesis".to_owned(), encode(&laptop.account_genesis()))];
    let mut add = |name: &str, entry: Signed<AccountEntry>, log: &mut AccountLog| {
        log.append(&entry).unwrap();
        vectors.push((name.to_owned(), encode(&entry)));
    };
    let set = AccountBody::SetHelpers { helpers: Some(helpers.clone()) };
    add("account 9 set helpers", laptop.account_entry(&log, set), &mut log);
    add("account 2 add device", laptop.add_device(&log, &phone), &mut log);
    add("account 3 remove device", laptop.remove_device(&log, phone.device), &mut log);
    let mut rotation = new.rotation(&log, None);
    rotation.wraps[0].device = new.device;
    let body = AccountBody::Recover { device: new.card(b"sealed name"), alone: Some(rotation) };
    add("account 5 recover alone", Actor::helpers_entry(&key, &log, body), &mut log);
    let with_helpers = log.clone();
    add("account 9 end", new.account_entry(&log, AccountBody::SetHelpers { helpers: None }), &mut log);
    vectors.push(("log with helpers".to_owned(), encode(&with_helpers)));
    let server = SigningKey::make(&SeededEntropy::new(99)).verifying_key();
    let request = new.helpers_request(server);
    let (account, named) = (laptop.account, request.hash());
    let nonce = mecum_seal::Hash32::from_bytes([8; 32]);
    let proof = HelpersProof { server, nonce, server_time_ms: 7, account, request: named };
    let proof = Signed::sign(proof, &new.signing);
    let stop = HelpersStop { server, account, request: named, signer: laptop.device };
    let stop = Signed::sign(stop, &laptop.signing);
    let version = PROTOCOL_VERSION;
    let frames = [
        ("helpers ask", encode(&HelpersAsk { version, request })),
        ("helpers fetch", encode(&HelpersFetch { version, proof, after: 3 })),
        ("helpers stop", encode(&HelpersStopping { version, stop })),
        ("helpers part", encode(&HelpersPart { version, set: helping::set_hash(&helpers.set), part })),
    ];
    vectors.extend(frames.map(|(name, bytes)| (name.to_owned(), bytes)));
    vectors
}

/// A laptop that has said something of two others, and what it says next: in full and short.
fn said_next() -> (Push, Push, ShortPush, Actor) {
    let mut laptop = Actor::new(1);
    let (space, genesis) = laptop.found_space(None);
    let other = |seed| {
        let mut other = Actor::second(seed, &laptop);
        other.join_space(space, genesis.hash());
        other.push(space, &["one"], vec![]);
        other
    };
    let (mut phone, tablet) = (other(2), other(3));
    let base = laptop.push(space, &["first"], vec![phone.as_received(space)]);
    phone.push(space, &["two"], vec![]);
    let next = laptop.push(space, &["second"], vec![phone.as_received(space), tablet.as_received(space)]);
    let short = ShortPush::of(&next, base.statement.unverified()).unwrap();
    (base, next, short, laptop)
}

/// Everything that has a short form, with what it stands for.
fn short_written() -> Vectors {
    let (base, next, short, mut laptop) = said_next();
    let space = next.space();
    let alone = Push {
        envelopes: vec![],
        statement: laptop.state(space, next.statement.unverified().received.clone()),
    };
    let alone = ShortPush::of(&alone, next.statement.unverified()).unwrap();
    let snapshot = laptop.snapshot(space, 2, vec![laptop.folded(space)], &["keys", "document"]);
    let (founded, genesis) = laptop.found_space(None);
    let server = SigningKey::make(&SeededEntropy::new(99));
    let place = Countersign { space: founded, seq: 1, entry: genesis.hash(), space_seq: 0, stored_at_ms: 5 };
    let request = SyncRequest {
        space_entries: vec![genesis],
        pushes: vec![next.clone()],
        snapshots: vec![snapshot.clone()],
        ..SyncRequest::pull(300, 4 << 20)
    };
    let said = SaidRequest::short(&request, |_| Some(base.statement.unverified()));
    let token = SessionToken::from_bytes([3; 32]);
    let grant = SessionGrant { token, expires_at_ms: 9, server_time_ms: 1, forms: Some(FORMS) };
    let vectors = [
        ("statement before", encode(&base.statement)),
        ("push in full", encode(&next)),
        ("push", encode(&SaidPush::Short(short))),
        ("push that acknowledges alone", encode(&SaidPush::Short(alone))),
        ("snapshot in full", encode(&snapshot)),
        ("snapshot", encode(&ShortSnapshot::of(&snapshot))),
        ("confirmation", encode(&Item::Confirmed(Signed::sign(place, &server)))),
        ("request", encode(&said)),
        ("session", encode(&grant)),
    ];
    vectors.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec()
}

/// What a device is told of requests by helpers: as it always was, and with how many there are, to who asked for that.
fn requests_written() -> Vectors {
    let server = SigningKey::make(&SeededEntropy::new(99)).verifying_key();
    let request = Actor::new(4).helpers_request(server).hash();
    let notice = HelpersNotice { request, asked_at_ms: 7, released_at_ms: 604_800_007, others: None };
    let counted = HelpersNotice { others: Some(2), ..notice };
    let pull = SaidRequest::from(&SyncRequest::pull(300, 4 << 20));
    let vectors = [
        ("notice", encode(&notice)),
        ("notice that counts", encode(&counted)),
        ("request", encode(&pull)),
        ("request that takes a count", encode(&pull.counting())),
    ];
    vectors.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec()
}

/// An account that stands for what a device signed before it was removed, without helpers and with them.
fn upheld_written() -> Vectors {
    let laptop = Actor::new(1);
    let phone = Actor::second(2, &laptop);
    let (_, helpers, _) = laptop.helpers(31);
    let mut log = AccountLog::found(&laptop.account_genesis()).unwrap();
    let mut vectors = vec![("account 1 genesis".to_owned(), encode(&laptop.account_genesis()))];
    let mut add = |name: &str, entry: Signed<AccountEntry>, log: &mut AccountLog| {
        log.append(&entry).unwrap();
        vectors.push((name.to_owned(), encode(&entry)));
    };
    add("account 2 add device", laptop.add_device(&log, &phone), &mut log);
    add("account 3 remove device", laptop.remove_device(&log, phone.device), &mut log);
    let [one, two, three] = [1, 2, 3].map(|n| mecum_seal::Hash32::from_bytes([n; 32]));
    let uphold = |log: &AccountLog, entries| laptop.account_entry(log, AccountBody::Uphold { entries });
    add("account 10 uphold", uphold(&log, vec![one, three]), &mut log);
    let without = log.clone();
    let set = AccountBody::SetHelpers { helpers: Some(helpers) };
    add("account 9 set helpers", laptop.account_entry(&log, set), &mut log);
    add("account 10 uphold another", uphold(&log, vec![two]), &mut log);
    vectors.push(("log that upholds".to_owned(), encode(&without)));
    vectors.push(("log that upholds, with helpers".to_owned(), encode(&log)));
    vectors
}

/// What a hospital publishes, and the name of its page.
fn notice_written() -> Vectors {
    let hospital = Actor::new(1);
    let notice = Notice {
        account: hospital.account,
        device: hospital.device,
        key: hospital.signing.verifying_key(),
        number: 300,
        published_ms: 1_788_742_800_000,
        body: b"deflated".to_vec(),
    };
    let signed = Signed::sign(notice, &hospital.signing);
    let name = notice_name(hospital.account).to_vec();
    vec![("name".to_owned(), name), ("notice".to_owned(), encode(&signed))]
}

/// What the live path writes.
fn written(name: &str) -> Vectors {
    if name == FILES[5] {
        return notice_written();
    }
    if name == FILES[4] {
        return upheld_written();
    }
    if name == FILES[3] {
        return requests_written();
    }
    if name == FILES[2] {
        return short_written();
    }
    if name == FILES[1] {
        return helpers_written();
    }
    let account = account_entries().into_iter().map(|(name, entry)| (name, encode(&entry)));
    let space = space_entries().into_iter().map(|(name, entry)| (name, encode(&entry)));
    let recover = std::iter::once(("recover request", encode(&recover_request())));
    account.chain(space).chain(recover).map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

fn frozen(name: &str) -> Vectors {
    let path = file(name);
    if !path.exists() && std::env::var_os("MECUM_WRITE_VECTORS").is_some() {
        let lines: Vec<_> =
            written(name).iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
        std::fs::write(&path, lines.concat()).unwrap();
    }
    let text = std::fs::read_to_string(&path).expect("the vectors are in the repository");
    let parse = |line: &str| {
        let (name, digits) = line.rsplit_once(' ').unwrap();
        let bytes =
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        (name.to_owned(), bytes.collect())
    };
    text.lines().map(parse).collect()
}

#[test]
fn the_live_path_writes_the_frozen_bytes() {
    for file in FILES {
        let (frozen, written) = (frozen(file), written(file));
        let names = |vectors: &Vectors| vectors.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&frozen), names(&written), "every kind is frozen in {file}");
        for ((name, frozen), (_, written)) in frozen.iter().zip(&written) {
            assert_eq!(hex(frozen), hex(written), "{name} is written as it always was");
        }
    }
}

#[test]
fn the_frozen_helpers_are_read_and_amount_to_what_they_say() {
    let vectors = frozen(FILES[1]);
    let mut log: Option<AccountLog> = None;
    let mut with_helpers = None;
    for (name, bytes) in &vectors {
        if let Some(rest) = name.strip_prefix("account ") {
            let entry: Signed<AccountEntry> = decode(bytes, 1 << 20).unwrap();
            match &mut log {
                None => log = Some(AccountLog::found(&entry).unwrap()),
                Some(log) => log.append(&entry).unwrap(),
            }
            if rest == "5 recover alone" {
                with_helpers.clone_from(&log);
            }
        } else if name == "log with helpers" {
            let stored: AccountLog = decode(bytes, 1 << 20).unwrap();
            assert_eq!(
                Some(&stored),
                with_helpers.as_ref(),
                "the stored state is what its entries amount to"
            );
            let helpers = stored.helpers().unwrap();
            assert_eq!((helpers.wait_days, helpers.sealed.len()), (7, 1_300), "with what they open");
        } else if name == "helpers ask" {
            let ask: HelpersAsk = decode(bytes, 1 << 20).unwrap();
            assert!(helping::is_sound(&ask.request), "under the key of the device that it names");
        }
    }
    let log = log.unwrap();
    assert_eq!((log.devices().len(), log.removed().len()), (1, 2), "the new device is alone");
    assert!(log.helpers().is_none(), "and the helpers are ended");
}

#[test]
fn the_frozen_bytes_are_read_and_amount_to_what_they_say() {
    let vectors = frozen(FILES[0]);
    let of = |kind: &str| -> Vec<Vec<u8>> {
        let of_kind = vectors.iter().filter(|(name, _)| name.starts_with(kind));
        of_kind.map(|(_, bytes)| bytes.clone()).collect()
    };
    let mut account: Option<AccountLog> = None;
    for bytes in of("account ") {
        let entry: Signed<AccountEntry> = decode(&bytes, 1 << 20).unwrap();
        match &mut account {
            None => account = Some(AccountLog::found(&entry).unwrap()),
            Some(log) => log.append(&entry).unwrap(),
        }
    }
    let account = account.unwrap();
    assert_eq!((account.devices().len(), account.removed().len()), (2, 3), "two devices are left of five");
    let keys = [1, 11].map(Actor::new);
    let mut space: Option<SpaceLog> = None;
    for bytes in of("space ") {
        let entry: Signed<SpaceEntry> = decode(&bytes, 1 << 20).unwrap();
        let by = keys.iter().find(|actor| actor.device == entry.unverified().device).unwrap();
        let key = by.signing.verifying_key();
        match &mut space {
            None => space = Some(SpaceLog::found(&entry, &key).unwrap()),
            Some(log) => log.append(&entry, &key).unwrap(),
        }
    }
    let space = space.unwrap();
    assert_eq!(
        (space.members().len(), space.epoch(), space.is_stale()),
        (1, 3, false),
        "the owner alone is left"
    );
    let request: RecoverRequest = decode(&of("recover ")[0], 1 << 20).unwrap();
    let key = request.proof.unverified().key;
    assert!(request.proof.verify(&key).is_ok(), "the proof is under the key that it names");
}

#[test]
fn the_frozen_short_forms_are_read_and_stand_for_what_they_say() {
    let vectors = frozen(FILES[2]);
    let of = |kind: &str| vectors.iter().find(|(name, _)| name == kind).unwrap().1.as_slice();
    let (_, next, _, laptop) = said_next();
    let base: Signed<Statement> = decode(of("statement before"), 1 << 20).unwrap();
    let whole: Push = decode(of("push in full"), 1 << 20).unwrap();
    let SaidPush::Short(short) = decode(of("push"), 1 << 20).unwrap() else { panic!("it is short") };
    let link = |device, _, seq| {
        let is_it = |r: &&mecum_sync::Received| r.device == device && r.envelope_seq == seq;
        let held = whole.statement.unverified().received.iter().find(is_it);
        Ok::<_, std::convert::Infallible>(held.map(|r| r.last))
    };
    let read = short.whole(base.unverified(), link).unwrap().unwrap();
    assert_eq!(read, whole, "the short push is the whole one");
    assert_eq!(read, next, "which is what the device says");
    assert!(read.statement.verify(&laptop.signing.verifying_key()).is_ok(), "as it was signed");
    let snapshot: mecum_sync::SpaceSnapshot = decode(of("snapshot in full"), 1 << 20).unwrap();
    let SaidSnapshot::Short(folded) = decode(of("snapshot"), 1 << 20).unwrap() else { panic!("it is short") };
    let body = snapshot.signed.unverified();
    let (membership_head, epoch) = (body.membership_head, body.epoch);
    let standing = SpaceStanding { membership_head, epoch, chains: body.chains.clone() };
    let maker = (body.device, body.incarnation);
    assert_eq!(folded.whole(maker, standing), snapshot, "the short snapshot is the whole one");
    let request: SaidRequest = decode(of("request"), 1 << 20).unwrap();
    assert!(request.takes_confirmations(), "it says that its answer may be short");
    let Item::Confirmed(place) = decode(of("confirmation"), 1 << 20).unwrap() else { panic!("it is one") };
    assert_eq!(place.unverified().entry, request.space_entries[0].hash(), "about the entry of that request");
    let grant: SessionGrant = decode(of("session"), 1 << 20).unwrap();
    assert_eq!(grant.forms, Some(1), "the relay takes the first short forms");
}

#[test]
fn a_notice_that_counts_is_the_frozen_one_with_a_number_behind_it() {
    let vectors = frozen(FILES[3]);
    let of = |kind: &str| vectors.iter().find(|(name, _)| name == kind).unwrap().1.as_slice();
    let notice: HelpersNotice = decode(of("notice"), 1 << 20).unwrap();
    let counted: HelpersNotice = decode(of("notice that counts"), 1 << 20).unwrap();
    assert_eq!((notice.others, counted.others), (None, Some(2)), "two more are open");
    assert_eq!(counted, HelpersNotice { others: Some(2), ..notice }, "and the rest is the same");
    let inside = &of("notice")[1..];
    assert_eq!(of("notice that counts")[1..], [inside, &[2]].concat(), "which costs one byte");
    let plain: SaidRequest = decode(of("request"), 1 << 20).unwrap();
    let counting: SaidRequest = decode(of("request that takes a count"), 1 << 20).unwrap();
    assert!(!plain.takes_count() && counting.takes_count(), "a device says that it knows the number");
    assert!(counting.takes_confirmations(), "and an earlier relay takes that for the short forms");
}

#[test]
fn the_frozen_logs_uphold_what_their_entries_say() {
    let mut log: Option<AccountLog> = None;
    let mut amounts = Vec::new();
    for (name, bytes) in frozen(FILES[4]) {
        if name.starts_with("account ") {
            let entry: Signed<AccountEntry> = decode(&bytes, 1 << 20).unwrap();
            match &mut log {
                None => log = Some(AccountLog::found(&entry).unwrap()),
                Some(log) => log.append(&entry).unwrap(),
            }
            amounts.push((name, log.clone().unwrap()));
        } else {
            let stored: AccountLog = decode(&bytes, 1 << 20).unwrap();
            let phone = Actor::second(2, &Actor::new(1)).device;
            let counts = |n| stored.signs(phone, &mecum_seal::Hash32::from_bytes([n; 32])).is_some();
            let with_helpers = stored.helpers().is_some();
            assert_eq!([1, 2, 3].map(counts), [true, with_helpers, true], "{name}");
            let after = if with_helpers { "account 10 uphold another" } else { "account 10 uphold" };
            let amount = amounts.iter().find(|(name, _)| name == after).map(|(_, log)| log);
            assert_eq!(amount, Some(&stored), "{name} is what its entries amount to");
        }
    }
    assert_eq!(amounts.len(), 6, "every entry was read");
}

#[test]
fn a_notice_counts_for_the_account_that_it_names_and_as_it_was_signed() {
    let vectors = frozen(FILES[5]);
    let of = |name: &str| vectors.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes).unwrap();
    let hospital = Actor::new(1);
    let notice: Signed<Notice> = decode(of("notice"), 1 << 20).unwrap();
    assert!(is_signed_notice(&notice, hospital.account), "it is that hospital's");
    assert!(!is_signed_notice(&notice, Actor::new(2).account), "and no other's");
    assert_eq!(notice.unverified().number, 300);
    assert_eq!(notice_name(notice.unverified().account).as_slice(), of("name"), "under that name");
    for at in 0..of("notice").len() {
        let mut changed = of("notice").clone();
        changed[at] ^= 1;
        let read = decode::<Signed<Notice>>(&changed, 1 << 20);
        let counts = read.is_ok_and(|read| is_signed_notice(&read, hospital.account));
        assert!(!counts, "byte {at} was changed");
    }
}
