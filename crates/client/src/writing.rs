//! What a person writes: new charts and entries, changed fields, and files that are brought in.

use mecum_api::{CallError, Code};
use mecum_domain::{ChartId, Edit, EntryId, Field, Kind, PartialDate, PersonColour, Relation, Section};
use mecum_interop::Kept;
use mecum_seal::SpaceId;
use mecum_vault::Durability;

use crate::error::SessionError;
use crate::row::ItemKey;
use crate::session::Session;
use crate::stage::Stage;

/// Finished entries in one envelope: under the limits of a change and of an envelope.
const KEEP_AT_ONCE: usize = 800;

/// Bytes of finished entries in one envelope, before deflating.
const KEEP_AT_ONCE_BYTES: usize = 3 << 20;

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepOutcome {
    /// New entries.
    pub added: u32,
    /// Entries that were there already.
    pub already: u32,
    /// Entries that were erased before: they do not come back by the same file.
    pub erased: u32,
    /// The person stopped it: nothing was kept.
    pub stopped: bool,
}

impl Session {
    /// A new chart with its person.
    pub fn create_chart(
        &mut self,
        name: &str,
        born: Option<&str>,
        relation: Relation,
        colour: Option<PersonColour>,
    ) -> Result<ChartId, SessionError> {
        let mut stage = Stage::default();
        let chart = self.stage_chart(&mut stage, name, born, relation, colour)?;
        self.commit(stage, Durability::Full)?;
        Ok(chart)
    }

    pub(crate) fn stage_chart(
        &mut self,
        stage: &mut Stage,
        name: &str,
        born: Option<&str>,
        relation: Relation,
        colour: Option<PersonColour>,
    ) -> Result<ChartId, SessionError> {
        let mut id = [0; 16];
        self.entropy().fill(&mut id);
        let chart = ChartId::from_bytes(id);
        let colour = colour.unwrap_or_else(|| self.free_colour());
        let mut fields = vec![
            (Field::Name, name.trim().to_owned()),
            (Field::Relation, relation.word().to_owned()),
            (Field::Colour, colour.word().to_owned()),
        ];
        if let Some(born) = born.filter(|born| !born.trim().is_empty()) {
            fields.push((Field::BirthDate, born.trim().to_owned()));
        }
        let space = self.stage_space(stage, chart, Section::Profile)?;
        self.stage_add(stage, space, 0, Kind::Patient, fields)?;
        Ok(chart)
    }

    fn free_colour(&self) -> PersonColour {
        let used: Vec<PersonColour> = self
            .charts()
            .into_iter()
            .filter_map(|chart| self.summary(chart).ok())
            .map(|s| PersonColour::from_word(&s.colour))
            .collect();
        PersonColour::ALL.iter().copied().find(|colour| !used.contains(colour)).unwrap_or_default()
    }

    /// A new editable entry.
    pub fn add(
        &mut self,
        chart: ChartId,
        kind: Kind,
        fields: Vec<(Field, String)>,
    ) -> Result<ItemKey, SessionError> {
        if !Self::may_write(kind) {
            return Err(CallError::new(Code::BadCall, "error-edit").into());
        }
        self.load_chart(chart)?;
        let date = fields
            .iter()
            .find(|(field, _)| *field == Field::Effective)
            .and_then(|(_, date)| PartialDate::parse(date));
        let shard = date.map_or_else(|| self.today().year(), |date| date.year());
        let mut stage = Stage::default();
        let space = self.stage_space(&mut stage, chart, kind.section())?;
        let key = self.stage_add(&mut stage, space, shard, kind, fields)?;
        self.commit(stage, Durability::Full)?;
        Ok(key)
    }

    fn stage_add(
        &mut self,
        stage: &mut Stage,
        space: SpaceId,
        shard: i16,
        kind: Kind,
        fields: Vec<(Field, String)>,
    ) -> Result<ItemKey, SessionError> {
        let mut id = [0; 16];
        self.entropy().fill(&mut id);
        let operations = u32::try_from(fields.len()).unwrap_or(u32::MAX).saturating_add(2);
        let document = self.stage_document(stage, space, shard, operations)?;
        let fields = fields
            .into_iter()
            .filter(|(field, value)| *field != Field::Kind && !value.trim().is_empty())
            .collect();
        self.stage_edits(stage, document, vec![Edit::Add { entry: EntryId::from_bytes(id), kind, fields }])?;
        Ok(ItemKey::Entry(id))
    }

