//! What the hospital publishes, as staff keep it in a file: read when it changes, and the last good one stays while it is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mecum_domain::{Directory, Hours, SlotDecision, SlotId, SlotState, SlotTable};

use crate::error::HospitalError;

/// The file, with what it said when it was last right.
pub(crate) struct Notice {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
    pub(crate) directory: Directory,
    pub(crate) hours: Hours,
}

impl Notice {
    /// Reads the file.
    ///
    /// # Errors
    /// [`HospitalError::Directory`]: nothing can be answered without hours.
    pub(crate) fn open(path: &Path) -> Result<Self, HospitalError> {
        let seen = stamp(path);
        let (directory, hours) = read(path)?;
        Ok(Self { path: path.to_owned(), seen, directory, hours })
    }

    /// Reads the file again if it has changed. Answers whether it says something else now.
    ///
    /// # Errors
    /// [`HospitalError::Directory`], once for each time that the file changes: what it said before stays in force.
    pub(crate) fn look(&mut self) -> Result<bool, HospitalError> {
        let now = stamp(&self.path);
        if now == self.seen {
            return Ok(false);
        }
        self.seen = now;
        let (directory, hours) = read(&self.path)?;
        let other = directory != self.directory;
        (self.directory, self.hours) = (directory, hours);
        Ok(other)
    }

    /// Brings the table to what the file says: new times are published, those that are gone from it are closed unless somebody has them,
    /// those that are back are opened. Times that have begun are left. Answers what was decided, and the times that the table refused.
    pub(crate) fn publish(&self, table: &mut SlotTable, now_ms: i64) -> (Vec<SlotDecision>, Vec<SlotId>) {
        let listed: BTreeMap<SlotId, &str> =
            self.directory.slots.iter().map(|free| (free.slot.id, free.service.as_str())).collect();
        let (mut decisions, mut refused) = (Vec::new(), Vec::new());
        let mut take =
            |table: &mut SlotTable, decision: SlotDecision, slot| match table.apply(&decision, now_ms) {
                Ok(()) => decisions.push(decision),
                Err(_) => refused.push(slot),
            };
        let gone: Vec<SlotId> = table
            .slots()
            .filter(|slot| slot.starts_ms > now_ms && !listed.contains_key(&slot.id))
            .map(|slot| slot.id)
            .collect();
        for slot in gone {
            let open = matches!(table.state(slot, now_ms), Some(SlotState::Free | SlotState::Offered(_)));
            if open {
                take(table, SlotDecision::Close { slot }, slot);
            }
        }
        for free in self.directory.slots.iter().filter(|free| free.slot.starts_ms > now_ms) {
            let id = free.slot.id;
            match table.state(id, now_ms) {
                None => {
                    let publish =
                        SlotDecision::Publish { service: free.service.clone(), slot: free.slot.clone() };
                    take(table, publish, id);
                }
                Some(SlotState::Closed) => take(table, SlotDecision::Reopen { slot: id }, id),
                Some(_) => {}
            }
        }
        (decisions, refused)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

fn read(path: &Path) -> Result<(Directory, Hours), HospitalError> {
    let wrong = |what: String| HospitalError::Directory { path: path.to_owned(), what };
    let body = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let directory: Directory = serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    let hours = directory.check().map_err(|error| HospitalError::directory(path.to_owned(), &error))?;
    Ok((directory, hours))
}
