//! `POST /v1/sync`: store what is brought, sign receipts for it, answer with what is new, and wake the others.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use mecum_seal::{Hash32, SigningKey};
use mecum_sync::limits::MAX_REQUEST_BYTES;
use mecum_sync::{
    Countersign, HandedAnswer, HelpersNotice, Item, PROTOCOL_VERSION, PruningAnswer, Receipts, RefusalCode,
    SaidRequest, Signed, SyncResponse,
};

use super::{Cbor, Context, Refused, author, body, recover};
use crate::Shared;
use crate::store::{Asked, Author, Kept, LogStore, PlacedEntry, Quota, StoredItem, Wanted};

pub(super) async fn sync(State(context): State<Context>, request: Request) -> Result<Response, Refused> {
    let shared = &context.shared;
    let (author, _) = author(shared, request.headers())?;
    if !shared.by_device.take((author.account, author.device), shared.now_ms()) {
        return Err(RefusalCode::RateLimited.into());
    }
    let limit = shared.options.limits.body_timeout;
    let request: SaidRequest = body::frame(request.into_body(), MAX_REQUEST_BYTES, limit).await?;
    if request.version != PROTOCOL_VERSION {
        return Err(RefusalCode::VersionUnsupported.into());
    }
    let asked = Asked {
        cursor: request.cursor,
        max_bytes: request.max_bytes,
        from_snapshots: request.from_snapshots,
        over_pruned: request.over_pruned(),
        show: request.pruning.as_ref().and_then(|pruning| pruning.show),
        prune_envelopes: shared.options.limits.prune_envelopes,
    };
    // What this request brings, the device need not be told again: where it takes that, it gets the countersignature.
    let brought = request.takes_confirmations().then_some(&request.space_entries);
    let brought: Vec<Hash32> = brought.into_iter().flatten().map(Signed::hash).collect();
    let counts = request.takes_count();
    let kept = keep(shared, author, request).await?;
    recover::end(shared, &kept.ended);
    for account in &kept.news_for {
        let rung = shared.wakes.ring(*account, author.device);
        shared.counters.add("mecum_wakes_total", rung as u64);
    }
    let now_ms = shared.now_ms();
    let look = move |store: &dyn LogStore| {
        let page = store.page(&author, asked)?;
        Ok((page, store.helpers_notice(author.account, now_ms)?))
    };
    let (page, notice) = shared.blocking(look).await?;
    // A device that knows of no count takes no answer with one.
    let helpers_notice =
        notice.map(|notice| HelpersNotice { others: notice.others.filter(|_| counts), ..notice });
    let page = page?;
    let pruned = PruningAnswer {
        shown: page.shown,
        verified_outcomes: kept.verified_outcomes,
        to_verify: page.to_verify,
    };
    let handed = Some(HandedAnswer { outcomes: kept.handed_outcomes });
    let handed = handed.filter(|handed| !handed.outcomes.is_empty());
    let receipts = kept.receipts;
    let receipts = (!receipts.is_empty()).then(|| Signed::sign(Receipts { receipts }, &shared.key));
    let items = page.items.into_iter().map(|item| sign_item(item, &shared.key, &brought)).collect();
    let response = SyncResponse {
        // Of before the page: what is stored after it may be of a later day.
        server_time_ms: now_ms,
        account_outcomes: kept.account_outcomes,
        space_outcomes: kept.space_outcomes,
        push_outcomes: kept.push_outcomes,
        receipts,
        items,
        cursor: page.cursor,
        more: page.more,
        snapshot_outcomes: kept.snapshot_outcomes,
        pruned: Some(pruned).filter(|pruned| *pruned != PruningAnswer::default()),
        helpers_notice,
        handed,
    };
    Ok(Cbor(response).into_response())
}

async fn keep(shared: &Shared, author: Author, request: SaidRequest) -> Result<Kept, Refused> {
    let nothing = request.account_entries.is_empty()
        && request.space_entries.is_empty()
        && request.pushes.is_empty()
        && request.snapshots.is_empty()
        && request.handed.as_ref().is_none_or(|handed| handed.pushes.is_empty())
        && request.pruning.as_ref().is_none_or(|pruning| pruning.verified.is_empty());
    if nothing {
        return Ok(Kept::default());
    }
    let limits = shared.options.limits;
    let wanted = Wanted {
        author,
        cursor: request.cursor,
        relay: shared.key.verifying_key(),
        account_entries: request.account_entries,
        space_entries: request.space_entries,
        pushes: request.pushes,
        handed: request.handed.map_or_else(Vec::new, |handed| handed.pushes),
        snapshots: request.snapshots,
        verified: request.pruning.map_or_else(Vec::new, |pruning| pruning.verified),
        quota: Quota { bytes: limits.quota_bytes, spaces: limits.quota_spaces },
        now_ms: shared.now_ms(),
    };
    let kept = shared.blocking(move |store| store.keep(wanted)).await??;
    let outcomes = kept.account_outcomes.iter().chain(&kept.space_outcomes).chain(&kept.push_outcomes);
    let outcomes = outcomes.chain(&kept.snapshot_outcomes).chain(&kept.verified_outcomes);
    let outcomes = outcomes.chain(&kept.handed_outcomes);
    shared.counters.add("mecum_verified_total", kept.newly_verified);
    for outcome in outcomes {
        match outcome.refusal() {
            Some(refusal) => shared.counters.refused(refusal.code),
            None => shared.counters.add("mecum_stored_total", 1),
        }
    }
    Ok(kept)
}

fn sign_item(item: StoredItem, key: &SigningKey, brought: &[Hash32]) -> Item {
    match item {
        StoredItem::AccountEntry(entry) => Item::AccountEntry(entry),
        StoredItem::SpaceEntry(PlacedEntry { entry, space_seq, stored_at_ms }) => {
            // Ed25519 is deterministic: the same place gets the same signature each time.
            let unverified = entry.unverified();
            let countersign = Countersign {
                space: unverified.space,
                seq: unverified.seq,
                entry: entry.hash(),
                space_seq,
                stored_at_ms,
            };
            let signed = Signed::sign(countersign, key);
            if brought.contains(&countersign.entry) {
                return Item::Confirmed(signed);
            }
            Item::SpaceEntry { countersign: signed, entry }
        }
        StoredItem::Batch { first_space_seq, push } => Item::Batch { first_space_seq, push },
        StoredItem::Own { first_space_seq, count, statement } => {
            Item::Own { first_space_seq, count, statement }
        }
        StoredItem::Snapshot { snapshot, statements } => Item::Snapshot { snapshot, statements },
        StoredItem::SnapshotStored { space, space_seq } => Item::SnapshotStored { space, space_seq },
    }
}
