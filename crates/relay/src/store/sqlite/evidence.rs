//! Evidence of equivocation: two links of one chain under one number, both signed for.

use mecum_seal::{Envelope, VerifyingKey};
use mecum_sync::push::{parse_envelopes, verify_statement};
use mecum_sync::{Chain, SaidPush, Statement, encode};
use rusqlite::{Connection, params};

use super::int;
use super::pushes::{content_id, whole};
use crate::store::{StoreError, Wanted};

/// Most second versions that are kept for one chain: evidence, not a store for an attacker.
const MAX_EVIDENCE: i64 = 16;

/// Keeps the second versions of stored links that a refused push holds, if the device really signed for them: the
/// envelopes must be linked to each other and end where the signed statement ends. Anything else proves nothing.
pub(super) fn keep(
    c: &Connection,
    wanted: &Wanted,
    signer: &VerifyingKey,
    said: &SaidPush,
) -> Result<(), StoreError> {
    let Ok((_, push)) = whole(c, wanted, said)? else { return Ok(()) };
    let Ok(statement) = verify_statement(&push, signer) else { return Ok(()) };
    let Ok(envelopes) = parse_envelopes(&push) else { return Ok(()) };
    if !is_signed_for(statement, &envelopes) {
        return Ok(());
    }
    let Chain { device, incarnation, space } = statement.chain();
    let count: i64 = c
        .prepare_cached("SELECT count(*) FROM equivocation WHERE space = ?1 AND device = ?2")?
        .query_row(params![space.as_bytes(), device.as_bytes()], |row| row.get(0))?;
    let room = usize::try_from(MAX_EVIDENCE.saturating_sub(count)).unwrap_or(0);
    let mut kept = 0;
    for (envelope, body) in envelopes.iter().zip(&push.envelopes) {
        let seq = envelope.place().envelope_seq;
        let stored = content_id(c, &statement.chain(), seq)?;
        if kept >= room || stored.is_none_or(|id| id == envelope.content_id()) {
            continue;
        }
        kept += 1;
        c.prepare_cached(
            "INSERT OR IGNORE INTO equivocation
                 (space, device, incarnation, envelope_seq, content_id, body, statement, seen_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            space.as_bytes(),
            device.as_bytes(),
            incarnation.as_bytes(),
            int(seq),
            envelope.content_id().as_bytes(),
            body,
            encode(&push.statement),
            wanted.now_ms
        ])?;
    }
    Ok(())
}

/// Whether the statement's signature reaches every one of these envelopes, over the hashes that link them.
fn is_signed_for(statement: &Statement, envelopes: &[Envelope]) -> bool {
    let linked = envelopes.windows(2).all(|pair| match pair {
        [a, b] => {
            b.place().previous == a.content_id()
                && Some(b.place().envelope_seq) == a.place().envelope_seq.checked_add(1)
        }
        _ => true,
    });
    let ends = envelopes.last().is_some_and(|last| {
        last.content_id() == statement.last && last.place().envelope_seq == statement.envelope_seq
    });
    linked && ends
}
