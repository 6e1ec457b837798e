//! Words that waited on a device that was away while somebody's time ended: they go out under a key that the one who is out never had,
//! whenever that one looks, and with everything that the server keeps.

use std::collections::BTreeSet;

use mecum_domain::Section;

use super::world::{DAY_MS, Family, medicine, names};

/// The phone is away from before the last day of Ani's until after it, with words of both times; Ani looks after each of its rounds.
fn away_while_her_time_ended(mut family: Family) {
    let chart = family.chart;
    let space = family.phone.space_for_tests(chart, Section::Medications).expect("a space");
    let before: BTreeSet<_> =
        family.server.stored(space).iter().map(mecum_seal::Envelope::content_id).collect();
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut family.ani, chart, "By Ani, on the last day", None);
    family.server.exchange(&mut family.ani).expect("exchanges");
    let hers: BTreeSet<_> =
        family.server.stored(space).iter().map(mecum_seal::Envelope::content_id).collect();
    assert!(hers.len() > before.len(), "she is in until the end of the day");
    medicine(&mut family.phone, chart, "Written while she was in", None);
    // Over everywhere on earth.
    family.server.clock.advance(2 * DAY_MS);
    medicine(&mut family.phone, chart, "Written after her time", None);
    family.phone = family.phone.restart().expect("reopens");
    let mut rest = false;
    for _ in 0..12 {
        rest = family.server.rounds(&mut family.phone, 1).expect("an honest server is followed");
        family.server.exchange(&mut family.ani).expect("she may look");
        if rest {
            break;
        }
    }
    assert!(rest, "the exchange comes to its end");
    let own = family.phone.installation().0;
    let mut went = family.server.stored(space);
    went.retain(|envelope| envelope.place().device == own && !before.contains(&envelope.content_id()));
    assert!(went.len() >= 2, "both went out: {}", went.len());
    let opened = went.iter().filter(|envelope| family.ani.opens_for_tests(envelope)).count();
    assert_eq!(opened, 0, "of what the server has since, her keys open none of {}", went.len());
    let opened = went.iter().filter(|envelope| family.phone.opens_for_tests(envelope)).count();
    assert_eq!(opened, went.len(), "the control: whoever stayed opens each");
    assert_eq!(
        names(&family.ani, chart),
        ["Amlodipine", "By Ani, on the last day"],
        "what she reads is from before"
    );
    family.settle().expect("exchanges");
    family.same();
    let all = ["Amlodipine", "By Ani, on the last day", "Written after her time", "Written while she was in"];
    assert_eq!(names(&family.laptop, chart), all, "nobody's words are lost");
    assert_eq!(family.phone.guests_for_tests(chart, Section::Medications), 0, "and she is out");
}

#[test]
fn whose_time_is_over_reads_nothing_of_what_waited_to_be_sent() {
    away_while_her_time_ended(Family::until(40, "2026-09-10"));
}

#[test]
fn whose_time_is_over_reads_nothing_of_what_waited_on_a_device_whose_clock_is_behind() {
    away_while_her_time_ended(Family::until_by_a_slow_clock(41, "2026-09-10"));
}
