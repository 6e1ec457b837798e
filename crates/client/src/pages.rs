//! View pages: the rows of a document, in pages of about 9 KiB, deflated and sealed, so that lists never load a CRDT.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::DocumentId;

use crate::error::SessionError;
use crate::plaintext::{BadPlaintext, deflate_soon, inflate};
use crate::row::{ChartRows, ItemKey, Row};

/// Rows of an older version are built anew from their document.
pub(crate) const VIEW_VERSION: u32 = 1;

/// A page takes no more rows above this; with the largest row it stays under 16 KiB (DESIGN 5, "Views first").
const FULL_BYTES: usize = 9 * 1024;

/// The name of a page in the vault.
pub(crate) fn page_name(document: DocumentId, page: u32) -> Vec<u8> {
    [b"p".as_slice(), document.as_bytes(), &page.to_be_bytes()].concat()
}

/// What a deflated view begins with. One that an older version wrote begins with the head of a CBOR array, `0x80` or more.
const DEFLATED: u8 = 1;

/// The vault takes no larger row, so no view was larger before it was deflated.
const MAX_VIEW_BYTES: u64 = 16 << 20;

/// A page is as long as a multiple of this.
const EVEN_BYTES: usize = 128;

/// A page that was longer stays as long as it was, if it is by no more than this: then it is written where it lies. Otherwise the
/// vault's file gives it other pages each time, and notes that on two more.
const SPARE_BYTES: usize = 384;

/// A view as the vault keeps it, deflated: what a list says is repeated in each of its rows. Layout: `1 || body || zeros`, the body raw
/// (RFC 1951), which says itself where it ends.
pub(crate) fn stored_view(plain: &[u8]) -> Vec<u8> {
    let mut stored = deflate_soon(plain);
    stored.insert(0, DEFLATED);
    stored
}

/// The length that a page takes which needs so many bytes and had `before`.
fn even_length(needed: usize, before: usize) -> usize {
    let fits = (needed..=needed + SPARE_BYTES).contains(&before);
    if fits { before } else { needed.next_multiple_of(EVEN_BYTES) }
}

/// The view of stored bytes.
pub(crate) fn plain_view(bytes: &[u8]) -> Result<Cow<'_, [u8]>, BadPlaintext> {
    match bytes.split_first() {
        Some((&DEFLATED, body)) => Ok(Cow::Owned(inflate(body, MAX_VIEW_BYTES)?)),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

/// The rows of stored bytes.
pub(crate) fn decode_page(bytes: &[u8]) -> Result<Vec<Row>, SessionError> {
    Ok(read_page(bytes)?.0)
}

/// The rows of stored bytes, and how long they are.
pub(crate) fn read_page(bytes: &[u8]) -> Result<(Vec<Row>, PageBytes), SessionError> {
    let broken = || SessionError::Stored { what: "view page" };
    let plain = plain_view(bytes).map_err(|_| broken())?;
    let lengths = PageBytes { plain: plain.len(), stored: bytes.len() };
    Ok((minicbor::decode(&plain).map_err(|_| broken())?, lengths))
}

/// How long a page is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageBytes {
    /// Undeflated.
    plain: usize,
    /// As the vault keeps it; 0 before it was kept.
    stored: usize,
}

/// Which page each row of a document is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageMap {
    pages: BTreeMap<DocumentId, Vec<(Vec<ItemKey>, PageBytes)>>,
    place: BTreeMap<(DocumentId, ItemKey), usize>,
}

impl PageMap {
    /// Notes a page that was read.
    pub(crate) fn note(&mut self, document: DocumentId, page: u32, rows: &[Row], bytes: PageBytes) {
        let pages = self.pages.entry(document).or_default();
        let at = page as usize;
        if pages.len() <= at {
            pages.resize_with(at + 1, Default::default);
        }
        if let Some(slot) = pages.get_mut(at) {
            *slot = (rows.iter().map(|row| row.key).collect(), bytes);
        }
        self.place.extend(rows.iter().map(|row| ((document, row.key), at)));
    }

