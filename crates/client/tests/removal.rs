//! What a removal leaves: whoever is removed has written beyond the cut, and others had seen it and built on it before they knew. Every
//! device ends with the same record, without the void words and with every honest one; and whoever is gone, with their vault, all
//! their keys and the server's whole database, reads nothing that came after.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::{ChartArgs, MemberRemoveArgs};
use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{NOW_MS, first_device, surroundings};
use mecum_client::{FixedClock, Surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_relay::{Limits, Relay, RelayOptions};
use mecum_sync::Role;
use mecum_vault::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;

struct Device {
    session: Session,
    signed_in: Option<SignedIn>,
}

impl Device {
    /// Exchanges until nothing is left to say or to fetch.
    async fn exchange(&mut self, server: &Server) {
        let signed_in = if let Some(signed_in) = self.signed_in.take() {
            signed_in
        } else {
            let (key, account, device, incarnation) = self.session.sign_in_for_tests();
            server.remote.sign_in(&key, account, device, incarnation).await.expect("signs in")
        };
        for _ in 0..100 {
            let request = self.session.request().expect("a request");
            let said = self.session.said(&request, signed_in.forms);
            let response = server.remote.sync_as_said(&signed_in, &said).await.expect("an answer");
            if !self.session.accept(&request, &response).expect("an honest server is followed").more {
                self.signed_in = Some(signed_in);
                return;
            }
        }
        panic!("never came to rest");
    }
}

struct Server {
    folder: TempDir,
    relay: Relay,
    remote: Remote,
    clock: Arc<AtomicI64>,
}

impl Server {
    async fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let now = Arc::clone(&clock);
        let options = RelayOptions {
            log: Arc::new(|_| {}),
            limits: Limits { prune_envelopes: 1, ..Limits::default() },
            clock: Arc::new(move || now.load(Ordering::SeqCst)),
            ..RelayOptions::default()
        };
        let relay = Relay::open(folder.path(), options).expect("a relay");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = relay.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        let remote = Remote::new(&url, relay.key()).expect("an address");
        Server { folder, relay, remote, clock }
    }

    async fn account(&self, seed: u64) -> Device {
        let mut session = first_device(&Location::Memory, surroundings(seed));
        session.pin_for_tests(self.relay.key());
        let code = self.relay.make_enrolment_code().expect("a code");
        let genesis = session.genesis_for_tests().expect("an account");
        self.remote.enrol(&code, genesis).await.expect("enrolled");
        Device { session, signed_in: None }
    }

    /// Every byte that the server keeps.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).expect("a folder").flatten();
        files
            .filter(|file| file.path().is_file())
            .flat_map(|file| std::fs::read(file.path()).expect("reads"))
            .collect()
    }
}

struct Family {
    server: Server,
    phone: Device,
    laptop: Device,
    ani: Device,
    chart: ChartId,
    medicine: ItemKey,
}

impl Family {
    async fn new(seed: u64) -> Family {
        println!("seed {seed}");
        let server = Server::start().await;
        let mut phone = server.account(seed).await;
        let chart =
            phone.session.create_chart("Ratna", Some("1958-03-04"), Relation::Own, None).expect("a chart");
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        let medicine = phone.session.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
        let laptop = phone.session.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0x1111));
        let mut laptop = Device { session: laptop, signed_in: None };
        let mut ani = server.account(seed ^ 0x2222).await;
        ani.session.create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
        phone.exchange(&server).await;
        phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut ani.session);
        phone.exchange(&server).await;
        laptop.exchange(&server).await;
        ani.exchange(&server).await;
        phone.exchange(&server).await;
        Family { server, phone, laptop, ani, chart, medicine }
    }

    fn names(&self, who: &Session) -> Vec<String> {
        let mut names: Vec<String> = who.titles_for_tests(self.chart).expect("reads");
        names.sort();
        names
    }

    async fn settle(&mut self) {
        for _ in 0..3 {
            self.phone.exchange(&self.server).await;
            self.laptop.exchange(&self.server).await;
            self.ani.exchange(&self.server).await;
        }
    }

    fn remove_ani(&mut self) {
        let account = self.ani.session.account_for_tests();
        let args = MemberRemoveArgs { chart: self.chart, account, ..MemberRemoveArgs::default() };
        self.phone.session.member_remove(&args).expect("she is removed");
    }
}

fn medicine(who: &mut Session, chart: ChartId, name: &str) -> ItemKey {
    who.add(
        chart,
        Kind::MedicationStatement,
        vec![(Field::Name, name.to_owned()), (Field::Dose, "1".to_owned())],
    )
    .expect("a medicine is written")
}

fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_beyond_the_cut_go_and_honest_words_built_on_them_stay_on_every_device() {
    let mut family = Family::new(7).await;
    let chart = family.chart;
    // What she wrote in time.
    medicine(&mut family.ani.session, chart, "In time");
    family.ani.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    // What she writes after what the phone has seen: the laptop sees it and builds on it.
    medicine(&mut family.ani.session, chart, "Too late");
    let theirs = family.medicine;
    dose(&mut family.ani.session, chart, theirs, "99");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    assert_eq!(
        family.names(&family.laptop.session),
        ["Amlodipine", "In time", "Too late"],
        "the laptop had seen it"
    );
    medicine(&mut family.laptop.session, chart, "Honest, on top of it");
    family.laptop.exchange(&family.server).await;
    // The phone removes her, and knows nothing of that.
    family.remove_ani();
    family.settle().await;

    let expected = ["Amlodipine", "Honest, on top of it", "In time"];
    assert_eq!(family.names(&family.phone.session), expected, "on the phone");
    assert_eq!(family.names(&family.laptop.session), expected, "on the laptop, which had shown more");
    let (phone, laptop) = (
        family.phone.session.fingerprint().expect("reads"),
        family.laptop.session.fingerprint().expect("reads"),
    );
    assert_eq!(phone, laptop, "both show the same, down to the doses");
    assert!(!phone.values().any(|text| text.contains("\"99\"")), "the void dose stands nowhere: {phone:?}");

    // Both write on, on top of what was built again, and agree.
    let theirs = family.medicine;
    dose(&mut family.phone.session, chart, theirs, "2.5");
    medicine(&mut family.laptop.session, chart, "Afterwards");
    family.settle().await;
    let (phone, laptop) = (
        family.phone.session.fingerprint().expect("reads"),
        family.laptop.session.fingerprint().expect("reads"),
    );
    assert_eq!(phone, laptop, "and after that");
    assert!(phone.values().any(|text| text.contains("\"2.5\"")), "the new dose: {phone:?}");

    // And the same after a restart.
    let restarted = family.laptop.session.restart().map(|mut session| session.fingerprint().expect("reads"));
    assert_eq!(restarted.expect("reopens"), laptop, "as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_comes_later_and_reads_the_log_from_its_start_ends_with_the_same_record() {
    let mut family = Family::new(8).await;
    let chart = family.chart;
    medicine(&mut family.ani.session, chart, "Too late");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    medicine(&mut family.laptop.session, chart, "Honest, on top of it");
    family.laptop.exchange(&family.server).await;
    family.remove_ani();
    family.settle().await;
    let tablet = family.phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(99));
    let mut tablet = Device { session: tablet, signed_in: None };
    family.phone.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert_eq!(family.names(&tablet.session), ["Amlodipine", "Honest, on top of it"], "from the log alone");
    let (phone, tablet) =
        (family.phone.session.fingerprint().expect("reads"), tablet.session.fingerprint().expect("reads"));
    assert_eq!(phone, tablet, "the same as who was there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_offline_under_the_key_before_is_sealed_again_and_arrives_once() {
    let mut family = Family::new(10).await;
    let chart = family.chart;
    let theirs = family.medicine;
    // The laptop is offline while the phone begins a new epoch by removing her.
    medicine(&mut family.laptop.session, chart, "Offline one");
    dose(&mut family.laptop.session, chart, theirs, "7");
    medicine(&mut family.laptop.session, chart, "Offline two");
    family.remove_ani();
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    let expected = ["Amlodipine", "Offline one", "Offline two"];
    assert_eq!(family.names(&family.laptop.session), expected, "on the laptop, as it was written");
    assert_eq!(family.names(&family.phone.session), expected, "on the phone, each once");
    let (phone, laptop) = (
        family.phone.session.fingerprint().expect("reads"),
        family.laptop.session.fingerprint().expect("reads"),
    );
    assert_eq!(phone, laptop, "both the same");
    let after = family.server.envelopes_after_removal(&family.phone.session, chart);
    assert_eq!(after.len(), 3, "three edits, sealed under the epoch that she cannot read");
    let keys = family.ani.session.document_keys_for_tests();
    assert!(
        after.iter().all(|envelope| keys.iter().all(|key| envelope.open(key).is_err())),
        "she opens none"
    );
    // And goes on in the same chain.
    medicine(&mut family.laptop.session, chart, "Later");
    family.settle().await;
    assert_eq!(family.names(&family.phone.session).len(), 4, "the chain goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_that_change_the_membership_at_once_both_count() {
    let mut family = Family::new(11).await;
    let chart = family.chart;
    let mut budi = family.server.account(77).await;
    budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    // Neither knows of the other.
    family.remove_ani();
    family.laptop.session.let_in_for_tests(chart, Section::Medications, Role::Reader, &mut budi.session);
    medicine(&mut family.laptop.session, chart, "Written meanwhile");
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    budi.exchange(&family.server).await;
    family.settle().await;
    for (who, which) in [(&family.phone.session, "phone"), (&family.laptop.session, "laptop")] {
        let members = who.members(chart).expect("a list").members;
        let states: Vec<String> = members
            .iter()
            .flat_map(|member| {
                member.sections.iter().map(|section| format!("{} {:?}", member.name, section.state))
            })
            .filter(|line| !line.starts_with("Ratna"))
            .collect();
        assert_eq!(states, ["Ani Removed", "Budi Member"], "on the {which}");
    }
    assert_eq!(
        family.names(&budi.session),
        ["Amlodipine", "Written meanwhile"],
        "he reads what was there and what came"
    );
    medicine(&mut family.phone.session, chart, "Afterwards");
    family.settle().await;
    budi.exchange(&family.server).await;
    assert_eq!(family.names(&budi.session).len(), 3, "and what comes");
    assert_eq!(family.names(&family.ani.session), ["Amlodipine"], "she does not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_that_begin_an_epoch_at_once_lose_no_words_and_open_after_a_restart() {
    let mut family = Family::new(12).await;
    let chart = family.chart;
    // What the laptop wrote before it hears that she left goes out all the same.
    medicine(&mut family.laptop.session, chart, "Before it was heard");
    family.ani.session.chart_leave(&ChartArgs { chart }).expect("she leaves");
    family.ani.exchange(&family.server).await;
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    assert_eq!(family.names(&family.phone.session), ["Amlodipine", "Before it was heard"], "it arrived");

    // Somebody else comes and leaves: now both write before either is heard, each under an epoch of its own.
    let mut budi = family.server.account(78).await;
    budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    family.phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut budi.session);
    family.settle().await;
    budi.exchange(&family.server).await;
    budi.session.chart_leave(&ChartArgs { chart }).expect("he leaves");
    budi.exchange(&family.server).await;
    family.settle().await;
    medicine(&mut family.phone.session, chart, "By the phone");
    medicine(&mut family.laptop.session, chart, "By the laptop");
    family.phone.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    family.settle().await;
    let expected = ["Amlodipine", "Before it was heard", "By the laptop", "By the phone"];
    assert_eq!(family.names(&family.phone.session), expected, "on the phone");
    assert_eq!(family.names(&family.laptop.session), expected, "on the laptop");
    let laptop = family.laptop.session.fingerprint().expect("reads");
    assert_eq!(family.phone.session.fingerprint().expect("reads"), laptop, "the same on both");
    let mut restarted = family.laptop.session.restart().expect("reopens");
    assert_eq!(
        restarted.fingerprint().expect("reads"),
        laptop,
        "also what was written under the key that gave way"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_who_is_not_the_owner_lets_somebody_in_who_sees_the_owners_section() {
    let mut family = Family::new(13).await;
    let chart = family.chart;
    family.phone.session.let_in_for_tests(
        chart,
        Section::Medications,
        Role::Manager,
        &mut family.ani.session,
    );
    family.settle().await;
    let mut budi = family.server.account(79).await;
    budi.session.create_chart("Budi", None, Relation::Own, None).expect("a chart of his own");
    family.ani.session.let_in_for_tests(chart, Section::Medications, Role::Reader, &mut budi.session);
    family.settle().await;
    budi.exchange(&family.server).await;
    assert_eq!(family.names(&budi.session), ["Amlodipine"], "he reads what the owner wrote");
    medicine(&mut family.phone.session, chart, "From the owner");
    family.settle().await;
    budi.exchange(&family.server).await;
    assert_eq!(family.names(&budi.session).len(), 2, "and what she writes later");
    // She shares what she was given, and no other section of it.
    let refused = family.ani.session.offered_sections_for_tests(chart, Section::Diary);
    assert!(refused.is_err(), "a section that she was never given");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_her_vault_her_keys_and_the_servers_database_she_reads_nothing_that_came_after() {
    let mut family = Family::new(9).await;
    let chart = family.chart;
    family.remove_ani();
    family.settle().await;
    let before = family.server.bytes().len();
    let theirs = family.medicine;
    dose(&mut family.phone.session, chart, theirs, "7.5");
    medicine(&mut family.phone.session, chart, "A secret of hers");
    family.settle().await;
    assert!(family.server.bytes().len() >= before, "the server has it");
    let after = family.server.envelopes_after_removal(&family.phone.session, chart);
    assert!(!after.is_empty(), "there is something to try");
    let keys = family.ani.session.document_keys_for_tests();
    assert!(!keys.is_empty(), "she holds keys");
    for envelope in &after {
        let opened = keys.iter().any(|key| envelope.open(key).is_ok());
        assert!(!opened, "none of her keys opens what was written after");
    }
    // The control: without the epoch's own key in it, her document keys would have.
    let own = family.phone.session.document_keys_for_tests();
    let opened = after.iter().filter(|envelope| own.iter().any(|key| envelope.open(key).is_ok())).count();
    assert_eq!(opened, after.len(), "whoever stayed opens all of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_below_what_came_in_a_snapshot_is_made_on_that_device_too_and_own_words_stay() {
    let mut family = Family::new(14).await;
    let chart = family.chart;
    medicine(&mut family.ani.session, chart, "In time");
    family.settle().await;
    medicine(&mut family.ani.session, chart, "Too late");
    let theirs = family.medicine;
    dose(&mut family.ani.session, chart, theirs, "99");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    // The laptop, which has seen it, folds it for a new device: that one holds no envelope of hers.
    let tablet = family.laptop.session.pair_for_tests("tablet", &Location::Memory, surroundings(98));
    let mut tablet = Device { session: tablet, signed_in: None };
    family.laptop.exchange(&family.server).await;
    tablet.exchange(&family.server).await;
    assert_eq!(
        family.names(&tablet.session),
        ["Amlodipine", "In time", "Too late"],
        "it came in the snapshot"
    );
    medicine(&mut tablet.session, chart, "Own words, sent");
    tablet.exchange(&family.server).await;
    medicine(&mut tablet.session, chart, "Own words, not sent");
    // The phone has not seen it, and removes her.
    family.remove_ani();
    family.phone.exchange(&family.server).await;
    for _ in 0..2 {
        tablet.exchange(&family.server).await;
        family.settle().await;
    }
    let expected = ["Amlodipine", "In time", "Own words, not sent", "Own words, sent"];
    assert_eq!(family.names(&family.phone.session), expected, "on the phone");
    assert_eq!(family.names(&tablet.session), expected, "on the device that had begun from the snapshot");
    let phone = family.phone.session.fingerprint().expect("reads");
    assert_eq!(tablet.session.fingerprint().expect("reads"), phone, "to the last row");
    assert!(!phone.values().any(|text| text.contains("\"99\"")), "the void dose stands nowhere");
    medicine(&mut tablet.session, chart, "Afterwards");
    tablet.exchange(&family.server).await;
    family.settle().await;
    let phone = family.phone.session.fingerprint().expect("reads");
    assert_eq!(family.laptop.session.fingerprint().expect("reads"), phone, "and it goes on");
    assert_eq!(tablet.session.quarantined(), 0, "nothing was put aside");
    let mut restarted = tablet.session.restart().expect("reopens");
    assert_eq!(restarted.fingerprint().expect("reads"), phone, "from its own vault");
}

/// A removal of somebody on whose void words others had built, in a space that was folded and pruned before, or not; and what
/// she can read with everything that anybody could have got hold of.
async fn gone_with_everything(seed: u64, pruned: bool) {
    let mut family = Family::new(seed).await;
    let chart = family.chart;
    medicine(&mut family.ani.session, chart, "In time");
    family.settle().await;
    if pruned {
        let another = family.phone.session.pair_for_tests("another", &Location::Memory, surroundings(97));
        family.settle().await;
        drop(another);
        family.server.clock.fetch_add(91 * 24 * 60 * 60 * 1_000, Ordering::SeqCst);
        assert!(family.server.relay.sweep().expect("a sweep").pruned_envelopes > 0, "the server pruned");
        for device in [&mut family.phone, &mut family.laptop, &mut family.ani] {
            // Their passes have ended meanwhile.
            device.signed_in = None;
        }
    }
    medicine(&mut family.ani.session, chart, "Too late");
    let theirs = family.medicine;
    dose(&mut family.ani.session, chart, theirs, "99");
    family.ani.exchange(&family.server).await;
    family.laptop.exchange(&family.server).await;
    medicine(&mut family.laptop.session, chart, "Honest, on top of it");
    dose(&mut family.laptop.session, chart, theirs, "6");
    family.laptop.exchange(&family.server).await;
    family.remove_ani();
    family.settle().await;
    dose(&mut family.phone.session, chart, theirs, "7.5");
    medicine(&mut family.laptop.session, chart, "A secret of hers");
    let tablet = family.phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(96));
    family.settle().await;
    let mut tablet = Device { session: tablet, signed_in: None };
    tablet.exchange(&family.server).await;
    family.settle().await;

    let expected = ["A secret of hers", "Amlodipine", "Honest, on top of it", "In time"];
    let phone = family.phone.session.fingerprint().expect("reads");
    for (who, which) in [(&mut family.laptop, "laptop"), (&mut tablet, "tablet, which came later")] {
        assert_eq!(who.session.fingerprint().expect("reads"), phone, "the {which}");
    }
    assert_eq!(family.names(&family.phone.session), expected, "every honest word and no void one");
    assert!(!phone.values().any(|text| text.contains("\"99\"")), "the void dose stands nowhere");

    // Her vault with all that it ever held, and every sealed thing in the server's files.
    let sealed = family.server.sealed_after_removal(&family.phone.session, chart);
    assert!(sealed.len() >= 2, "there is something to try: {}", sealed.len());
    let hers = sealed.iter().filter(|envelope| family.ani.session.opens_for_tests(envelope)).count();
    assert_eq!(hers, 0, "she opens none of {}", sealed.len());
    let ours = sealed.iter().filter(|envelope| family.phone.session.opens_for_tests(envelope)).count();
    assert_eq!(ours, sealed.len(), "the control: whoever stayed opens each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_with_vault_keys_and_the_servers_database_where_nothing_was_folded() {
    Box::pin(gone_with_everything(15, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_with_vault_keys_and_the_servers_database_where_the_space_was_folded_and_pruned() {
    Box::pin(gone_with_everything(16, true)).await;
}

/// Surroundings whose clock a test moves on.
fn moving(seed: u64) -> (Surroundings, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let around = surroundings(seed);
    (Surroundings { clock: Arc::clone(&clock) as Arc<dyn mecum_client::Clock>, ..around }, clock)
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_stolen_phone_nothing_counts_that_came_after_the_day_that_is_chosen() {
    let server = Server::start().await;
    let (around, clock) = moving(17);
    let mut session = first_device(&Location::Memory, around);
    session.pin_for_tests(server.relay.key());
    let code = server.relay.make_enrolment_code().expect("a code");
    server.remote.enrol(&code, session.genesis_for_tests().expect("an account")).await.expect("enrolled");
    let mut laptop = Device { session, signed_in: None };
    let chart = laptop.session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
    medicine(&mut laptop.session, chart, "Amlodipine");
    laptop.exchange(&server).await;
    let phone = laptop.session.pair_for_tests("phone", &Location::Memory, surroundings(18));
    let mut phone = Device { session: phone, signed_in: None };
    laptop.exchange(&server).await;
    phone.exchange(&server).await;
    medicine(&mut phone.session, chart, "Before it was stolen");
    phone.exchange(&server).await;
    laptop.exchange(&server).await;
    clock.advance(3 * DAY_MS);
    // Whoever has it writes with the phone's own clock, which says what they want: here, three days before.
    medicine(&mut phone.session, chart, "By the thief");
    phone.exchange(&server).await;
    laptop.exchange(&server).await;
    medicine(&mut laptop.session, chart, "Honest, on top of it");
    laptop.exchange(&server).await;
    clock.advance(DAY_MS);
    let (device, _) = phone.session.installation();
    let early = laptop.session.remove_device_for_tests(device, Some(NOW_MS - DAY_MS));
    assert!(early.is_ok(), "before it ever wrote: everything that it wrote goes");
    drop(early);
    laptop.exchange(&server).await;
    let names = |device: &Device| {
        let mut names = device.session.titles_for_tests(chart).expect("reads");
        names.sort();
        names
    };
    assert_eq!(names(&laptop), ["Amlodipine", "Honest, on top of it"], "nothing of the phone is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_somebody_who_is_removed_nothing_counts_after_the_moment_that_is_chosen_and_unknown_moments_are_refused()
 {
    let server = Server::start().await;
    let (around, clock) = moving(19);
    let mut session = first_device(&Location::Memory, around);
    session.pin_for_tests(server.relay.key());
    let code = server.relay.make_enrolment_code().expect("a code");
    server.remote.enrol(&code, session.genesis_for_tests().expect("an account")).await.expect("enrolled");
    let mut phone = Device { session, signed_in: None };
    let chart = phone.session.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
    medicine(&mut phone.session, chart, "Amlodipine");
    let mut ani = server.account(20).await;
    ani.session.create_chart("Ani", None, Relation::Own, None).expect("a chart of her own");
    phone.exchange(&server).await;
    phone.session.let_in_for_tests(chart, Section::Medications, Role::Writer, &mut ani.session);
    phone.exchange(&server).await;
    ani.exchange(&server).await;
    medicine(&mut ani.session, chart, "On Monday");
    ani.exchange(&server).await;
    phone.exchange(&server).await;
    clock.advance(2 * DAY_MS);
    medicine(&mut ani.session, chart, "On Wednesday");
    ani.exchange(&server).await;
    phone.exchange(&server).await;
    // A device that begins now does not know what was there on Tuesday.
    let around =
        Surroundings { clock: Arc::clone(&clock) as Arc<dyn mecum_client::Clock>, ..surroundings(21) };
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, around);
    phone.exchange(&server).await;
    let mut tablet = Device { session: tablet, signed_in: None };
    tablet.exchange(&server).await;
    let tuesday = Some(NOW_MS + DAY_MS);
    let args = MemberRemoveArgs {
        chart,
        account: ani.session.account_for_tests(),
        nothing_after_ms: tuesday,
        ..MemberRemoveArgs::default()
    };
    let refused = tablet.session.member_remove(&args);
    assert!(refused.is_err_and(|error| format!("{error:?}").contains("error-cut-unknown")), "it says so");
    phone.session.member_remove(&args).expect("she is removed");
    for _ in 0..2 {
        phone.exchange(&server).await;
        tablet.exchange(&server).await;
    }
    let names = |device: &Device| {
        let mut names = device.session.titles_for_tests(chart).expect("reads");
        names.sort();
        names
    };
    assert_eq!(names(&phone), ["Amlodipine", "On Monday"], "on the phone");
    assert_eq!(names(&tablet), ["Amlodipine", "On Monday"], "and where Wednesday had come in a snapshot");
    let whole = phone.session.fingerprint().expect("reads");
    assert_eq!(tablet.session.fingerprint().expect("reads"), whole, "to the last row");
}

impl Server {
    /// Everything sealed under a later epoch than the first in the server's files: envelopes, and parts of snapshots.
    fn sealed_after_removal(&self, phone: &Session, chart: ChartId) -> Vec<mecum_seal::Envelope> {
        let mut all = self.envelopes_after_removal(phone, chart);
        let database =
            rusqlite::Connection::open(self.folder.path().join("relay.sqlite")).expect("a database");
        for table in ["snapshot", "fold"] {
            let mut rows = database.prepare(&format!("SELECT body FROM {table}")).expect("a table");
            let bodies = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
            for body in bodies.flatten() {
                let snapshot: mecum_sync::SpaceSnapshot =
                    mecum_sync::decode(&body, 64 << 20).expect("a snapshot");
                let parts = snapshot.parts.iter().filter_map(|part| mecum_seal::Envelope::parse(part).ok());
                all.extend(parts.filter(|part| part.place().epoch > 1));
            }
        }
        all
    }

    /// The envelopes of the chart's medicines that were stored under a later epoch than the first, from the server's own files.
    fn envelopes_after_removal(&self, phone: &Session, chart: ChartId) -> Vec<mecum_seal::Envelope> {
        let space = phone.space_for_tests(chart, Section::Medications).expect("a space");
        let path = self.folder.path().join("relay.sqlite");
        let copy = self.folder.path().join("copy.sqlite");
        let database = rusqlite::Connection::open(&path).expect("the server's database");
        let _ = std::fs::remove_file(&copy);
        database.execute("VACUUM INTO ?1", [copy.to_str().expect("a path")]).expect("a copy");
        let copy = rusqlite::Connection::open(copy).expect("the copy");
        let mut rows = copy.prepare("SELECT body FROM envelope WHERE space = ?1").expect("a table");
        let bodies = rows.query_map([space.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        bodies
            .flatten()
            .filter_map(|body| mecum_seal::Envelope::parse(&body).ok())
            .filter(|envelope| {
                envelope.place().epoch > 1 && !envelope.place().document.eq(&mecum_seal::DocumentId::CONTROL)
            })
            .collect()
    }
}
