use mecum_domain::{FreeSlot, OpeningHours, Service, Slot, SlotId, Span, Words};
use mecum_sync::encode;
use mecum_vault::Location;

use super::*;
use crate::testing::{first_device, surroundings};

const SERVER: &str = "https://mecum.example";

fn directory(name: &str) -> Directory {
    let week = std::array::from_fn(|day| if day < 5 { vec![Span { from: 480, to: 960 }] } else { vec![] });
    let slot = |n: u8, starts_ms| FreeSlot {
        service: "dental".to_owned(),
        slot: Slot {
            id: SlotId::from_bytes([n; 16]),
            starts_ms,
            minutes: 20,
            practitioner: "dr. Maya".to_owned(),
            location: "Poli Gigi".to_owned(),
        },
    };
    Directory {
        name: Words::new("id", name).and("en", "Tirta Asih Hospital"),
        hours: OpeningHours { zone: "WIB-7".to_owned(), week, closed: vec![] },
        services: vec![Service {
            code: "dental".to_owned(),
            name: Words::new("id", "Gigi"),
            about: Words::default(),
            price: None,
        }],
        slots: vec![slot(2, i64::MAX - 1), slot(1, 1)],
        ..Directory::default()
    }
}

/// A hospital's own device, and somebody who has nothing to do with it.
fn two() -> (Session, Session, HospitalId) {
    let hospital = first_device(&Location::Memory, surroundings(21));
    let reader = first_device(&Location::Memory, surroundings(22));
    let id = HospitalId::from_bytes(*hospital.identity.account.as_bytes());
    (hospital, reader, id)
}

fn message<T>(result: Result<T, SessionError>) -> String {
    mecum_api::CallError::from(result.err().expect("refused")).message_id
}

#[test]
fn what_a_hospital_publishes_is_kept_and_read_in_the_readers_language_with_the_times_ahead() {
    let (hospital, mut reader, id) = two();
    let bytes = encode(&hospital.notice_that_says(&directory("RS Tirta Asih")).expect("it holds"));
    assert!(reader.hospital_view(id, "id").is_none(), "nothing was read");
    assert!(reader.take_notice(id, SERVER, &bytes, Wanted::ByLink).expect("it is theirs"), "taken in");
    assert!(!reader.take_notice(id, SERVER, &bytes, Wanted::ByLink).expect("again"), "once");
    let view = reader.hospital_view(id, "id-ID").expect("it is kept");
    assert_eq!((view.name.as_str(), view.services[0].name.as_str()), ("RS Tirta Asih", "Gigi"));
    assert_eq!(view.slots.len(), 1, "what is past is not offered");
    assert_eq!(view.week[0], [("08:00".to_owned(), "16:00".to_owned())], "hours as people write them");
    assert!(view.week[6].is_empty(), "a closed day");
    assert_eq!(view.trust, mecum_api::NoticeTrust::FirstSight, "nobody vouches for it");
    assert_eq!(reader.hospital_view(id, "en").expect("kept").name, "Tirta Asih Hospital");
    assert_eq!(reader.hospitals_with_notice().expect("rows"), [id]);
}

#[test]
fn a_notice_by_another_key_is_taken_where_somebody_opens_its_link_and_never_by_itself() {
    let (mut hospital, mut reader, id) = two();
    let first = encode(&hospital.notice_that_says(&directory("RS Tirta Asih")).expect("it holds"));
    reader.take_notice(id, SERVER, &first, Wanted::ByItself).expect("the first that is seen");
    let other = first_device(&Location::Memory, surroundings(23));
    hospital.identity.signing = other.identity.signing.clone();
    let forged = encode(&hospital.notice_that_says(&directory("Somebody else")).expect("it holds"));
    let refused = reader.take_notice(id, SERVER, &forged, Wanted::ByItself);
    assert_eq!(message(refused), "error-notice-key");
    assert_eq!(reader.hospital_view(id, "id").expect("kept").name, "RS Tirta Asih", "the first stands");
    assert!(reader.take_notice(id, SERVER, &forged, Wanted::ByLink).expect("asked for by its link"));
    assert_eq!(reader.hospital_view(id, "id").expect("kept").name, "Somebody else");
}

#[test]
fn what_the_accounts_own_log_does_not_name_is_no_notice_of_it_whoever_asks() {
    let (mut hospital, _, id) = two();
    let bytes = encode(&hospital.notice_that_says(&directory("RS Tirta Asih")).expect("it holds"));
    // Its own device has the log.
    assert!(hospital.take_notice(id, SERVER, &bytes, Wanted::ByItself).expect("it is named"));
    assert_eq!(hospital.hospital_view(id, "id").expect("kept").trust, mecum_api::NoticeTrust::Connected);
    let other = first_device(&Location::Memory, surroundings(24));
    hospital.identity.signing = other.identity.signing.clone();
    let forged = encode(&hospital.notice_that_says(&directory("Somebody else")).expect("it holds"));
    for wanted in [Wanted::ByItself, Wanted::ByLink] {
        assert_eq!(message(hospital.take_notice(id, SERVER, &forged, wanted)), "error-notice", "{wanted:?}");
    }
}

#[test]
fn what_is_of_another_hospital_or_cannot_be_read_is_refused_and_the_one_before_stands() {
    let (hospital, mut reader, id) = two();
    let bytes = encode(&hospital.notice_that_says(&directory("RS Tirta Asih")).expect("it holds"));
    reader.take_notice(id, SERVER, &bytes, Wanted::ByLink).expect("it is theirs");
    let other = HospitalId::from_bytes([9; 16]);
    assert_eq!(message(reader.take_notice(other, SERVER, &bytes, Wanted::ByLink)), "error-notice");
    let resigned = |body: Vec<u8>| {
        let signed = hospital.notice_that_says(&directory("x")).expect("it holds");
        let said = Notice { body, number: u64::MAX >> 1, ..signed.unverified().clone() };
        encode(&Signed::sign(said, &hospital.identity.signing))
    };
    let huge = {
        use std::io::Write as _;
        let mut deflating = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        let spaces = vec![b' '; 1 << 20];
        (0..16).for_each(|_| deflating.write_all(&spaces).expect("memory"));
        deflating.write_all(b"{}").expect("memory");
        deflating.finish().expect("memory")
    };
    assert!(huge.len() < MAX_PUBLISHED_BYTES, "it fits a page: {}", huge.len());
    for (what, body) in [("no bytes", vec![]), ("no deflated bytes", vec![1; 64]), ("sixteen MiB", huge)] {
        let refused = reader.take_notice(id, SERVER, &resigned(body), Wanted::ByLink);
        assert_eq!(message(refused), "error-notice", "{what}");
    }
    assert_eq!(reader.hospital_view(id, "id").expect("kept").name, "RS Tirta Asih", "it stands");
}

#[test]
fn a_directory_that_does_not_hold_together_is_not_published() {
    let (hospital, ..) = two();
    let nameless = Directory { name: Words::default(), ..directory("x") };
    assert_eq!(message(hospital.notice_that_says(&nameless)), "error-notice");
}
