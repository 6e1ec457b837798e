//! The ways to a whole vault: from what is good here with single documents made again, and from the server with what only this device
//! has brought over.

use std::collections::{BTreeMap, BTreeSet};

use mecum_api::{CallError, Code, MendBy};
use mecum_seal::{DocumentId, Hash32, IncarnationId, VerifyingKey};
use mecum_sync::{AccountEntry, AccountLog, Follower, RefusalCode, Signed, decode};
use mecum_vault::{Durability, Location, Salvage, Table, VaultOptions, WriteVaultError};
use tokio::task::block_in_place;

use super::mending::{Mended, server_pin, server_url};
use super::pieces::{Made, Pieces};
use crate::account_entries::account_entry_name;
use crate::driver::{Home, Patience};
use crate::erasing::info_name;
use crate::error::{SessionError, create_error, remote_error};
use crate::exchange::ExchangeError;
use crate::identity::Identity;
use crate::pages::decode_page;
use crate::remote::Remote;
use crate::restored::READING;
use crate::row::{ItemKey, Row};
use crate::session::{Session, Surroundings};
use crate::stage::Stage;
use crate::times::times_name;

/// The largest account entry that is read back.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// Rounds of fetching: more than any history needs, fewer than for ever.
const MAX_ROUNDS: usize = 10_000;

/// Settings that say how far an exchange is: they are about the vault from before.
const OF_BEFORE: [&[u8]; 5] =
    [b"reading-again", b"catching-up", b"no-snapshots", b"share-snapshots", b"last-exchange"];

const DAMAGED: SessionError = SessionError::Stored { what: "vault" };

impl Session {
    /// A vault of what is good here, row by row and log by log as it is, with the documents that were hit made again; with `fetched`,
    /// from what the server has of them. Lists are made again. Who this device is, its incarnation, how far the exchange is and what
    /// was never sent stay.
    pub(super) fn rebuild_pieces(
        salvage: &Salvage,
        fetched: Option<&Session>,
        at: &Location,
        options: &VaultOptions,
        around: Surroundings,
    ) -> Result<Mended, SessionError> {
        let pieces = Pieces::read(salvage).ok_or(DAMAGED)?;
        let made = pieces.make(fetched).ok_or(DAMAGED)?;
        let by = if fetched.is_some() { MendBy::Part } else { MendBy::Here };
        let lost = pieces.lost_pushes(&made);
        let beyond = pieces.beyond_finding(lost.len());
        let mut unsent = 0;
        let vault = salvage.begin_vault(at, options, |w| {
            for row in salvage.rows().iter().filter(|row| row.table != Table::View) {
                if !is_made(&made, row.table, &row.name) {
                    w.put(row.table, &row.name, &pieces.taken_over(&made, row, &mut unsent))?;
                }
            }
            for (document, made) in made.iter().filter_map(|(id, made)| Some((id, made.document.as_ref()?))) {
                w.put(Table::Document, document.as_bytes(), &made.state.encode())?;
                w.put(Table::Snapshot, document.as_bytes(), &made.snapshot)?;
                w.put(Table::Snapshot, &times_name(*document), &made.times)?;
                if let Some(info) = &made.info {
                    w.put(Table::Snapshot, &info_name(*document), info)?;
                }
            }
            lost.iter().try_for_each(|(name, place)| w.put(Table::Sync, name, place))?;
            for (log, kept) in pieces.logs().iter().filter(|(log, _)| !made.contains_key(log)) {
                kept.envelopes.iter().try_for_each(|(_, bytes)| w.append(*log, bytes).map(drop))?;
            }
            for (log, made) in &made {
                made.log.iter().try_for_each(|bytes| w.append(*log, bytes).map(drop))?;
            }
            Ok(())
        });
        let mut session = Session::open(vault.map_err(create_error)?, around)?;
        let known = |log: &DocumentId| {
            session.documents.contains_key(log)
                || session.spaces.values().any(|space| space.control_log() == *log)
        };
        if !pieces.logs().keys().all(known) {
            return Err(DAMAGED);
        }
        let held = rows_in(salvage);
        for document in session.documents.keys().copied().collect::<Vec<_>>() {
            session.make_lists(document, &held)?;
        }
        Ok(Mended { session, unsent, by, beyond })
    }

