//! Long or quiet tails become local snapshots, and what a snapshot covers and the server has needs no envelope any more: a residue of it
//! stays (ADR 0016). Done when nobody waits, a document or two at a time.

use std::collections::BTreeMap;

use mecum_documents::{Document, Payload};
use mecum_seal::{DocumentId, Envelope};
use mecum_sync::Chain;
use mecum_vault::{Durability, Link, Table};

use crate::error::SessionError;
use crate::residue::{Folding, Residue};
use crate::session::{Session, open_envelope};
use crate::space::DocumentState;
use crate::stage::Stage;

/// After so long without a change a document is quiet, ms.
const QUIET_MS: i64 = 10 * 60 * 1_000;
/// Quiet tails are folded, the longest first, while all of them are together at least this part of all snapshots: a fold writes a whole
/// snapshot, and this bounds both how often that is and how much lies there twice.
const QUIET_PART: u64 = 6;
/// The same where nothing at all was written for a while.
const CALM_PART: u64 = 32;
/// A tail that is a smaller part of its own snapshot is not worth it.
const LEAST_PART: u64 = 16;
/// After so many idle moments without a save nobody is writing. The app has one every five seconds.
const CALM_IDLES: u32 = 12;
/// Documents of one idle moment whose logs are folded, or looked at in vain.
const AT_ONCE: usize = 2;
/// Documents of which an idle moment asks whether there is something to fold.
const LOOKED_AT_ONCE: usize = 64;
/// Envelopes folded in one step.
const MOST_OF_A_RUN: usize = 512;
/// A run of fewer envelopes goes on growing: it is made again each time, so that a longer one would take long.
const JOINED_BELOW: u64 = 128;
/// A run leaves at least so many bytes to be free.
const LEAST_FREED_BYTES: usize = 2_048;

/// What idle moments know of documents.
#[derive(Default)]
pub(crate) struct Seen {
    /// Idle moments since something else was written, and the commits there were after the last one.
    calm: (u32, u64),
    /// Of each document how many envelopes it had when it was looked at first with so many, and when that was.
    quiet: BTreeMap<DocumentId, (u64, i64)>,
    /// Up to where its log was looked at, and how far its space had been exchanged then: nothing more folds before one of them grows.
    logs: BTreeMap<DocumentId, (u64, u64)>,
    /// Documents that could not be folded, and since when: they keep no other from it, and are tried again after a while.
    failed: BTreeMap<DocumentId, i64>,
}

impl Session {
    /// Folds long tails into local snapshots, and short ones that have been quiet. Nothing is lost if it fails: the envelopes stay.
    pub fn fold_tails(&mut self) -> Result<(), SessionError> {
        self.fold(self.documents.values().filter(|s| s.wants_snapshot()).map(|s| s.document).collect())
    }

    /// One that cannot be folded keeps no other from it; the first error is the answer.
    pub(crate) fn fold(&mut self, long: Vec<DocumentId>) -> Result<(), SessionError> {
        let mut answer = Ok(());
        for document in long {
            if self.has_failed(document) {
                continue;
            }
            let folded = self.fold_one(document);
            answer = answer.and(self.noted(document, folded));
        }
        answer
    }

    /// To be called as an idle moment begins.
    pub(crate) fn note_calm(&mut self) {
        let (idles, commits) = &mut self.seen.calm;
        *idles = if *commits == self.vault.commits() { idles.saturating_add(1) } else { 0 };
    }

    /// To be called at its end: what it wrote itself does not count.
    pub(crate) fn end_idle(&mut self) -> Result<(), SessionError> {
        let (idles, commits) = &mut self.seen.calm;
        *commits = self.vault.commits();
        let rested = if *idles > 0 { self.vault.idle() } else { self.vault.idle_between_saves() };
        Ok(rested?)
    }

    fn fold_one(&mut self, document: DocumentId) -> Result<(), SessionError> {
        let open = self.open_document(document)?;
        let (saved, heads) = (crate::plaintext::press_at_leisure(&open.save()), open.heads());
        mecum_trip::here("fold");
        // What was folded before is made again from this snapshot alone: it is read back before it takes the place of the other.
        if self.vault.has_folded(document)? {
            let again = crate::plaintext::unpress(&saved, mecum_documents::MAX_SNAPSHOT_BYTES as u64)
                .map_err(|_| SessionError::Folded)?;
            let again = Document::reopen(&again, std::iter::empty(), self.identity.actor())?;
            if again.heads() != heads {
                return Err(SessionError::Folded);
            }
        }
        let Some(state) = self.documents.get(&document) else { return Ok(()) };
        let mut state = state.clone();
        state.snapshot_at = state.count;
        state.snapshot_bytes = saved.len() as u64;
        state.tail_bytes = 0;
        self.vault.shorten_log()?;
        let mut stage = Stage::default();
        stage.puts.push((Table::Snapshot, document.as_bytes().to_vec(), saved));
        stage.documents.insert(document, state);
        stage.same_changes.insert(document);
        self.commit(stage, Durability::Normal)
    }

