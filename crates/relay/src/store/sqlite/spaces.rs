//! Spaces: their membership logs, appended by compare-and-swap, and who gets an entry.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::{AccountId, DeviceId, IncarnationId, SpaceId};
use mecum_sync::refusal::LastAccepted;
use mecum_sync::{
    Chain, FoldedChain, Refusal, RefusalCode, Signed, SpaceBody, SpaceEntry, SpaceLog, SpaceLogError, encode,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{accounts, backup, inbox, int, members, pruning, pushes, snapshots, stored, uint};
use crate::store::{StoreError, Wanted};

/// A space as it stands.
pub(super) struct Space {
    pub(super) log: SpaceLog,
    pub(super) space_seq: u64,
}

pub(super) fn load(c: &Connection, space: SpaceId) -> Result<Option<Space>, StoreError> {
    let row: Option<(Vec<u8>, i64)> = c
        .prepare_cached("SELECT state, space_seq FROM space WHERE space = ?1")?
        .query_row([space.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, space_seq)) = row else { return Ok(None) };
    Ok(Some(Space { log: stored(&state, "space log")?, space_seq: uint(space_seq)? }))
}

/// Appends an entry to a space's log, or founds the space.
pub(super) fn append(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<SpaceEntry>,
    told: &mut Told,
) -> Result<Result<(), Refusal>, StoreError> {
    let carrier = wanted.author.account;
    let SpaceEntry { space, seq, account, device, .. } = *entry.unverified();
    // An entry is judged by its signer. Another member may carry it: after a restore of this relay, whoever holds what it lost.
    let carries =
        || Ok::<_, StoreError>(load(c, space)?.is_some_and(|known| known.log.role(carrier).is_some()));
    if account != carrier && !carries()? {
        return Ok(Err(RefusalCode::NotYours.into()));
    }
    let known = load(c, space)?;
    let is_stored = |known: &Space| known.log.head_at(seq) == Some(entry.hash()) && known.log.ever(account);
    if known.as_ref().is_some_and(is_stored) {
        // A retry; also of who left with it, or by a device that was removed since.
        return Ok(Ok(()));
    }
    // Also of a device that was removed since, where its account stands for what it had signed before.
    let signer = accounts::log(c, account)?.and_then(|log| log.signs(device, &entry.hash()));
    let Some(signer) = signer else {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    };
    let Some(mut known) = known else {
        return found(c, wanted, entry, &signer, told);
    };
    if known.log.role(account).is_none() {
        // Somebody else's space: the id is all that this says, and the asker had it.
        return Ok(Err(RefusalCode::UnknownSpace.into()));
    }
    let before = known.log.clone();
    if let Err(error) = known.log.append(entry, &signer) {
        return Ok(Err(refusal(error, &before)));
    }
    if let Err(refusal) = check_member(c, wanted, entry)? {
        return Ok(Err(refusal));
    }
    if let Err(refusal) = check_cuts(c, entry)? {
        return Ok(Err(refusal));
    }
    if pruning::cuts_pruned(c, &known.log)? {
        return Ok(Err(RefusalCode::BadCut.into()));
    }
    if let Err(refusal) = check_replacement(c, entry)? {
        return Ok(Err(refusal));
    }
    if let Err(refusal) = accounts::charge(c, account, encode(entry).len() as u64, wanted.quota.bytes)? {
        return Ok(Err(refusal));
    }
    c.prepare_cached("UPDATE space SET state = ?2 WHERE space = ?1")?
        .execute(params![space.as_bytes(), encode(&known.log)])?;
    members::note(c, &known.log)?;
    if cuts_something(c, &known.log)? {
        snapshots::drop_of(c, space)?;
        pruning::drop_waiting(c, &known.log)?;
    }
    insert_entry(c, &known, entry, wanted.now_ms)?;
    deliver(c, &before, &known.log, entry.unverified(), told)?;
    Ok(Ok(()))
}

/// A grant is to an account that is admitted here and begins as the grant says.
fn check_member(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<SpaceEntry>,
) -> Result<Result<(), Refusal>, StoreError> {
    let SpaceBody::Grant { member, genesis, .. } = &entry.unverified().body else { return Ok(Ok(())) };
    if accounts::log(c, *member)?.is_none_or(|log| log.genesis() != *genesis) {
        return Ok(Err(RefusalCode::UnknownAccount.into()));
    }
    // Nobody's inbox is filled without end by others.
    if members::count_of(c, *member)? >= wanted.quota.spaces.saturating_mul(2) {
        return Ok(Err(RefusalCode::Quota.into()));
    }
    Ok(Ok(()))
}

/// Cuts are of the chains that the entry is about, and name links that are stored. On a relay that was restored they may come after all
/// that is stored: it may have lost them, and takes nothing of the chain then that does not lead to them.
fn check_cuts(c: &Connection, entry: &Signed<SpaceEntry>) -> Result<Result<(), Refusal>, StoreError> {
    let entry = entry.unverified();
    let cuts = entry.body.cuts();
    let mut owners = BTreeMap::new();
    for cut in cuts {
        if let Some(owner) = members::owner(c, cut.device)? {
            owners.insert(cut.device, owner);
        }
        let chain = Chain { device: cut.device, incarnation: cut.incarnation, space: entry.space };
        if cut.envelope_seq == 0 || pushes::content_id(c, &chain, cut.envelope_seq)? == Some(cut.hash) {
            continue;
        }
        let is_beyond = pushes::last(c, &chain)? < cut.envelope_seq;
        if !is_beyond || !backup::was_restored(c)? {
            return Ok(Err(RefusalCode::BadCut.into()));
        }
    }
    let checked = SpaceLog::check_cuts(entry, |device| owners.get(&device).copied());
    Ok(checked.map_err(|_| RefusalCode::BadCut.into()))
}

/// Who replaces a document has seen every link that is stored of its space: else words would be lost that nobody else has.
fn check_replacement(c: &Connection, entry: &Signed<SpaceEntry>) -> Result<Result<(), Refusal>, StoreError> {
    let SpaceEntry { space, body: SpaceBody::Replace { chains, .. }, .. } = entry.unverified() else {
        return Ok(Ok(()));
    };
    let mut query =
        c.prepare_cached("SELECT device, incarnation, envelope_seq FROM chain WHERE space = ?1")?;
    let mut rows = query.query([space.as_bytes()])?;
    while let Some(row) = rows.next()? {
        let (device, incarnation): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let last = uint(row.get(2)?)?;
        let names = |chain: &&FoldedChain| {
            chain.device.as_bytes().as_slice() == device
                && chain.incarnation.as_bytes().as_slice() == incarnation
        };
        let covered = chains.iter().find(names).map_or(0, |chain| chain.head.envelope_seq);
        if covered < last {
            return Ok(Err(RefusalCode::BadCut.into()));
        }
    }
    Ok(Ok(()))
}

/// Whether the last entry's cuts leave out something that is stored.
fn cuts_something(c: &Connection, log: &SpaceLog) -> Result<bool, StoreError> {
    let Some(set) = log.cut_sets().last().filter(|set| set.entry == log.entries()) else {
        return Ok(false);
    };
    let mut query =
        c.prepare_cached("SELECT device, incarnation, envelope_seq FROM chain WHERE space = ?1")?;
    let mut rows = query.query([log.space().as_bytes()])?;
    while let Some(row) = rows.next()? {
        let (device, incarnation): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let name = DeviceId::from_slice(&device).zip(IncarnationId::from_slice(&incarnation));
        let (device, incarnation) = name.ok_or(StoreError::Stored { what: "chain" })?;
        let chain = Chain { device, incarnation, space: log.space() };
        let Some((account, _)) = members::owner(c, device)? else { continue };
        if account == set.account && log.voided_by_last(account, &chain, uint(row.get(2)?)?).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn found(
    c: &Connection,
    wanted: &Wanted,
    entry: &Signed<SpaceEntry>,
    signer: &mecum_seal::VerifyingKey,
    told: &mut Told,
) -> Result<Result<(), Refusal>, StoreError> {
    let account = wanted.author.account;
    if entry.unverified().seq != 1 {
        return Ok(Err(RefusalCode::UnknownSpace.into()));
    }
    let log = match SpaceLog::found(entry, signer) {
        Ok(log) => log,
        Err(SpaceLogError::BadSignature) => return Ok(Err(RefusalCode::BadSignature.into())),
        Err(_) => return Ok(Err(RefusalCode::BadEntry.into())),
    };
    if log.relay().is_some_and(|home| *home != wanted.relay) {
        return Ok(Err(RefusalCode::WrongRelay.into()));
    }
    if let Err(refusal) = accounts::charge(c, account, encode(entry).len() as u64, wanted.quota.bytes)? {
        return Ok(Err(refusal));
    }
    let spaces: i64 = c
        .prepare_cached("UPDATE account SET spaces = spaces + 1 WHERE account = ?1 RETURNING spaces")?
        .query_row([account.as_bytes()], |row| row.get(0))?;
    if uint(spaces)? > wanted.quota.spaces {
        return Ok(Err(RefusalCode::Quota.into()));
    }
    let space = Space { log, space_seq: 0 };
    c.prepare_cached("INSERT INTO space (space, state) VALUES (?1, ?2)")?
        .execute(params![space.log.space().as_bytes(), encode(&space.log)])?;
    members::note(c, &space.log)?;
    insert_entry(c, &space, entry, wanted.now_ms)?;
    deliver(c, &space.log, &space.log, entry.unverified(), told)?;
    Ok(Ok(()))
}

fn insert_entry(
    c: &Connection,
    space: &Space,
    entry: &Signed<SpaceEntry>,
    now_ms: i64,
) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO space_entry (space, seq, hash, body, space_seq, stored_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        space.log.space().as_bytes(),
        int(entry.unverified().seq),
        entry.hash().as_bytes(),
        encode(entry),
        int(space.space_seq),
        now_ms
    ])?;
    Ok(())
}

/// Who was told something by the entries of one request.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The accounts that have something new.
    pub(super) news_for: Vec<AccountId>,
    /// Who was given whose log: somebody who is let into six sections is the same in each.
    introduced: BTreeSet<(AccountId, AccountId)>,
}

