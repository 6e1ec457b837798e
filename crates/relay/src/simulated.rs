//! The relay's own routes without a socket: for simulations, whose network is their own. Everything behind the connection is
//! the real thing: the table of routes, the policies, the limits, the store.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use crate::Relay;
use crate::accept::Peer;
use crate::http;

/// A relay that is asked request by request.
pub struct Wire {
    router: TowerToHyperService<Router>,
    peer: Peer,
    _stop: watch::Sender<bool>,
}

impl Relay {
    /// A wire to this relay. `None` if it has no place, which a fresh wire always has.
    pub fn wire(&self) -> Option<Wire> {
        let (stop, stopping) = watch::channel(false);
        let router = TowerToHyperService::new(http::router(Arc::clone(&self.shared), stopping));
        Some(Wire { router, peer: Peer::simulated()?, _stop: stop })
    }
}

impl Wire {
    /// One request and its answer: the status (0 if there was none) and the body.
    pub async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Vec<u8>) -> (u16, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(path).extension(self.peer.clone());
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let Ok(request) = request.body(Body::from(body)) else { return (0, Vec::new()) };
        let Ok(answer) = self.router.call(request).await;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map(|body| body.to_bytes().to_vec());
        (status, body.unwrap_or_default())
    }
}
