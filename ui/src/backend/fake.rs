//! Answers from fixtures: a family of three invented people. For unit tests and for looking at pages; compiled in only for these.

pub mod care;
pub mod data;
pub mod members;

use std::cell::RefCell;
use std::collections::BTreeMap;

use mecum_api::command::Command;
use mecum_api::domain::{ChartId, Flag, Kind, PersonColour, Relation};
use mecum_api::{
    CallError, ChartView, Code, DisplaySettings, HomeView, HonestyView, LatestView, NeedKind, NeedView,
    PassphraseView, ReceiptState, RowView, SettingsView, SourceView, SyncPhase, SyncView, VaultPhase,
    VaultView, WhereItem, WhereView, WordsView, WrittenView,
};
use serde_json::Value;

/// Fixtures by command name.
pub struct Fake {
    answers: RefCell<BTreeMap<&'static str, Value>>,
    refused: RefCell<BTreeMap<&'static str, CallError>>,
    /// Answers stand at the first drawing already.
    pub at_once: bool,
}

fn chart(n: u8) -> ChartId {
    ChartId::from_bytes([n; 16])
}

/// Tue 8 Sep 2026, 08:12 in Jakarta.
const NOW_MS: i64 = 1_788_829_920_000;

impl Fake {
    /// The family with an open vault.
    pub fn family() -> Self {
        let fake = Self { answers: RefCell::default(), refused: RefCell::default(), at_once: true };
        fake.phase(VaultPhase::Open);
        fake.put("chart_list", charts());
        fake.put("home", home());
        fake.put("whereabouts", whereabouts());
        fake.put("sync_status", sync());
        members::put(&fake);
        data::put(&fake);
        care::put(&fake);
        fake.put(
            "entry_get",
            mecum_api::EntryView {
                row: RowView {
                    entry: "e0".into(),
                    kind: Kind::Note,
                    title: "After the fall".into(),
                    value: Some("Bruised knee, nothing broken.".into()),
                    editable: true,
                    ..RowView::default()
                },
                ..mecum_api::EntryView::default()
            },
        );
        fake.put(
            "settings_get",
            SettingsView { auto_lock_min: 5, device_name: "Laras's phone".into(), ..SettingsView::default() },
        );
        fake.put(
            "passphrase_suggest",
            WordsView {
                words: "becak melati jembatan payung sirsak gitar".split(' ').map(str::to_owned).collect(),
            },
        );
        fake.put("passphrase_check", PassphraseView { strength: 4, ok: true, message_id: None });
        fake
    }

    /// The phase of the vault.
    pub fn phase(&self, phase: VaultPhase) {
        self.put(
            "vault_status",
            VaultView {
                phase,
                display: DisplaySettings::default(),
                version: "0.1.0".into(),
                ..VaultView::default()
            },
        );
    }

    /// Somebody asks to restore the account by its helpers.
    pub fn asked(&self, others: u32) {
        let notice = mecum_api::HelpersNoticeView { others, ..data::asked() };
        self.put("home", HomeView { helpers_notice: Some(notice), ..home() });
    }

    /// Sets an answer.
    pub fn put(&self, name: &'static str, answer: impl serde::Serialize) {
        self.answers.borrow_mut().insert(name, serde_json::to_value(answer).unwrap_or_default());
    }

    /// Refuses a command.
    #[cfg(test)]
    pub fn refuse(&self, name: &'static str, error: CallError) {
        self.refused.borrow_mut().insert(name, error);
    }

    /// The fixtures that the address asks for: `?fake=open`, `?fake=missing`, `?fake=locked`.
    #[cfg(all(target_arch = "wasm32", feature = "fake"))]
    pub fn of_page() -> Option<Self> {
        let search = web_sys::window()?.location().search().ok()?;
        let fake = Self::family();
        match search.strip_prefix("?fake=")? {
            "missing" => fake.phase(VaultPhase::Missing),
            "locked" => fake.phase(VaultPhase::Locked),
            "in-use" => fake.phase(VaultPhase::InUse),
            "damaged" => fake.phase(VaultPhase::Damaged),
            "asked" => fake.asked(0),
            _ => {}
        }
        Some(fake)
    }

    /// The conversation that is asked for, of those in the fixtures.
    fn talk<T: serde::de::DeserializeOwned + Default>(&self, args: &impl serde::Serialize) -> T {
        let asked = serde_json::to_value(args).unwrap_or_default();
        let answers = self.answers.borrow();
        let mut talks = answers.get("care_talks").and_then(Value::as_array).into_iter().flatten();
        let found = talks.find(|talk| talk["thread"] == asked["thread"]).or_else(|| answers.get("care_get"));
        found.and_then(|found| serde_json::from_value(found.clone()).ok()).unwrap_or_default()
    }

