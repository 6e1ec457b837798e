//! Pushes that are handed over by somebody else than their writer, after this relay was restored from a backup and lost them
//! (ADR 0022). They are checked as a reader checks them: the epoch of their time counts, and the cuts of the log.

use mecum_seal::{AccountId, Envelope};
use mecum_sync::push::EpochRule;
use mecum_sync::{Push, RefusalCode};
use rusqlite::Connection;

use super::pushes::{Attempt, Writer};
use super::spaces::Space;
use super::{accounts, members, pushes, spaces};
use crate::store::Wanted;

/// Checks and stores one push as its writer signed it.
pub(super) fn keep(
    c: &Connection,
    wanted: &Wanted,
    push: &Push,
    news_for: &mut Vec<AccountId>,
) -> Attempt<()> {
    let statement = push.statement.unverified();
    let space = spaces::load(c, statement.space)?;
    let role = |space: &Space| space.log.role(wanted.author.account);
    let Some((space, role)) = space.and_then(|space| role(&space).map(|role| (space, role))) else {
        return Ok(Err(RefusalCode::UnknownSpace.into()));
    };
    // Who may not write now vouches for nothing: least of all for what they themselves wrote when they might.
    if !role.may_write() {
        return Ok(Err(RefusalCode::NotMember.into()));
    }
    if push.envelopes.is_empty() {
        return Ok(Err(RefusalCode::Malformed.into()));
    }
    let Some((account, _)) = members::owner(c, statement.device)?.filter(|(of, _)| space.log.ever(*of))
    else {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    };
    let log = accounts::log(c, account)?;
    let Some(known) = log.as_ref().and_then(|log| log.known(statement.device)) else {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    };
    // Of a removed device only what a cut decides of: nobody who reads believes it more.
    if known.removed.is_some() && !is_judged(&space, account, push) {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    }
    let writer = Writer { account, signing: known.card.signing, epochs: EpochRule::UpToCurrent };
    let kept = pushes::keep_whole(c, wanted, &writer, (&space, push), news_for)?;
    Ok(kept.map(drop))
}

/// Whether a cut of the log decides of every envelope.
fn is_judged(space: &Space, account: AccountId, push: &Push) -> bool {
    let statement = push.statement.unverified();
    let name = (statement.device, statement.incarnation);
    push.envelopes.iter().all(|bytes| {
        let seq = Envelope::parse(bytes).ok().and_then(|e| space.log.seq_of(e.place().membership_head));
        seq.is_some_and(|seq| space.log.is_judged(account, name, seq))
    })
}
