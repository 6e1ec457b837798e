//! Fetching what hospitals publish: now and then beside an exchange, and when somebody asks by a link.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mecum_api::{CallError, Code, HospitalArgs, HospitalFindArgs, HospitalView};
use mecum_domain::HospitalId;
use mecum_sync::{RefusalCode, notice_name};

use super::{Wanted, account_of};
use crate::app::{App, Inner};
use crate::error::remote_error;
use crate::remote::{Remote, RemoteError};
use crate::session::Session;
use crate::settings;

/// How long a device leaves what it knows, where nothing else is new.
const AGAIN: Duration = Duration::from_mins(5);

/// When notices were looked for, and of which hospitals.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    at: Option<Instant>,
    of: BTreeSet<HospitalId>,
}

/// Looks for newer notices of the hospitals that this account has to do with. What cannot be fetched is looked for again with a later
/// exchange.
pub(crate) async fn refresh(inner: &Inner, remote: &Remote, server: &str, looked: &mut Looked) {
    let Some(of) = inner.session(|session| session.hospitals_to_ask()) else { return };
    if of.is_empty() || (of == looked.of && looked.at.is_some_and(|at| at.elapsed() < AGAIN)) {
        return;
    }
    for hospital in &of {
        let known = inner.session(|session| session.notice_of(*hospital).map(|known| known.said.number));
        let Some(known) = known else { return };
        let name = notice_name(account_of(*hospital));
        let Ok(Some(bytes)) = remote.page(&name, known.unwrap_or(0)).await else { continue };
        // One that is none leaves the one that is here in its place.
        let take = |session: &mut Session| session.take_notice(*hospital, server, &bytes, Wanted::ByItself);
        let _ = tokio::task::block_in_place(|| inner.session(take));
    }
    *looked = Looked { at: Some(Instant::now()), of };
}

fn bad_link() -> CallError {
    CallError::new(Code::Refused, "error-hospital-link")
}

/// The server and the hospital of a link.
fn parts(link: &str) -> Option<(String, HospitalId)> {
    let rest = link.trim().strip_prefix("mecum:hospital?")?;
    let part = |name: &str| rest.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    Some((part("s")?.trim_end_matches('/').to_owned(), part("h")?.parse().ok()?))
}

impl App {
    fn language(&self) -> String {
        settings::read_display(self.profile()).language
    }

    /// The hospitals whose notice is kept here.
    pub(crate) async fn hospital_list(&self, (): ()) -> Result<Vec<HospitalView>, CallError> {
        let language = self.language();
        self.with(move |session| {
            let all = session.hospitals_with_notice()?;
            Ok(all.into_iter().filter_map(|hospital| session.hospital_view(hospital, &language)).collect())
        })
        .await
    }

    /// What a hospital has published, as it was fetched last.
    pub(crate) async fn hospital_get(&self, args: HospitalArgs) -> Result<HospitalView, CallError> {
        let language = self.language();
        let view = self.with(move |session| Ok(session.hospital_view(args.hospital, &language))).await?;
        view.ok_or_else(|| CallError::new(Code::NotFound, "error-no-notice"))
    }

    /// Fetches what a hospital publishes by the link that it prints.
    pub(crate) async fn hospital_find(&self, args: HospitalFindArgs) -> Result<HospitalView, CallError> {
        let (server, hospital) = parts(&args.link).ok_or_else(bad_link)?;
        self.with(|_| Ok(())).await?;
        let fetched = self.fetch(&server, hospital).await;
        let bytes = fetched.map_err(|error| match error {
            RemoteError::BadAddress => bad_link(),
            RemoteError::Refused(refusal) if refusal.code == RefusalCode::NotFound => {
                CallError::new(Code::NotFound, "error-no-notice")
            }
            error => remote_error(&error),
        })?;
        let bytes = bytes.ok_or_else(|| CallError::new(Code::NotFound, "error-no-notice"))?;
        self.with(move |session| session.take_notice(hospital, &server, &bytes, Wanted::ByLink)).await?;
        self.hospital_get(HospitalArgs { hospital }).await
    }

    /// The server is not asked who it is: what it hands out is signed by the hospital.
    async fn fetch(&self, server: &str, hospital: HospitalId) -> Result<Option<Vec<u8>>, RemoteError> {
        let remote = Remote::of_anybody(server)?;
        remote.page(&notice_name(account_of(hospital)), 0).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::link_of;
    use super::*;

    #[test]
    fn a_link_names_a_server_and_a_hospital_or_it_is_none() {
        let hospital = HospitalId::from_bytes([7; 16]);
        let link = link_of("https://mecum.example", hospital);
        assert_eq!(parts(&link), Some(("https://mecum.example".to_owned(), hospital)), "{link}");
        assert_eq!(parts(&format!(" {link}\n")), parts(&link), "as somebody pastes it");
        for wrong in ["", "mecum:pair?s=https://mecum.example", "mecum:hospital?s=https://mecum.example&h=07"]
        {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
