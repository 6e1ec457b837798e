//! Pushes that are handed over by somebody else than their writer, after this relay was restored from a backup and lost them
//! (ADR 0022). They are checked as a reader checks them: the epoch of their time counts, and the cuts of the log.

use mecum_seal::AccountId;
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
    // Of who is out only what leads to a cut that names the chain: that the others know, and nothing from after it.
    let is_out = known.removed.is_some() || space.log.role(account).is_none();
    let name = (statement.device, statement.incarnation);
    let stored = pushes::last(c, &statement.chain())?;
    if is_out && stored >= space.log.furthest_cut(account, name) && stored < statement.envelope_seq {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    }
    let writer = Writer { account, signing: known.card.signing, epochs: EpochRule::UpToCurrent };
    let kept = pushes::keep_whole(c, wanted, &writer, (&space, push), news_for)?;
    Ok(kept.map(drop))
}
