//! The chart that most rows are about: mixed entries by three devices of one account, exchanged over a real relay, folded
//! into snapshots, and then a tail of single edits.

use std::path::{Path, PathBuf};

use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{NOW_MS, PASSPHRASE, first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Edit, Kind, Relation};
use mecum_seal::testing::fast_kdf;
use mecum_testkit::{MIXED_AUTHORS, MixedEntry, generate_mixed};
use mecum_vault::{Location, Vault, VaultOptions};

use crate::Failed;
use crate::line::{Server, exchange, sign_in};

/// Of the generator and of every device's randomness.
pub(crate) const SEED: u64 = 20_261;

/// Folders of what was built. Rows work on copies, so that each finds it as it was.
pub(crate) struct Built {
    /// Where all folders are.
    pub(crate) folder: PathBuf,
    /// The chart.
    pub(crate) chart: ChartId,
    /// An editable entry in it: a vital sign.
    pub(crate) entry: ItemKey,
    /// What it is, in words.
    pub(crate) said: String,
}

impl Built {
    /// A copy of the first device's vault, in a folder of its own.
    pub(crate) fn device(&self, name: &str) -> Result<PathBuf, Failed> {
        let copy = self.folder.join(name);
        crate::copy_files(&self.folder.join(device_folder(0)), &copy)?;
        Ok(copy)
    }

    /// A copy of the relay's data.
    pub(crate) fn relay(&self, name: &str) -> Result<PathBuf, Failed> {
        let copy = self.folder.join(name);
        crate::copy_files(&self.folder.join("relay"), &copy)?;
        Ok(copy)
    }
}

/// Where a profile's vault is.
pub(crate) fn location(profile: &Path) -> Location {
    Location::File(profile.join("vault.sqlite"))
}

/// Opens the vault of a profile, with a passphrase that costs nothing.
pub(crate) fn unlock(profile: &Path) -> Result<Session, Failed> {
    let around = surroundings(SEED ^ u64::from(std::process::id()));
    let options = VaultOptions { kdf: fast_kdf(), ..VaultOptions::new(around.entropy.clone()) };
    let vault = Vault::unlock(&location(profile), PASSPHRASE, NOW_MS, &options)?;
    Ok(Session::open(vault, around)?)
}

fn device_folder(author: usize) -> String {
    format!("device-{author}")
}

/// One author at the relay.
struct Author {
    session: Session,
    remote: Remote,
    signed_in: SignedIn,
}

/// Builds the chart of `count` entries, the last `tail` of them after the snapshots.
pub(crate) async fn build(work: &Path, count: usize, tail: usize) -> Result<Built, Failed> {
    let folder = work.join("built");
    let server = Server::start(&folder.join("relay")).await?;
    let (mut authors, chart) = authors(&server, &folder).await?;
    let mut history = generate_mixed(SEED, count);
    let end = history.split_off(history.len().saturating_sub(tail));
    let entry = a_vital_sign(&history).ok_or("the generator made no vital sign")?;
    write(&mut authors, chart, &history, true).await?;
    for author in &mut authors {
        author.session.fold_all_for_tests()?;
    }
    write(&mut authors, chart, &end, false).await?;
    let (mut entries, mut plain) = (0, Vec::new());
    for Author { mut session, .. } in authors {
        entries = session.rows(chart)?.len();
        plain = session.plain_for_tests()?;
        session.lock()?;
    }
    server.stop().await;
    let changes: usize = plain.iter().map(|document| document.tail.len()).sum();
    let snapshots: usize = plain.iter().map(|document| document.snapshot.len()).sum();
    let said = format!(
        "{count} entries and edits by {MIXED_AUTHORS} devices, {entries} rows in {} documents; snapshots of {} KB, a tail of {changes} changes",
        plain.len(),
        snapshots / 1_000
    );
    Ok(Built { folder, chart, entry, said })
}

async fn authors(server: &Server, folder: &Path) -> Result<(Vec<Author>, ChartId), Failed> {
    let mut first = first_device(&location(&folder.join(device_folder(0))), surroundings(SEED));
    first.pin_for_tests(server.relay.key());
    let chart = first.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
    let remote = server.remote()?;
    remote.enrol(&server.relay.make_enrolment_code()?, first.genesis_for_tests()?).await?;
    let mut sessions = Vec::new();
    for number in 1..MIXED_AUTHORS {
        let place = location(&folder.join(device_folder(number)));
        sessions.push(first.pair_for_tests(
            &format!("device {number}"),
            &place,
            surroundings(SEED + number as u64),
        ));
    }
    sessions.insert(0, first);
    let mut authors = Vec::new();
    for mut session in sessions {
        let remote = server.remote()?;
        let signed_in = sign_in(&session, &remote).await?;
        exchange(&mut session, &remote, &signed_in).await?;
        authors.push(Author { session, remote, signed_in });
    }
    Ok((authors, chart))
}

fn a_vital_sign(entries: &[MixedEntry]) -> Option<ItemKey> {
    entries.iter().find_map(|entry| match &entry.edit {
        Edit::Add { entry: id, kind: Kind::VitalSign, .. } => Some(ItemKey::Entry(*id.as_bytes())),
        _ => None,
    })
}

/// Every author writes what is new, and, when all have seen that, what changes an entry.
async fn write(
    authors: &mut [Author],
    chart: ChartId,
    entries: &[MixedEntry],
    together: bool,
) -> Result<(), Failed> {
    for changes in [false, true] {
        for at in 0..authors.len() {
            let own = entries.iter().filter(|entry| entry.author == at);
            let own = own.filter(|entry| matches!(entry.edit, Edit::Set { .. }) == changes);
            let own: Vec<(Kind, Edit)> = own.map(|entry| (entry.kind, entry.edit.clone())).collect();
            if let Some(author) = authors.get_mut(at) {
                author.session.write_for_tests(chart, own, together)?;
            }
            settle(authors).await?;
        }
    }
    Ok(())
}

/// Exchanges until a whole round brings nothing and nobody has anything to say.
async fn settle(authors: &mut [Author]) -> Result<(), Failed> {
    for _ in 0..16 {
        let mut quiet = true;
        for author in &mut *authors {
            quiet &= !author.session.has_something_to_say();
            quiet &= exchange(&mut author.session, &author.remote, &author.signed_in).await? == 0;
        }
        if quiet {
            return Ok(());
        }
    }
    Err("the devices do not come to rest".into())
}
