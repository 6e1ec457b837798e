//! `GET /v1/wake`: a WebSocket that says one byte when the account has news, and nothing else. Who opens it with a cursor
//! is told first whether there is anything after that: a device that comes back asks with nothing more. What a client sends
//! on the socket is not read beyond what keeps it alive.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use mecum_sync::RefusalCode;
use tokio::sync::Notify;
use tokio::time::{Duration, MissedTickBehavior};

use super::{Context, Refused, author};
use crate::Shared;
use crate::accept::{Peer, stopped};
use crate::store::Author;

/// There is something that an exchange would bring: it wakes, and it answers a cursor.
const NEWS: &[u8] = &[1];
/// The answer to a cursor after which there is nothing.
const NOTHING_NEW: &[u8] = &[0];
/// How often a quiet socket is asked whether anybody is there; a second question without an answer closes it.
const PING_EVERY: Duration = Duration::from_secs(45);
/// Most bytes that a client may send in one message.
const MAX_MESSAGE_BYTES: usize = 256;

pub(super) async fn wake(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let shared = &context.shared;
    let (author, expires_at_ms) = author(shared, &headers)?;
    let cursor = query.as_deref().map(cursor).transpose()?;
    let (bell, first) = hang_and_look(shared, author, cursor).await?;
    let left_ms = expires_at_ms.saturating_sub(shared.now_ms());
    let lifetime = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // However it ends (closed by either side, or the session is over), the client opens another or polls. Its
        // connection's place stays taken until then.
        let _ended = tokio::time::timeout(lifetime, watch(context, socket, author, bell, first)).await;
        drop(peer);
    }))
}

/// A cursor as a query: decimal digits and nothing else.
fn cursor(query: &str) -> Result<u64, Refused> {
    let digits = !query.is_empty() && query.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { query.parse().ok() } else { None };
    number.ok_or(RefusalCode::Malformed.into())
}

/// The bell of a socket, and what is said first. The bell hangs before the look at the inbox: what is stored after the look
/// rings, and nothing falls between the two.
async fn hang_and_look(
    shared: &Shared,
    author: Author,
    cursor: Option<u64>,
) -> Result<(Arc<Notify>, Option<&'static [u8]>), Refused> {
    let bell = shared.wakes.wait(author.account, author.device).ok_or(RefusalCode::RateLimited)?;
    let first = match cursor {
        Some(cursor) => Some(answer(shared, author, cursor).await?),
        None => None,
    };
    Ok((bell, first))
}

/// What is said first to who asks: whether the inbox ends at `cursor`. A cursor beyond the end is news too: the exchange
/// that follows says what is wrong with it.
async fn answer(shared: &Shared, author: Author, cursor: u64) -> Result<&'static [u8], Refused> {
    // A question costs what an empty exchange does, and counts as one.
    if !shared.by_device.take((author.account, author.device), shared.now_ms()) {
        return Err(RefusalCode::RateLimited.into());
    }
    let head =
        shared.blocking(move |store| store.inbox_head(&author)).await?.ok_or(RefusalCode::UnknownDevice)?;
    let now_ms = shared.now_ms();
    // What a notice says is in the answer to a sync, and in no place of the inbox.
    let notice = shared.blocking(move |store| store.helpers_notice(author.account, now_ms)).await?;
    Ok(if cursor == head && notice.is_none() { NOTHING_NEW } else { NEWS })
}

async fn watch(
    mut context: Context,
    mut socket: WebSocket,
    author: Author,
    bell: Arc<Notify>,
    first: Option<&'static [u8]>,
) -> Result<(), axum::Error> {
    if let Some(first) = first {
        socket.send(Message::Binary(first.into())).await?;
    }
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    let mut answered = true;
    loop {
        tokio::select! {
            () = bell.notified() => {
                let shared = &context.shared;
                let live = shared.blocking(move |s| s.device(author.account, author.device)).await;
                if matches!(live, Ok(None)) {
                    return Ok(());
                }
                socket.send(Message::Binary(NEWS.into())).await?;
            }
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => answered = true,
                Some(Err(error)) => return Err(error),
            },
            _ = ping.tick() => {
                if !answered {
                    return Ok(());
                }
                answered = false;
                socket.send(Message::Ping(Vec::new().into())).await?;
            }
            () = stopped(&mut context.stopping) => {
                return socket.send(Message::Close(None)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
