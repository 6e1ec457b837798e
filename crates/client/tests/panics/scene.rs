//! An app at a relay and another device of its account: what is done while a place is armed, and what must hold afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mecum_api::CallError;
use mecum_client::testing::{NOW_MS, PASSPHRASE, surroundings};
use mecum_client::{App, AppOptions, FixedClock, Session, Surroundings};
use mecum_domain::{ChartId, Field, Kind};
use mecum_vault::Location;
use serde_json::{Value, json};

use crate::Work;
use crate::line::{Device, Line, exchange};
use crate::world;

/// Longest that anything may take before the app counts as dead.
const MOST: Duration = Duration::from_secs(20);

/// Times that two devices exchange before they must have the same.
const ROUNDS: usize = 12;

pub(crate) struct Scene {
    app: App,
    _folder: tempfile::TempDir,
    line: Line,
    other: Device,
    /// A device that is to be removed, or is made for one case.
    third: Option<Device>,
    late: Option<(App, tempfile::TempDir)>,
    chart: String,
    /// By entry: the values that it may show. One, if that was said to be saved.
    values: BTreeMap<String, Vec<String>>,
    /// Keys of resources that were said to be kept.
    kept: Vec<String>,
    number: u64,
    /// The entry that is being erased.
    erased: Option<String>,
}

fn open(folder: &std::path::Path) -> App {
    let options = world::options(folder);
    let clock = Arc::new(FixedClock::new(NOW_MS));
    App::open(AppOptions { clock, tick: Duration::from_millis(50), ..options })
}

fn around(seed: u64) -> Surroundings {
    Surroundings { clock: Arc::new(FixedClock::new(NOW_MS)), ..surroundings(seed) }
}

/// A command's answer, or that it never came.
async fn asked(app: &App, name: &str, args: Value) -> Result<Result<Value, CallError>, String> {
    tokio::time::timeout(MOST, app.call(name, args)).await.map_err(|_| format!("{name} is never answered"))
}

