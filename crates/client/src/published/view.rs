//! A notice as screens show it: in the reader's language, and of the slots only those that are ahead.

use mecum_api::{
    FreeSlotView, HelpLineView, HospitalView, LadderView, NoticeTrust, PractitionerView, PriceView,
    ServiceView,
};
use mecum_domain::{Directory, HospitalId, Price, Service, Span};

use super::{Known, account_of};
use crate::session::Session;

/// A notice that nobody has renewed for so long is shown as old, ms. Source: ADR 0024, *Pages*.
const GOOD_FOR_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// The link by which others find a hospital.
pub(super) fn link_of(server: &str, hospital: HospitalId) -> String {
    format!("mecum:hospital?s={server}&h={hospital}")
}

fn time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn day(spans: &[Span]) -> Vec<(String, String)> {
    spans.iter().map(|span| (time(span.from), time(span.to))).collect()
}

fn price(price: &Price, language: &str) -> PriceView {
    let Price { amount, currency, note } = price;
    PriceView { amount: *amount, currency: currency.clone(), note: note.text(language).to_owned() }
}

fn service(service: &Service, language: &str) -> ServiceView {
    ServiceView {
        code: service.code.clone(),
        name: service.name.text(language).to_owned(),
        about: service.about.text(language).to_owned(),
        price: service.price.as_ref().map(|one| price(one, language)),
    }
}

impl Session {
    /// What a hospital has published, where it is kept here.
    pub(super) fn hospital_view(&self, hospital: HospitalId, language: &str) -> Option<HospitalView> {
        let known = self.notice_of(hospital)?;
        let Known { fetched_ms, server, said, directory, hours } = known.as_ref();
        let now_ms = self.now_ms();
        let of_log = self.follower.log_of(account_of(hospital)).is_some();
        let Directory { slots, practitioners, ladders, help_lines, .. } = directory;
        let mut free: Vec<FreeSlotView> = slots
            .iter()
            .filter(|free| free.slot.starts_ms > now_ms)
            .map(|free| FreeSlotView { service: free.service.clone(), slot: free.slot.clone() })
            .collect();
        free.sort_by_key(|free| (free.slot.starts_ms, free.slot.id));
        Some(HospitalView {
            hospital,
            name: directory.name.text(language).to_owned(),
            address: directory.address.text(language).to_owned(),
            published_ms: said.published_ms,
            fetched_ms: *fetched_ms,
            old: now_ms.saturating_sub(said.published_ms) > GOOD_FOR_MS,
            trust: if of_log { NoticeTrust::Connected } else { NoticeTrust::FirstSight },
            open: hours.is_open(now_ms),
            week: directory.hours.week.iter().map(|spans| day(spans)).collect(),
            services: directory.services.iter().map(|one| service(one, language)).collect(),
            practitioners: practitioners
                .iter()
                .map(|one| PractitionerView {
                    name: one.name.clone(),
                    services: one.services.clone(),
                    languages: one.languages.clone(),
                })
                .collect(),
            slots: free,
            ladders: ladders
                .iter()
                .map(|ladder| LadderView { kind: ladder.kind, rungs: ladder.rungs.clone() })
                .collect(),
            pledge: directory.pledge.text(language).to_owned(),
            terms: directory.terms.text(language).to_owned(),
            help_lines: help_lines
                .iter()
                .map(|line| HelpLineView {
                    name: line.name.text(language).to_owned(),
                    reach: line.reach.clone(),
                    when: line.when.text(language).to_owned(),
                })
                .collect(),
            link: link_of(server, hospital),
        })
    }
}
