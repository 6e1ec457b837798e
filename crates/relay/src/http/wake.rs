//! `GET /v1/wake`: a WebSocket that says one byte when the account has news, and nothing else. What a client sends on it is
//! not read beyond what keeps the socket alive.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use mecum_sync::RefusalCode;
use tokio::time::{Duration, MissedTickBehavior};

use super::{Context, Refused, author};
use crate::accept::{Peer, stopped};
use crate::store::Author;

/// What wakes: one byte without a meaning.
const NEWS: &[u8] = &[1];
/// How often a quiet socket is asked whether anybody is there; a second question without an answer closes it.
const PING_EVERY: Duration = Duration::from_secs(45);
/// Most bytes that a client may send in one message.
const MAX_MESSAGE_BYTES: usize = 256;

pub(super) async fn wake(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let shared = &context.shared;
    let (author, expires_at_ms) = author(shared, &headers)?;
    let bell = shared.wakes.wait(author.account, author.device).ok_or(RefusalCode::RateLimited)?;
    let left_ms = expires_at_ms.saturating_sub(shared.now_ms());
    let lifetime = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // However it ends (closed by either side, or the session is over), the client opens another or polls. Its
        // connection's place stays taken until then.
        let _ended = tokio::time::timeout(lifetime, watch(context, socket, author, bell)).await;
        drop(peer);
    }))
}

async fn watch(
    mut context: Context,
    mut socket: WebSocket,
    author: Author,
    bell: std::sync::Arc<tokio::sync::Notify>,
) -> Result<(), axum::Error> {
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
