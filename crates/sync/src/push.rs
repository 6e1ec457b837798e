//! The rules for one push: its envelopes are the next links of one chain, written by a member under a current epoch, and
//! the statement's signature covers the last of them. The relay and every reader check the same.

use mecum_seal::{AccountId, Envelope, VerifyingKey};

use crate::chain::{ChainError, ChainHead};
use crate::controls::{holds, is_out};
use crate::frames::Push;
use crate::limits::MAX_PUSH_BYTES;
use crate::space_log::{Cut, Role, SpaceLog};
use crate::statement::Statement;

/// Why a push does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The signature of the statement does not verify.
    #[error("statement signature does not verify")]
    BadSignature,
    /// More bytes than one push may hold.
    #[error("push is too large")]
    TooLarge,
    /// Not an envelope.
    #[error("envelope is malformed")]
    Malformed,
    /// The statement does not end where the envelopes end, or is not well formed.
    #[error("statement does not cover the push")]
    BadStatement,
    /// The account may not write in this space.
    #[error("account may not write here")]
    NotMember,
    /// Sealed under another epoch than the current one.
    #[error("epoch is not current")]
    EpochStale,
    /// An unknown membership head, or one older than the chain's last.
    #[error("membership head is unknown or goes back")]
    BadMembershipHead,
    /// Not the next link.
    #[error("{0}")]
    Chain(#[from] ChainError),
}

/// Which epochs count. By either rule an envelope is of the epoch that was current at the membership entry that it names, and of
/// none in which somebody had left by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochRule {
    /// Only the current one, and only for who may write now: the relay, for what is new.
    Current,
    /// Any up to the current one: a reader, for what the relay had accepted in its time.
    UpToCurrent,
}

/// A push whose statement, chain, role and epoch were checked.
#[derive(Clone, Debug)]
pub struct VerifiedPush {
    /// The envelopes, parsed, in chain order. Their seals are for the holder of the keys to check.
    pub envelopes: Vec<Envelope>,
    /// Where the chain stands after them.
    pub head: ChainHead,
    /// For each envelope, whether it lies beyond a cut: a link of its chain that counts for nothing else.
    pub void: Vec<bool>,
}

/// Checks the signature and the shape of a push's statement.
pub fn verify_statement<'p>(push: &'p Push, signer: &VerifyingKey) -> Result<&'p Statement, PushError> {
    let statement = push.statement.verify(signer).map_err(|_| PushError::BadSignature)?;
    if statement.is_well_formed() { Ok(statement) } else { Err(PushError::BadStatement) }
}

/// Parses the envelopes of a push, within its limits.
pub fn parse_envelopes(push: &Push) -> Result<Vec<Envelope>, PushError> {
    let fits = push.envelopes.iter().map(Vec::len).sum::<usize>() <= MAX_PUSH_BYTES;
    if !holds("push-size", fits) {
        return Err(PushError::TooLarge);
    }
    let parsed = push.envelopes.iter().map(|bytes| Envelope::parse(bytes).map_err(|_| PushError::Malformed));
    parsed.filter(|parsed| parsed.is_ok() || !is_out("push-malformed")).collect()
}

/// Checks that `envelopes` go on from `head` to exactly where `statement` ends, in the name of a device of `account`.
pub fn verify_links(
    log: &SpaceLog,
    account: AccountId,
    statement: &Statement,
    head: ChainHead,
    envelopes: &[Envelope],
    epochs: EpochRule,
) -> Result<ChainHead, PushError> {
    let chain = statement.chain();
    let cuts: Vec<_> = log.cuts_of(account, (chain.device, chain.incarnation)).collect();
    let mut at = head;
    for envelope in envelopes {
        at.check_next(&chain, envelope)
            .or_else(|error| if is_out("chain-link") { Ok(()) } else { Err(error) })?;
        let membership_seq = membership_seq(log, account, envelope, epochs)?;
        if !holds("membership-order", membership_seq >= at.membership_seq) {
            return Err(PushError::BadMembershipHead);
        }
        let place = envelope.place();
        at = ChainHead { envelope_seq: place.envelope_seq, hash: envelope.content_id(), membership_seq };
        // A cut may have been there first, of a chain that a relay had lost: then the chain has to lead to it.
        let is_other = |(before_entry, cut): &(u64, &Cut)| {
            cut.envelope_seq == at.envelope_seq && at.membership_seq < *before_entry && cut.hash != at.hash
        };
        if cuts.iter().any(is_other) {
            return Err(PushError::Chain(ChainError::Fork));
        }
    }
    let ends = statement.envelope_seq == at.envelope_seq && statement.last == at.hash;
    if !holds("statement-end", ends) {
        return Err(PushError::BadStatement);
    }
    Ok(at)
}

/// Number of the membership entry that an envelope names, at which its account might write and its epoch was current.
fn membership_seq(
    log: &SpaceLog,
    account: AccountId,
    envelope: &Envelope,
    epochs: EpochRule,
) -> Result<u64, PushError> {
    let place = envelope.place();
    let anywhere = || is_out("membership-head").then(|| log.entries());
    let seq = log.seq_of(place.membership_head).or_else(anywhere).ok_or(PushError::BadMembershipHead)?;
    let now = epochs == EpochRule::UpToCurrent || log.role(account).is_some_and(Role::may_write);
    if !holds("push-member", now && log.role_at(account, seq).is_some_and(Role::may_write)) {
        return Err(PushError::NotMember);
    }
    let of_its_time = place.epoch == log.epoch_at(seq) && !log.is_stale_at(seq);
    let current = epochs == EpochRule::UpToCurrent || place.epoch == log.epoch() && !log.is_stale();
    if holds("push-epoch", of_its_time && current) { Ok(seq) } else { Err(PushError::EpochStale) }
}

/// Checks a whole push against the head of its chain: what a reader does with what the relay hands on.
pub fn verify_push(
    log: &SpaceLog,
    account: AccountId,
    signer: &VerifyingKey,
    head: ChainHead,
    push: &Push,
    epochs: EpochRule,
) -> Result<VerifiedPush, PushError> {
    let statement = verify_statement(push, signer)?;
    let envelopes = parse_envelopes(push)?;
    let head = verify_links(log, account, statement, head, &envelopes, epochs)?;
    let is_void = |envelope: &Envelope| {
        let place = envelope.place();
        let name = (place.device, place.incarnation);
        let membership_seq = log.seq_of(place.membership_head).unwrap_or(0);
        !is_out("void") && log.is_void(account, name, place.envelope_seq, membership_seq)
    };
    let void = envelopes.iter().map(is_void).collect();
    Ok(VerifiedPush { envelopes, head, void })
}
