//! The charts of an open vault: their rows, read from view pages, and their summaries.

use mecum_api::Topic;
use mecum_domain::ChartId;
use mecum_vault::{Durability, Table};

use super::{Session, summary_name};
use crate::error::SessionError;
use crate::pages::{LoadedChart, VIEW_VERSION, page_name, read_page};
use crate::row::ChartRows;
use crate::summary::ChartSummary;

impl Session {
    /// The charts of the account, the own one first, then in the order of their ids.
    pub fn charts(&self) -> Vec<ChartId> {
        let mut charts: Vec<ChartId> = self.spaces.values().map(|space| space.chart).collect();
        charts.sort_unstable();
        charts.dedup();
        let own = |chart: &ChartId| {
            self.summary(*chart)
                .map_or(1, |summary| u8::from(summary.relation != mecum_domain::Relation::Own.word()))
        };
        charts.sort_by_cached_key(own);
        charts
    }

    /// The name of the account's person: the person of the own chart. Empty where there is none: nobody else's name is
    /// put under what was written.
    pub fn author_name(&self) -> String {
        let own = self.charts().into_iter().next().and_then(|chart| self.summary(chart).ok());
        own.filter(|summary| summary.relation == mecum_domain::Relation::Own.word())
            .map(|summary| summary.name)
            .unwrap_or_default()
    }

    /// A chart's stored summary: no rows and no CRDT are loaded for it.
    pub fn summary(&self, chart: ChartId) -> Result<ChartSummary, SessionError> {
        let mut summary: ChartSummary = match self.vault.get(Table::View, &summary_name(chart))? {
            Some(body) => ChartSummary::of_stored(&body)?,
            None => ChartSummary::default(),
        };
        // Whoever is let into a part of a record has no personal data of it: the invitation named the person.
        if summary.name.is_empty()
            && let Some(shared) = self.shared_chart(chart)
        {
            summary.name = shared.name;
        }
        Ok(summary)
    }

    /// The rows of a chart.
    pub fn rows(&mut self, chart: ChartId) -> Result<&ChartRows, SessionError> {
        self.load_chart(chart)?;
        Ok(&self.charts.entry(chart).or_default().rows)
    }

    /// Loads a chart's view pages once; rebuilds those of an older version from their documents.
    pub(crate) fn load_chart(&mut self, chart: ChartId) -> Result<(), SessionError> {
        if self.charts.contains_key(&chart) {
            return Ok(());
        }
        if !self.spaces.values().any(|space| space.chart == chart) {
            return Err(SessionError::not_found());
        }
        let mut loaded = LoadedChart::default();
        for state in self.documents_of(chart) {
            if state.view_version != VIEW_VERSION {
                return Err(SessionError::Stored { what: "view page" });
            }
            for page in 0..state.pages {
                let missing = SessionError::Stored { what: "view page" };
                let body = self.vault.get(Table::View, &page_name(state.document, page))?.ok_or(missing)?;
                let (rows, bytes) = read_page(&body)?;
                loaded.pages.note(state.document, page, &rows, bytes);
                for row in rows {
                    loaded.rows.put(row);
                }
            }
        }
        loaded.rows.written_here().is_kept();
        self.charts.insert(chart, loaded);
        Ok(())
    }

    /// Until when the person has looked at a chart on this device.
    pub fn seen_ms(&self, chart: ChartId) -> Result<i64, SessionError> {
        let body = self.setting(&format!("seen-{chart}"))?;
        Ok(body.and_then(|body| Some(i64::from_be_bytes(body.try_into().ok()?))).unwrap_or(0))
    }

    /// The person has looked at a chart.
    pub fn set_seen(&mut self, chart: ChartId, ms: i64) -> Result<(), SessionError> {
        self.set_setting(&format!("seen-{chart}"), &ms.to_be_bytes())?;
        self.refresh_summary(chart)
    }

    fn refresh_summary(&mut self, chart: ChartId) -> Result<(), SessionError> {
        let seen = self.seen_ms(chart)?;
        let summary = crate::summary::summarise(self.rows(chart)?, seen);
        let body = summary.stored();
        self.vault.write(Durability::Full, |w| w.put(Table::View, &summary_name(chart), &body))?;
        self.tell(Topic::Record { chart });
        Ok(())
    }
}
