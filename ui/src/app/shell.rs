//! What every page may ask of the app: whose record is open, other pages, and a word about what was done.

use std::collections::HashMap;
use std::rc::Rc;

use mecum_api::domain::ChartId;
use mecum_api::{CallError, ChartView, Topic, command};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::components::{ErrorBlock, Skeleton};
use crate::i18n::{t, use_i18n};
use crate::pages::members::ShownInvitation;
use crate::query::{QueryState, use_query};
use crate::route::Route;

/// Where the open record is remembered for a reload: an opaque id, gone with the session.
const CHART_KEY: &str = "mecum-chart";

/// A short word about what was done, with a way back.
#[derive(Clone, PartialEq)]
pub(crate) struct ToastView {
    /// Tells two of the same text apart.
    pub(crate) number: u32,
    /// The text.
    pub(crate) text: AttrValue,
    /// Takes it back.
    pub(crate) undo: Option<Callback<()>>,
}

/// The app as a page sees it.
#[derive(Clone, PartialEq)]
pub struct Shell {
    charts: Rc<Vec<ChartView>>,
    chart: Option<Rc<ChartView>>,
    set_chart: Callback<ChartId>,
    toast: UseStateHandle<Option<ToastView>>,
    problem: UseStateHandle<Option<CallError>>,
    open_people: UseStateHandle<bool>,
    open_where: UseStateHandle<bool>,
    invitation: UseStateHandle<Option<Rc<ShownInvitation>>>,
    units: UseStateHandle<HashMap<String, String>>,
    go: Callback<Route>,
}

impl Shell {
    /// The id of the open record.
    pub fn chart_id(&self) -> ChartId {
        self.chart.as_ref().map(|c| c.chart).unwrap_or_default()
    }

    /// The name of the open record's person.
    pub fn chart_name(&self) -> String {
        self.chart.as_ref().map(|c| c.name.clone()).unwrap_or_default()
    }

    /// The open record.
    pub fn chart(&self) -> Option<Rc<ChartView>> {
        self.chart.clone()
    }

    /// All records.
    pub fn charts(&self) -> Rc<Vec<ChartView>> {
        self.charts.clone()
    }

    /// Opens another person's record.
    pub fn set_chart(&self, chart: ChartId) {
        self.set_chart.emit(chart);
    }

    /// Says what was done; `undo` takes it back.
    pub fn toast(&self, text: impl Into<AttrValue>, undo: Option<Callback<()>>) {
        let number = self.toast.as_ref().map_or(1, |t| t.number.wrapping_add(1));
        self.problem.set(None);
        self.toast.set(Some(ToastView { number, text: text.into(), undo }));
    }

    /// Says in place what went wrong, what is safe and what to do.
    pub fn problem(&self, error: &CallError) {
        self.problem.set(Some(error.clone()));
    }

    /// Goes to a page.
    pub fn go(&self, route: Route) {
        self.go.emit(route);
    }

    /// Opens "Whose record?".
    pub fn open_people(&self) {
        self.open_people.set(true);
    }

    /// The invitation that this device shows; gone when the vault is locked.
    pub(crate) fn invitation(&self) -> UseStateHandle<Option<Rc<ShownInvitation>>> {
        self.invitation.clone()
    }

    /// The unit in which a series was looked at last; none is the printed one. Gone when the vault is locked.
    pub(crate) fn unit_of(&self, trend: &str) -> Option<String> {
        self.units.get(trend).cloned()
    }

    /// Remembers the unit of a series.
    pub(crate) fn set_unit(&self, trend: &str, unit: Option<String>) {
        let mut units = (*self.units).clone();
        match unit {
            Some(unit) => units.insert(trend.to_owned(), unit),
            None => units.remove(trend),
        };
        self.units.set(units);
    }

    /// Opens "Where your things are".
    pub fn open_where(&self) {
        self.open_where.set(true);
    }

    pub(super) fn people(&self) -> UseStateHandle<bool> {
        self.open_people.clone()
    }

    pub(super) fn whereabouts(&self) -> UseStateHandle<bool> {
        self.open_where.clone()
    }

    pub(crate) fn toast_state(&self) -> UseStateHandle<Option<ToastView>> {
        self.toast.clone()
    }

    pub(super) fn problem_state(&self) -> UseStateHandle<Option<CallError>> {
        self.problem.clone()
    }
}

/// The app as this page sees it.
#[hook]
pub fn use_shell() -> Shell {
    use_context::<Shell>().expect("pages stand inside the shell")
}

fn remembered() -> Option<ChartId> {
    let storage = web_sys::window()?.session_storage().ok()??;
    storage.get_item(CHART_KEY).ok()??.parse().ok()
}

fn remember(chart: ChartId) {
    if let Some(storage) = web_sys::window().and_then(|w| w.session_storage().ok().flatten()) {
        let _ = storage.set_item(CHART_KEY, &chart.to_string());
    }
}

/// What stands inside the shell.
#[derive(Properties, PartialEq)]
pub(super) struct ShellProviderProps {
    pub(super) children: Html,
}

/// Provides the shell once the records are known.
#[component]
pub(super) fn ShellProvider(props: &ShellProviderProps) -> Html {
    let i18n = use_i18n();
    let query = use_query::<command::ChartList>((), vec![Topic::Charts]);
    let chosen = use_state(|| if cfg!(target_arch = "wasm32") { remembered() } else { None });
    let toast = use_state(|| None);
    let problem = use_state(|| None);
    let (open_people, open_where) = (use_state(|| false), use_state(|| false));
    let invitation = use_state(|| None);
    let units = use_state(HashMap::new);
    let navigator = use_navigator();
    let go = use_callback(navigator, |route: Route, navigator| {
        if let Some(navigator) = navigator {
            navigator.push(&route);
        }
    });
    let set_chart = {
        let (chosen, reload) = (chosen.setter(), query.reload());
        use_callback(reload, move |chart: ChartId, reload| {
            remember(chart);
            chosen.set(Some(chart));
            // A record that an import has just made may not be in the list yet.
            reload.emit(());
        })
    };
    match &query.state {
        QueryState::Loading => {
            html! { <super::Bare><Skeleton text={t!(i18n, "app-opening")} /></super::Bare> }
        }
        QueryState::Failed(error) => html! {
            <super::Bare>
                <h1 class="visually-hidden">{ "Mecum" }</h1>
                <ErrorBlock error={error.clone()} on_retry={query.reload()} />
            </super::Bare>
        },
        QueryState::Ready(charts) => {
            let chart = charts
                .iter()
                .find(|c| Some(c.chart) == *chosen)
                .or_else(|| charts.first())
                .cloned()
                .map(Rc::new);
            let shell = Shell {
                charts: charts.clone(),
                chart,
                set_chart,
                toast,
                problem,
                open_people,
                open_where,
                invitation,
                units,
                go,
            };
            html! { <ContextProvider<Shell> context={shell}>{ props.children.clone() }</ContextProvider<Shell>> }
        }
    }
}
