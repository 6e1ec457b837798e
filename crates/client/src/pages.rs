//! View pages: the rows of a document, sealed in pages of about 12 KiB, so that lists never load a CRDT.

use std::collections::{BTreeMap, BTreeSet};

use mecum_seal::DocumentId;

use crate::error::SessionError;
use crate::row::{ChartRows, ItemKey, Row};

/// Rows of an older version are built anew from their document.
pub(crate) const VIEW_VERSION: u32 = 1;

/// A page takes no more rows above this; with the largest row it stays under 16 KiB (DESIGN 5, "Views first").
const FULL_BYTES: usize = 12 * 1024;

/// The name of a page in the vault.
pub(crate) fn page_name(document: DocumentId, page: u32) -> Vec<u8> {
    [b"p".as_slice(), document.as_bytes(), &page.to_be_bytes()].concat()
}

/// The rows of stored bytes.
pub(crate) fn decode_page(bytes: &[u8]) -> Result<Vec<Row>, SessionError> {
    minicbor::decode(bytes).map_err(|_| SessionError::Stored { what: "view page" })
}

/// Which page each row of a document is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageMap {
    pages: BTreeMap<DocumentId, Vec<(Vec<ItemKey>, usize)>>,
    place: BTreeMap<(DocumentId, ItemKey), usize>,
}

impl PageMap {
    /// Notes a page that was read.
    pub(crate) fn note(&mut self, document: DocumentId, page: u32, rows: &[Row], bytes: usize) {
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
        if pages.last().is_none_or(|(_, bytes)| *bytes >= FULL_BYTES) {
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
            *size += bytes;
        }
    }

    /// The bytes of a page as it stands.
    pub(crate) fn encode(&self, document: DocumentId, page: u32, rows: &ChartRows) -> Vec<u8> {
        let keys = self
            .pages
            .get(&document)
            .and_then(|pages| pages.get(page as usize))
            .map_or(&[][..], |(keys, _)| keys);
        let rows: Vec<&Row> = keys.iter().filter_map(|key| rows.get_in(document, *key)).collect();
        minicbor::to_vec(rows).expect("rows of plain fields encode")
    }
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