    /// Answers a call: the fixture, what was sent for settings, and the plainest answer otherwise.
    pub(super) fn call<C: Command>(&self, args: &C::Args) -> Result<C::Output, CallError> {
        if let Some(error) = self.refused.borrow().get(C::NAME) {
            return Err(error.clone());
        }
        if C::NAME == "settings_set" {
            let sent = serde_json::to_value(args).unwrap_or_default();
            if let (Some(status), Some(display)) =
                (self.answers.borrow_mut().get_mut("vault_status"), sent.get("display"))
            {
                status["display"] = display.clone();
            }
            self.put("settings_get", sent);
        }
        if C::NAME == "vault_unlock" {
            return Err(CallError::new(Code::WrongPassphrase, "error-passphrase")
                .with("tries", 1)
                .with("wait-s", 3));
        }
        if C::NAME == "care_get" {
            return Ok(self.talk(args));
        }
        let answers = self.answers.borrow();
        Ok(answers.get(C::NAME).and_then(|v| serde_json::from_value(v.clone()).ok()).unwrap_or_default())
    }
}

fn charts() -> Vec<ChartView> {
    let one = |n: u8, name: &str, letters: &str, colour, relation, age| ChartView {
        chart: chart(n),
        name: name.into(),
        letters: letters.into(),
        colour,
        relation,
        age,
        entries: 412,
        ..ChartView::default()
    };
    vec![
        one(1, "Laras", "La", PersonColour::Nila, Relation::Own, Some(38)),
        ChartView {
            needs: 2,
            conditions: vec!["Type 2 diabetes".into(), "High blood pressure".into()],
            ..one(2, "Ibu Ratna", "Ra", PersonColour::Manggis, Relation::Mother, Some(68))
        },
        one(3, "Bima", "Bi", PersonColour::Kunyit, Relation::Child, Some(7)),
    ]
}

fn sync() -> SyncView {
    SyncView {
        phase: SyncPhase::Offline,
        server: Some("http://127.0.0.1:1".into()),
        last_ms: NOW_MS - 840_000,
        ..SyncView::default()
    }
}

fn row(entry: &str, kind: Kind, title: &str, value: &str, unit: &str, flag: Flag, date: &str) -> RowView {
    RowView {
        entry: entry.into(),
        kind,
        title: title.into(),
        value: Some(value.into()).filter(|v: &String| !v.is_empty()),
        unit: Some(unit.into()),
        flag,
        date: Some(date.into()),
        source: SourceView {
            author: Some("Laras".into()),
            this_device: true,
            at_ms: NOW_MS,
            ..SourceView::default()
        },
        editable: flag == Flag::None,
        ..RowView::default()
    }
}

fn home() -> HomeView {
    let wrote = |author: &str, value: &str, before_ms: i64| WrittenView {
        author: author.into(),
        value: Some(value.into()),
        at_ms: NOW_MS - before_ms,
        device: "phone".into(),
        ..WrittenView::default()
    };
    HomeView {
        today: "2026-09-08".into(),
        charts: charts(),
        needs: vec![
            NeedView {
                kind: NeedKind::Clash,
                chart: chart(2),
                entry: Some("e1".into()),
                title: "Amlodipine".into(),
                flag: Flag::Clash,
                written: vec![wrote("Ani", "5 mg", 172_800_000), wrote("Budi", "10 mg", 86_400_000)],
                ..NeedView::default()
            },
            NeedView {
                kind: NeedKind::Result,
                chart: chart(2),
                entry: Some("e2".into()),
                title: "HbA1c".into(),
                value: Some("7.8 %".into()),
                flag: Flag::High,
                date: Some("2026-09-01".into()),
                ..NeedView::default()
            },
        ],
        needs_total: 2,
        latest: vec![
            LatestView {
                chart: chart(2),
                row: row(
                    "e3",
                    Kind::VitalSign,
                    "Blood pressure",
                    "138/82",
                    "mm[Hg]",
                    Flag::None,
                    "2026-09-08T08:05:00+07:00",
                ),
            },
            LatestView {
                chart: chart(2),
                row: row("e2", Kind::LabResult, "HbA1c", "7.8", "%", Flag::High, "2026-09-01"),
            },
            LatestView {
                chart: chart(1),
                row: row("e4", Kind::LabResult, "Potassium", "4.4", "mmol/L", Flag::InRange, "2026-09-01"),
            },
        ],
        honesty: HonestyView { device: 2, sent: 1, received: 4 },
        sync: sync(),
        helpers_notice: None,
    }
}

fn whereabouts() -> WhereView {
    let item = |title: &str, state, by: Option<&str>| WhereItem {
        chart: chart(2),
        entry: Some("e3".into()),
        title: title.into(),
        things: 1,
        value: None,
        at_ms: NOW_MS,
        state,
        sent_ms: Some(NOW_MS),
        by: by.map(str::to_owned),
    };
    WhereView {
        counts: HonestyView { device: 2, sent: 1, received: 4 },
        items: vec![
            item("Blood pressure 138/82", ReceiptState::Device, None),
            item("Note", ReceiptState::Device, None),
            item("Amlodipine", ReceiptState::Sent, None),
            item("Home blood pressures", ReceiptState::Received, Some("Laras's laptop")),
        ],
        sync: sync(),
    }
}
