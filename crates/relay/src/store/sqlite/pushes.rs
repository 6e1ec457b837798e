//! Pushes: every check of the protocol, and the gap-free order of the space.

use std::borrow::Cow;

use mecum_seal::{AccountId, Envelope, Hash32, VerifyingKey};
use mecum_sync::push::{EpochRule, parse_envelopes, verify_links, verify_statement};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::statement::Progress;
use mecum_sync::{
    Chain, ChainError, ChainHead, Push, PushError, Receipt, Refusal, RefusalCode, SaidPush, Signed,
    Statement, encode,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::spaces::Space;
use super::{accounts, hash32, inbox, int, spaces, stored, uint};
use crate::store::{Author, StoreError, Wanted};

pub(super) type Attempt<T> = Result<Result<T, Refusal>, StoreError>;

/// A chain as it stands: its head and its last statement.
struct Standing {
    head: ChainHead,
    statement: Option<Signed<Statement>>,
}

/// Checks and stores one push of the signed-in device. The receipt is for a push that holds envelopes.
pub(super) fn keep(
    c: &Connection,
    wanted: &Wanted,
    signer: &VerifyingKey,
    said: &SaidPush,
    news_for: &mut Vec<AccountId>,
) -> Attempt<Option<Receipt>> {
    let (space, push) = match whole(c, wanted, said)? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let writer = Writer { account: wanted.author.account, signing: *signer, epochs: EpochRule::Current };
    let kept = keep_whole(c, wanted, &writer, (&space, &push), news_for)?;
    let kept = kept.map_err(|refusal| match (said, refusal.code) {
        // It is not what the device signed, whyever: said in full, it tells more.
        (SaidPush::Short(_), RefusalCode::BadSignature) => RefusalCode::UnknownBase.into(),
        _ => refusal,
    });
    Ok(kept)
}

/// A push in full, and the space that it is for. Before anything is looked up, whoever asks must be a member.
pub(super) fn whole<'p>(
    c: &Connection,
    wanted: &Wanted,
    said: &'p SaidPush,
) -> Attempt<(Space, Cow<'p, Push>)> {
    if let SaidPush::Whole(push) = said
        && push.statement.unverified().device != wanted.author.device
    {
        return Ok(Err(RefusalCode::NotYours.into()));
    }
    let Some(id) = said.space() else { return Ok(Err(RefusalCode::Malformed.into())) };
    let space = spaces::load(c, id)?.filter(|space| space.log.role(wanted.author.account).is_some());
    let Some(space) = space else { return Ok(Err(RefusalCode::UnknownSpace.into())) };
    let short = match said {
        SaidPush::Whole(push) => return Ok(Ok((space, Cow::Borrowed(push)))),
        SaidPush::Short(short) => short,
    };
    let Author { device, incarnation, .. } = wanted.author;
    let link = |device, incarnation, seq| content_id(c, &Chain { device, incarnation, space: id }, seq);
    let push = match standing(c, &Chain { device, incarnation, space: id })?.statement {
        Some(base) => short.whole(base.unverified(), link)?,
        None => None,
    };
    Ok(push.map(|push| (space, Cow::Owned(push))).ok_or(RefusalCode::UnknownBase.into()))
}

/// Who wrote a push, and which epochs count in it.
pub(super) struct Writer {
    pub(super) account: AccountId,
    pub(super) signing: VerifyingKey,
    pub(super) epochs: EpochRule,
}

