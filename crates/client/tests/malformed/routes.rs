//! The answers of every route but the exchange's, changed at a field: who the server is, enrolment, challenges, sessions, recovery by
//! kit and by helpers, and what lies in mailboxes. Each comes over a connection to a device that asked for it, which takes only what
//! says the same of whatever is signed, has a sentence for everything else, and has then changed nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use mecum_api::{CallError, Code, Command, command};
use mecum_client::App;
use mecum_client::Session;
use mecum_client::remote::Remote;
use mecum_faults::Proof;
use mecum_sync::limits::MAX_RESPONSE_BYTES;
use mecum_sync::{
    Challenge, EnrolResponse, HelpersAnswer, HelpersStage, RecoverResponse, ServerInfo, SessionGrant, Signed,
    controls, decode,
};
use mecum_testkit::Dice;
use mecum_testkit::mutate::mutated;
use serde_json::{Value, json};

use crate::replayed::{NEW, Stage};
use crate::world::{WORDS, call, device};
use crate::{Digest, KEY, MAX_GROWTH_BYTES, resident_bytes};

/// What a device asks a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    SignIn,
    Connect,
    /// By the kit.
    Restore,
    /// For the account, by its helpers.
    Ask,
    /// What was asked for, after the wait.
    Fetch,
    /// By the words of another device.
    Join,
    /// Whoever asks for a helper.
    Part,
}

const STEPS: [Step; 7] =
    [Step::SignIn, Step::Connect, Step::Restore, Step::Ask, Step::Fetch, Step::Join, Step::Part];
/// In the place of a mailbox's path, which is another each time.
const OFFER: &str = "offer";
/// Each answer that a step depends on.
const TARGETS: [(Step, &str); 14] = [
    (Step::SignIn, "/v1/challenge"),
    (Step::SignIn, "/v1/session"),
    (Step::Connect, "/v1/server"),
    (Step::Connect, "/v1/enrol"),
    (Step::Restore, "/v1/server"),
    (Step::Restore, "/v1/challenge"),
    (Step::Restore, "/v1/recover"),
    (Step::Ask, "/v1/server"),
    (Step::Ask, "/v1/helpers/ask"),
    (Step::Fetch, "/v1/challenge"),
    (Step::Fetch, "/v1/helpers/fetch"),
    (Step::Join, "/v1/server"),
    (Step::Join, OFFER),
    (Step::Part, OFFER),
];
/// After so many cases the honest answers must still be taken.
const HONEST_EVERY: usize = 100;

/// How a step ended.
#[derive(Debug)]
enum Ended {
    Taken,
    /// With an error that has a sentence, and everything as it was.
    Refused,
    /// In any other way.
    Harmed(String),
}

/// An error that a person can be told, or what is wrong with it.
fn refused(error: &CallError) -> Ended {
    if error.code == Code::Internal || error.message_id.is_empty() {
        return Ended::Harmed(format!("no sentence for {error:?}"));
    }
    Ended::Refused
}

pub(crate) fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| {
        // The app's own lock and settings are no vault and nothing that was asked.
        entries.all(|entry| !entry.is_ok_and(|entry| entry.path().is_dir() || is_vault(&entry.path())))
    })
}

fn is_vault(file: &Path) -> bool {
    file.to_string_lossy().contains(".sqlite")
}

pub(crate) async fn digest_of(app: &App) -> Digest {
    app.with(|session| session.digest_for_tests(KEY)).await.expect("it is open")
}

/// The stage, and the devices that still are as they were.
struct Routes {
    stage: Stage,
    note: Session,
    before: Digest,
    after: Digest,
    alone: (App, Digest),
    empty: App,
    asked: Value,
}