    /// Whether a document could not be folded a short while ago.
    fn has_failed(&self, document: DocumentId) -> bool {
        let now = self.now_ms();
        self.seen.failed.get(&document).is_some_and(|since| (0..QUIET_MS).contains(&(now - since)))
    }

    /// Notes what could not be folded.
    fn noted<T>(&mut self, document: DocumentId, done: Result<T, SessionError>) -> Result<T, SessionError> {
        let now = self.now_ms();
        match &done {
            Ok(_) => self.seen.failed.remove(&document),
            Err(_) => self.seen.failed.insert(document, now),
        };
        done
    }

    /// Folds the tails of documents that nobody has written for a while, a few at a time.
    pub(crate) fn fold_quiet(&mut self) -> Result<(), SessionError> {
        let now = self.now_ms();
        let (mut quiet, mut tails, mut snapshots) = (Vec::new(), 0, 0);
        for state in self.documents.values() {
            // Only where the log can follow it is there anything to gain.
            if state.cuts > 0 || self.has_failed(state.document) || !self.is_shown(state.space) {
                continue;
            }
            snapshots += state.snapshot_bytes;
            if state.count == state.snapshot_at {
                continue;
            }
            let since = match self.seen.quiet.get(&state.document) {
                Some((count, since)) if *count == state.count && *since <= now => *since,
                // Known from another session: as its last writer's clock said.
                // What cannot be read is said when it is folded; here it holds up no other.
                None => self.last_written(state).unwrap_or(now).min(now),
                Some(_) => now,
            };
            self.seen.quiet.insert(state.document, (state.count, since));
            if now.saturating_sub(since) >= QUIET_MS {
                tails += state.tail_bytes;
                if state.tail_bytes.saturating_mul(LEAST_PART) >= state.snapshot_bytes {
                    quiet.push((state.tail_bytes, state.document));
                }
            }
        }
        let part = if self.seen.calm.0 >= CALM_IDLES { CALM_PART } else { QUIET_PART };
        quiet.sort_unstable();
        let mut long = Vec::new();
        while tails.saturating_mul(part) >= snapshots.max(1)
            && long.len() < AT_ONCE
            && let Some((bytes, document)) = quiet.pop()
        {
            tails -= bytes;
            long.push(document);
        }
        self.fold(long)
    }

    /// When the last envelope of a document was written.
    fn last_written(&self, state: &DocumentState) -> Result<i64, SessionError> {
        let Some(last) = self.envelope(state.document, state.count)? else { return Ok(i64::MIN) };
        let (_, body) = open_envelope(self.space_of_document(state)?, state, &last)?;
        Ok(Payload::glance(&body).map_err(|_| SessionError::Envelope)?.at_ms)
    }

    /// Whether the server has everything of this device in a space.
    fn is_shown(&self, space: mecum_seal::SpaceId) -> bool {
        let head = self.follower.chain_head(&self.own_chain(space));
        self.spaces.get(&space).is_some_and(|state| head.envelope_seq == state.own_seq)
    }

    /// Folds the logs of a few documents as far as their snapshot and the server reach.
    pub(crate) fn fold_logs(&mut self) -> Result<(), SessionError> {
        // Only where the server is known to have what it is said to have.
        if self.follower.relay().is_none() || self.is_older_copy() || self.is_reading_again()? {
            return Ok(());
        }
        let (mut folded, mut looked, mut answer) = (0, 0, Ok(()));
        let documents: Vec<DocumentId> = self.documents.keys().copied().collect();
        for document in documents {
            let Some(state) = self.documents.get(&document) else { continue };
            let at = (state.snapshot_at, self.follower.chain_head(&self.own_chain(state.space)).envelope_seq);
            let looked_at = self.seen.logs.get(&document) == Some(&at) || self.has_failed(document);
            if state.snapshot_at == 0 || looked_at || !self.may_fold_log(state) {
                continue;
            }
            if folded == AT_ONCE || looked == LOOKED_AT_ONCE {
                return answer;
            }
            looked += 1;
            // A large log takes several steps, and is looked at again until one of them finds nothing.
            let whole = self.vault.whole_bytes(document, state.snapshot_at)?;
            let enough = whole >= LEAST_FREED_BYTES as u64;
            folded += usize::from(enough);
            let done = if enough { self.fold_log(document, LEAST_FREED_BYTES) } else { Ok(false) };
            match self.noted(document, done) {
                Ok(true) => {}
                Ok(false) => drop(self.seen.logs.insert(document, at)),
                Err(error) => answer = answer.and(Err(error)),
            }
        }
        answer
    }