pub(super) fn keep_whole(
    c: &Connection,
    wanted: &Wanted,
    writer: &Writer,
    (space, push): (&Space, &Push),
    news_for: &mut Vec<AccountId>,
) -> Attempt<Option<Receipt>> {
    let claimed = push.statement.unverified();
    let standing = standing(c, &claimed.chain())?;
    let checked = verify_statement(push, &writer.signing).and_then(|s| Ok((s, parse_envelopes(push)?)));
    let (statement, envelopes) = match checked {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(refusal(error, standing.head))),
    };
    let known = match known_prefix(c, statement, &standing, &envelopes)? {
        Ok(known) => known,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let fresh = envelopes.get(known..).unwrap_or_default();
    if fresh.is_empty() && writer.epochs == EpochRule::UpToCurrent {
        // Handed over, and here already. What its statement acknowledges beside is its writer's own to say.
        return Ok(Ok(None));
    }
    if fresh.is_empty() {
        if let Err(refusal) = keep_acknowledgement(c, wanted, space, &standing, push, &envelopes, news_for)? {
            return Ok(Err(refusal));
        }
    } else {
        match verify_links(&space.log, writer.account, statement, standing.head, fresh, writer.epochs) {
            Ok(head) => {
                let bodies = push.envelopes.get(known..).unwrap_or_default();
                let brought = Brought { wanted, space, signed: &push.statement, head, fresh, bodies };
                if let Err(refusal) = brought.keep(c, &standing, news_for)? {
                    return Ok(Err(refusal));
                }
            }
            Err(error) => return Ok(Err(refusal(error, standing.head))),
        }
    }
    if envelopes.is_empty() { Ok(Ok(None)) } else { receipt(c, statement).map(Ok) }
}

/// How many of the envelopes, from the first, are stored already with the same bytes. A second version is a fork.
fn known_prefix(
    c: &Connection,
    statement: &Statement,
    standing: &Standing,
    envelopes: &[Envelope],
) -> Attempt<usize> {
    let chain = statement.chain();
    let mut known = 0;
    for envelope in envelopes {
        let place = envelope.place();
        if place.device != chain.device
            || place.incarnation != chain.incarnation
            || place.space != chain.space
        {
            return Ok(Err(RefusalCode::NotYours.into()));
        }
        if place.envelope_seq > standing.head.envelope_seq {
            break;
        }
        if content_id(c, &chain, place.envelope_seq)? != Some(envelope.content_id()) {
            return Ok(Err(at(RefusalCode::ChainFork, standing.head)));
        }
        known += 1;
    }
    Ok(Ok(known))
}

/// A push that brings nothing new but, perhaps, acknowledgements.
fn keep_acknowledgement(
    c: &Connection,
    wanted: &Wanted,
    space: &Space,
    standing: &Standing,
    push: &Push,
    envelopes: &[Envelope],
    news_for: &mut Vec<AccountId>,
) -> Attempt<()> {
    let statement = push.statement.unverified();
    let ends_right = envelopes.last().is_none_or(|last| {
        last.content_id() == statement.last && last.place().envelope_seq == statement.envelope_seq
    });
    let stated = match statement.envelope_seq {
        0 => Some(Hash32::ZERO),
        seq => content_id(c, &statement.chain(), seq)?,
    };
    if !ends_right || stated != Some(statement.last) {
        return Ok(Err(at(RefusalCode::BadStatement, standing.head)));
    }
    if statement.envelope_seq < standing.head.envelope_seq {
        // A push from before a later one: stored, and nothing to add.
        return Ok(Ok(()));
    }
    let progress = match &standing.statement {
        Some(earlier) => statement.progress_since(earlier.unverified()),
        None if statement.received.is_empty() => Progress::NotNewer,
        None => Progress::Newer,
    };
    match progress {
        Progress::NotNewer => Ok(Ok(())),
        Progress::Contradicts => Ok(Err(at(RefusalCode::BadStatement, standing.head))),
        Progress::Newer => {
            let head = standing.head;
            let brought = Brought { wanted, space, signed: &push.statement, head, fresh: &[], bodies: &[] };
            brought.keep(c, standing, news_for)
        }
    }
}

/// What is new of a push, checked.
struct Brought<'a> {
    wanted: &'a Wanted,
    space: &'a Space,
    signed: &'a Signed<Statement>,
    head: ChainHead,
    fresh: &'a [Envelope],
    bodies: &'a [Vec<u8>],
}

