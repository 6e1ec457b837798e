//! The wake socket: it says that there is something new, never what.

use std::time::Duration;

use futures_util::StreamExt;
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
/// Most bytes of a message: a wake is one byte.
const MAX_MESSAGE_BYTES: usize = 256;

/// An open wake socket.
#[derive(Debug)]
pub struct Wake {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Wake {
    pub(super) async fn open(address: &Address, authorization: HeaderValue) -> Result<Self, RemoteError> {
        let url = address.wake().ok_or(RemoteError::BadAddress)?;
        let mut request = url.into_client_request().map_err(|_| RemoteError::BadAddress)?;
        request.headers_mut().insert(AUTHORIZATION, authorization);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let connecting = connect_async_with_config(request, Some(config), true);
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok((socket, _))) => Ok(Self { socket }),
            Ok(Err(tokio_tungstenite::tungstenite::Error::Http(response)))
                if response.status().as_u16() == 401 =>
            {
                Err(RemoteError::Unauthorised)
            }
            _ => Err(RemoteError::Offline),
        }
    }

    /// Resolves when the account has news. An error means that the socket is gone: open another, or poll. Giving up
    /// waiting loses nothing.
    pub async fn next(&mut self) -> Result<(), RemoteError> {
        loop {
            match tokio::time::timeout(SILENCE, self.socket.next()).await {
                Ok(Some(Ok(Message::Binary(_)))) => return Ok(()),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                _ => return Err(RemoteError::Offline),
            }
        }
    }
}