impl Scene {
    pub(crate) async fn new(seed: u64) -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        let app = open(folder.path());
        let chart = world::create(&app, "Laras", "phone").await;
        let line = Line::start().await;
        let code = line.relay.make_enrolment_code().expect("a code");
        app.call("server_connect", json!({ "url": line.url(), "code": code })).await.expect("connected");
        let let_in = move |session: &mut Session| {
            Ok(session.pair_for_tests("laptop", &Location::Memory, around(seed ^ 0x5a5a)))
        };
        let other = app.with(let_in).await.expect("a device is paired");
        app.call("sync_now", Value::Null).await.expect("told");
        let other = line.device(other).await;
        let mut scene = Scene {
            app,
            _folder: folder,
            line,
            other,
            third: None,
            late: None,
            chart,
            values: BTreeMap::new(),
            kept: Vec::new(),
            number: 0,
            erased: None,
        };
        scene.write(4).await.expect("a first record");
        scene
    }

    /// Lets a device in; the server does not know of it yet.
    async fn pair(&self, location: &Location, seed: u64) -> Session {
        let location = location.clone();
        let let_in =
            move |session: &mut Session| Ok(session.pair_for_tests("another", &location, around(seed)));
        self.app.with(let_in).await.expect("a device is paired")
    }

    /// The other device writes a medicine, a dose of it, another medicine, and a note: the name of the first, and what is to be shown
    /// of it and of the note.
    pub(crate) async fn other_writes_of_each_kind(&mut self) -> (Vec<u8>, [String; 2]) {
        exchange(&mut self.other).await;
        let chart = self.chart_id();
        let other = &mut self.other.session;
        let medicine = |name: &str| vec![(Field::Name, name.to_owned()), (Field::Dose, "5".to_owned())];
        let first = other.add(chart, Kind::MedicationStatement, medicine("Unlucky")).expect("a medicine");
        other.set(chart, first, vec![(Field::Dose, Some("10".to_owned()))]).expect("a dose");
        other.add(chart, Kind::Note, vec![(Field::Text, "Lucky".to_owned())]).expect("a note");
        let mecum_client::ItemKey::Entry(id) = first else { panic!("a medicine is an entry") };
        (id.to_vec(), ["Unlucky".to_owned(), "Lucky".to_owned()])
    }

    /// The other device says what it has written: from here on a wake may bring it here at any moment.
    pub(crate) async fn other_says_it(&mut self) {
        exchange(&mut self.other).await;
    }

    /// How the exchange stands, after one.
    pub(crate) async fn synced(&mut self) -> Value {
        self.sync().await.expect("it is answered");
        asked(&self.app, "sync_status", Value::Null).await.expect("answered").expect("a status")
    }

    /// Whether a title is in the lists.
    pub(crate) async fn lists(&self, title: &str) -> bool {
        world::rows(&self.app, &self.chart).await.iter().any(|row| row["title"] == json!(title))
    }

    /// This is another version of the app from here on.
    pub(crate) async fn update(&mut self) {
        let updated = self.app.with(|session| {
            session.update_for_tests();
            Ok(())
        });
        updated.await.expect("open");
    }

    /// Both have everything.
    async fn settle(&mut self) -> Result<(), String> {
        self.write(1).await?;
        self.sync().await?;
        exchange(&mut self.other).await;
        self.sync().await
    }

    fn chart_id(&self) -> ChartId {
        serde_json::from_value(json!(self.chart)).expect("a chart")
    }

    /// Everything before the place is armed.
    pub(crate) async fn prepare(&mut self, work: Work, dice: u64) -> Result<(), String> {
        match work {
            Work::Write | Work::Send | Work::Fold | Work::Idle | Work::Check | Work::Import => {}
            Work::Read => {
                self.again().await?;
            }
            Work::Fetch => {
                self.lock().await?;
                self.other_writes(3).await;
            }
            Work::Erase => {
                self.add().await?;
                self.sync().await?;
                exchange(&mut self.other).await;
                self.erased = self.values.keys().next().cloned();
            }
            Work::MakeSnapshot => self.settle().await?,
            Work::VerifySnapshot => {
                // One that waits for its 90 days would be enough.
                self.line.later(91);
                self.line.relay.sweep().expect("a sweep");
                self.settle().await?;
                self.lock().await?;
                // The other device lets it in, and folds what it needs.
                let third = self.other.session.pair_for_tests("another", &Location::Memory, around(dice));
                exchange(&mut self.other).await;
                self.third = Some(self.line.device(third).await);
            }
            Work::TakeSnapshot => {
                self.settle().await?;
                let folder = tempfile::tempdir().expect("a folder");
                let at = Location::File(folder.path().join("vault.sqlite"));
                let mut third = self.pair(&at, dice).await;
                self.sync().await?;
                third.set_setting("server-url", self.line.url().as_bytes()).expect("a setting");
                drop(third);
                self.late = Some((open(folder.path()), folder));
            }
            Work::Cut => {
                let third = self.pair(&Location::Memory, dice).await;
                self.sync().await?;
                let mut third = self.line.device(third).await;
                exchange(&mut third).await;
                let (chart, text) = (self.chart_id(), vec![(Field::Name, "not hers".to_owned())]);
                third.session.add(chart, Kind::MedicationStatement, text).expect("an entry is added");
                exchange(&mut third).await;
                self.sync().await?;
                exchange(&mut self.other).await;
                self.third = Some(third);
            }
        }
        Ok(())
    }

    /// What passes the place that is armed.
    pub(crate) async fn work(&mut self, work: Work) -> Result<(), String> {
        match work {
            Work::Write => self.write(2).await?,
            Work::Read => {
                for name in ["timeline", "medicines", "results", "changes", "timeline"] {
                    asked(&self.app, name, json!({ "chart": self.chart })).await?.ok();
                }
                let entry = self.values.keys().next().cloned().unwrap_or_default();
                asked(&self.app, "entry_get", json!({ "chart": self.chart, "entry": entry })).await?.ok();
            }
            Work::Fetch | Work::VerifySnapshot => {
                self.unlock().await?;
                self.sync().await?;
                self.sync().await?;
            }
            Work::MakeSnapshot => {
                let third = self.pair(&Location::Memory, self.number).await;
                self.sync().await?;
                self.third = Some(self.line.device(third).await);
            }
            Work::Send => {
                self.add().await?;
                self.sync().await?;
            }
            Work::Fold => drop(self.app.with(Session::fold_for_tests).await),
            Work::Idle => tokio::time::sleep(Duration::from_millis(250)).await,
            Work::Check => {
                asked(&self.app, "check_begin", Value::Null).await?.ok();
                self.ends("check_status").await?;
            }
            Work::Import => self.import().await?,
            Work::Erase => {
                self.erase().await?;
                self.sync().await?;
            }
            Work::TakeSnapshot => {
                let (late, _) = self.late.as_ref().ok_or("no late device")?;
                asked(late, "vault_unlock", json!({ "passphrase": PASSPHRASE })).await?.ok();
                for _ in 0..3 {
                    asked(late, "sync_now", Value::Null).await?.ok();
                }
            }
            Work::Cut => {
                let removed = self.remove_third(Some(NOW_MS - 3_600_000)).await?;
                removed
                    .map_err(|error| format!("{error:?}"))
                    .or_else(|why| if why.contains("Internal") { Ok(()) } else { Err(why) })?;
                self.sync().await?;
            }
        }
        Ok(())
    }

    /// What must hold afterwards, without anybody's help.
    pub(crate) async fn go_on(&mut self, work: Work) -> Result<(), String> {
        let status = asked(&self.app, "vault_status", Value::Null).await?.map_err(|e| format!("{e:?}"))?;
        if status["phase"] != "open" {
            return Err(format!("the vault is {}", status["phase"]));
        }
        match work {
            Work::Erase => self.erase().await?,
            Work::Import => self.import().await?,
            Work::Check => {
                asked(&self.app, "check_begin", Value::Null).await?.map_err(|e| format!("{e:?}"))?;
                let view = self.ends("check_status").await?;
                if view["phase"] != "done" || view["findings"] != json!([]) {
                    return Err(format!("the app's own check: {view}"));
                }
            }
            Work::Cut => {
                // It may have been removed, and not said so.
                self.remove_third(Some(NOW_MS - 3_600_000)).await?.ok();
                self.third = None;
            }
            _ => {}
        }
        self.write(1).await?;
        self.is_all_there("after it").await?;
        self.converges().await?;
        self.is_all_there("after an exchange").await?;
        if let Some((late, folder)) = self.late.take() {
            self.late_has_all(&late).await?;
            drop((late, folder));
            self.remove_last().await?;
        }
        if let Some(mut third) = self.third.take() {
            exchange(&mut third).await;
            self.same(&mut third).await?;
            drop(third);
            self.remove_last().await?;
        }
        let sound = self.app.with(|session| Ok(session.is_sound_for_tests())).await;
        if sound != Ok(true) {
            return Err(format!("the vault is not sound: {sound:?}"));
        }
        if work == Work::Fold || work == Work::Write {
            self.again().await?;
            self.is_all_there("after it was opened again").await?;
        }
        Ok(())
    }

    async fn ends(&self, name: &str) -> Result<Value, String> {
        for _ in 0..400 {
            // What panics while it is asked is asked again.
            if let Ok(view) = asked(&self.app, name, Value::Null).await?
                && view["phase"] != "running"
            {
                return Ok(view);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{name} runs for ever"))
    }

    async fn again(&mut self) -> Result<(), String> {
        self.lock().await?;
        self.unlock().await
    }

    async fn lock(&self) -> Result<(), String> {
        asked(&self.app, "vault_lock", Value::Null).await?.map(drop).map_err(|e| format!("lock: {e:?}"))
    }

    async fn unlock(&self) -> Result<(), String> {
        let words = json!({ "passphrase": world::WORDS });
        asked(&self.app, "vault_unlock", words).await?.map(drop).map_err(|e| format!("unlock: {e:?}"))
    }

    async fn add(&mut self) -> Result<(), String> {
        self.number += 1;
        let (name, dose) = (format!("Medicine {}", self.number), self.number.to_string());
        let fields = json!([["name", name], ["dose", dose], ["dose-unit", "mg"]]);
        let args = json!({ "chart": self.chart, "kind": "medication-statement", "fields": fields });
        if let Ok(added) = asked(&self.app, "entry_add", args).await? {
            let entry = added["entry"].as_str().ok_or("no name")?.to_owned();
            self.values.insert(entry, vec![dose]);
        }
        Ok(())
    }

    /// Adds entries and changes some, one after the other and several at once.
    async fn write(&mut self, times: usize) -> Result<(), String> {
        for _ in 0..times {
            self.add().await?;
            let entries: Vec<String> = self.values.keys().rev().take(3).cloned().collect();
            let mut edits = Vec::new();
            for entry in entries {
                self.number += 1;
                let dose = self.number.to_string();
                let args = json!({ "chart": self.chart, "entry": entry, "set": [["dose", dose]] });
                let app = self.app.clone();
                let edit = tokio::spawn(async move { asked(&app, "entry_edit", args).await });
                edits.push((entry, dose, edit));
            }
            for (entry, dose, edit) in edits {
                let saved = edit.await.map_err(|error| error.to_string())??.is_ok();
                let values = self.values.entry(entry).or_default();
                if saved {
                    values.clear();
                }
                values.push(dose);
            }
        }
        Ok(())
    }

    pub(crate) async fn other_writes(&mut self, times: u64) {
        exchange(&mut self.other).await;
        let chart = self.chart_id();
        for _ in 0..times {
            self.number += 1;
            let (name, dose) = (format!("Other {}", self.number), self.number.to_string());
            let fields = vec![(Field::Name, name), (Field::Dose, dose)];
            self.other.session.add(chart, Kind::MedicationStatement, fields).expect("an entry is added");
            exchange(&mut self.other).await;
        }
    }

    async fn sync(&mut self) -> Result<(), String> {
        for _ in 0..2 {
            asked(&self.app, "sync_now", Value::Null).await?.ok();
        }
        Ok(())
    }

    async fn import(&mut self) -> Result<(), String> {
        self.number += 1;
        let id = format!("made-up-{}", self.number);
        let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "resource": { "resourceType": "Observation", "id": id, "status": "final",
                "effectiveDateTime": "2026-09-01", "code": { "text": id },
                "valueQuantity": { "value": 5, "unit": "mmol/L" } } },
        ] });
        let Ok(preview) = world::look(&self.app, bundle.to_string().as_bytes()).await else { return Ok(()) };
        let args = json!({ "import": preview["import"], "into": "chart", "chart": self.chart });
        if asked(&self.app, "import_run", args).await?.is_err() {
            return Ok(());
        }
        for _ in 0..400 {
            let view = asked(&self.app, "import_status", json!({ "import": preview["import"] })).await?;
            match view.map_err(|e| format!("{e:?}"))?["phase"].as_str() {
                Some("keeping") => tokio::time::sleep(Duration::from_millis(20)).await,
                Some("done") => {
                    self.kept.push(id);
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
        Err("an import goes on for ever".to_owned())
    }

    async fn erase(&mut self) -> Result<(), String> {
        let Some(entry) = self.erased.clone() else { return Ok(()) };
        // It may be gone from here on, whether that was said or not.
        self.values.remove(&entry);
        let args = json!({ "chart": self.chart, "entry": entry, "reason": "wrong" });
        asked(&self.app, "entry_erase", args).await?.ok();
        Ok(())
    }

    async fn remove_third(&mut self, nothing_after_ms: Option<i64>) -> Result<Result<(), CallError>, String> {
        let Some(third) = &self.third else { return Ok(Ok(())) };
        let device = third.session.installation().0.to_string();
        let args = json!({ "device": device, "nothing_after_ms": nothing_after_ms });
        Ok(asked(&self.app, "device_remove", args).await?.map(drop))
    }

    /// Removes the devices that came for one case.
    async fn remove_last(&mut self) -> Result<(), String> {
        let devices = asked(&self.app, "device_list", Value::Null).await?.map_err(|e| format!("{e:?}"))?;
        let other = self.other.session.installation().0.to_string();
        for device in devices.as_array().into_iter().flatten() {
            if device["this"] == true || device["device"] == json!(other) {
                continue;
            }
            asked(&self.app, "device_remove", json!({ "device": device["device"] })).await?.ok();
        }
        self.converges().await
    }

    /// Everything that was said to be saved is shown, as it was said.
    async fn is_all_there(&mut self, when: &str) -> Result<(), String> {
        let rows = world::rows(&self.app, &self.chart).await;
        for (entry, values) in &mut self.values {
            if !rows.iter().any(|row| row["entry"] == json!(entry)) {
                return Err(format!("{when}: an entry that was saved is not there"));
            }
            let args = json!({ "chart": self.chart, "entry": entry });
            let view = asked(&self.app, "entry_get", args).await?.map_err(|e| format!("{when}: {e:?}"))?;
            let details = view["details"].as_array().cloned().unwrap_or_default();
            let dose = details.iter().find(|detail| detail["label"] == "field-dose");
            let shown =
                dose.and_then(|dose| dose["value"]["text"].as_str()).ok_or(format!("no dose: {view}"))?;
            let is = |value: &String| value == shown;
            let Some(value) = values.iter().find(|value| is(value)).cloned() else {
                return Err(format!("{when}: {shown} instead of one of {values:?}"));
            };
            *values = vec![value];
        }
        for kept in &self.kept {
            if !rows.iter().any(|row| row["title"] == json!(kept)) {
                return Err(format!("{when}: what was kept of a file is not there"));
            }
        }
        Ok(())
    }

    /// The exchange goes on by itself, and both devices end with the same.
    async fn converges(&mut self) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..ROUNDS {
            // What Automerge panicked on is put aside; another version of the app tries it again.
            let aside = self.app.with(|session| {
                let aside = session.quarantined();
                if aside > 0 {
                    session.update_for_tests();
                }
                Ok(aside)
            });
            let aside = aside.await.map_err(|e| format!("{e:?}"))?;
            let sync = asked(&self.app, "sync_now", Value::Null).await?.map_err(|e| format!("{e:?}"))?;
            exchange(&mut self.other).await;
            let told = sync["phase"] == "up-to-date";
            let here = self.app.with(Session::fingerprint).await.map_err(|e| format!("{e:?}"))?;
            let there = self.other.session.fingerprint().map_err(|e| format!("{e:?}"))?;
            if told && aside == 0 && here == there {
                return Ok(());
            }
            last = format!("{sync}, {aside} aside, the same: {}", here == there);
        }
        Err(format!("the devices do not come together: {last}"))
    }

    async fn same(&mut self, third: &mut Device) -> Result<(), String> {
        let here = self.app.with(Session::fingerprint).await.map_err(|e| format!("{e:?}"))?;
        let there = third.session.fingerprint().map_err(|e| format!("{e:?}"))?;
        if here == there { Ok(()) } else { Err("a device that came later has something else".to_owned()) }
    }

    async fn late_has_all(&mut self, late: &App) -> Result<(), String> {
        let here = self.app.with(Session::fingerprint).await.map_err(|e| format!("{e:?}"))?;
        let mut last = String::new();
        for _ in 0..ROUNDS {
            let sync = asked(late, "sync_now", Value::Null).await?.map_err(|e| format!("{e:?}"))?;
            let there = late.with(Session::fingerprint).await.map_err(|e| format!("{e:?}"))?;
            if here == there {
                return Ok(());
            }
            last = sync.to_string();
        }
        Err(format!("a device that comes later never has everything: {last}"))
    }
}