impl Brought<'_> {
    fn keep(&self, c: &Connection, standing: &Standing, news_for: &mut Vec<AccountId>) -> Attempt<()> {
        let statement = self.signed.unverified();
        if standing
            .statement
            .as_ref()
            .is_some_and(|earlier| statement.progress_since(earlier.unverified()) == Progress::Contradicts)
        {
            return Ok(Err(at(RefusalCode::BadStatement, standing.head)));
        }
        if !acknowledges_what_is_here(c, statement)? {
            return Ok(Err(RefusalCode::BadAcknowledgement.into()));
        }
        let signed = encode(self.signed);
        let bytes = signed.len() + self.bodies.iter().map(Vec::len).sum::<usize>();
        let account = self.wanted.author.account;
        if let Err(refusal) = accounts::charge(c, account, bytes as u64, self.wanted.quota.bytes)? {
            return Ok(Err(refusal));
        }
        let push = self.insert_push(c, &signed)?;
        self.insert_envelopes(c, push)?;
        self.update_chain(c, &signed)?;
        for account in inbox::readers(&self.space.log) {
            inbox::deliver(c, account, inbox::Kind::Push, statement.space.as_bytes(), push)?;
            news_for.push(account);
        }
        Ok(Ok(()))
    }

    fn insert_push(&self, c: &Connection, signed: &[u8]) -> Result<u64, StoreError> {
        let Chain { device, incarnation, space } = self.signed.unverified().chain();
        c.prepare_cached(
            "INSERT INTO push (space, device, incarnation, first_space_seq, envelopes, statement, stored_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            space.as_bytes(),
            device.as_bytes(),
            incarnation.as_bytes(),
            int(self.space.space_seq + 1),
            int(self.fresh.len() as u64),
            signed,
            self.wanted.now_ms
        ])?;
        uint(c.last_insert_rowid())
    }

    fn insert_envelopes(&self, c: &Connection, push: u64) -> Result<(), StoreError> {
        let mut insert = c.prepare_cached(
            "INSERT INTO envelope (space, space_seq, push, device, incarnation, envelope_seq, content_id, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let mut space_seq = self.space.space_seq;
        for (envelope, body) in self.fresh.iter().zip(self.bodies) {
            space_seq += 1;
            let place = envelope.place();
            insert.execute(params![
                place.space.as_bytes(),
                int(space_seq),
                int(push),
                place.device.as_bytes(),
                place.incarnation.as_bytes(),
                int(place.envelope_seq),
                envelope.content_id().as_bytes(),
                body
            ])?;
        }
        if !self.fresh.is_empty() {
            c.prepare_cached("UPDATE space SET space_seq = ?2 WHERE space = ?1")?
                .execute(params![self.space.log.space().as_bytes(), int(space_seq)])?;
        }
        Ok(())
    }

    fn update_chain(&self, c: &Connection, signed: &[u8]) -> Result<(), StoreError> {
        let Chain { device, incarnation, space } = self.signed.unverified().chain();
        c.prepare_cached(
            "INSERT INTO chain (space, device, incarnation, envelope_seq, last, membership_seq, statement)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (space, device, incarnation) DO UPDATE SET
                 envelope_seq = excluded.envelope_seq, last = excluded.last,
                 membership_seq = excluded.membership_seq, statement = excluded.statement",
        )?
        .execute(params![
            space.as_bytes(),
            device.as_bytes(),
            incarnation.as_bytes(),
            int(self.head.envelope_seq),
            self.head.hash.as_bytes(),
            int(self.head.membership_seq),
            signed
        ])?;
        Ok(())
    }
}

/// The last `envelope_seq` that is stored of a chain; 0 if nothing is.
pub(super) fn last(c: &Connection, chain: &Chain) -> Result<u64, StoreError> {
    standing(c, chain).map(|standing| standing.head.envelope_seq)
}

