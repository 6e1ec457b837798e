//! One device by itself: without a server, without its answer, and what is left in its files.

use mecum_api::{EntryEraseArgs, ErasureArgs, ErasurePhase};
use mecum_client::Session;
use mecum_client::testing::{first_device, surroundings};
use mecum_domain::{Kind, Relation};
use mecum_vault::Location;

use super::family::{Family, NEEDLE, holds, list, medicine, names};

/// A file with one condition.
const FILE: &str = r#"{"resourceType": "Bundle", "type": "collection", "identifier": {"system": "s", "value": "1"}, "entry": [
  {"resource": {"resourceType": "Condition", "id": "c", "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Zuclopenthixolneedle"}, "onsetDateTime": "2011-03-04"}},
  {"resource": {"resourceType": "Condition", "id": "d", "code": {"text": "Asthma"}, "onsetDateTime": "2011-05-04"}}]}"#;

#[test]
fn without_a_server_it_is_done_at_once_and_stopped_anywhere_it_is_done_after_a_restart() {
    for stop in 0..8 {
        let mut session = first_device(&Location::Memory, surroundings(71));
        let chart = session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
        medicine(&mut session, chart, "Amlodipine");
        let goes = medicine(&mut session, chart, NEEDLE);
        let key = session.key_of_entry_for_tests(chart, goes);
        session.stop_after_commits_for_tests(stop);
        let args = EntryEraseArgs { chart, entry: goes.name(), reason: String::new() };
        let decided = session.entry_erase(&args);
        assert_eq!(decided.is_ok(), stop >= 4, "stopped after {stop}: {decided:?}");
        let mut session = session.restart().expect("reopens");
        session.idle().expect("rests");
        let all = session.readable_for_tests();
        let expected: &[&str] = if stop == 0 { &["Amlodipine", NEEDLE] } else { &["Amlodipine"] };
        assert_eq!(names(&mut session, chart), expected, "stopped after {stop}");
        assert_eq!(holds(&all, NEEDLE.as_bytes()) || holds(&all, &key), stop == 0, "stopped after {stop}");
        assert!(session.is_sound_for_tests(), "sound");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_of_the_server_nothing_is_signed_and_it_can_be_stopped() {
    let mut family = Family::new(91).await;
    let chart = family.chart;
    let decided = family.erase();
    for _ in 0..3 {
        // Asked and never answered: there is no signal.
        family.phone.session().request().expect("a request");
    }
    let phases: Vec<_> = list(family.phone.session(), chart).iter().map(|one| one.phase).collect();
    assert_eq!(phases, [ErasurePhase::Waits], "nobody heard of it, so nothing is signed");
    family.phone.session().erasure_stop(&ErasureArgs { erasure: decided.erasure }).expect("stopped");
    family.settle().await;
    assert_eq!(names(family.phone.session(), chart).len(), 2, "what was stopped stands");
    family.same();
    family.erase();
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "and what was not goes with the signal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_entry_of_a_file_does_not_come_back_by_the_same_file_on_any_device() {
    let mut family = Family::new(95).await;
    let chart = family.chart;
    let bundle = mecum_interop::read_bundle(FILE.as_bytes()).expect("a good file");
    let keep =
        |session: &mut Session| session.keep(chart, bundle.resources.clone(), &mut |_| true).expect("kept");
    // Both bring it in before either hears of the other: two documents hold it.
    keep(family.phone.session());
    assert_eq!(keep(family.laptop.session()).added, 2, "the laptop has not heard of it");
    family.settle().await;
    let titled = |session: &mut Session| {
        let rows = session.rows(chart).expect("rows").newest();
        rows.iter()
            .filter(|row| row.kind() == Kind::Condition)
            .map(|row| row.title.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(titled(family.phone.session()), ["Asthma", NEEDLE], "each is listed once");
    let rows = family.phone.session().rows(chart).expect("rows").newest();
    let goes =
        rows.iter().find(|row| row.kind() == Kind::Condition && row.title == NEEDLE).expect("there").key;
    family.goes = goes;
    // The medicine of that name is not what this is about.
    let medicines = names(family.phone.session(), chart);
    family.erase();
    for _ in 0..3 {
        family.settle().await;
    }
    for who in [&mut family.phone, &mut family.laptop] {
        assert_eq!(titled(who.session()), ["Asthma"], "gone from both documents");
        assert_eq!(names(who.session(), chart), medicines, "and nothing else");
        assert!(!holds(&who.session().readable_for_tests(), b"\"c\", \"clinicalStatus\""), "no bytes of it");
        let outcome = keep(who.session());
        assert_eq!(
            (outcome.added, outcome.already, outcome.erased),
            (0, 1, 1),
            "the file does not bring it back"
        );
        who.restart();
        assert_eq!(keep(who.session()).erased, 1, "after a restart neither");
    }
    family.same();
}

#[test]
fn the_bytes_of_what_was_erased_are_in_no_file_of_the_vault() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let mut session = first_device(&Location::File(path.clone()), surroundings(75));
    let chart = session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
    medicine(&mut session, chart, "Amlodipine");
    let goes = medicine(&mut session, chart, NEEDLE);
    let sealed = session.envelopes_of_entry_for_tests(chart, goes);
    assert_eq!(sealed.len(), 2, "two envelopes");
    let found = || {
        let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
        let bytes: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.path()).expect("reads")).collect();
        // Of the ciphertext: what stands before it, others have too.
        let part = |envelope: &Vec<u8>| envelope[envelope.len() - 64..].to_vec();
        sealed.iter().filter(|one| bytes.iter().any(|file| holds(file, &part(one)))).count()
    };
    assert_eq!(found(), 2, "the search finds them while they are there");
    let args = EntryEraseArgs { chart, entry: goes.name(), reason: String::new() };
    let reading = session.reading_for_tests();
    session.entry_erase(&args).expect("erased");
    session.idle().expect("rests");
    assert_eq!(found(), 2, "a check reads: they are in the log");
    drop(reading);
    session.idle().expect("rests");
    assert_eq!(found(), 0, "neither in the file nor in its log, before it is locked");
    session.lock().expect("locks");
    assert_eq!(found(), 0, "nor after");
}
