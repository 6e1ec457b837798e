//! Mailboxes of pairings and invitations. Whoever knows the 128-bit name may read and answer; opening them has a rate for each
//! source, or for the account of a device that is signed in. One that is to live for days is opened by such a device alone.

use std::net::IpAddr;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use mecum_sync::RefusalCode;
use mecum_sync::limits::{MAX_MAILBOX_BYTES, MAX_MAILBOX_DAYS};

use super::{Context, Refused, author, body, policy, source};
use crate::store::{Opening, Slot};

/// A day, in ms.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) async fn get(
    State(context): State<Context>,
    Path((mailbox, slot)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let (mailbox, slot) = parse(&mailbox, &slot)?;
    let now_ms = context.shared.now_ms();
    let body = context.shared.blocking(move |store| store.slot(mailbox, slot, now_ms)).await?;
    let body = body.ok_or(RefusalCode::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

pub(super) async fn put(
    State(context): State<Context>,
    Path((mailbox, slot)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refused> {
    let shared = &context.shared;
    let (mailbox, slot) = parse(&mailbox, &slot)?;
    let days = query.as_deref().map(days).transpose()?;
    let opening = match (slot, days) {
        (Slot::Offer, days) => Some(opening(&context, source(&request), request.headers(), days).await?),
        (_, None) => None,
        (_, Some(_)) => return Err(RefusalCode::Malformed.into()),
    };
    let body = body::read(request.into_body(), MAX_MAILBOX_BYTES, shared.options.limits.body_timeout).await?;
    let now_ms = shared.now_ms();
    shared.blocking(move |store| store.put_slot(mailbox, slot, body, now_ms, opening)).await??;
    Ok(axum::http::StatusCode::NO_CONTENT.into_response())
}

/// How an offer may open a mailbox. A sign-in is looked at before anything is counted, and whoever is signed in is counted for their
/// account alone: nobody who shares an address with them can use that up.
async fn opening(
    context: &Context,
    source: Option<IpAddr>,
    headers: &HeaderMap,
    days: Option<u32>,
) -> Result<Opening, Refused> {
    let shared = &context.shared;
    let mut signed_in = None;
    if days.is_some() || headers.contains_key(header::AUTHORIZATION) {
        let (author, _) = author(shared, headers)?;
        policy::live(context, author).await?;
        signed_in = Some(author.account);
    }
    let now_ms = shared.now_ms();
    if let (Some(days), Some(account)) = (days, signed_in) {
        let allowed = shared.long_mailboxes_by_account.take(account, now_ms);
        let life_ms = i64::from(days) * DAY_MS;
        return if allowed { Ok(Opening::Long { life_ms }) } else { Err(RefusalCode::RateLimited.into()) };
    }
    let source = source.ok_or(RefusalCode::Unavailable)?;
    let site = shared.sites.name(source);
    let signed_in = signed_in.is_some_and(|account| shared.short_mailboxes_by_account.take(account, now_ms));
    if signed_in || shared.mailboxes_by_source.take(source, now_ms) {
        return Ok(Opening::Short { site, signed_in });
    }
    Err(RefusalCode::RateLimited.into())
}

/// For how many days an offer asks: `days=7`, and nothing else.
fn days(query: &str) -> Result<u32, Refused> {
    let days = query.strip_prefix("days=").and_then(|days| days.parse().ok());
    days.filter(|days| (1..=MAX_MAILBOX_DAYS).contains(days)).ok_or(RefusalCode::Malformed.into())
}

fn parse(mailbox: &str, slot: &str) -> Result<([u8; 16], Slot), Refused> {
    // Any of the 16-byte ids reads the same hexadecimal form.
    let mailbox: mecum_seal::DocumentId = mailbox.parse().map_err(|_| RefusalCode::NotFound)?;
    let slot = match slot {
        "offer" => Slot::Offer,
        "join" => Slot::Join,
        "welcome" => Slot::Welcome,
        _ => return Err(RefusalCode::NotFound.into()),
    };
    Ok((*mailbox.as_bytes(), slot))
}