fn standing(c: &Connection, chain: &Chain) -> Result<Standing, StoreError> {
    let row: Option<(i64, Vec<u8>, i64, Vec<u8>)> = c
        .prepare_cached(
            "SELECT envelope_seq, last, membership_seq, statement FROM chain
             WHERE space = ?1 AND device = ?2 AND incarnation = ?3",
        )?
        .query_row(
            params![chain.space.as_bytes(), chain.device.as_bytes(), chain.incarnation.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let Some((envelope_seq, last, membership_seq, statement)) = row else {
        return Ok(Standing { head: ChainHead::EMPTY, statement: None });
    };
    let head = ChainHead {
        envelope_seq: uint(envelope_seq)?,
        hash: hash32(&last)?,
        membership_seq: uint(membership_seq)?,
    };
    Ok(Standing { head, statement: Some(stored(&statement, "statement")?) })
}

/// The content id that is stored at a place of a chain.
pub(super) fn content_id(
    c: &Connection,
    chain: &Chain,
    envelope_seq: u64,
) -> Result<Option<Hash32>, StoreError> {
    let id: Option<Vec<u8>> = c
        .prepare_cached(
            "SELECT content_id FROM envelope
             WHERE space = ?1 AND device = ?2 AND incarnation = ?3 AND envelope_seq = ?4",
        )?
        .query_row(
            params![
                chain.space.as_bytes(),
                chain.device.as_bytes(),
                chain.incarnation.as_bytes(),
                int(envelope_seq)
            ],
            |row| row.get(0),
        )
        .optional()?;
    id.map(|bytes| hash32(&bytes)).transpose()
}

fn acknowledges_what_is_here(c: &Connection, statement: &Statement) -> Result<bool, StoreError> {
    for received in &statement.received {
        let chain =
            Chain { device: received.device, incarnation: received.incarnation, space: statement.space };
        if content_id(c, &chain, received.envelope_seq)? != Some(received.last) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The receipt for a push that is stored, whether now or earlier: the same each time.
fn receipt(c: &Connection, statement: &Statement) -> Result<Option<Receipt>, StoreError> {
    let chain = statement.chain();
    let row: Option<(i64, i64)> = c
        .prepare_cached(
            "SELECT e.space_seq, p.stored_at_ms FROM envelope e JOIN push p ON p.push = e.push
             WHERE e.space = ?1 AND e.device = ?2 AND e.incarnation = ?3 AND e.envelope_seq = ?4",
        )?
        .query_row(
            params![
                chain.space.as_bytes(),
                chain.device.as_bytes(),
                chain.incarnation.as_bytes(),
                int(statement.envelope_seq)
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((space_seq, stored_at_ms)) = row else { return Ok(None) };
    Ok(Some(Receipt {
        chain,
        envelope_seq: statement.envelope_seq,
        last: statement.last,
        space_seq: uint(space_seq)?,
        stored_at_ms,
    }))
}

fn refusal(error: PushError, head: ChainHead) -> Refusal {
    match error {
        PushError::BadSignature => RefusalCode::BadSignature.into(),
        PushError::TooLarge => RefusalCode::TooLarge.into(),
        PushError::NotMember => RefusalCode::NotMember.into(),
        PushError::BadStatement => at(RefusalCode::BadStatement, head),
        PushError::EpochStale => at(RefusalCode::EpochStale, head),
        PushError::BadMembershipHead => at(RefusalCode::BadMembershipHead, head),
        PushError::Chain(ChainError::OtherChain) => RefusalCode::NotYours.into(),
        PushError::Chain(ChainError::Gap) => at(RefusalCode::ChainGap, head),
        PushError::Chain(_) => at(RefusalCode::ChainFork, head),
        _ => RefusalCode::Malformed.into(),
    }
}

fn at(code: RefusalCode, head: ChainHead) -> Refusal {
    Refusal { code, last: Some(LastAccepted { seq: head.envelope_seq, hash: head.hash }) }
}