    /// Finds a page for a row; says which.
    pub(crate) fn place(&mut self, document: DocumentId, key: ItemKey) -> u32 {
        if let Some(page) = self.place.get(&(document, key)) {
            return u32::try_from(*page).unwrap_or(u32::MAX);
        }
        let pages = self.pages.entry(document).or_default();
        if pages.last().is_none_or(|(_, bytes)| bytes.plain >= FULL_BYTES) {
            pages.push(Default::default());
        }
        let page = pages.len() - 1;
        if let Some((keys, _)) = pages.last_mut() {
            keys.push(key);
        }
        self.place.insert((document, key), page);
        u32::try_from(page).unwrap_or(u32::MAX)
    }

    /// Takes a row off its page; says which it was.
    pub(crate) fn remove(&mut self, document: DocumentId, key: ItemKey) -> Option<u32> {
        let page = self.place.remove(&(document, key))?;
        if let Some((keys, _)) = self.pages.get_mut(&document).and_then(|pages| pages.get_mut(page)) {
            keys.retain(|held| *held != key);
        }
        u32::try_from(page).ok()
    }

    /// Forgets a document.
    fn forget(&mut self, document: DocumentId) {
        self.pages.remove(&document);
        self.place.retain(|(of, _), _| *of != document);
    }

    /// A row was added: the page grows by about this.
    pub(crate) fn grow(&mut self, document: DocumentId, page: u32, bytes: usize) {
        if let Some((_, size)) = self.pages.get_mut(&document).and_then(|pages| pages.get_mut(page as usize))
        {
            size.plain += bytes;
        }
    }

    /// The bytes of a page as it stands, and as the vault is to keep it.
    pub(crate) fn encode(&mut self, document: DocumentId, page: u32, rows: &ChartRows) -> Vec<u8> {
        let at = self.pages.get_mut(&document).and_then(|pages| pages.get_mut(page as usize));
        let Some((keys, bytes)) = at else { return stored_view(&minicbor_rows(&[])) };
        let rows: Vec<&Row> = keys.iter().filter_map(|key| rows.get_in(document, *key)).collect();
        let mut stored = stored_view(&minicbor_rows(&rows));
        stored.resize(even_length(stored.len(), bytes.stored), 0);
        bytes.stored = stored.len();
        stored
    }
}

fn minicbor_rows(rows: &[&Row]) -> Vec<u8> {
    minicbor::to_vec(rows).expect("rows of plain fields encode")
}

/// The rows of a chart with their pages.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadedChart {
    /// The rows.
    pub rows: ChartRows,
    /// Their pages.
    pub pages: PageMap,
}

impl LoadedChart {
    /// Forgets the pages of a document that is gone.
    pub(crate) fn forget(&mut self, document: DocumentId) {
        self.pages.forget(document);
    }

    /// Takes a row out that is in its document no longer; says which page it was on.
    pub(crate) fn remove(&mut self, document: DocumentId, key: ItemKey) -> Option<(DocumentId, u32)> {
        let page = self.pages.remove(document, key)?;
        self.rows.remove(document, key);
        Some((document, page))
    }

