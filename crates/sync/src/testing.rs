//! For tests only: a device that makes honest entries and pushes, with keys from a seed. INSECURE by construction.

use std::collections::BTreeMap;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    AccountId, DeviceId, DocumentId, DocumentKey, Hash32, IncarnationId, KemSecret, Place, RecoveryKey,
    SharedOut, SigningKey, SpaceId, VerifyingKey, seal_envelope,
};

use crate::{
    AccountBody, AccountEntry, AccountLog, ChainHead, Cut, DeviceCard, DeviceWrap, FoldedChain,
    HELPERS_SIGNER, Helpers, HelpersRequest, NewEpoch, Push, RECOVERY_SIGNER, Received, Role, Rotation,
    Signed, SnapshotBody, SpaceBody, SpaceEntry, SpaceLog, SpaceSnapshot, Statement, Verified, Why, Wrap,
};

/// What the device knows of a space that it writes in.
#[derive(Clone, Debug)]
pub struct Writing {
    /// The membership head that it writes under.
    pub membership_head: Hash32,
    /// The epoch that it seals under.
    pub epoch: u32,
    /// The last `envelope_seq` of its chain.
    pub envelope_seq: u64,
    /// The content id of that envelope.
    pub last: Hash32,
}

/// A device in a test.
pub struct Actor {
    /// Its randomness.
    pub entropy: SeededEntropy,
    /// Its signing key.
    pub signing: SigningKey,
    /// Its HPKE key.
    pub kem: KemSecret,
    /// Its account's HPKE key.
    pub account_kem: KemSecret,
    /// Its account.
    pub account: AccountId,
    /// Its id.
    pub device: DeviceId,
    /// Its incarnation.
    pub incarnation: IncarnationId,
    /// The key of the one document it writes in.
    pub document_key: DocumentKey,
    /// Its chains.
    pub writing: BTreeMap<SpaceId, Writing>,
}

impl Actor {
    /// The first device of a new account.
    pub fn new(seed: u64) -> Self {
        let entropy = SeededEntropy::new(seed);
        Self {
            signing: SigningKey::make(&entropy),
            kem: KemSecret::make(&entropy),
            account_kem: KemSecret::make(&entropy),
            account: AccountId::random(&entropy),
            device: DeviceId::random(&entropy),
            incarnation: IncarnationId::random(&entropy),
            document_key: DocumentKey::make(&entropy),
            writing: BTreeMap::new(),
            entropy,
        }
    }

    /// Another device of the account of `first`.
    pub fn second(seed: u64, first: &Actor) -> Self {
        Self { account: first.account, ..Self::new(seed) }
    }

    /// The device as an account log describes it. `name` stands for sealed bytes.
    pub fn card(&self, name: &[u8]) -> DeviceCard {
        DeviceCard {
            device: self.device,
            signing: self.signing.verifying_key(),
            kem: self.kem.public(),
            incarnation: self.incarnation,
            sealed_name: name.to_vec(),
        }
    }

    /// The account's first entry.
    pub fn account_genesis(&self) -> Signed<AccountEntry> {
        let body = AccountBody::Genesis {
            device: self.card(b"sealed name"),
            account_kem: self.account_kem.public(),
            recovery: None,
        };
        let entry =
            AccountEntry { account: self.account, seq: 1, previous: Hash32::ZERO, signer: self.device, body };
        Signed::sign(entry, &self.signing)
    }

    /// An entry that adds `other` after the head of `log`.
    pub fn add_device(&self, log: &AccountLog, other: &Actor) -> Signed<AccountEntry> {
        let entry = AccountEntry {
            account: self.account,
            seq: log.entries() + 1,
            previous: log.head(),
            signer: self.device,
            body: AccountBody::AddDevice { device: other.card(b"sealed name two") },
        };
        Signed::sign(entry, &self.signing)
    }

    /// Founds a space with this device's account as its owner.
    pub fn found_space(&mut self, relay: Option<VerifyingKey>) -> (SpaceId, Signed<SpaceEntry>) {
        let space = SpaceId::random(&self.entropy);
        let body = SpaceBody::Genesis {
            owner: self.account,
            relay,
            epoch: 1,
            wraps: vec![Wrap { account: self.account, bytes: vec![7; 1_168] }],
            sealed_label: b"sealed label".to_vec(),
        };
        let entry = SpaceEntry {
            space,
            seq: 1,
            previous: Hash32::ZERO,
            account: self.account,
            device: self.device,
            body,
        };
        let signed = Signed::sign(entry, &self.signing);
        self.join_space(space, signed.hash());
        (space, signed)
    }

    /// Signs what this device wants to do, for the end of its account's log.
    pub fn account_entry(&self, log: &AccountLog, body: AccountBody) -> Signed<AccountEntry> {
        let entry = AccountEntry {
            account: self.account,
            seq: log.entries() + 1,
            previous: log.head(),
            signer: self.device,
            body,
        };
        Signed::sign(entry, &self.signing)
    }

