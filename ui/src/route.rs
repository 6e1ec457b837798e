//! The addresses of the pages. Unlocking and the first run have none: they stand before every page.

use yew_router::prelude::*;

/// A page.
#[derive(Clone, Debug, PartialEq, Routable)]
pub enum Route {
    /// What needs me today, for all of us.
    #[at("/")]
    Home,
    /// The timeline of the open record.
    #[at("/record")]
    Record,
    /// All numeric series.
    #[at("/record/results")]
    Results,
    /// One series.
    #[at("/record/results/:trend")]
    Trend {
        /// The series.
        trend: String,
    },
    /// Medicines.
    #[at("/record/medicines")]
    Medicines,
    /// Settles a clash.
    #[at("/record/medicines/:entry/settle/:field")]
    Settle {
        /// The entry.
        entry: String,
        /// The field, in kebab-case.
        field: String,
    },
    /// One entry.
    #[at("/record/entry/:entry")]
    Entry {
        /// The entry.
        entry: String,
    },
    /// Changes an entry.
    #[at("/record/entry/:entry/edit")]
    Edit {
        /// The entry.
        entry: String,
    },
    /// Adds an entry.
    #[at("/record/add/:kind")]
    Add {
        /// The kind in kebab-case, or "new" to choose one.
        kind: String,
    },
    /// What changed.
    #[at("/record/changes")]
    Changes,
    /// Who sees the open record.
    #[at("/record/members")]
    Members,
    /// Lets somebody in.
    #[at("/record/members/invite")]
    Invite,
    /// Opens an invitation.
    #[at("/invitation")]
    Invitation,
    /// Brings a file in.
    #[at("/import")]
    Import,
    /// Settings.
    #[at("/settings")]
    Settings,
    /// Language and display.
    #[at("/settings/display")]
    Display,
    /// Devices and the server.
    #[at("/settings/devices")]
    Devices,
    /// The recovery kit.
    #[at("/settings/kit")]
    Kit,
    /// The check, backups, mending.
    #[at("/settings/data")]
    Data,
    /// Recovery helpers.
    #[at("/settings/helpers")]
    Helpers,
    /// Adds a device.
    #[at("/settings/pair")]
    Pair,
    /// No such page.
    #[not_found]
    #[at("/404")]
    Missing,
}

/// The part of the app that a page belongs to: what the tabs show as current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Home.
    Home,
    /// Record.
    Record,
    /// Settings.
    Settings,
}

impl Route {
    /// The part that this page belongs to.
    pub fn part(&self) -> Part {
        match self {
            Route::Home | Route::Invitation | Route::Missing => Part::Home,
            Route::Settings
            | Route::Display
            | Route::Devices
            | Route::Kit
            | Route::Data
            | Route::Helpers
            | Route::Pair => Part::Settings,
            _ => Part::Record,
        }
    }

    /// A page with one task: the tab bar gives way to its action bar.
    pub fn is_task(&self) -> bool {
        matches!(
            self,
            Route::Settle { .. }
                | Route::Add { .. }
                | Route::Edit { .. }
                | Route::Changes
                | Route::Import
                | Route::Members
                | Route::Invite
                | Route::Invitation
                | Route::Kit
                | Route::Pair
        )
    }

    /// The top of this page's part when another person's record is opened: an entry of one record is not in the other.
    pub fn for_other_chart(&self) -> Route {
        match self {
            Route::Results | Route::Trend { .. } => Route::Results,
            Route::Medicines | Route::Settle { .. } => Route::Medicines,
            Route::Members | Route::Invite => Route::Members,
            other => match other.part() {
                Part::Home => Route::Home,
                Part::Record => Route::Record,
                Part::Settings => Route::Settings,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_persons_record_never_opens_on_an_entry_of_the_first() {
        let entry = Route::Entry { entry: "e".into() };
        assert_eq!(entry.for_other_chart(), Route::Record, "the timeline of the other record");
        let trend = Route::Trend { trend: "t".into() };
        assert_eq!(trend.for_other_chart(), Route::Results, "the results of the other record");
    }

    #[test]
    fn an_address_leads_to_its_page_and_back() {
        let settle = Route::Settle { entry: "a1".into(), field: "dose".into() };
        assert_eq!(settle.to_path(), "/record/medicines/a1/settle/dose", "the address of a clash");
        assert_eq!(Route::recognize(&settle.to_path()), Some(settle), "and back");
    }
}
