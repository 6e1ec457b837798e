//! Erasing for good, and moving to *sensitive*: what is gone is in no vault of anybody who follows, what stays is the same for
//! everybody, and a device that is stopped between any two steps goes on to the same end.

use std::sync::Arc;

use mecum_api::{
    ChartArgs, EntryArgs, EntryEraseArgs, EntryMoveArgs, ErasureArgs, ErasureKind, ErasurePhase, ErasureView,
    MemberRemoveArgs,
};
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::{Relay, RelayOptions};
use mecum_sync::{Role, Signed, Statement};
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// What is planted in the entry that is erased.
const NEEDLE: &str = "Zuclopenthixolneedle";

struct Device {
    session: Option<Session>,
    signed_in: Option<SignedIn>,
}

impl Device {
    fn of(session: Session) -> Device {
        Device { session: Some(session), signed_in: None }
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("open")
    }

    fn restart(&mut self) {
        self.session = self.session.take().map(|session| session.restart().expect("reopens"));
    }

    /// Exchanges until nothing is left to say or to fetch; false if it was stopped on the way.
    async fn exchange(&mut self, server: &Server) -> bool {
        let signed_in = if let Some(signed_in) = self.signed_in.take() {
            signed_in
        } else {
            let (key, account, device, incarnation) = self.session().sign_in_for_tests();
            server.remote.sign_in(&key, account, device, incarnation).await.expect("signs in")
        };
        for _ in 0..100 {
            let request = self.session().request().expect("a request");
            let said = self.session().said(&request, signed_in.forms);
            let response = server.remote.sync_as_said(&signed_in, &said).await.expect("an answer");
            match self.session().accept(&request, &response) {
                Ok(exchanged) if exchanged.more => {}
                Ok(_) => {
                    self.signed_in = Some(signed_in);
                    return true;
                }
                Err(mecum_client::ExchangeError::Session(_)) => return false,
                Err(error) => panic!("an honest server is followed: {error:?}"),
            }
        }
        panic!("never came to rest");
    }
}

struct Server {
    _folder: TempDir,
    relay: Relay,
    remote: Remote,
}

impl Server {
    async fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let options = RelayOptions { log: Arc::new(|_| {}), ..RelayOptions::default() };
        let relay = Relay::open(folder.path(), options).expect("a relay");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = relay.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        let remote = Remote::new(&url, relay.key()).expect("an address");
        Server { _folder: folder, relay, remote }
    }

    async fn account(&self, seed: u64) -> Device {
        let mut session = first_device(&Location::Memory, surroundings(seed));
        session.pin_for_tests(self.relay.key());
        let code = self.relay.make_enrolment_code().expect("a code");
        let genesis = session.genesis_for_tests().expect("an account");
        self.remote.enrol(&code, genesis).await.expect("enrolled");
        Device::of(session)
    }
}

/// Ratna's phone and laptop, and Ani, who writes in her medicines.
struct Family {
    server: Server,
    phone: Device,
    laptop: Device,
    ani: Device,
    chart: ChartId,
    stays: ItemKey,
    goes: ItemKey,
}

impl Family {
    /// On the heap: what it takes to get there is large, and each test would hold it.
    async fn new(seed: u64) -> Family {
        Box::pin(Family::begin(seed)).await
    }

    async fn begin(seed: u64) -> Family {
        println!("seed {seed}");
        let server = Server::start().await;
        let mut phone = server.account(seed).await;
        let ratna = phone.session();
        let chart = ratna.create_chart("Ratna", Some("1958-03-04"), Relation::Own, None).expect("a chart");
        let stays = medicine(ratna, chart, "Amlodipine");
        let goes = medicine(ratna, chart, NEEDLE);
        dose(ratna, chart, goes, "7");
        let laptop = ratna.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let mut ani = server.account(seed ^ 0x2222).await;
        ani.session().create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
        phone.exchange(&server).await;
        phone.session().let_in_for_tests(chart, Section::Medications, Role::Writer, ani.session());
        let mut family = Family { server, phone, laptop: Device::of(laptop), ani, chart, stays, goes };
        family.settle().await;
        assert_eq!(names(family.ani.session(), chart), ["Amlodipine", NEEDLE], "she reads both");
        family
    }

    async fn settle(&mut self) {
        for _ in 0..4 {
            self.phone.exchange(&self.server).await;
            self.laptop.exchange(&self.server).await;
            self.ani.exchange(&self.server).await;
        }
    }

