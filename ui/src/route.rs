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
    /// Visits of the open record.
    #[at("/visits")]
    Visits,
    /// Asks for a visit.
    #[at("/visits/ask")]
    AskVisit,
    /// One visit.
    #[at("/visits/:space/:thread")]
    Visit {
        /// The space of the conversation.
        space: String,
        /// The conversation.
        thread: String,
    },
    /// Questions, complaints and messages of the open record.
    #[at("/messages")]
    Messages,
    /// Begins one.
    #[at("/messages/write/:kind")]
    Write {
        /// The kind of case in kebab-case, or "new" to choose one.
        kind: String,
    },
    /// One question, complaint or thread of messages.
    #[at("/messages/:space/:thread")]
    Talk {
        /// The space of the conversation.
        space: String,
        /// The conversation.
        thread: String,
    },
    /// The hospitals of the open record.
    #[at("/hospitals")]
    Hospitals,
    /// Connects with a hospital by the code of its desk.
    #[at("/hospitals/connect")]
    ConnectHospital,
    /// What a hospital publishes.
    #[at("/hospitals/:hospital")]
    Hospital {
        /// Which.
        hospital: String,
    },
    /// The queue of a hospital's desk.
    #[at("/desk")]
    Desk,
    /// The codes by which patients connect.
    #[at("/desk/codes")]
    DeskCodes,
    /// One conversation at the desk.
    #[at("/desk/:chart/:space/:thread")]
    DeskTalk {
        /// The chart.
        chart: String,
        /// The space of the conversation.
        space: String,
        /// The conversation.
        thread: String,
    },
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
    /// Visits.
    Visits,
    /// Messages.
    Messages,
    /// Settings.
    Settings,
    /// The desk of a hospital.
    Desk,
}

impl Route {
    /// The part that this page belongs to.
    pub fn part(&self) -> Part {
        match self {
            Route::Home | Route::Invitation | Route::Missing => Part::Home,
            Route::Visits | Route::AskVisit | Route::Visit { .. } => Part::Visits,
            Route::Messages | Route::Write { .. } | Route::Talk { .. } => Part::Messages,
            Route::Desk | Route::DeskCodes | Route::DeskTalk { .. } => Part::Desk,
            Route::Settings
            | Route::Hospitals
            | Route::ConnectHospital
            | Route::Hospital { .. }
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
                | Route::AskVisit
                | Route::Visit { .. }
                | Route::Write { .. }
                | Route::Talk { .. }
                | Route::ConnectHospital
                | Route::DeskTalk { .. }
        )
    }

    /// The top of this page's part when another person's record is opened: an entry of one record is not in the other.
    pub fn for_other_chart(&self) -> Route {
        match self {
            Route::Results | Route::Trend { .. } => Route::Results,
            Route::Medicines | Route::Settle { .. } => Route::Medicines,
            Route::Members | Route::Invite => Route::Members,
            Route::Hospitals | Route::ConnectHospital | Route::Hospital { .. } => Route::Hospitals,
            other => match other.part() {
                Part::Home => Route::Home,
                Part::Record => Route::Record,
                Part::Visits => Route::Visits,
                Part::Messages => Route::Messages,
                Part::Settings => Route::Settings,
                Part::Desk => Route::Desk,
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
        for route in [Route::AskVisit, Route::ConnectHospital, Route::DeskCodes] {
            assert_eq!(Route::recognize(&route.to_path()), Some(route), "no id is read of a word");
        }
        let write = Route::Write { kind: "complaint".into() };
        assert_eq!(Route::recognize("/messages/write/complaint"), Some(write), "before any conversation");
    }
}
