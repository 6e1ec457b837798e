//! What lies on a disk and not in one of the frozen vectors: beside a server's database in a backup, and in a vault of which logs are
//! folded.

use std::cell::RefCell;

use mecum_client::testing::{first_device, parsing, surroundings};
use mecum_domain::{Field, Kind, Relation};
use mecum_relay::folder::{Manifest, backup as back_up};
use mecum_relay::{Relay, RelayOptions};
use mecum_testkit::FakeRelay;
use mecum_vault::Location;

thread_local! {
    static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// The file that says what a backup holds. It is read from a folder in memory: nothing else is in it.
pub(super) fn backup(bytes: &[u8]) -> bool {
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(super::http::in_memory);
        std::fs::write(folder.path().join("backup.txt"), bytes).expect("memory takes it");
        Manifest::read(folder.path()).is_ok()
    })
}

/// Of a server on which nobody is yet.
pub(super) fn backups() -> Vec<Vec<u8>> {
    let (data, folder) = (super::http::in_memory(), super::http::in_memory());
    let options = RelayOptions { log: std::sync::Arc::new(|_| {}), ..RelayOptions::default() };
    drop(Relay::open(data.path(), options).expect("a fresh folder takes a relay"));
    let to = folder.path().join("backup");
    back_up(data.path(), &to, 5).expect("it is backed up");
    vec![std::fs::read(to.join("backup.txt")).expect("and says what it holds")]
}

/// Of a device whose edits are at a server.
pub(super) fn residues() -> Vec<Vec<u8>> {
    let mut relay = FakeRelay::new([7; 32]);
    let mut phone = first_device(&Location::Memory, surroundings(7));
    phone.pin_for_tests(relay.key());
    let chart = phone.create_chart("Ratna", None, Relation::Mother, None).expect("a chart");
    for number in 0..40 {
        let fields = vec![(Field::Name, format!("medicine {number}")), (Field::Dose, "5".to_owned())];
        phone.add(chart, Kind::MedicationStatement, fields).expect("an entry is written");
    }
    loop {
        let request = phone.request().expect("it says what it has");
        let response = relay.answer(phone.installation(), &request, 40);
        if !phone.accept(&request, &response).expect("an honest relay is followed").more {
            break;
        }
    }
    parsing::residues(&mut phone)
}
