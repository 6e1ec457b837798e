//! Row 55, its second half: a hundred vaults damaged in every way, each mended by the app with its server at hand. Whatever comes
//! of it, nothing good is gone: either everything that was in the record is there again, unsent edits too, or nothing was replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mecum_api::command;
use mecum_client::{App, Session};
use mecum_faults::{Dice, Proof};
use serde_json::{Value, json};

use super::damage::damage;
use super::world::{Server, WORDS, call, connect, create, device, pair};
use super::{mended, note, titles, vault_of};

/// What is copied for every case: a closed vault with a record, some of it never sent, and the server's data.
struct Original {
    folder: tempfile::TempDir,
    address: String,
    chart: String,
    titles: Vec<String>,
    installation: String,
}

impl Original {
    /// `folded`: what the server has of the vault's logs is folded away.
    async fn new(folded: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
        let profile = folder.path().join("phone");
        let (phone, tablet) = (device(&profile), device(&folder.path().join("tablet")));
        let chart = create(&phone, "Laras", "phone").await;
        connect(&phone, &server).await;
        pair(&phone, &tablet, "tablet", WORDS).await;
        for n in 0..6 {
            note(&phone, &chart, &format!("phone {n}")).await;
            note(&tablet, &chart, &format!("tablet {n}")).await;
            let medicine = json!({ "chart": chart, "kind": "medication-statement",
                "fields": [["name", format!("Medicine {n}")], ["dose", "5"], ["dose-unit", "mg"]] });
            call::<command::EntryAdd>(&phone, medicine).await;
        }
        for _ in 0..3 {
            call::<command::SyncNow>(&phone, Value::Null).await;
            call::<command::SyncNow>(&tablet, Value::Null).await;
        }
        drop(tablet);
        if folded {
            let runs = phone.with(Session::fold_everything_for_tests).await.expect("folds");
            assert!(runs > 2, "there is something to fold: {runs}");
        }
        let address = server.stop().await;
        for n in 0..3 {
            note(&phone, &chart, &format!("never sent {n}")).await;
        }
        let titles = titles(&phone, &chart).await;
        let installation = installation(&phone).await;
        call::<command::VaultLock>(&phone, Value::Null).await;
        drop(phone);
        assert!(titles.len() >= 15, "there is something to lose: {titles:?}");
        Self { folder, address, chart, titles, installation }
    }

    /// A copy of vault and server, the server running at the address that the vault knows.
    async fn copy(&self) -> (tempfile::TempDir, PathBuf, Server) {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["phone", "server"] {
            copy_folder(&self.folder.path().join(name), &folder.path().join(name));
        }
        let profile = folder.path().join("phone");
        let server = Server::start(&folder.path().join("server"), &self.address).await;
        (folder, profile, server)
    }

    /// What is wrong with a vault after it was mended; nothing, if all is well.
    async fn judge(&self, app: &App, view: &Value, damaged: &[u8], profile: &Path) -> Option<String> {
        if view["aside"].is_null() {
            // Not replaced: then every envelope is where it was, and a vault that opens goes on with everything that it lists.
            if !envelopes(&std::fs::read(vault_of(profile)).expect("a vault"), Some(profile))
                .is_superset(&envelopes(damaged, None))
            {
                return Some(format!("something is gone without a mending: {view}"));
            }
            return if view["vault"]["phase"] == "open" { self.lacks(app, view).await } else { None };
        }
        let aside = profile.join("aside").join(view["aside"].as_str().unwrap_or_default());
        if !aside.exists() {
            return Some("the damaged vault is gone".into());
        }
        let same = installation(app).await == self.installation;
        if same != (view["by"] != "server") {
            return Some(format!(
                "another life where single documents were mended, or none where all was: {view}"
            ));
        }
        if view["by"] != "server" && view["unsent"].as_u64().is_none_or(|unsent| unsent < 3) {
            return Some(format!("what was never sent waits no more: {view}"));
        }
        self.lacks(app, view).await
    }

    async fn lacks(&self, app: &App, view: &Value) -> Option<String> {
        let found = titles(app, &self.chart).await;
        let missing: Vec<_> = self.titles.iter().filter(|title| !found.contains(title)).collect();
        (!missing.is_empty()).then(|| format!("gone: {missing:?}; {view}"))
    }
}

/// As whom a device writes.
pub(crate) async fn installation(app: &App) -> String {
    app.with(|session| Ok(format!("{:?}", session.installation()))).await.expect("open")
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("copied");
        }
    }
}

/// The envelopes in a vault's file, with the log of `profile` beside it, as far as plain SQL reads them.
fn envelopes(bytes: &[u8], profile: Option<&Path>) -> BTreeSet<(Vec<u8>, i64, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(vault_of(folder.path()), bytes).expect("writes");
    if let Some(profile) = profile {
        let _ = std::fs::copy(profile.join("vault.sqlite-wal"), folder.path().join("vault.sqlite-wal"));
    }
    let connection = rusqlite::Connection::open(vault_of(folder.path())).expect("opens");
    let mut all = BTreeSet::new();
    let Ok(mut statement) = connection.prepare("SELECT document, n, body FROM envelope") else { return all };
    let Ok(mut rows) = statement.query([]) else { return all };
    while let Ok(Some(row)) = rows.next() {
        if let (Ok(document), Ok(n), Ok(body)) = (row.get(0), row.get(1), row.get(2)) {
            all.insert((document, n, body));
        }
    }
    all
}