    /// Signs with a recovery key, for the end of an account's log.
    pub fn recovery_entry(key: &SigningKey, log: &AccountLog, body: AccountBody) -> Signed<AccountEntry> {
        let entry = AccountEntry {
            account: log.account(),
            seq: log.entries() + 1,
            previous: log.head(),
            signer: RECOVERY_SIGNER,
            body,
        };
        Signed::sign(entry, key)
    }

    /// Signs with a helpers' recovery key, for the end of an account's log.
    pub fn helpers_entry(key: &SigningKey, log: &AccountLog, body: AccountBody) -> Signed<AccountEntry> {
        let entry = AccountEntry {
            account: log.account(),
            seq: log.entries() + 1,
            previous: log.head(),
            signer: HELPERS_SIGNER,
            body,
        };
        Signed::sign(entry, key)
    }

    /// Asks for an account by its helpers, as a fresh device.
    pub fn helpers_request(&self, server: VerifyingKey) -> Signed<HelpersRequest> {
        let request = HelpersRequest { server, account: self.account, device: self.card(b"") };
        Signed::sign(request, &self.signing)
    }

    /// A helpers' recovery key as a log names it, and the server's part of it. What is sealed stands for itself.
    pub fn helpers(&self, seed: u64) -> (SigningKey, Helpers, [u8; 32]) {
        let entropy = SeededEntropy::new(seed);
        let recovery = RecoveryKey::make(&entropy);
        let SharedOut { server, set, .. } = SharedOut::make(&recovery, &entropy);
        let signing = recovery.signing_key();
        let helpers = Helpers {
            signing: signing.verifying_key(),
            kem: self.kem.public(),
            sealed: b"sealed to the helpers' key".to_vec(),
            set,
            wait_days: 7,
        };
        (signing, helpers, *server.expose())
    }

    /// A new account key for the devices of `log` but `without`, and for its recovery key if there is one. Wraps stand for
    /// sealed bytes.
    pub fn rotation(&self, log: &AccountLog, without: Option<DeviceId>) -> Rotation {
        let stay = log.devices().iter().map(|card| card.device).filter(|id| Some(*id) != without);
        Rotation {
            account_kem: KemSecret::make(&self.entropy).public(),
            wraps: stay.map(|device| DeviceWrap { device, bytes: vec![6; 1_168] }).collect(),
            recovery_sealed: if log.recovery_kem().is_some() { vec![5; 1_300] } else { Vec::new() },
            helpers_sealed: if log.helpers().is_some() { vec![6; 1_300] } else { Vec::new() },
        }
    }

    /// An entry that removes another device of the account.
    pub fn remove_device(&self, log: &AccountLog, device: DeviceId) -> Signed<AccountEntry> {
        let rotation = Some(self.rotation(log, Some(device)));
        self.account_entry(log, AccountBody::RemoveDevice { device, rotation })
    }

    /// Signs what this device wants to do, for the end of a space's log.
    pub fn space_entry(&self, log: &SpaceLog, body: SpaceBody) -> Signed<SpaceEntry> {
        let entry = SpaceEntry {
            space: log.space(),
            seq: log.entries() + 1,
            previous: log.head(),
            account: self.account,
            device: self.device,
            body,
        };
        Signed::sign(entry, &self.signing)
    }

    /// Lets an account in, or raises its role.
    pub fn grant(
        &self,
        log: &SpaceLog,
        (member, genesis): (AccountId, Hash32),
        role: Role,
    ) -> Signed<SpaceEntry> {
        let wraps = vec![Wrap { account: member, bytes: vec![7; 1_168] }];
        let sealed_terms = b"sealed terms".to_vec();
        self.space_entry(log, SpaceBody::Grant { member, genesis, role, wraps, sealed_terms })
    }

    /// The next epoch of a space for its members but `without`.
    pub fn next_epoch(log: &SpaceLog, without: Option<AccountId>) -> NewEpoch {
        let stay = log.members().iter().map(|m| m.account).filter(|account| Some(*account) != without);
        NewEpoch {
            epoch: log.epoch() + 1,
            wraps: stay.map(|account| Wrap { account, bytes: vec![8; 1_168] }).collect(),
            sealed_previous: vec![9; 60],
        }
    }

    /// Removes a member.
    pub fn remove(&self, log: &SpaceLog, member: AccountId, cuts: Vec<Cut>) -> Signed<SpaceEntry> {
        let next = Self::next_epoch(log, Some(member));
        let sealed_reason = b"sealed reason".to_vec();
        self.space_entry(log, SpaceBody::Remove { member, why: Why::Removed, cuts, next, sealed_reason })
    }

    /// This device's chain in a space as it stands: nothing of it is cut off.
    pub fn cut(&self, space: SpaceId) -> Cut {
        let Received { device, incarnation, envelope_seq, last } = self.as_received(space);
        Cut { device, incarnation, envelope_seq, hash: last }
    }

