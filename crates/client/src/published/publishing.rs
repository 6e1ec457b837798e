//! How a hospital's own device publishes: the directory, deflated and signed by the device, under the name of its account.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use mecum_api::CallError;
use mecum_domain::{Directory, HospitalId};
use mecum_sync::limits::MAX_PUBLISHED_BYTES;
use mecum_sync::{Notice, RefusalCode, Signed, encode, notice_name};

use super::Wanted;
use crate::app::App;
use crate::driver::sign_in;
use crate::error::{SessionError, refused, remote_error};
use crate::remote::{Remote, RemoteError};
use crate::session::Session;

impl Session {
    /// A notice of this account that says this, under a number above every one that is known here.
    pub(super) fn notice_that_says(&self, directory: &Directory) -> Result<Signed<Notice>, SessionError> {
        let stored = |_| SessionError::Stored { what: "notice" };
        directory.check().map_err(|_| refused("error-notice"))?;
        let json = serde_json::to_vec(directory).map_err(|_| SessionError::Stored { what: "notice" })?;
        let mut deflating = DeflateEncoder::new(Vec::new(), Compression::default());
        deflating.write_all(&json).map_err(stored)?;
        let body = deflating.finish().map_err(stored)?;
        let identity = &self.identity;
        let own = HospitalId::from_bytes(*identity.account.as_bytes());
        let before = self.notice_of(own).map_or(0, |known| known.said.number);
        let published_ms = self.now_ms();
        let notice = Notice {
            account: identity.account,
            device: identity.device,
            key: identity.signing.verifying_key(),
            // A vault that is an older copy may not know of the newest: the time is above it.
            number: u64::try_from(published_ms).unwrap_or(0).max(before.saturating_add(1)),
            published_ms,
            body,
        };
        Ok(Signed::sign(notice, &identity.signing))
    }

    /// Whether this is what this account has published last, as far as this device knows, and not before `since_ms`.
    pub fn has_published(&self, directory: &Directory, since_ms: i64) -> bool {
        let own = HospitalId::from_bytes(*self.identity.account.as_bytes());
        self.notice_of(own)
            .is_some_and(|known| known.directory == *directory && known.said.published_ms >= since_ms)
    }
}

impl App {
    /// Publishes what a hospital says to everybody, in the place of what it said before.
    ///
    /// # Errors
    /// `error-notice` for what cannot be kept by those who read it, `error-too-long`, `error-not-a-host` where the server does not know
    /// this account as a hospital's; as asking the server.
    pub async fn publish_notice(&self, directory: Directory) -> Result<(), CallError> {
        let home = self.home().await?;
        let signed = self.with(move |session| session.notice_that_says(&directory)).await?;
        let (account, number) = (signed.unverified().account, signed.unverified().number);
        let bytes = encode(&signed);
        if bytes.len() > MAX_PUBLISHED_BYTES {
            return Err(refused("error-too-long").into());
        }
        let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
        let signed_in = sign_in(&self.inner, &remote).await.map_err(|stopped| match stopped {
            crate::driver::Stopped::Remote(error) => remote_error(&error),
            _ => CallError::new(mecum_api::Code::Locked, "error-locked"),
        })?;
        let put = remote.put_page(&signed_in, &notice_name(account), number, &bytes).await;
        put.map_err(|error| match error {
            RemoteError::Refused(refusal) if refusal.code == RefusalCode::NotYours => {
                CallError::from(refused("error-not-a-host"))
            }
            error => remote_error(&error),
        })?;
        let hospital = HospitalId::from_bytes(*account.as_bytes());
        self.with(move |session| session.take_notice(hospital, &home.url, &bytes, Wanted::ByItself)).await?;
        Ok(())
    }
}
