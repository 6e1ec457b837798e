//! Who a new account is for, as a vault keeps it until the first chart is made, frozen.

use mecum_faults::Frozen;

use super::*;
use crate::frozen::{is_kept, kept};

#[test]
fn who_a_new_account_is_for_is_written_with_the_frozen_bytes_and_read_from_them() {
    let person = |born: Option<&str>| FirstPerson { name: "Laras".to_owned(), born: born.map(str::to_owned) };
    let written = [("born", kept(&person(Some("1988-02-11")))), ("name alone", kept(&person(None)))];
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "first-person-v1.txt", &written);
    for (name, born) in [("born", Some("1988-02-11")), ("name alone", None)] {
        assert!(is_kept::<FirstPerson>(frozen.get(name)), "{name} is read");
        let read: FirstPerson = minicbor::decode(frozen.get(name)).expect("an old row");
        assert_eq!((read.name.as_str(), read.born.as_deref()), ("Laras", born), "{name}");
    }
}
