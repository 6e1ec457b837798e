//! What the first version stored reads back, byte for byte, and goes on; and so does every state that came to be stored since.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use mecum_faults::Frozen;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{IncarnationId, SigningKey, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{
    AccountBody, AccountEntry, AccountLog, Countersign, Follower, Item, Outcome, Push, Receipt, Receipts,
    Role, Signed, SpaceEntry, SpaceLog, SyncRequest, SyncResponse, decode, encode,
};
use minicbor::{Decode, Encode};

/// `name hex` lines, written by the code from before there were members, removals and recovery.
const FIRST_VERSION: &str = include_str!("vectors/state-v1.txt");

fn stored(name: &str) -> Vec<u8> {
    let line = FIRST_VERSION.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let hex = line.unwrap_or_else(|| panic!("{name} is in the file"));
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn read<T: Encode<()> + for<'b> Decode<'b, ()>>(name: &str) -> T {
    let bytes = stored(name);
    let value: T = decode(&bytes, 1 << 20).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(encode(&value), bytes, "{name} is written as it was");
    value
}

#[test]
fn what_the_first_version_stored_reads_back_byte_for_byte() {
    let genesis: Signed<AccountEntry> = read("account genesis entry");
    let add: Signed<AccountEntry> = read("account add device entry");
    let space_genesis: Signed<SpaceEntry> = read("space genesis entry");
    let log: AccountLog = read("account log");
    let space: SpaceLog = read("space log");
    let mut again = AccountLog::found(&genesis).unwrap();
    again.append(&add).unwrap();
    assert_eq!(again, log, "its entries still amount to the same");
    let signer = log.devices()[0].signing;
    assert_eq!(SpaceLog::found(&space_genesis, &signer).unwrap(), space, "and those of the space");
    let bytes = stored("follower");
    let follower = Follower::from_bytes(&bytes).unwrap();
    assert_eq!(follower.to_bytes(), bytes, "the follower is written as it was");
    assert_eq!((follower.cursor(), follower.space_seq(space.space())), (4, 2), "and stands where it stood");
}

/// Every kind of entry, written by `vectors.rs`.
const ENTRIES: &str = include_str!("vectors/entries-v1.txt");

/// The signed entries whose names begin with `kind`, in their order.
fn entries<T: Encode<()> + for<'b> Decode<'b, ()>>(kind: &str) -> Vec<T> {
    let read = |line: &str| {
        let (_, hex) = line.rsplit_once(' ').unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        decode(&(0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>(), 1 << 20).unwrap()
    };
    ENTRIES.lines().filter(|line| line.starts_with(kind)).map(read).collect()
}

/// What the frozen entries of an account amount to, after the first few of them and after all.
fn account_logs() -> [AccountLog; 2] {
    let entries: Vec<Signed<AccountEntry>> = entries("account ");
    let log = |count: usize| {
        let mut log = AccountLog::found(&entries[0]).unwrap();
        entries[1..count].iter().for_each(|entry| log.append(entry).unwrap());
        log
    };
    [log(6), log(entries.len())]
}

/// What the frozen entries of a space amount to.
fn space_log() -> SpaceLog {
    let entries: Vec<Signed<SpaceEntry>> = entries("space ");
    let by = [1, 11].map(Actor::new);
    let key = |entry: &Signed<SpaceEntry>| {
        let by = by.iter().find(|actor| actor.device == entry.unverified().device);
        by.unwrap().signing.verifying_key()
    };
    let mut log = SpaceLog::found(&entries[0], &key(&entries[0])).unwrap();
    entries[1..].iter().for_each(|entry| log.append(entry, &key(entry)).unwrap());
    log
}

/// A laptop that is followed by a phone of the account, and what the relay shows.
struct Scene {
    relay: SigningKey,
    laptop: Actor,
    phone: Actor,
    follower: Follower,
    log: AccountLog,
    space: SpaceId,
    space_log: SpaceLog,
}

fn scene() -> Scene {
    let relay = SigningKey::make(&SeededEntropy::new(40));
    let pin = Some(relay.verifying_key());
    let mut laptop = Actor::new(41);
    let mut phone = Actor::second(42, &laptop);
    let genesis = laptop.account_genesis();
    let mut log = AccountLog::found(&genesis).unwrap();
    let add = laptop.add_device(&log, &phone);
    log.append(&add).unwrap();
    let (space, founded) = laptop.found_space(pin);
    phone.join_space(space, founded.hash());
    let space_log = SpaceLog::found(&founded, &laptop.signing.verifying_key()).unwrap();
    let mut follower = Follower::join(phone.account, phone.device, phone.incarnation, genesis.hash(), pin);
    let place = Countersign { space, seq: 1, entry: founded.hash(), space_seq: 0, stored_at_ms: 1 };
    let shown = Item::SpaceEntry { entry: founded, countersign: Signed::sign(place, &relay) };
    for item in [Item::AccountEntry(genesis), Item::AccountEntry(add), shown] {
        follower.accept(&item).unwrap();
    }
    Scene { relay, laptop, phone, follower, log, space, space_log }
}

impl Scene {
    /// Both write, each after the other's words; the relay says what it holds of the phone's.
    fn written(mut self) -> Self {
        let one: Push = self.laptop.push(self.space, &["one"], vec![]);
        self.follower.accept(&Item::Batch { first_space_seq: 1, push: one }).unwrap();
        let two = self.phone.push(self.space, &["two", "three"], self.follower.received(self.space));
        let said = two.statement.unverified();
        let receipt = Receipt {
            chain: said.chain(),
            envelope_seq: said.envelope_seq,
            last: said.last,
            space_seq: 3,
            stored_at_ms: 77,
        };
        let request = SyncRequest { pushes: vec![two.clone()], ..SyncRequest::pull(0, 1_000) };
        let own = Item::Own { first_space_seq: 2, count: 2, statement: two.statement.clone() };
        let response = SyncResponse {
            server_time_ms: 80,
            account_outcomes: vec![],
            space_outcomes: vec![],
            push_outcomes: vec![Outcome::Stored],
            receipts: Some(Signed::sign(Receipts { receipts: vec![receipt] }, &self.relay)),
            items: vec![own.clone()],
            cursor: 4,
            more: false,
            snapshot_outcomes: vec![],
            pruned: None,
            helpers_notice: None,
            handed: None,
        };
        self.follower.check_response(&request, &response).unwrap();
        self.follower.accept(&own).unwrap();
        self.follower.advance(4);
        self
    }

    /// The laptop is removed from the account, and the phone says under another name what it may still take back.
    fn parted(mut self) -> Self {
        let removed = self.phone.remove_device(&self.log, self.laptop.device);
        self.log.append(&removed).unwrap();
        self.follower.accept(&Item::AccountEntry(removed)).unwrap();
        let device = self.phone.device;
        let rename = AccountBody::Rename { device, sealed_name: b"sealed new name".to_vec() };
        let rename = self.phone.account_entry(&self.log, rename);
        self.follower.add_own_account_entry(&rename).unwrap();
        let daughter = Actor::new(43);
        let who = (daughter.account, daughter.account_genesis().hash());
        let grant = self.phone.grant(&self.space_log, who, Role::Writer);
        self.follower.add_own_space_entry(&grant).unwrap();
        self
    }

    /// A space of somebody else's is expected, another is passed over, and a daughter who is let in is known.
    fn shared(mut self) -> Self {
        let daughter = Actor::new(43);
        let genesis = daughter.account_genesis();
        let grant = self.laptop.grant(&self.space_log, (daughter.account, genesis.hash()), Role::Writer);
        let place =
            Countersign { space: self.space, seq: 2, entry: grant.hash(), space_seq: 3, stored_at_ms: 90 };
        let countersign = Signed::sign(place, &self.relay);
        self.follower.accept(&Item::SpaceEntry { entry: grant, countersign }).unwrap();
        self.follower.accept(&Item::AccountEntry(genesis)).unwrap();
        let mut stranger = Actor::new(44);
        let (space, founded) = stranger.found_space(Some(self.relay.verifying_key()));
        let place = Countersign { space, seq: 1, entry: founded.hash(), space_seq: 0, stored_at_ms: 91 };
        let countersign = Signed::sign(place, &self.relay);
        self.follower.accept(&Item::SpaceEntry { entry: founded, countersign }).unwrap();
        let mother = Actor::new(45);
        let expected = SpaceId::from_bytes([45; 16]);
        self.follower.expect_space(expected, mother.account, mother.account_genesis().hash()).unwrap();
        self
    }
}

/// Followers in every state of which something is stored.
fn followers() -> Vec<(&'static str, Follower)> {
    let of = |scene: Scene| scene.follower;
    let mut again = of(scene().written());
    again.start_over();
    let mut aside = scene().written();
    aside.follower.set_aside(aside.space);
    let mut anew = of(scene().written());
    anew.begin_incarnation(IncarnationId::from_bytes([46; 16]));
    vec![
        ("follower at rest", of(scene().written())),
        ("follower that reads everything again", again),
        ("follower that passes a space over", of(aside)),
        ("follower in a new incarnation", anew),
        ("follower of a removed device, with own entries to be shown", of(scene().written().parted())),
        ("follower with others", of(scene().written().shared())),
    ]
}

#[test]
fn every_state_is_stored_as_the_frozen_bytes_and_read_from_them() {
    let ([half, whole], space, followers) = (account_logs(), space_log(), followers());
    let mut written = vec![
        ("account log with a kit and a reincarnation", encode(&half)),
        ("account log after every kind of entry", encode(&whole)),
        ("space log after every kind of entry", encode(&space)),
    ];
    written.extend(followers.iter().map(|(name, follower)| (*name, follower.to_bytes())));
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "state-v2.txt", &written);
    let log = |name: &str| decode::<AccountLog>(frozen.get(name), 1 << 20);
    assert_eq!(log(written[0].0), Ok(half), "what the first entries amount to");
    assert_eq!(log(written[1].0), Ok(whole), "what all of them amount to");
    assert_eq!(decode::<SpaceLog>(frozen.get(written[2].0), 1 << 20), Ok(space), "and those of a space");
    for (name, follower) in &followers {
        assert_eq!(
            Follower::from_bytes(frozen.get(name)).as_ref(),
            Ok(follower),
            "{name} stands where it stood"
        );
    }
    let lengths: std::collections::BTreeSet<_> = followers.iter().map(|(_, f)| f.to_bytes()).collect();
    assert_eq!(lengths.len(), followers.len(), "each is another state");
}