    /// Writes under the head and epoch of `log` from here on.
    pub fn follow(&mut self, log: &SpaceLog) {
        let writing = self.writing.entry(log.space()).or_insert(Writing {
            membership_head: log.head(),
            epoch: log.epoch(),
            envelope_seq: 0,
            last: Hash32::ZERO,
        });
        writing.membership_head = log.head();
        writing.epoch = log.epoch();
    }

    /// Begins a chain in a space.
    pub fn join_space(&mut self, space: SpaceId, membership_head: Hash32) {
        let writing = Writing { membership_head, epoch: 1, envelope_seq: 0, last: Hash32::ZERO };
        self.writing.insert(space, writing);
    }

    /// Seals each text as the next envelope and states what the chain amounts to. Panics outside its spaces.
    pub fn push(&mut self, space: SpaceId, texts: &[&str], received: Vec<Received>) -> Push {
        let mut writing = self.writing.get(&space).expect("the test joined the space").clone();
        let mut envelopes = Vec::new();
        for text in texts {
            let place = Place {
                space,
                document: DocumentId::from_bytes([9; 16]),
                device: self.device,
                incarnation: self.incarnation,
                envelope_seq: writing.envelope_seq + 1,
                epoch: writing.epoch,
                membership_head: writing.membership_head,
                previous: writing.last,
            };
            let sealed = seal_envelope(&self.document_key, &place, text.as_bytes(), &self.entropy)
                .expect("test texts are short");
            writing.envelope_seq += 1;
            writing.last = sealed.content_id;
            envelopes.push(sealed.bytes);
        }
        self.writing.insert(space, writing);
        Push { envelopes, statement: self.state(space, received) }
    }

    /// A statement about the chain as it stands.
    pub fn state(&self, space: SpaceId, mut received: Vec<Received>) -> Signed<Statement> {
        let writing = self.writing.get(&space).expect("the test joined the space");
        received.sort_unstable();
        let statement = Statement {
            space,
            device: self.device,
            incarnation: self.incarnation,
            envelope_seq: writing.envelope_seq,
            last: writing.last,
            heads: Hash32::ZERO,
            received,
        };
        Signed::sign(statement, &self.signing)
    }

    /// A snapshot of a space with `parts` as its documents.
    pub fn snapshot(
        &self,
        space: SpaceId,
        space_seq: u64,
        chains: Vec<FoldedChain>,
        parts: &[&str],
    ) -> SpaceSnapshot {
        let writing = self.writing.get(&space).expect("the test joined the space");
        let seal = |(number, text): (usize, &&str)| {
            let place = Place {
                space,
                document: DocumentId::from_bytes([u8::try_from(number).expect("few parts"); 16]),
                device: self.device,
                incarnation: self.incarnation,
                envelope_seq: space_seq,
                epoch: writing.epoch,
                membership_head: writing.membership_head,
                previous: Hash32::ZERO,
            };
            seal_envelope(&self.document_key, &place, text.as_bytes(), &self.entropy)
                .expect("test texts are short")
        };
        let sealed: Vec<_> = parts.iter().enumerate().map(seal).collect();
        let body = SnapshotBody {
            space,
            device: self.device,
            incarnation: self.incarnation,
            space_seq,
            membership_head: writing.membership_head,
            epoch: writing.epoch,
            chains,
            parts: sealed.iter().map(|part| part.content_id).collect(),
        };
        SpaceSnapshot {
            signed: Signed::sign(body, &self.signing),
            parts: sealed.into_iter().map(|part| part.bytes).collect(),
        }
    }

    /// This device's chain as a snapshot folds it.
    pub fn folded(&self, space: SpaceId) -> FoldedChain {
        let writing = self.writing.get(&space).expect("the test joined the space");
        let head = ChainHead { envelope_seq: writing.envelope_seq, hash: writing.last, membership_seq: 1 };
        FoldedChain { device: self.device, incarnation: self.incarnation, head }
    }

    /// What this device signs of a snapshot that it found right.
    pub fn verified(&self, snapshot: &SpaceSnapshot) -> Signed<Verified> {
        let space = snapshot.space();
        let writing = self.writing.get(&space).expect("the test joined the space");
        let body = Verified {
            space,
            device: self.device,
            incarnation: self.incarnation,
            snapshot: snapshot.signed.hash(),
            membership_head: writing.membership_head,
        };
        Signed::sign(body, &self.signing)
    }

    /// What another device says that it holds of this one's chain.
    pub fn as_received(&self, space: SpaceId) -> Received {
        let writing = self.writing.get(&space).expect("the test joined the space");
        Received {
            device: self.device,
            incarnation: self.incarnation,
            envelope_seq: writing.envelope_seq,
            last: writing.last,
        }
    }
}