impl Told {
    /// Puts the log of somebody who was let in directly behind the first entry that did it. Not before it: that entry is what pins
    /// the log, and a log that nothing pins is passed over. And not behind all the entries: who has heard of a member without their
    /// log can wrap no key to them, and so can remove nobody.
    fn introduce(
        &mut self,
        c: &Connection,
        reader: AccountId,
        newcomer: AccountId,
    ) -> Result<(), StoreError> {
        if self.introduced.insert((reader, newcomer)) {
            inbox::deliver_all(c, reader, &members::log_rows(c, newcomer)?)?;
        }
        Ok(())
    }
}

/// Puts a stored entry into the inboxes: of the members, of whom it lets in (with everything that was before), and of whom it
/// removes (who get nothing after it).
fn deliver(
    c: &Connection,
    before: &SpaceLog,
    after: &SpaceLog,
    entry: &SpaceEntry,
    told: &mut Told,
) -> Result<(), StoreError> {
    let newcomer = match &entry.body {
        SpaceBody::Grant { member, .. } if before.role(*member).is_none() => Some(*member),
        _ => None,
    };
    let row = (inbox::Kind::SpaceEntry, entry.space.as_bytes().to_vec(), entry.seq);
    for account in inbox::readers(before) {
        inbox::deliver_all(c, account, std::slice::from_ref(&row))?;
        if let Some(newcomer) = newcomer {
            told.introduce(c, account, newcomer)?;
        }
        told.news_for.push(account);
    }
    if let Some(newcomer) = newcomer {
        inbox::deliver_all(c, newcomer, &members::rows_for(c, after, newcomer)?)?;
        told.news_for.push(newcomer);
    }
    Ok(())
}

fn refusal(error: SpaceLogError, log: &SpaceLog) -> Refusal {
    let code = match error {
        SpaceLogError::StaleHead => {
            let last = Some(LastAccepted { seq: log.entries(), hash: log.head() });
            return Refusal { code: RefusalCode::StaleHead, last };
        }
        SpaceLogError::BadSignature => RefusalCode::BadSignature,
        SpaceLogError::NotManager | SpaceLogError::NotWriter => RefusalCode::NotMember,
        _ => RefusalCode::BadEntry,
    };
    code.into()
}