    fn erase(&mut self) -> ErasureView {
        let args = EntryEraseArgs { chart: self.chart, entry: self.goes.name(), reason: "not hers".into() };
        self.phone.session().entry_erase(&args).expect("it is decided")
    }

    /// Phone and laptop show the same.
    fn same(&mut self) {
        let phone = self.phone.session().fingerprint().expect("reads");
        assert_eq!(phone, self.laptop.session().fingerprint().expect("reads"), "both show the same");
    }
}

fn names(who: &mut Session, chart: ChartId) -> Vec<String> {
    let rows = who.rows(chart).expect("rows").newest();
    let mut names: Vec<String> = rows
        .iter()
        .filter(|row| row.kind() == Kind::MedicationStatement)
        .map(|row| row.title.clone())
        .collect();
    names.sort();
    names
}

fn medicine(who: &mut Session, chart: ChartId, name: &str) -> ItemKey {
    let fields = vec![(Field::Name, name.to_owned()), (Field::Dose, "1".to_owned())];
    who.add(chart, Kind::MedicationStatement, fields).expect("a medicine is written")
}

fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

fn list(who: &mut Session, chart: ChartId) -> Vec<ErasureView> {
    who.erasure_list(&ChartArgs { chart }).expect("a list")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_erased_is_in_no_vault_of_anybody_who_follows() {
    let mut family = Family::new(21).await;
    let (chart, goes) = (family.chart, family.goes);
    let key = family.phone.session().key_of_entry_for_tests(chart, goes);
    for who in [&mut family.phone, &mut family.laptop, &mut family.ani] {
        let all = who.session().readable_for_tests();
        assert!(holds(&all, NEEDLE.as_bytes()) && holds(&all, &key), "the search finds what is there");
    }
    let look = family.phone.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
    assert!(look.may && look.waits, "the owner may, with the server");
    assert_eq!(
        look.readers.iter().map(|reader| reader.name.as_str()).collect::<Vec<_>>(),
        ["Ani"],
        "who read"
    );
    let view = family.erase();
    assert_eq!(view.phase, ErasurePhase::Waits, "nothing is done before the server has it");
    assert_eq!(names(family.phone.session(), chart).len(), 2, "until then it stands");
    family.settle().await;
    for (who, which) in
        [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut family.ani, "ani")]
    {
        assert_eq!(names(who.session(), chart), ["Amlodipine"], "gone on {which}");
        let all = who.session().readable_for_tests();
        assert!(!holds(&all, NEEDLE.as_bytes()), "no words of it on {which}");
        assert!(!holds(&all, &key), "nor the key of its document on {which}");
        assert!(who.session().is_sound_for_tests(), "the vault is sound on {which}");
        let view = list(who.session(), chart).remove(0);
        assert_eq!((view.phase, view.reason.as_str()), (ErasurePhase::Done, "not hers"), "said on {which}");
        who.restart();
        assert_eq!(names(who.session(), chart), ["Amlodipine"], "after a restart on {which}");
    }
    family.same();
    // They go on writing.
    let stays = family.stays;
    dose(family.ani.session(), chart, stays, "2.5");
    medicine(family.laptop.session(), chart, "Afterwards");
    family.settle().await;
    family.same();
    assert_eq!(names(family.ani.session(), chart), ["Afterwards", "Amlodipine"], "and read each other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_between_any_two_steps_it_goes_on_to_the_same_end() {
    let mut left = Some(0);
    for stop in 0..12 {
        let mut family = Family::new(31).await;
        let chart = family.chart;
        let key = family.phone.session().key_of_entry_for_tests(chart, family.goes);
        family.erase();
        family.phone.session().stop_after_commits_for_tests(stop);
        family.phone.exchange(&family.server).await;
        family.phone.exchange(&family.server).await;
        left = family.phone.session().commits_left_for_tests();
        family.phone.restart();
        family.phone.signed_in = None;
        family.settle().await;
        family.settle().await;
        for (who, which) in
            [(&mut family.phone, "phone"), (&mut family.laptop, "laptop"), (&mut family.ani, "ani")]
        {
            assert_eq!(names(who.session(), chart), ["Amlodipine"], "stopped after {stop}: {which}");
            let all = who.session().readable_for_tests();
            assert!(!holds(&all, NEEDLE.as_bytes()) && !holds(&all, &key), "stopped after {stop}: {which}");
            assert!(who.session().is_sound_for_tests(), "stopped after {stop}: sound on {which}");
        }
        family.same();
        if left != Some(0) {
            assert!(stop > 3, "it has several steps: {stop}");
            break;
        }
    }
    assert_ne!(left, Some(0), "the last one was not stopped: every step was cut once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_words_are_written_again_by_their_own_device_and_those_in_the_entry_are_counted() {
    let mut family = Family::new(41).await;
    let (chart, stays, goes) = (family.chart, family.stays, family.goes);
    // The laptop and Ani are offline.
    dose(family.laptop.session(), chart, stays, "12");
    dose(family.laptop.session(), chart, goes, "99");
    medicine(family.ani.session(), chart, "Written offline");
    family.erase();
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    assert_eq!(names(family.phone.session(), chart), ["Amlodipine"], "done without them");
    family.settle().await;
    for who in [&mut family.phone, &mut family.laptop, &mut family.ani] {
        assert_eq!(names(who.session(), chart), ["Amlodipine", "Written offline"], "what was written stays");
        let entry = who.session().entry(chart, stays).expect("reads").expect("there");
        assert_eq!(entry.get(Field::Dose), Some("12"), "the late dose");
        assert!(!holds(&who.session().readable_for_tests(), NEEDLE.as_bytes()), "nothing of the entry");
    }
    family.same();
    assert_eq!(list(family.laptop.session(), chart)[0].late, 1, "the laptop says what went with it");
    assert_eq!(list(family.ani.session(), chart)[0].late, 0, "Ani lost nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_devices_that_erase_at_once_both_get_what_they_decided() {
    for same_entry in [false, true] {
        let mut family = Family::new(51).await;
        let (chart, stays, goes) = (family.chart, family.stays, family.goes);
        family.erase();
        let entry = if same_entry { goes.name() } else { stays.name() };
        let args = EntryEraseArgs { chart, entry, reason: String::new() };
        family.laptop.session().entry_erase(&args).expect("decided");
        // Both have signed before either is heard.
        let (phone, laptop) = (family.phone.session(), family.laptop.session());
        assert!(phone.has_something_to_say() && laptop.has_something_to_say(), "both want to");
        for device in [&mut family.laptop, &mut family.phone] {
            device.exchange(&family.server).await;
        }
        family.settle().await;
        family.settle().await;
        let expected: &[&str] = if same_entry { &["Amlodipine"] } else { &[] };
        for who in [&mut family.phone, &mut family.laptop, &mut family.ani] {
            assert_eq!(names(who.session(), chart), expected, "both are gone, once");
            assert!(!holds(&who.session().readable_for_tests(), NEEDLE.as_bytes()), "nothing of it");
        }
        family.same();
        let phases: Vec<_> = list(family.phone.session(), chart).iter().map(|view| view.phase).collect();
        assert!(phases.iter().all(|phase| *phase == ErasurePhase::Done), "nothing waits: {phases:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_comes_later_never_keeps_it_and_whoever_was_removed_before_keeps_what_they_read() {
    let mut family = Family::new(61).await;
    let (chart, goes) = (family.chart, family.goes);
    let key = family.phone.session().key_of_entry_for_tests(chart, goes);
    let account = family.ani.session().account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    family.settle().await;
    family.erase();
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine", NEEDLE], "she keeps what she read");
    let view = list(family.phone.session(), chart).remove(0);
    assert_eq!(view.readers[0].state, mecum_api::MemberState::Removed, "and the screen can say so");
    let tablet = family.phone.session().pair_for_tests("tablet", &Location::Memory, surroundings(99));
    let mut tablet = Device::of(tablet);
    family.phone.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert_eq!(names(tablet.session(), chart), ["Amlodipine"], "the tablet never shows it");
    let all = tablet.session().readable_for_tests();
    assert!(!holds(&all, NEEDLE.as_bytes()) && !holds(&all, &key), "and does not keep it");
    let phone = family.phone.session().fingerprint().expect("reads");
    assert_eq!(phone, tablet.session().fingerprint().expect("reads"), "the same record");
}

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
async fn an_entry_that_moves_to_sensitive_is_read_by_its_owner_alone_and_comes_back() {
    let mut family = Family::new(81).await;
    let (chart, goes) = (family.chart, family.goes);
    let moves = |sensitive| EntryMoveArgs { chart, entry: goes.name(), sensitive, reason: String::new() };
    family.phone.session().entry_move(&moves(true)).expect("decided");
    family.settle().await;
    for who in [&mut family.phone, &mut family.laptop] {
        assert_eq!(names(who.session(), chart), ["Amlodipine", NEEDLE], "the owner reads it");
        let look = who.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
        assert!(look.sensitive && look.readers.is_empty(), "in sensitive, with nobody else");
        let entry = who.session().entry(chart, goes).expect("reads").expect("there");
        assert_eq!(entry.get(Field::Dose), Some("7"), "as it was");
    }
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "she does not");
    assert!(!holds(&family.ani.session().readable_for_tests(), NEEDLE.as_bytes()), "nor her vault");
    assert_eq!(list(family.phone.session(), chart)[0].kind, ErasureKind::ToSensitive, "said");
    family.same();
    // A late edit follows it.
    dose(family.laptop.session(), chart, goes, "8");
    family.phone.session().entry_move(&moves(false)).expect("decided");
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    family.settle().await;
    assert_eq!(names(family.ani.session(), chart), ["Amlodipine", NEEDLE], "back where she reads it");
    let entry = family.ani.session().entry(chart, goes).expect("reads").expect("there");
    assert_eq!(entry.get(Field::Dose), Some("8"), "with what was written on the way");
    family.same();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_removal_made_void_is_left_behind_and_the_section_folds_again() {
    let mut family = Family::new(91).await;
    let chart = family.chart;
    medicine(family.ani.session(), chart, "Too late");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    medicine(family.laptop.session(), chart, "Honest, on top of it");
    family.laptop.exchange(&family.server).await;
    let account = family.ani.session().account_for_tests();
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    family.settle().await;
    family.settle().await;
    let expected = ["Amlodipine", "Honest, on top of it", NEEDLE];
    for who in [&mut family.phone, &mut family.laptop] {
        assert_eq!(names(who.session(), chart), expected, "honest words stay");
        assert!(!holds(&who.session().readable_for_tests(), b"Too late"), "void ones are left behind");
    }
    family.same();
    assert_eq!(list(family.laptop.session(), chart)[0].kind, ErasureKind::Cleared, "and it is said");
    let (folds, all) = family.phone.session().folds_for_tests();
    assert_eq!(folds, all, "every section folds into a snapshot again");
}

/// A file with one condition.
const FILE: &str = r#"{"resourceType": "Bundle", "type": "collection", "identifier": {"system": "s", "value": "1"}, "entry": [
  {"resource": {"resourceType": "Condition", "id": "c", "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Zuclopenthixolneedle"}, "onsetDateTime": "2011-03-04"}},
  {"resource": {"resourceType": "Condition", "id": "d", "code": {"text": "Asthma"}, "onsetDateTime": "2011-05-04"}}]}"#;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_begins_from_a_snapshot_after_an_erasure_has_the_same_record() {
    let mut family = Family::new(65).await;
    let (chart, goes) = (family.chart, family.goes);
    let key = family.phone.session().key_of_entry_for_tests(chart, goes);
    // Somebody whose last statement is about the document that ends, and who never makes another.
    let account = family.ani.session().account_for_tests();
    dose(family.ani.session(), chart, family.stays, "3");
    family.settle().await;
    let args = MemberRemoveArgs { chart, account, ..MemberRemoveArgs::default() };
    family.phone.session().member_remove(&args).expect("she is removed");
    family.settle().await;
    family.erase();
    family.settle().await;
    let (folds, all) = family.phone.session().folds_for_tests();
    assert_eq!(folds, all, "every section folds");
    // After a restart it tries again at once.
    family.phone.restart();
    family.phone.signed_in = None;
    family.phone.session().set_setting("share-snapshots", &[1]).expect("kept");
    family.settle().await;
    let tablet = family.phone.session().pair_for_tests("tablet", &Location::Memory, surroundings(98));
    let mut tablet = Device::of(tablet);
    family.phone.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert!(tablet.session().began_from_snapshots_for_tests(chart, Section::Medications), "from a snapshot");
    assert!(!holds(&tablet.session().readable_for_tests(), NEEDLE.as_bytes()), "nothing of the entry");
    assert!(!holds(&tablet.session().readable_for_tests(), &key), "nor the key");
    let phone = family.phone.session().fingerprint().expect("reads");
    assert_eq!(phone, tablet.session().fingerprint().expect("reads"), "the same record");
    // It writes on, and everybody reads it.
    dose(tablet.session(), chart, family.stays, "4");
    tablet.exchange(&family.server).await;
    family.settle().await;
    tablet.exchange(&family.server).await;
    let phone = family.phone.session().fingerprint().expect("reads");
    assert_eq!(phone, tablet.session().fingerprint().expect("reads"), "also afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_an_entry_moves_moves_with_it() {
    for elsewhere in [true, false] {
        let mut family = Family::new(85 + u64::from(elsewhere)).await;
        let (chart, goes) = (family.chart, family.goes);
        let args = EntryMoveArgs { chart, entry: goes.name(), sensitive: true, reason: String::new() };
        family.phone.session().entry_move(&args).expect("decided");
        // It is copied, and the server does not hear of it yet.
        drop(family.phone.session().request().expect("a request"));
        if elsewhere {
            dose(family.laptop.session(), chart, goes, "9");
            family.laptop.exchange(&family.server).await;
        } else {
            dose(family.phone.session(), chart, goes, "9");
        }
        family.settle().await;
        family.settle().await;
        for who in [&mut family.phone, &mut family.laptop] {
            let look = who.session().erasure_look(&EntryArgs { chart, entry: goes.name() }).expect("told");
            assert!(look.sensitive, "it moved");
            let entry = who.session().entry(chart, goes).expect("reads").expect("there");
            assert_eq!(entry.get(Field::Dose), Some("9"), "with the dose that was written meanwhile");
        }
        assert_eq!(names(family.ani.session(), chart), ["Amlodipine"], "and nobody else reads it");
        family.same();
    }
}

/// Sends what a device has to say, but of every push the first envelope only.
async fn send_first_of_each(device: &mut Device, server: &Server) {
    let (key, account, id, incarnation) = device.session().sign_in_for_tests();
    let signed_in = server.remote.sign_in(&key, account, id, incarnation).await.expect("signs in");
    let mut request = device.session().request().expect("a request");
    // What was decided is signed only once the server was just heard.
    for _ in 0..4 {
        if request.pushes.iter().any(|push| push.envelopes.len() > 1) {
            break;
        }
        let response = server.remote.sync(&signed_in, &request).await.expect("an answer");
        device.session().accept(&request, &response).expect("taken");
        request = device.session().request().expect("a request");
    }
    let mut cut = 0;
    for push in &mut request.pushes {
        let more = push.envelopes.len().saturating_sub(1);
        push.envelopes.truncate(1);
        let Some(first) = push.envelopes.first() else { continue };
        let last = mecum_seal::Envelope::parse(first).expect("its own").content_id();
        let said = push.statement.unverified().clone();
        let (envelope_seq, heads) = (said.envelope_seq - more as u64, mecum_seal::Hash32::ZERO);
        if more > 0 {
            push.statement = Signed::sign(Statement { envelope_seq, last, heads, ..said }, &key);
        }
        cut += more;
    }
    assert!(cut > 0, "something was cut off");
    let response = server.remote.sync(&signed_in, &request).await.expect("an answer");
    device.session().accept(&request, &response).expect("taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_before_it_began_here_leaves_nothing_behind() {
    let mut family = Family::new(67).await;
    let (chart, stays, goes) = (family.chart, family.stays, family.goes);
    medicine(family.phone.session(), chart, "Metformin");
    family.settle().await;
    let first = family.phone.session().key_of_entry_for_tests(chart, goes);
    family.erase();
    // The successor's opening is there, what it begins with is not.
    send_first_of_each(&mut family.phone, &family.server).await;
    family.laptop.exchange(&family.server).await;
    assert_eq!(names(family.laptop.session(), chart).len(), 3, "until it is here, the old one stands");
    family.phone.exchange(&family.server).await;
    let second = family.phone.session().key_of_entry_for_tests(chart, stays);
    assert_ne!(first, second, "a successor");
    let args = EntryEraseArgs { chart, entry: stays.name(), reason: String::new() };
    family.phone.session().entry_erase(&args).expect("it is decided");
    family.phone.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    assert_eq!(names(family.phone.session(), chart), ["Metformin"], "and it ended too");
    family.settle().await;
    for (who, which) in [(&mut family.laptop, "laptop"), (&mut family.ani, "ani")] {
        assert_eq!(names(who.session(), chart), ["Metformin"], "on {which}");
        let all = who.session().readable_for_tests();
        assert!(!holds(&all, NEEDLE.as_bytes()), "no words of what was erased on {which}");
        assert!(!holds(&all, &first), "no key of the first document on {which}");
        assert!(!holds(&all, &second), "nor of the one that never began on {which}");
        assert!(who.session().is_sound_for_tests(), "sound on {which}");
    }
    family.same();
}