    /// Takes new rows; says which pages changed.
    pub(crate) fn put(&mut self, rows: Vec<Row>) -> BTreeSet<(DocumentId, u32)> {
        let mut dirty = BTreeSet::new();
        for row in rows {
            let (document, key) = (row.document, row.key);
            let page = self.pages.place(document, key);
            if self.rows.get_in(document, key).is_none() {
                self.pages.grow(document, page, minicbor::to_vec(&row).map_or(0, |bytes| bytes.len()));
            }
            self.rows.put(row);
            dirty.insert((document, page));
        }
        dirty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ItemKey;
    use mecum_domain::Kind;
    use mecum_seal::{DeviceId, SpaceId};

    fn row(number: u16) -> Row {
        let [high, low] = number.to_be_bytes();
        Row {
            key: ItemKey::Entry(
                mecum_seal::sha256(&[high, low]).as_bytes()[..16].try_into().expect("16 bytes"),
            ),
            kind: Kind::VitalSign.code(),
            resource_type: "Observation".into(),
            title: "Blood glucose".into(),
            value: Some(format!("{}.{}", number % 19, number % 7)),
            unit: Some("mmol/L".into()),
            flag: 0,
            date: Some(format!("2024-{:02}-{:02}", number % 12 + 1, number % 28 + 1)),
            status: Some("final".into()),
            trend: Some("2339-0".into()),
            numbers: vec![format!("{}.{}", number % 19, number % 7)],
            range: None,
            author: None,
            organization: None,
            device: DeviceId::from_bytes([3; 16]),
            at_ms: 1_790_000_000_000 + i64::from(number),
            own_seq: u64::from(number),
            space: SpaceId::from_bytes([4; 16]),
            document: DocumentId::from_bytes([5; 16]),
            deleted: None,
            clashes: Vec::new(),
            extra: Vec::new(),
            arrived: u64::from(number),
            side: None,
        }
    }

    #[test]
    fn a_page_is_kept_in_a_third_and_one_of_an_older_version_is_read() {
        for count in [0_u16, 1, 60] {
            let rows: Vec<Row> = (0..count).map(row).collect();
            let plain = minicbor::to_vec(&rows).expect("rows encode");
            let stored = stored_view(&plain);
            for bytes in [&stored, &plain] {
                let (read, length) = read_page(bytes).expect("a page");
                assert_eq!(read, rows, "what went in comes out, deflated or as an older version kept it");
                let lengths = (length.plain, length.stored);
                assert_eq!(
                    lengths,
                    (plain.len(), bytes.len()),
                    "a page is as full as its rows are long, however it is kept"
                );
            }
            assert!(count < 60 || stored.len() * 3 < plain.len(), "{} of {}", stored.len(), plain.len());
            for at in 0..stored.len() {
                assert!(read_page(&stored[..at]).is_err(), "cut at {at}");
            }
        }
    }

    #[test]
    fn a_page_that_changes_a_little_stays_as_long_as_it_was() {
        let (mut loaded, document) = (LoadedChart::default(), DocumentId::from_bytes([5; 16]));
        loaded.put((0..40).map(row).collect());
        let first = loaded.pages.encode(document, 0, &loaded.rows);
        assert_eq!(first.len() % EVEN_BYTES, 0, "an even length");
        for round in 0..200_u16 {
            let changed =
                |n: u16| Row { value: Some(format!("{}", (n * 37 + round * 91) % 1_000)), ..row(n) };
            loaded.put((0..20).map(changed).collect());
            let now = loaded.pages.encode(document, 0, &loaded.rows);
            assert_eq!(now.len(), first.len(), "round {round}: written where it lies");
            let mut read = read_page(&now).expect("a page").0;
            let mut held: Vec<Row> = (0..40).map(|n| if n < 20 { changed(n) } else { row(n) }).collect();
            read.sort_by_key(|row| row.at_ms);
            held.sort_by_key(|row| row.at_ms);
            assert_eq!(read, held, "and it says what it held");
        }
        // Read back, it is known how long it was.
        let (rows, lengths) = read_page(&first).expect("a page");
        let mut again = PageMap::default();
        again.note(document, 0, &rows, lengths);
        assert_eq!(again.encode(document, 0, &loaded.rows).len(), first.len(), "after a restart too");
    }

    #[test]
    fn a_page_grows_and_shrinks_with_what_is_on_it() {
        assert_eq!(even_length(1, 0), EVEN_BYTES, "a new one");
        assert_eq!(even_length(1_000, 1_024), 1_024, "as it was");
        assert_eq!(even_length(1_025, 1_024), 1_152, "it needs more");
        assert_eq!(even_length(700, 1_024), 1_024, "a little less");
        assert_eq!(even_length(600, 1_024), 640, "much less");
    }

    #[test]
    fn a_summary_of_an_older_version_is_not_taken_for_a_deflated_one() {
        let older = minicbor::to_vec(crate::summary::ChartSummary::default()).expect("a summary encodes");
        assert_eq!(plain_view(&older).as_deref(), Ok(older.as_slice()), "as it is");
        assert_eq!(
            plain_view(&stored_view(&older)).as_deref(),
            Ok(older.as_slice()),
            "and as it is kept now"
        );
    }
}