    /// Makes a document's rows again; refuses a document that holds less than it did.
    fn make_lists(
        &mut self,
        document: DocumentId,
        held: &BTreeMap<(DocumentId, ItemKey), Row>,
    ) -> Result<(), SessionError> {
        let state = self.documents.get(&document).cloned().ok_or(DAMAGED)?;
        let loaded = self.open_document(document)?.clone();
        if loaded.operations() < usize::try_from(state.operations).unwrap_or(usize::MAX) {
            return Err(DAMAGED);
        }
        let mut stage = Stage::default();
        let replayed = self.replayed(&stage, &state)?;
        stage.documents.insert(document, state.clone());
        self.stage_rows_again(&mut stage, &state, &loaded, &replayed, &[])?;
        // What stood before is no news.
        for rows in stage.rows.values_mut() {
            for (name, row) in rows {
                row.arrived = held.get(name).map_or(row.arrived, |before| before.arrived);
            }
        }
        self.commit(stage, Durability::Full)
    }

    /// A vault of what the server has, verified as on any device that begins, with everything that only this device has brought
    /// over. The device goes on as itself, in a new incarnation.
    pub(super) async fn rebuild_from_server(
        salvage: &mut Salvage,
        at: &Location,
        options: &VaultOptions,
        around: Surroundings,
    ) -> Result<Mended, CallError> {
        let mut session = Self::fetch_all(salvage, at, options, around).await?;
        let unsent = block_in_place(|| {
            if !session.reads_all_unsent(salvage)? {
                return Err(CallError::new(Code::Damaged, "error-mend-loses"));
            }
            let unsent = session.bring_over(salvage)?;
            session.bring_decisions(salvage)?;
            Ok::<_, CallError>(unsent)
        })?;
        Ok(Mended { session, unsent, by: MendBy::Server, beyond: 0 })
    }

    /// A session in a new vault that has fetched and verified everything that the server has, as any device that begins. Nothing was
    /// said to the server.
    pub(super) async fn fetch_all(
        salvage: &mut Salvage,
        at: &Location,
        options: &VaultOptions,
        around: Surroundings,
    ) -> Result<Session, CallError> {
        let (mut session, home) = {
            let start = block_in_place(|| Start::read(salvage))?;
            let home = Home { url: start.url.clone(), pin: start.pin };
            (block_in_place(|| start.begin(salvage, &home, at, options, around))?, home)
        };
        fetch(&mut session, &home).await?;
        // What took an erased document's place begins only once everything was shown: the last answer itself cannot do it.
        block_in_place(|| session.begin_successors())?;
        Ok(session)
    }

    /// Reads everything back: the vault is sound, every document loads, and every entry that could be read of the damaged one is
    /// there. Answers how many entries stand; nothing where one is missing.
    pub(super) fn verify_against(&mut self, salvage: &Salvage) -> Option<u32> {
        if !self.vault.check(true).is_clean() {
            return None;
        }
        for document in self.documents.keys().copied().collect::<Vec<_>>() {
            self.load_document(document).ok()?;
        }
        let mut there: BTreeSet<ItemKey> = BTreeSet::new();
        for chart in self.charts() {
            there.extend(self.rows(chart).ok()?.all().map(|row| row.key));
        }
        let rows = rows_in(salvage);
        let missing = rows.values().any(|row| !there.contains(&row.key) && !self.may_be_gone(row));
        (!missing).then(|| u32::try_from(there.len()).unwrap_or(u32::MAX))
    }
}

impl Session {
    /// Whether a row that a damaged vault lists may rightly be nowhere now: another document took the place of its own, which is how
    /// something is erased, or its section is not shared with this account any more.
    fn may_be_gone(&self, row: &Row) -> bool {
        let gone = self.follower.space_log(row.space).is_some() && self.follower.role(row.space).is_none();
        gone || self.ends(row.space).is_ended(row.document)
    }
}

/// Whether a row is of a document that was made again.
fn is_made(made: &BTreeMap<DocumentId, Made>, table: Table, name: &[u8]) -> bool {
    let of = name.get(..16).and_then(DocumentId::from_slice);
    let document = of.and_then(|document| made.get(&document)?.document.as_ref());
    matches!(table, Table::Document | Table::Snapshot) && document.is_some()
}

/// The rows on the good pages of a damaged vault.
pub(super) fn rows_in(salvage: &Salvage) -> BTreeMap<(DocumentId, ItemKey), Row> {
    let pages = salvage.rows().iter().filter(|row| row.table == Table::View && row.name.starts_with(b"p"));
    let rows = pages.filter_map(|page| decode_page(&page.body).ok()).flatten();
    rows.map(|row| ((row.document, row.key), row)).collect()
}

/// What a rebuild from the server begins with.
struct Start {
    identity: Identity,
    genesis: Hash32,
    url: String,
    pin: VerifyingKey,
}

