//! The wake socket: it says that there is something new, never what. A device that comes back asks on it whether there is
//! anything at all after its cursor: where there is nothing, that answer stands for a whole exchange.

use std::time::Duration;

use futures_util::StreamExt;
use mecum_sync::controls::is_out;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::address::Address;
use super::{CONNECT_TIMEOUT, RemoteError};

/// Silence after which the socket counts as gone: the server asks every 45 s whether anybody is there.
const SILENCE: Duration = Duration::from_secs(100);
/// How long the answer is waited for. It leaves the server together with what opens the socket: later than this it is not
/// coming, for the server knows no such question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Most bytes of a message: a wake is one byte.
const MAX_MESSAGE_BYTES: usize = 256;
/// The message that says that there is nothing after the cursor. Any other one is news.
const NOTHING_NEW: &[u8] = &[0];

/// What the server says first, asked whether it has anything after a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There is nothing after the cursor: an exchange would bring nothing. As trusted as an exchange that brings nothing.
    NothingNew,
    /// An exchange has something to bring, or to say about the cursor.
    News,
    /// No answer: the server knows no such question. Only an exchange tells.
    Silence,
}

/// An open wake socket.
#[derive(Debug)]
pub struct Wake {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Wake {
    pub(super) async fn open(
        address: &Address,
        authorization: HeaderValue,
        cursor: u64,
    ) -> Result<(Self, Heard), RemoteError> {
        let url = address.wake(cursor).ok_or(RemoteError::BadAddress)?;
        let mut request = url.into_client_request().map_err(|_| RemoteError::BadAddress)?;
        request.headers_mut().insert(AUTHORIZATION, authorization);
        let most = if is_out("wake-size") { None } else { Some(MAX_MESSAGE_BYTES) };
        let config = WebSocketConfig::default().max_message_size(most).max_frame_size(most);
        let connecting = connect_async_with_config(request, Some(config), true);
        let mut wake = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok((socket, _))) => Self { socket },
            Ok(Err(tokio_tungstenite::tungstenite::Error::Http(response)))
                if response.status().as_u16() == 401 =>
            {
                return Err(RemoteError::Unauthorised);
            }
            _ => return Err(RemoteError::Offline),
        };
        let heard = match tokio::time::timeout(ANSWER_TIMEOUT, wake.heard()).await {
            Ok(heard) => heard?,
            Err(_) => Heard::Silence,
        };
        Ok((wake, heard))
    }

    /// Resolves when the account has news. An error means that the socket is gone: open another, or poll. Giving up
    /// waiting loses nothing.
    pub async fn next(&mut self) -> Result<(), RemoteError> {
        // An answer that comes after the wait for it is no news: an exchange has told already.
        while self.heard().await? != Heard::News {}
        Ok(())
    }

    /// The next message.
    async fn heard(&mut self) -> Result<Heard, RemoteError> {
        loop {
            match tokio::time::timeout(SILENCE, self.socket.next()).await {
                Ok(Some(Ok(Message::Binary(said)))) if *said == *NOTHING_NEW => return Ok(Heard::NothingNew),
                Ok(Some(Ok(Message::Binary(_)))) => return Ok(Heard::News),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                _ => return Err(RemoteError::Offline),
            }
        }
    }
}