    /// New values for fields of an entry that the family wrote; `None` clears one.
    pub fn set(
        &mut self,
        chart: ChartId,
        key: ItemKey,
        set: Vec<(Field, Option<String>)>,
    ) -> Result<(), SessionError> {
        let ItemKey::Entry(id) = key else {
            return Err(CallError::new(Code::BadCall, "error-not-editable").into());
        };
        let document = self.document_of(chart, key)?.ok_or_else(SessionError::not_found)?;
        let entry = EntryId::from_bytes(id);
        let edits = set.into_iter().map(|(field, value)| Edit::Set { entry, field, value }).collect();
        let mut stage = Stage::default();
        if self.stage_edits(&mut stage, document, edits)?.is_some() {
            self.commit(stage, Durability::Full)?;
        }
        Ok(())
    }

    /// Keeps a file's resources in one durable step. `go_on` hears how many are prepared and may stop it: then nothing is kept.
    pub fn keep(
        &mut self,
        chart: ChartId,
        kept: Vec<Kept>,
        go_on: &mut dyn FnMut(u32) -> bool,
    ) -> Result<KeepOutcome, SessionError> {
        let rows = self.rows(chart)?;
        let all = kept.len();
        let fresh: Vec<Kept> = kept
            .into_iter()
            .filter(|kept| rows.get(ItemKey::Finished(*kept.key.as_bytes())).is_none())
            .collect();
        let already = u32::try_from(all - fresh.len()).unwrap_or(u32::MAX);
        let marks = self.erased_marks(chart)?;
        let new = fresh.len();
        let fresh: Vec<Kept> = fresh
            .into_iter()
            .filter(|kept| !self.is_erased(&marks, chart, ItemKey::Finished(*kept.key.as_bytes())))
            .collect();
        let erased = u32::try_from(new - fresh.len()).unwrap_or(u32::MAX);
        mecum_trip::here("import");
        let mut stage = Stage::default();
        let outcome = self.keep_staged(&mut stage, chart, fresh, already.saturating_add(erased), go_on)?;
        Ok(KeepOutcome { already: if outcome.stopped { 0 } else { already }, erased, ..outcome })
    }

    /// The same into a new chart: both or neither.
    pub fn keep_in_new_chart(
        &mut self,
        name: &str,
        born: Option<&str>,
        relation: Relation,
        kept: Vec<Kept>,
        go_on: &mut dyn FnMut(u32) -> bool,
    ) -> Result<(ChartId, KeepOutcome), SessionError> {
        let mut stage = Stage::default();
        let chart = self.stage_chart(&mut stage, name, born, relation, None)?;
        let outcome = self.keep_staged(&mut stage, chart, kept, 0, go_on)?;
        Ok((chart, outcome))
    }

    fn keep_staged(
        &mut self,
        stage: &mut Stage,
        chart: ChartId,
        mut fresh: Vec<Kept>,
        already: u32,
        go_on: &mut dyn FnMut(u32) -> bool,
    ) -> Result<KeepOutcome, SessionError> {
        fresh.sort_by_key(|kept| (kept.kind.section(), kept.year));
        let mut done = already;
        let added = u32::try_from(fresh.len()).unwrap_or(u32::MAX);
        let mut fresh = fresh.into_iter().peekable();
        while let Some(first) = fresh.next() {
            let (section, year) = (first.kind.section(), first.year);
            let mut bytes = first.bytes.len();
            let mut edits = vec![Edit::Keep { key: first.key, bytes: first.bytes }];
            while edits.len() < KEEP_AT_ONCE && bytes < KEEP_AT_ONCE_BYTES {
                let Some(next) = fresh.next_if(|next| next.kind.section() == section && next.year == year)
                else {
                    break;
                };
                bytes += next.bytes.len();
                edits.push(Edit::Keep { key: next.key, bytes: next.bytes });
            }
            let count = u32::try_from(edits.len()).unwrap_or(u32::MAX);
            let space = self.stage_space(stage, chart, section)?;
            let document = self.stage_document(stage, space, year, count)?;
            self.stage_edits(stage, document, edits)?;
            done = done.saturating_add(count);
            if !go_on(done) {
                return Ok(KeepOutcome { stopped: true, ..KeepOutcome::default() });
            }
        }
        let stage = std::mem::take(stage);
        if !stage.documents.is_empty() {
            self.commit(stage, Durability::Full)?;
        }
        Ok(KeepOutcome { added, already, ..KeepOutcome::default() })
    }
}