impl Start {
    fn read(salvage: &Salvage) -> Result<Self, CallError> {
        let backup = || CallError::new(Code::Damaged, "error-mend-backup");
        let identity = salvage.get(Table::Account, b"identity").ok_or_else(backup)?;
        let identity = Identity::decode(identity)?;
        let follower = salvage.get(Table::Sync, b"follower").and_then(|body| Follower::from_bytes(body).ok());
        let first = || {
            let entry = salvage.get(Table::Account, &account_entry_name(1))?;
            let entry: Signed<AccountEntry> = decode(entry, MAX_ENTRY_BYTES).ok()?;
            Some(AccountLog::found(&entry).ok()?.genesis())
        };
        let known = follower.as_ref().and_then(|follower| Some(follower.account_log()?.genesis()));
        let genesis = known.or_else(first).ok_or_else(backup)?;
        let url = server_url(salvage).ok_or_else(backup)?;
        let url = String::from_utf8(url.to_vec()).map_err(|_| backup())?;
        // Whoever answers at that address could be anybody: nobody is pinned here whom the person has not seen.
        let pin = server_pin(salvage).ok_or_else(backup)?;
        Ok(Self { identity, genesis, url, pin })
    }

    /// The session of an empty vault that knows who it is and nothing else.
    fn begin(
        &self,
        salvage: &Salvage,
        home: &Home,
        at: &Location,
        options: &VaultOptions,
        around: Surroundings,
    ) -> Result<Session, CallError> {
        let Identity { account, device, .. } = self.identity;
        // As another incarnation it is shown what this device had written, too.
        let incarnation = IncarnationId::random(around.entropy.as_ref());
        let follower = Follower::join(account, device, incarnation, self.genesis, Some(home.pin));
        let vault = salvage.begin_vault(at, options, |w| -> Result<(), WriteVaultError> {
            for row in salvage.rows().iter().filter(|row| stays(row.table, &row.name)) {
                w.put(row.table, &row.name, &row.body)?;
            }
            // Read from its start: where envelopes were pruned, a snapshot stands for them.
            w.put(Table::Setting, READING.as_bytes(), &[1])?;
            w.put(Table::Sync, b"follower", &follower.to_bytes())
        });
        let mut session = Session::open(vault.map_err(create_error)?, around)?;
        let mut stage = Stage::default();
        let mut follower = session.follower.clone();
        for accepted in session.accepted_charts() {
            session
                .stage_accepted(&mut stage, &mut follower, &accepted)
                .map_err(|_| CallError::new(Code::Damaged, "error-mend-backup"))?;
        }
        stage.follower = Some(follower);
        session.commit(stage, Durability::Full)?;
        Ok(session)
    }
}

/// What is taken over as it is: everything that neither comes from the server nor is made from what does.
fn stays(table: Table, name: &[u8]) -> bool {
    match table {
        Table::Account => !name.starts_with(b"entry"),
        Table::Setting => !OF_BEFORE.contains(&name),
        Table::Import | Table::Quarantine => true,
        _ => false,
    }
}

/// Fetches the whole history; the session verifies all of it, and takes the new incarnation at the end.
async fn fetch(session: &mut Session, home: &Home) -> Result<(), CallError> {
    let remote = Remote::new(&home.url, home.pin).map_err(|error| remote_error(&error))?;
    let (signing, account, device) =
        (session.identity.signing.clone(), session.identity.account, session.identity.device);
    let life = session.follower.incarnation();
    let signed_in =
        remote.sign_in(&signing, account, device, life).await.map_err(|error| remote_error(&error))?;
    let mut patience = Patience::default();
    for _ in 0..MAX_ROUNDS {
        let request = block_in_place(|| session.request())?;
        let said = session.said(&request, signed_in.forms);
        let response = remote.sync_as_said(&signed_in, &said).await.map_err(|error| remote_error(&error))?;
        match block_in_place(|| session.accept(&request, &response)) {
            Ok(_) => {}
            // Nothing of this device's own was there: it goes on as it was.
            Err(ExchangeError::Refused(RefusalCode::ChainFork)) if !session.is_older_copy() => {}
            Err(ExchangeError::Session(error)) => return Err(error.into()),
            Err(_) => return Err(CallError::new(Code::Refused, "error-server-history")),
        }
        // Where a section is built anew, everything is shown once more before the new incarnation begins.
        if !response.more && !session.is_older_copy() {
            return Ok(());
        }
        // Who says that there is more and shows nothing would hold a mending for hours.
        patience
            .after(session.shown_so_far())
            .map_err(|_| CallError::new(Code::Refused, "error-server-history"))?;
    }
    Err(CallError::new(Code::Offline, "error-offline"))
}