/// One case: `None` where the damage changed nothing that anybody notices; how it was mended, if it was, or what is wrong.
async fn case(original: &Original, seed: u64) -> Option<Result<Option<String>, String>> {
    let (_folder, profile, server) = original.copy().await;
    let how = damage(&profile, &mut Dice::new(seed));
    let outcome = match how {
        None => None,
        Some(how) => {
            let damaged = std::fs::read(vault_of(&profile)).expect("a vault");
            let app = device(&profile);
            let view = mended(&app).await;
            let wrong = original.judge(&app, &view, &damaged, &profile).await;
            let nothing_found = view["found"].as_array().is_some_and(Vec::is_empty);
            drop(app);
            match wrong {
                Some(wrong) => Some(Err(format!("{how}: {wrong}"))),
                None if nothing_found && view["phase"] == "done" => None,
                None => {
                    let by = view["by"].as_str().map(str::to_owned);
                    println!("seed {seed}: {how}: {}", by.as_deref().unwrap_or("kept as it is"));
                    Some(Ok(by))
                }
            }
        }
    };
    drop(server.stop().await);
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn mending_a_damaged_vault_never_removes_good_data() {
    let proof = Proof::new(55, "damaged vaults mended by the app; nothing good is removed", 100);
    let originals = [Original::new(false).await, Original::new(true).await];
    let (mut looked, mut failures) = (0, 0);
    // How often each way was gone.
    let mut ways: BTreeMap<String, u64> = BTreeMap::new();
    let mut seed = proof.begins();
    while looked < proof.share() {
        seed = seed.wrapping_add(1);
        let original = &originals[usize::from(seed % 2 == 1)];
        match case(original, seed).await {
            None => continue,
            Some(Ok(by)) => *ways.entry(by.unwrap_or_default()).or_default() += 1,
            Some(Err(why)) => {
                println!("seed {seed}: {why}");
                failures += 1;
            }
        }
        looked += 1;
    }
    let of = |way: &str| ways.get(way).copied().unwrap_or(0);
    let (here, part, server) = (of("here"), of("part"), of("server"));
    let mended = here + part + server;
    println!(
        "{mended} of {looked} were mended: {here} from what is here, {part} by documents, {server} as a whole"
    );
    proof.end(looked, failures);
    assert_eq!(failures, 0, "nothing good is removed");
    assert!(looked < 40 || here.min(part).min(server) > 0, "every way was gone: {ways:?}");
    // What is hit differs from run to run: of a handful a share says nothing.
    assert!(mended > 0, "something is mended where there is a server");
    let much = looked < 40 || mended * 3 > looked;
    assert!(much, "much of it is mended where there is a server: {mended} of {looked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_wait_to_be_sent_and_cannot_be_read_bar_a_mending_also_where_no_list_names_them() {
    let original = Original::new(false).await;
    let (_folder, profile, server) = original.copy().await;
    // Found by two pages that changed places: the envelopes, and the lists that showed what was in them; and a section beside it,
    // so that everything would be fetched.
    for damage in [
        "DELETE FROM envelope AS e WHERE n > (SELECT max(n) - 3 FROM envelope WHERE document = e.document)",
        "DELETE FROM row WHERE kind = 6",
        "UPDATE row SET body = zeroblob(length(body)) WHERE at = (SELECT min(at) FROM row WHERE kind = 3)",
    ] {
        super::sql(&profile, damage);
    }
    let app = device(&profile);
    let view = mended(&app).await;
    assert!(view["aside"].is_null(), "nothing is replaced: {view}");
    assert_eq!(view["message_id"], "error-mend-loses", "and that is said: {view}");
    drop(app);
    drop(server.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_mending_that_drops_an_entry_is_noticed() {
    let original = Original::new(false).await;
    let (_folder, profile, server) = original.copy().await;
    super::sql(&profile, "DELETE FROM row WHERE kind = 6");
    let damaged = std::fs::read(vault_of(&profile)).expect("a vault");
    let app = device(&profile);
    let view = mended(&app).await;
    assert_eq!(original.judge(&app, &view, &damaged, &profile).await, None, "as it is, all is well: {view}");
    // What a mending without a look at what it made would leave.
    let rows = super::world::rows(&app, &original.chart).await;
    let entry = rows.iter().find(|row| row["title"] == "never sent 1").expect("it is there")["entry"].clone();
    let args = json!({ "chart": original.chart, "entry": entry, "reason": "dropped" });
    call::<command::EntryDelete>(&app, args).await;
    let noticed = original.judge(&app, &view, &damaged, &profile).await;
    assert!(noticed.is_some_and(|why| why.contains("never sent 1")), "one entry less is noticed");
    drop(server);
}
