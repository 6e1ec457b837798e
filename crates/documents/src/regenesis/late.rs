//! What was written in an old document after its successor was made from it: as edits, for the device that wrote it.
//!
//! Edits written at the successor's end would overwrite what their writer never saw, and settle clashes for nobody. So
//! they come in two lists, by what had been seen.

use std::collections::BTreeSet;

use mecum_domain::{Edit, EntryId, Field};

use super::{Item, Regenesis, RegenesisError};
use crate::actor::Actor;
use crate::ancestry::Ancestry;
use crate::document::Document;

/// Late edits, each list in the order of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// Values whose writer had not seen all that the successor holds in their place. They are written first, as this
    /// device's first words there, and beside what they had not seen: [`Document::author_beside`] with [`Self::seen`].
    pub beside: Vec<Edit>,
    /// The successor's changes that hold what the writer had seen.
    pub seen: Vec<[u8; 32]>,
    /// All others: written next, by [`Document::author`].
    pub after: Vec<Edit>,
    /// Edits of what the successor leaves out: the caller writes them where the entry went, or tells the person.
    pub left_out: Vec<Edit>,
}

impl Document {
    /// What the actors that `own` names wrote in this old document beyond `covered`, the state that `successor` was made
    /// from. `keep` as in [`Document::regenesis`]; it is asked of entries that are new, too.
    ///
    /// What two devices wrote late while seeing each other becomes a clash if they do not see each other's late words in
    /// the successor either: nothing is settled that was not.
    pub fn late_edits(
        &self,
        covered: &Self,
        successor: &Regenesis,
        own: &dyn Fn(Actor) -> bool,
        keep: &dyn Fn(Item) -> bool,
    ) -> Result<Late, RegenesisError> {
        let steps = self.steps().map_err(RegenesisError::Step)?;
        let ancestry = Ancestry::of(self).ok_or(RegenesisError::Write)?;
        let mut late = Late { seen: successor.base.clone(), ..Late::default() };
        for step in steps {
            if covered.has_change(&step.change) || !own(step.actor) {
                continue;
            }
            for edit in step.edits {
                let item = match &edit {
                    Edit::Add { entry, .. } | Edit::Set { entry, .. } => Item::Entry(*entry),
                    Edit::Keep { key, .. } => Item::Finished(*key),
                };
                if !keep(item) {
                    late.left_out.push(edit);
                    continue;
                }
                let Edit::Set { entry, field, .. } = &edit else {
                    late.after.push(edit);
                    continue;
                };
                let Some(seen) = covered.seen_in_part((*entry, *field), &ancestry, &step.change) else {
                    late.after.push(edit);
                    continue;
                };
                let values = seen.into_iter().map(|value| (*entry, *field, value));
                late.seen.extend(values.filter_map(|value| successor.clashes.get(&value)));
                late.beside.push(edit);
            }
        }
        late.seen.sort_unstable();
        late.seen.dedup();
        Ok(late)
    }

    /// The values of a field here that a change had seen, if it had not seen all of them. An equal value that somebody
    /// else wrote is another word.
    fn seen_in_part(
        &self,
        (entry, field): (EntryId, Field),
        ancestry: &Ancestry,
        change: &[u8; 32],
    ) -> Option<BTreeSet<Option<String>>> {
        let writes = self.field_writes(entry, field);
        let (seen, unseen): (Vec<_>, Vec<_>) =
            writes.into_iter().partition(|written| ancestry.saw(change, &written.change));
        let unseen: BTreeSet<_> = unseen.into_iter().map(|written| written.value).collect();
        let seen = seen.into_iter().map(|written| written.value).filter(|value| !unseen.contains(value));
        (!unseen.is_empty()).then(|| seen.collect())
    }
}
