//! What hospitals publish, as it is kept here: fetched beside an exchange, held against the hospital's account log where that is known,
//! and read offline. Also how a hospital's own device publishes.

mod fetching;
#[cfg(test)]
mod frozen;
mod publishing;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use flate2::read::DeflateDecoder;
use mecum_api::Topic;
use mecum_domain::{Directory, HospitalId, Hours, Side};
use mecum_seal::AccountId;
use mecum_sync::controls::holds;
use mecum_sync::limits::MAX_PUBLISHED_BYTES;
use mecum_sync::{Notice, Signed, decode, is_signed_notice};
use mecum_vault::{Durability, Table};
use minicbor::{Decode, Encode};

use crate::app::held;
use crate::error::{SessionError, refused};
use crate::session::Session;

pub(crate) use fetching::{Looked, refresh};

/// What the names of their rows begin with.
const ROWS: &[u8] = b"notice/";

/// Most bytes of a notice once it is inflated.
const MAX_INFLATED_BYTES: u64 = 8 * 1024 * 1024;

/// A notice as it lies in the vault.
///
/// Layout: CBOR `[fetched_ms, server (text), signed notice (bytes)]`.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
struct Row {
    #[n(0)]
    fetched_ms: i64,
    /// The address that it was fetched from.
    #[n(1)]
    server: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    notice: Vec<u8>,
}

/// A notice that was read.
#[derive(Debug)]
pub(crate) struct Known {
    fetched_ms: i64,
    server: String,
    said: Notice,
    pub(crate) directory: Directory,
    pub(crate) hours: Hours,
}

/// Notices that were read in this session: a large one takes some milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Published(Mutex<BTreeMap<AccountId, Option<Arc<Known>>>>);

/// Whether who reads a notice asked for it by name, or their device did by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// By its link: the key is taken as it is.
    ByLink,
    /// By itself: from the same key as before, or from a device that the account's log names.
    ByItself,
}

/// The account of a hospital.
fn account_of(hospital: HospitalId) -> AccountId {
    AccountId::from_bytes(*hospital.as_bytes())
}

fn row_name(account: AccountId) -> Vec<u8> {
    [ROWS, account.as_bytes()].concat()
}

/// What a signed notice says, if it can be read and kept.
fn read(signed: &Signed<Notice>) -> Option<(Directory, Hours)> {
    let mut body = Vec::new();
    let inflating = DeflateDecoder::new(signed.unverified().body.as_slice());
    inflating.take(MAX_INFLATED_BYTES).read_to_end(&mut body).ok()?;
    let directory: Directory = serde_json::from_slice(&body).ok()?;
    let hours = directory.check().ok()?;
    Some((directory, hours))
}

impl Session {
    /// The notice of a hospital, where one is kept here.
    pub(crate) fn notice_of(&self, hospital: HospitalId) -> Option<Arc<Known>> {
        let account = account_of(hospital);
        let mut known = held(&self.published.0);
        known.entry(account).or_insert_with(|| self.read_notice(account).map(Arc::new)).clone()
    }

    fn read_notice(&self, account: AccountId) -> Option<Known> {
        let row = self.vault.get(Table::Setting, &row_name(account)).ok()??;
        let Row { fetched_ms, server, notice } = minicbor::decode(&row).ok()?;
        let signed: Signed<Notice> = decode(&notice, MAX_PUBLISHED_BYTES).ok()?;
        let (directory, hours) = read(&signed)?;
        Some(Known { fetched_ms, server, said: signed.unverified().clone(), directory, hours })
    }

    /// The hospitals whose notice is kept here, in the order of their ids.
    fn hospitals_with_notice(&self) -> Result<Vec<HospitalId>, SessionError> {
        let rows = self.vault.list_prefix(Table::Setting, ROWS)?;
        let id = |name: &[u8]| <[u8; 16]>::try_from(name.strip_prefix(ROWS)?).ok();
        Ok(rows.iter().filter_map(|(name, _)| id(name)).map(HospitalId::from_bytes).collect())
    }

    /// The hospitals of whose notice this device looks for a newer one: those that a chart is connected with, and the own account
    /// where it answers for one.
    fn hospitals_to_ask(&self) -> BTreeSet<HospitalId> {
        self.care_spaces().into_iter().filter(|space| space.open).map(|space| space.hospital).collect()
    }

    /// Whether this account answers for a hospital: somebody is connected with it.
    pub(crate) fn serves(&self) -> bool {
        self.care_spaces().iter().any(|space| space.side == Side::Hospital)
    }

    /// Takes a notice in, if it is that hospital's, is newer, and can be read. Answers whether it was.
    ///
    /// # Errors
    /// `error-notice` for one that is not what it should be.
    fn take_notice(
        &mut self,
        hospital: HospitalId,
        server: &str,
        bytes: &[u8],
        wanted: Wanted,
    ) -> Result<bool, SessionError> {
        let wrong = || refused("error-notice");
        let account = account_of(hospital);
        let signed: Signed<Notice> = decode(bytes, MAX_PUBLISHED_BYTES).map_err(|_| wrong())?;
        if !holds("notice-signed", is_signed_notice(&signed, account)) {
            return Err(wrong());
        }
        let said = signed.unverified();
        let before = self.notice_of(hospital);
        if let Some(log) = self.follower.log_of(account) {
            let named = log.device(said.device).is_some_and(|card| card.signing == said.key);
            if !holds("notice-device", named) {
                return Err(wrong());
            }
        } else if let Some(before) = &before {
            let same = before.said.key == said.key;
            if !holds("notice-key", same || wanted == Wanted::ByLink) {
                return Err(refused("error-notice-key"));
            }
        }
        let newer = before.is_none_or(|before| {
            said.number > before.said.number || (wanted == Wanted::ByLink && before.said.key != said.key)
        });
        if !newer {
            return Ok(false);
        }
        read(&signed).ok_or_else(wrong)?;
        let row = Row { fetched_ms: self.now_ms(), server: server.to_owned(), notice: bytes.to_vec() };
        let row = minicbor::to_vec(&row).map_err(|_| SessionError::Stored { what: "notice" })?;
        self.vault.write(Durability::Full, |w| w.put(Table::Setting, &row_name(account), &row))?;
        held(&self.published.0).remove(&account);
        self.tell(Topic::Charts);
        Ok(true)
    }
}
