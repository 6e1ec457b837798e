//! An entry that is erased while a restored server lacks what somebody wrote beside it.

use mecum_api::{ChartArgs, ErasurePhase};
use mecum_domain::Field;

use super::family::{Family, dose, medicine, names};

#[test]
fn an_erasure_that_is_signed_before_a_restored_server_has_everything_again_is_carried_out_everywhere() {
    let mut family = Family::new(61);
    let chart = family.chart;
    // Of another year: in a document of its own.
    let beside = medicine(&mut family.laptop, chart, "Beside", Some("2019"));
    let gone = medicine(&mut family.phone, chart, "Gone", None);
    family.settle().expect("an honest server is followed");
    let to = tempfile::tempdir().expect("a folder");
    let backup = family.server.backup(&to.path().join("backup"));
    for number in 2..6 {
        dose(&mut family.laptop, chart, beside, &number.to_string());
        family.server.exchange(&mut family.laptop).expect("an honest server is followed");
    }
    for session in [&mut family.phone, &mut family.ani] {
        family.server.exchange(session).expect("an honest server is followed");
    }
    family.server.restore(&backup);
    family.erase(gone);
    family.server.exchange(&mut family.phone).expect("an honest server is followed");
    family.settle().expect("an honest server is followed");
    family.same();
    for (session, which) in
        [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut family.ani, "Ani")]
    {
        assert!(!names(session, chart).iter().any(|name| name == "Gone"), "it is gone on {which}");
        let entry = session.entry(chart, beside).expect("reads").expect("it is there");
        assert_eq!(entry.get(Field::Dose), Some("5"), "what the server had lost stands on {which}");
        let list = session.erasure_list(&ChartArgs { chart }).expect("a list");
        assert!(list.iter().all(|view| view.phase == ErasurePhase::Done), "done on {which}: {list:?}");
        let aside = session.put_aside_for_tests();
        assert!(aside.is_empty(), "nothing is put aside on {which}: {aside:?}");
    }
}
