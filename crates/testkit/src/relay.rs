//! A relay without a network or a disk: it orders what it is given, answers as the real one does, and can be told to cheat.

use std::collections::BTreeMap;
use std::convert::Infallible;

use mecum_seal::{DeviceId, Envelope, Hash32, IncarnationId, SigningKey, SpaceId, VerifyingKey};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::statement::Progress;
use mecum_sync::{
    AccountEntry, Chain, Countersign, HandedAnswer, Item, Outcome, Push, Receipt, Receipts, Refusal,
    RefusalCode, SaidPush, SaidRequest, Signed, SpaceEntry, Statement, SyncResponse,
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

/// How far a restore moves the end of the inbox, as the real relay does: no cursor from before means anything after it.
const RESTORE_STRIDE: u64 = 1 << 32;

#[derive(Clone)]
enum Stored {
    Account(Signed<AccountEntry>),
    Space(Signed<SpaceEntry>),
    Push { first_space_seq: u64, push: Push },
}

/// An honest relay in memory, for one account.
pub struct FakeRelay {
    key: SigningKey,
    inbox: Vec<(u64, Stored)>,
    head: u64,
    accounts: Vec<Hash32>,
    spaces: BTreeMap<SpaceId, Hash32>,
    next: BTreeMap<SpaceId, u64>,
    heads: BTreeMap<Chain, u64>,
    links: BTreeMap<(Chain, u64), Hash32>,
    statements: BTreeMap<Chain, Statement>,
    cheat: Option<Cheat>,
    cheated: bool,
}

impl FakeRelay {
    /// A relay with the key of a seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self::of_key(SigningKey::from_seed(seed))
    }

    fn of_key(key: SigningKey) -> Self {
        Self {
            key,
            inbox: Vec::new(),
            head: 0,
            accounts: Vec::new(),
            spaces: BTreeMap::new(),
            next: BTreeMap::new(),
            heads: BTreeMap::new(),
            links: BTreeMap::new(),
            statements: BTreeMap::new(),
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

    /// How much it holds: what [`Self::back_to`] counts in.
    pub fn len(&self) -> usize {
        self.inbox.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    /// Goes back to its first `kept` things, as a restore from an older backup does, and goes on from there.
    pub fn back_to(&mut self, kept: usize) {
        let inbox: Vec<Stored> = self.inbox.drain(..).take(kept).map(|(_, stored)| stored).collect();
        let head = self.head;
        *self = Self { head: 0, cheat: self.cheat, cheated: self.cheated, ..Self::of_key(self.key.clone()) };
        let mut last = None;
        for stored in inbox {
            match &stored {
                Stored::Account(entry) => {
                    self.accounts.push(entry.hash());
                    last = Some(stored.clone());
                }
                Stored::Space(entry) => {
                    self.spaces.insert(entry.unverified().space, entry.hash());
                    self.next.insert(entry.unverified().space, 1);
                }
                Stored::Push { push, .. } => {
                    let statement = push.statement.unverified().clone();
                    *self.next.entry(statement.space).or_insert(1) += push.envelopes.len() as u64;
                    self.link(&push.envelopes);
                    self.heads.insert(statement.chain(), statement.envelope_seq);
                    self.statements.insert(statement.chain(), statement);
                }
            }
            self.deliver(stored);
        }
        self.head = head + RESTORE_STRIDE;
        if let Some(last) = last {
            self.deliver(last);
        }
    }

    /// Refuses every cursor that it gave so far, and loses nothing.
    pub fn refuse_cursors(&mut self) {
        self.head += RESTORE_STRIDE;
        self.inbox.iter_mut().for_each(|(position, _)| *position += RESTORE_STRIDE);
    }

    /// Answers a request of one installation with at most `items` items.
    ///
    /// # Panics
    /// If the cursor is none of this inbox: see [`Self::try_answer`].
    pub fn answer(
        &mut self,
        from: (DeviceId, IncarnationId),
        request: impl Into<SaidRequest>,
        items: usize,
    ) -> SyncResponse {
        self.try_answer(from, request, items).expect("a cursor of this relay")
    }

    /// The same; refused if the cursor is none of this inbox.
    ///
    /// # Errors
    /// [`RefusalCode::Resync`]: begin again from zero.
    pub fn try_answer(
        &mut self,
        from: (DeviceId, IncarnationId),
        request: impl Into<SaidRequest>,
        items: usize,
    ) -> Result<SyncResponse, RefusalCode> {
        let request: SaidRequest = request.into();
        let known = self.inbox.binary_search_by_key(&request.cursor, |(position, _)| *position);
        let start = match known {
            Ok(at) => at + 1,
            Err(_) if request.cursor == 0 => 0,
            Err(_) => return Err(RefusalCode::Resync),
        };
        let account_outcomes = request.account_entries.iter().map(|entry| self.append(entry)).collect();
        for entry in &request.space_entries {
            let space = entry.unverified().space;
            if self.spaces.insert(space, entry.hash()).is_none() {
                self.next.insert(space, 1);
                self.deliver(Stored::Space(entry.clone()));
            }
        }
        let (mut receipts, mut push_outcomes): (Vec<Receipt>, _) = (Vec::new(), Vec::new());
        for push in &request.pushes {
            let whole = self.whole(from, push).ok_or(RefusalCode::UnknownBase.into());
            push_outcomes.push(match whole.and_then(|push| self.keep(&push)) {
                Ok(receipt) => {
                    receipts.extend(receipt);
                    Outcome::Stored
                }
                Err(refusal) => Outcome::Refused(refusal),
            });
        }
        let handed = request.handed.iter().flat_map(|handed| &handed.pushes);
        let handed_outcomes =
            handed.map(|push| self.keep(push).map_or_else(Outcome::Refused, |_| Outcome::Stored)).collect();
        let receipts = (!receipts.is_empty()).then(|| Signed::sign(Receipts { receipts }, &self.key));
        let page: Vec<&(u64, Stored)> = self.inbox.iter().skip(start).take(items.max(1)).collect();
        let cursor = page.last().map_or(request.cursor, |(position, _)| *position);
        Ok(SyncResponse {
            server_time_ms: 0,
            account_outcomes,
            space_outcomes: vec![Outcome::Stored; request.space_entries.len()],
            push_outcomes,
            receipts,
            more: start + page.len() < self.inbox.len(),
            items: page.into_iter().map(|(_, stored)| self.item(stored, from, &request)).collect(),
            cursor,
            // It takes them and hands none on: whoever asks from the start gets the pushes.
            snapshot_outcomes: vec![Outcome::Stored; request.snapshots.len()],
            pruned: None,
            helpers_notice: None,
            handed: request.handed.as_ref().map(|_| HandedAnswer { outcomes: handed_outcomes }),
        })
    }

    fn deliver(&mut self, stored: Stored) {
        self.head += 1;
        self.inbox.push((self.head, stored));
    }

    fn link(&mut self, envelopes: &[Vec<u8>]) {
        for envelope in envelopes.iter().filter_map(|bytes| Envelope::parse(bytes).ok()) {
            let place = envelope.place();
            let chain = Chain { device: place.device, incarnation: place.incarnation, space: place.space };
            self.links.insert((chain, place.envelope_seq), envelope.content_id());
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
        self.deliver(Stored::Account(entry.clone()));
        Outcome::Stored
    }

    /// Orders a push; what it has already is not taken twice, and what is another link, or acknowledges what is not here, never.
    fn keep(&mut self, push: &Push) -> Result<Option<Receipt>, Refusal> {
        let statement = push.statement.unverified();
        let chain = statement.chain();
        let head = self.heads.get(&chain).copied().unwrap_or(0);
        let first = statement.envelope_seq + 1 - push.envelopes.len() as u64;
        self.check(statement, &push.envelopes, first, head)?;
        let known =
            usize::try_from((head + 1).saturating_sub(first)).unwrap_or(usize::MAX).min(push.envelopes.len());
        let fresh: Vec<Vec<u8>> = push.envelopes.iter().skip(known).cloned().collect();
        self.link(&fresh);
        let next = self.next.entry(chain.space).or_insert(1);
        let first_space_seq = *next;
        *next += fresh.len() as u64;
        self.heads.insert(chain, head.max(statement.envelope_seq));
        let late = statement.envelope_seq < head;
        if !late {
            self.statements.insert(chain, statement.clone());
        }
        if !fresh.is_empty() || push.envelopes.is_empty() && !late {
            self.store(first_space_seq, Push { envelopes: fresh, statement: push.statement.clone() });
        }
        Ok((!push.envelopes.is_empty()).then(|| Receipt {
            chain,
            envelope_seq: statement.envelope_seq,
            last: statement.last,
            space_seq: self.next.get(&statement.space).map_or(0, |next| next - 1),
            stored_at_ms: 0,
        }))
    }

    fn check(
        &self,
        statement: &Statement,
        envelopes: &[Vec<u8>],
        first: u64,
        head: u64,
    ) -> Result<(), Refusal> {
        let chain = statement.chain();
        let link = |chain: Chain, seq: u64| self.links.get(&(chain, seq)).copied().unwrap_or(Hash32::ZERO);
        let at = |code| Refusal { code, last: Some(LastAccepted { seq: head, hash: link(chain, head) }) };
        for envelope in envelopes.iter().filter_map(|bytes| Envelope::parse(bytes).ok()) {
            let place = envelope.place();
            let other = place.envelope_seq <= head
                && link(chain, place.envelope_seq) != envelope.content_id()
                || place.envelope_seq == head + 1 && place.previous != link(chain, head);
            if other {
                return Err(at(RefusalCode::ChainFork));
            }
        }
        if first > head + 1 {
            return Err(at(RefusalCode::ChainGap));
        }
        if envelopes.is_empty() && link(chain, statement.envelope_seq) != statement.last {
            return Err(at(RefusalCode::BadStatement));
        }
        let earlier = self.statements.get(&chain).filter(|_| statement.envelope_seq >= head);
        if earlier.is_some_and(|earlier| statement.progress_since(earlier) == Progress::Contradicts) {
            return Err(at(RefusalCode::BadStatement));
        }
        for received in &statement.received {
            let of = Chain { device: received.device, incarnation: received.incarnation, space: chain.space };
            if link(of, received.envelope_seq) != received.last {
                return Err(RefusalCode::BadAcknowledgement.into());
            }
        }
        Ok(())
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
                    let other = self.inbox.iter().find_map(|(_, stored)| match stored {
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
        self.deliver(Stored::Push { first_space_seq, push });
    }

    /// A push in full, if it is over the statement that is held last of its chain.
    fn whole(&self, (device, incarnation): (DeviceId, IncarnationId), said: &SaidPush) -> Option<Push> {
        let short = match said {
            SaidPush::Whole(push) => return Some(push.clone()),
            SaidPush::Short(short) => short,
        };
        let space = short.space()?;
        let base = self.statements.get(&Chain { device, incarnation, space })?;
        let link = |device, incarnation, seq| {
            Ok::<_, Infallible>(self.links.get(&(Chain { device, incarnation, space }, seq)).copied())
        };
        short.whole(base, link).ok()?
    }

    fn item(&self, stored: &Stored, from: (DeviceId, IncarnationId), request: &SaidRequest) -> Item {
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
                let countersign = Signed::sign(placed, &self.key);
                if request.takes_confirmations() && request.space_entries.contains(entry) {
                    return Item::Confirmed(countersign);
                }
                Item::SpaceEntry { entry: entry.clone(), countersign }
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
