//! Pages that hosts publish: read without an account, written by a signed-in device of a host.

use mecum_seal::DocumentId;
use mecum_sync::PageName;
use mecum_sync::limits::{MAX_PUBLISHED_BYTES, MAX_SMALL_FRAME_BYTES};
use reqwest::Method;

use super::address::Address;
use super::asking::{Asking, ask};
use super::{Remote, RemoteError, Session};

/// A server that is asked for what it hands out to everybody: it need not be the one that this account is at.
pub(crate) struct Anybody {
    address: Address,
    asking: Asking,
}

impl Remote {
    /// A server of whose key nothing has to be known: what is read there is signed by somebody else.
    pub(crate) fn of_anybody(url: &str) -> Result<Anybody, RemoteError> {
        let address = Address::parse(url)?;
        let asking = Asking::of(&address)?;
        Ok(Anybody { address, asking })
    }

    /// The page of a name, if there is one of a higher number.
    pub(crate) async fn page(&self, name: &PageName, number: u64) -> Result<Option<Vec<u8>>, RemoteError> {
        page(&self.address, &self.asking, name, number).await
    }

    /// Publishes a page under a number.
    pub(crate) async fn put_page(
        &self,
        session: &Session,
        name: &PageName,
        number: u64,
        body: &[u8],
    ) -> Result<(), RemoteError> {
        let url = at(&self.address, name, number);
        let authorization = Some(session.authorization());
        ask(&self.asking, Method::PUT, &url, authorization, Some(body.to_vec()), MAX_SMALL_FRAME_BYTES)
            .await?;
        Ok(())
    }
}

impl Anybody {
    /// As [`Remote::page`].
    pub(crate) async fn page(&self, name: &PageName, number: u64) -> Result<Option<Vec<u8>>, RemoteError> {
        page(&self.address, &self.asking, name, number).await
    }
}

fn at(address: &Address, name: &PageName, number: u64) -> String {
    address.path(&format!("/v1/page/{}/{number}", DocumentId::from_bytes(*name)))
}

async fn page(
    address: &Address,
    asking: &Asking,
    name: &PageName,
    number: u64,
) -> Result<Option<Vec<u8>>, RemoteError> {
    let url = at(address, name, number);
    let body = ask(asking, Method::GET, &url, None, None, MAX_PUBLISHED_BYTES).await?;
    Ok((!body.is_empty()).then_some(body))
}