impl Routes {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let mut note = stage.with_a_note();
        let before = note.digest_for_tests(KEY).unwrap();
        let exchanged = decode(stage.honest("/v1/sync"), MAX_RESPONSE_BYTES).unwrap();
        note.accept(&stage.request, &exchanged).expect("the honest answer is taken");
        let after = note.digest_for_tests(KEY).unwrap();
        assert_ne!(before, after, "and changes something");
        let (note, alone) = (stage.with_a_note(), Self::alone(&stage).await);
        let empty = device(&stage.empty_folder());
        let asked = {
            stage.change(Some(("/v1/helpers/fetch", Vec::new())));
            let asker = device(&stage.folder("asked"));
            let view = call::<command::RestoreOpen>(&asker, json!({ "passphrase": NEW })).await;
            stage.change(None);
            view
        };
        Self { stage, note, before, after, alone, empty, asked }
    }

    /// Somebody who is at no server yet.
    async fn alone(stage: &Stage) -> (App, Digest) {
        let app = device(&stage.folder("alone"));
        call::<command::VaultUnlock>(&app, json!({ "passphrase": WORDS })).await;
        let digest = digest_of(&app).await;
        (app, digest)
    }

    fn path(&self, (step, path): (Step, &'static str)) -> String {
        match (step, path) {
            (Step::Join, OFFER) => self.stage.pairing.1.clone(),
            (Step::Part, OFFER) => self.stage.part.1.clone(),
            _ => path.to_owned(),
        }
    }

    async fn run(&mut self, step: Step) -> Ended {
        match step {
            Step::SignIn => self.sign_in().await,
            Step::Connect => self.connect().await,
            Step::Restore => {
                let args = json!({
                    "server": self.stage.url, "words": self.stage.kit, "passphrase": NEW,
                    "device_name": "new", "alone": false
                });
                self.on_an_empty_device(command::AccountRestore::NAME, args).await
            }
            Step::Join => {
                let args = json!({
                    "code": self.stage.pairing.0, "server": self.stage.url, "passphrase": NEW,
                    "device_name": "new"
                });
                self.on_an_empty_device(command::PairJoin::NAME, args).await
            }
            Step::Ask => self.ask().await,
            Step::Fetch => self.fetch().await,
            Step::Part => self.part().await,
        }
    }

    /// As the driver does it: a session, one exchange.
    async fn sign_in(&mut self) -> Ended {
        let (key, account, device, life) = self.note.sign_in_for_tests();
        let remote = Remote::new(&self.stage.url, self.stage.pin).unwrap();
        let taken = match remote.sign_in(&key, account, device, life).await {
            Ok(signed_in) => {
                let response = remote.sync(&signed_in, &self.stage.request).await.expect("it is honest");
                self.note.accept(&self.stage.request, &response).is_ok()
            }
            Err(_) => false,
        };
        let digest = self.note.digest_for_tests(KEY).unwrap();
        if taken {
            self.note = self.stage.with_a_note();
        }
        match (taken, digest == self.before, digest == self.after) {
            (true, _, true) => Ended::Taken,
            (false, true, _) => Ended::Refused,
            _ => Ended::Harmed(format!("taken {taken}, and the vault is another")),
        }
    }

    async fn connect(&mut self) -> Ended {
        let args = json!({ "url": self.stage.url, "code": "that-the-server-does-not-look-at" });
        let answer = self.alone.0.call(command::ServerConnect::NAME, args).await;
        let same = digest_of(&self.alone.0).await == self.alone.1;
        match answer {
            Err(error) if same => refused(&error),
            Err(error) => Ended::Harmed(format!("the vault is another after {error:?}")),
            Ok(_) if same => Ended::Harmed("connected, and no server is kept".to_owned()),
            Ok(_) => {
                let pin =
                    self.alone.0.with(|session| Ok(session.follower_for_tests().relay().copied())).await;
                let is_it = pin.as_ref().is_ok_and(|pin| *pin == Some(self.stage.pin));
                self.alone = Self::alone(&self.stage).await;
                if is_it { Ended::Taken } else { Ended::Harmed(format!("another server is kept: {pin:?}")) }
            }
        }
    }

    async fn on_an_empty_device(&mut self, name: &str, args: Value) -> Ended {
        match self.empty.call(name, args).await {
            Err(error) if is_empty(self.empty.profile()) => refused(&error),
            Err(error) => Ended::Harmed(format!("something was made, and then {error:?}")),
            Ok(_) => {
                // What would go on by itself is not waited for.
                call::<command::PairStop>(&self.empty, Value::Null).await;
                self.empty = device(&self.stage.empty_folder());
                Ended::Taken
            }
        }
    }

    async fn ask(&mut self) -> Ended {
        let (url, account) = (&self.stage.url, &self.stage.account);
        let args = json!({ "server": url, "account": account, "passphrase": NEW, "device_name": "new" });
        let asked = self.empty.call(command::RestoreAsk::NAME, args).await;
        let view = match asked {
            Err(error) if is_empty(self.empty.profile()) => return refused(&error),
            Err(error) => return Ended::Harmed(format!("something was asked, and then {error:?}")),
            Ok(view) => view,
        };
        call::<command::RestoreDrop>(&self.empty, Value::Null).await;
        if !is_empty(self.empty.profile()) {
            return Ended::Harmed("it is given up, and something is left".to_owned());
        }
        // What is not understood is said, and the request goes on: whether it was heard is not known.
        match (&view["message_id"], &view["asked_ms"], &view["released_ms"]) {
            (Value::Null, ..) => Ended::Taken,
            (Value::String(_), asked, released) if *asked == json!(0) && *released == json!(0) => {
                Ended::Refused
            }
            _ => Ended::Harmed(format!("not understood, and times of it: {view}")),
        }
    }

    async fn fetch(&self) -> Ended {
        let asker = device(&self.stage.folder("asked"));
        let view = match asker.call(command::RestoreOpen::NAME, json!({ "passphrase": NEW })).await {
            Ok(view) => view,
            Err(error) => return Ended::Harmed(format!("it does not open: {error:?}")),
        };
        for kept in ["server", "account", "device_name", "words", "parts", "needed"] {
            if view[kept] != self.asked[kept] {
                return Ended::Harmed(format!("{kept} is another: {view}"));
            }
        }
        match (view["phase"].as_str(), view["message_id"].is_null()) {
            (Some("released" | "stopped" | "over" | "waiting"), true) => Ended::Taken,
            (Some("waiting" | "stopped"), false) => Ended::Refused,
            _ => Ended::Harmed(format!("refused, and taken: {view}")),
        }
    }

    async fn part(&self) -> Ended {
        let helper = &self.stage.helper;
        let (before, kept) = (digest_of(helper).await, call::<command::PartList>(helper, Value::Null).await);
        let opened = helper.call(command::PartOpen::NAME, json!({ "code": self.stage.part.0 })).await;
        let same =
            digest_of(helper).await == before && call::<command::PartList>(helper, Value::Null).await == kept;
        match opened {
            _ if !same => Ended::Harmed("to look at it changes something".to_owned()),
            Ok(_) => Ended::Taken,
            Err(error) => refused(&error),
        }
    }

    /// Whether a changed answer says the same of everything that somebody signed or sealed: the rest is the server's own word.
    fn may_be_taken(&self, path: &str, bytes: &[u8]) -> bool {
        let honest = self.stage.honest(path);
        match path {
            "/v1/challenge" => read::<Challenge>(bytes).is_some_and(|said| said.server == self.stage.pin),
            "/v1/session" => read::<SessionGrant>(bytes).is_some(),
            "/v1/enrol" => read::<EnrolResponse>(bytes).is_some(),
            "/v1/helpers/ask" => read::<HelpersAnswer>(bytes).is_some(),
            "/v1/server" => read::<Signed<ServerInfo>>(bytes) == read(honest),
            "/v1/recover" => read::<RecoverResponse>(bytes).zip(read::<RecoverResponse>(honest)).is_some_and(
                |(said, honest)| !said.entries.is_empty() && honest.entries.starts_with(&said.entries),
            ),
            "/v1/helpers/fetch" => read::<HelpersAnswer>(bytes)
                .zip(read::<HelpersAnswer>(honest))
                .is_some_and(|(said, honest)| {
                    said.stage != HelpersStage::Released
                        || honest.entries.starts_with(&said.entries) && said.sealed_part == honest.sealed_part
                }),
            _ => false,
        }
    }

    /// One changed answer. Whether it harmed, and whether it was taken.
    async fn case(&mut self, target: (Step, &'static str), dice: &Dice, number: u64) -> (bool, bool) {
        let path = self.path(target);
        let honest = self.stage.honest(&path);
        let changed = std::iter::repeat_with(|| mutated(honest, dice)).find(|bytes| bytes != honest).unwrap();
        let (may, told) =
            (self.may_be_taken(&path, &changed), self.stage.replayed.told.load(Ordering::SeqCst));
        self.stage.change(Some((&path, changed)));
        let ended = self.run(target.0).await;
        self.stage.change(None);
        assert!(self.stage.replayed.told.load(Ordering::SeqCst) > told, "case {number}: {target:?} is told");
        match ended {
            Ended::Refused => (false, false),
            Ended::Taken if may => (false, true),
            Ended::Taken => {
                println!("case {number}: {target:?} is taken, and says something else");
                (true, false)
            }
            Ended::Harmed(how) => {
                println!("case {number}: {target:?}: {how}");
                (true, false)
            }
        }
    }

    async fn takes_the_honest_ones(&mut self) {
        for step in STEPS {
            let ended = self.run(step).await;
            assert!(matches!(ended, Ended::Taken), "{step:?}, as it was: {ended:?}");
        }
    }
}

fn read<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> Option<T> {
    decode(bytes, MAX_RESPONSE_BYTES).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_any_other_route_changed_at_any_field_is_refused_in_words_and_changes_nothing() {
    let proof =
        Proof::new(24, "answers of the other routes changed at each field, to a living client", 1_000);
    let mut routes = Routes::new().await;
    routes.takes_the_honest_ones().await;
    for number in 0..50 {
        let dice = Dice::new(number);
        routes.case(*dice.choose(&TARGETS).unwrap(), &dice, number).await;
    }
    let before = resident_bytes();
    let (mut harmed, mut taken, mut told) = (0, 0, BTreeMap::new());
    for (done, number) in proof.numbers().enumerate() {
        let dice = Dice::new(proof.seed() ^ (number << 20));
        let target = *dice.choose(&TARGETS).unwrap();
        let (harms, takes) = routes.case(target, &dice, number).await;
        harmed += u64::from(harms);
        taken += u64::from(takes);
        *told.entry(format!("{target:?}")).or_insert(0_u64) += 1;
        if done % HONEST_EVERY == HONEST_EVERY - 1 {
            routes.takes_the_honest_ones().await;
        }
    }
    let grown = resident_bytes().saturating_sub(before);
    println!("{taken} taken; {} KiB more; {told:?}", grown >> 10);
    proof.end(proof.share(), harmed + u64::from(grown > MAX_GROWTH_BYTES));
    assert_eq!(harmed, 0, "what is not understood is refused, and nothing is kept of it");
    assert!(grown < MAX_GROWTH_BYTES, "and no more memory is needed: {grown} bytes");
    assert!(taken < proof.share() / 2, "most of them are refused: {taken}");
    routes.takes_the_honest_ones().await;
}

/// Checks are taken out of a whole process: the control has one of its own.
const ALONE: &str = "MECUM_WITHOUT_CHECKS_OF_THE_SERVER";

#[tokio::test(flavor = "multi_thread")]
async fn control_a_client_that_does_not_ask_whose_answer_it_is_takes_some_of_them() {
    if std::env::var_os(ALONE).is_some() {
        let mut routes = Routes::new().await;
        let _out = controls::take_out(&["server-pin", "mecum/server-info/1"]);
        for target in [TARGETS[0], TARGETS[2]] {
            let mut harmed = 0;
            for number in 0..400 {
                harmed += u64::from(routes.case(target, &Dice::new(number), number).await.0);
            }
            assert!(harmed > 0, "without its checks the client takes some of them: {target:?}");
        }
        return;
    }
    let name = "routes::control_a_client_that_does_not_ask_whose_answer_it_is_takes_some_of_them";
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program).args(["--exact", name]).env(ALONE, "1").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