    /// Whether a document's log may be folded at all: nothing of it is cut, and its space is one that the server still hands out to
    /// this account. What a share that has ended left here, nobody would give again.
    fn may_fold_log(&self, state: &DocumentState) -> bool {
        let ended = self.spaces.get(&state.space).is_none_or(|space| space.ended.is_some());
        state.cuts == 0 && !ended && self.follower.role(state.space).is_some()
    }

    /// Folds one run of a document's log, the first that leaves `least` bytes to be free. False if there was none.
    pub(crate) fn fold_log(&mut self, document: DocumentId, least: usize) -> Result<bool, SessionError> {
        let Some(state) = self.documents.get(&document) else { return Ok(false) };
        let space = self.space_of_document(state)?;
        if !self.may_fold_log(state) {
            return Ok(false);
        }
        let loaded = self.load_document(document)?;
        // A document that cannot be read back change by change keeps its envelopes.
        let Ok(payloads) = loaded.payloads() else { return Ok(false) };
        let (mut run, mut folding) = (Run::default(), Folding::new(space, state, &payloads));
        let mut links = self.vault.links(document, 0)?.into_iter().peekable();
        while let Some(link) = links.next() {
            let taken = match &link {
                Link::Whole { n, envelope } if *n <= state.snapshot_at => {
                    let full = run.envelopes.len() >= MOST_OF_A_RUN;
                    !full && self.has_server(envelope) && folding.take(envelope)
                }
                _ => false,
            };
            if taken && let Link::Whole { n, envelope } = link {
                run.take(n, envelope);
                continue;
            }
            if run.is_worth(&folding, least) {
                break;
            }
            (run, folding) = (Run::default(), Folding::new(space, state, &payloads));
            // What was folded just before goes on growing, while it is short: each run costs its seal and its row.
            let goes_on = |link: &Link| matches!(link, Link::Whole { n, .. } if *n <= state.snapshot_at);
            if let Link::Folded(before) = link
                && before.count() < JOINED_BELOW
                && links.peek().is_some_and(goes_on)
                && let Ok(made) = self.made_again(document, &before, &payloads)
                && let Some(bytes) = folding.go_on(&before, &made)
            {
                run = Run { first: before.first(), before: bytes, envelopes: made.to_vec(), ..run };
            }
        }
        if !run.is_worth(&folding, least) {
            return Ok(false);
        }
        let residue = folding.residue.encode();
        // From these very bytes, before anything goes: what was tried on the way was not yet encoded.
        let again = Residue::decode(&residue).ok().and_then(|read| read.envelopes(space, state, &payloads));
        if again.as_ref() != Some(&run.envelopes) {
            return Ok(false);
        }
        mecum_trip::here("fold-log");
        self.vault.write(Durability::Normal, |w| w.fold(document, (run.first, run.last), &residue))?;
        Ok(true)
    }

    /// Whether the server has an envelope of a log: it was shown there since this device last began to read from the beginning. That
    /// another's came from there once says nothing: a server that was put back has lost it, and this may be the only copy.
    fn has_server(&self, bytes: &[u8]) -> bool {
        let Ok(envelope) = Envelope::parse(bytes) else { return false };
        let place = envelope.place();
        let chain = Chain { device: place.device, incarnation: place.incarnation, space: place.space };
        self.follower.chain_head(&chain).envelope_seq >= place.envelope_seq
    }
}

/// A run of envelopes that could be folded.
#[derive(Default)]
struct Run {
    first: u64,
    last: u64,
    /// Of the envelopes that lie there whole.
    bytes: usize,
    /// Of the residue that it goes on from.
    before: usize,
    envelopes: Vec<Vec<u8>>,
}

impl Run {
    fn take(&mut self, n: u64, envelope: Vec<u8>) {
        if self.first == 0 {
            self.first = n;
        }
        self.last = n;
        self.bytes += envelope.len();
        self.envelopes.push(envelope);
    }

    /// Whether it leaves so much to be free, after what is kept of it.
    fn is_worth(&self, folding: &Folding<'_>, least: usize) -> bool {
        let mostly_made = self.bytes >= least && folding.made * 2 > folding.residue.kept.len();
        mostly_made && self.bytes + self.before >= folding.residue.encode().len() + least / 2
    }
}
