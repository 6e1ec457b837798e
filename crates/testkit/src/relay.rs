//! A relay without a network or a disk: it orders what it is given, answers as the real one does, and can be told to cheat.

use std::collections::BTreeMap;

use mecum_seal::{DeviceId, Hash32, IncarnationId, SigningKey, SpaceId, VerifyingKey};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::{
    AccountEntry, Chain, Countersign, Item, Outcome, Push, Receipt, Receipts, Refusal, RefusalCode, Signed,
    SpaceEntry, SyncRequest, SyncResponse,
};

/// What the relay does wrong, for controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// Loses one push after it was acknowledged.
    DropPush,
    /// Leaves out the first envelope of a push of two or more.
    DropEnvelope,
    /// Passes one writer's envelopes off as another's.
    SwapWriters,
}

enum Stored {
    Account(Signed<AccountEntry>),
    Space(Signed<SpaceEntry>),
    Push { first_space_seq: u64, push: Push },
}

/// An honest relay in memory, for one account.
pub struct FakeRelay {
    key: SigningKey,
    inbox: Vec<Stored>,
    accounts: Vec<Hash32>,
    spaces: BTreeMap<SpaceId, Hash32>,
    next: BTreeMap<SpaceId, u64>,
    heads: BTreeMap<Chain, u64>,
    cheat: Option<Cheat>,
    cheated: bool,
}

impl FakeRelay {
    /// A relay with the key of a seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            key: SigningKey::from_seed(seed),
            inbox: Vec::new(),
            accounts: Vec::new(),
            spaces: BTreeMap::new(),
            next: BTreeMap::new(),
            heads: BTreeMap::new(),
            cheat: None,
            cheated: false,
        }
    }

    /// From now on it cheats once, as soon as it can.
    pub fn cheat(&mut self, cheat: Cheat) {
        self.cheat = Some(cheat);
    }

    /// Whether it found an occasion to cheat.
    pub fn has_cheated(&self) -> bool {
        self.cheated
    }

    /// Its public key.
    pub fn key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// Answers a request of one installation with at most `items` items.
    pub fn answer(
        &mut self,
        from: (DeviceId, IncarnationId),
        request: &SyncRequest,
        items: usize,
    ) -> SyncResponse {
        let account_outcomes = request.account_entries.iter().map(|entry| self.append(entry)).collect();
        for entry in &request.space_entries {
            let space = entry.unverified().space;
            if self.spaces.insert(space, entry.hash()).is_none() {
                self.next.insert(space, 1);
                self.inbox.push(Stored::Space(entry.clone()));
            }
        }
        let receipts: Vec<Receipt> = request.pushes.iter().filter_map(|push| self.keep(push)).collect();
        let receipts = (!receipts.is_empty()).then(|| Signed::sign(Receipts { receipts }, &self.key));
        let start = usize::try_from(request.cursor).unwrap_or(usize::MAX).min(self.inbox.len());
        let page: Vec<&Stored> = self.inbox.iter().skip(start).take(items.max(1)).collect();
        let end = start + page.len();
        SyncResponse {
            server_time_ms: 0,
            account_outcomes,
            space_outcomes: vec![Outcome::Stored; request.space_entries.len()],
            push_outcomes: vec![Outcome::Stored; request.pushes.len()],
            receipts,
            items: page.into_iter().map(|stored| self.item(stored, from)).collect(),
            cursor: end as u64,
            more: end < self.inbox.len(),
            // It takes them and hands none on: whoever asks from the start gets the pushes.
            snapshot_outcomes: vec![Outcome::Stored; request.snapshots.len()],
        }
    }

    /// Appends an entry to the account's log if it expects the head that there is.
    fn append(&mut self, entry: &Signed<AccountEntry>) -> Outcome {
        let (AccountEntry { seq, previous, .. }, hash) = (entry.unverified(), entry.hash());
        if self.accounts.contains(&hash) {
            return Outcome::Stored;
        }
        let last = LastAccepted {
            seq: self.accounts.len() as u64,
            hash: self.accounts.last().copied().unwrap_or(Hash32::ZERO),
        };
        if *seq != last.seq + 1 || *previous != last.hash {
            return Outcome::Refused(Refusal { code: RefusalCode::StaleHead, last: Some(last) });
        }
        self.accounts.push(hash);
        self.inbox.push(Stored::Account(entry.clone()));
        Outcome::Stored
    }

    /// Orders a push; what it has already is not taken twice.
    fn keep(&mut self, push: &Push) -> Option<Receipt> {
        let statement = push.statement.unverified();
        let chain = statement.chain();
        let head = self.heads.get(&chain).copied().unwrap_or(0);
        let first = statement.envelope_seq + 1 - push.envelopes.len() as u64;
        let known =
            usize::try_from((head + 1).saturating_sub(first)).unwrap_or(usize::MAX).min(push.envelopes.len());
        let fresh: Vec<Vec<u8>> = push.envelopes.iter().skip(known).cloned().collect();
        let next = self.next.entry(chain.space).or_insert(1);
        let first_space_seq = *next;
        *next += fresh.len() as u64;
        self.heads.insert(chain, head.max(statement.envelope_seq));
        if !fresh.is_empty() || push.envelopes.is_empty() {
            self.store(first_space_seq, Push { envelopes: fresh, statement: push.statement.clone() });
        }
        (!push.envelopes.is_empty()).then(|| Receipt {
            chain,
            envelope_seq: statement.envelope_seq,
            last: statement.last,
            space_seq: self.next.get(&statement.space).map_or(0, |next| next - 1),
            stored_at_ms: 0,
        })
    }

    fn store(&mut self, first_space_seq: u64, mut push: Push) {
        if !self.cheated && !push.envelopes.is_empty() {
            match self.cheat {
                Some(Cheat::DropPush) => {
                    self.cheated = true;
                    return;
                }
                Some(Cheat::DropEnvelope) if push.envelopes.len() > 1 => {
                    push.envelopes.remove(0);
                    self.cheated = true;
                }
                Some(Cheat::SwapWriters) => {
                    let device = push.statement.unverified().device;
                    let other = self.inbox.iter().find_map(|stored| match stored {
                        Stored::Push { push, .. } if push.statement.unverified().device != device => {
                            Some(push.statement.clone())
                        }
                        _ => None,
                    });
                    if let Some(statement) = other {
                        push.statement = statement;
                        self.cheated = true;
                    }
                }
                _ => {}
            }
        }
        self.inbox.push(Stored::Push { first_space_seq, push });
    }

    fn item(&self, stored: &Stored, from: (DeviceId, IncarnationId)) -> Item {
        match stored {
            Stored::Account(entry) => Item::AccountEntry(entry.clone()),
            Stored::Space(entry) => {
                let body = entry.unverified();
                let placed = Countersign {
                    space: body.space,
                    seq: body.seq,
                    entry: entry.hash(),
                    space_seq: 0,
                    stored_at_ms: 0,
                };
                Item::SpaceEntry { entry: entry.clone(), countersign: Signed::sign(placed, &self.key) }
            }
            Stored::Push { first_space_seq, push } => {
                let statement = push.statement.unverified();
                if (statement.device, statement.incarnation) == from {
                    let count = push.envelopes.len() as u64;
                    Item::Own { first_space_seq: *first_space_seq, count, statement: push.statement.clone() }
                } else {
                    Item::Batch { first_space_seq: *first_space_seq, push: push.clone() }
                }
            }
        }
    }
}
