//! How a meeting of two people's devices stands: asked anew while it goes on, and never taken for an earlier one that has ended.

use std::rc::Rc;

use mecum_api::command::Command;
use mecum_api::{PairPhase, PairView, Topic};
use yew::prelude::*;

use crate::app::focus;
use crate::query::{Query, use_query};

/// How often the client is asked while the other side is waited for.
const ASK_MS: u32 = 1_000;

/// A meeting as a page sees it.
pub struct Meeting {
    /// The question to the client.
    pub query: Query<PairView>,
    /// What stands in place of an answer that is out of date, until there is another.
    instead: Option<(Rc<PairView>, PairPhase)>,
    /// It began, or was under way, while this page stood.
    ours: bool,
    /// A meeting begins now.
    pub begin: Callback<()>,
    /// The meeting is over for this page, however it ended.
    pub forget: Callback<()>,
}

impl Meeting {
    /// How it stands. One that ended before the page was opened is none.
    pub fn view(&self, answer: &Rc<PairView>) -> PairView {
        seen(answer, self.instead.as_ref(), self.ours)
    }
}

fn going(phase: PairPhase) -> bool {
    matches!(phase, PairPhase::Waiting | PairPhase::Asking | PairPhase::Working)
}

fn seen(answer: &Rc<PairView>, instead: Option<&(Rc<PairView>, PairPhase)>, ours: bool) -> PairView {
    if let Some((_, phase)) = instead.filter(|(old, _)| Rc::ptr_eq(old, answer)) {
        return PairView { phase: *phase, ..PairView::default() };
    }
    if ours || going(answer.phase) { (**answer).clone() } else { PairView::default() }
}

/// Asks `C` how a meeting stands; `known` says that it was begun before this page was opened.
#[hook]
pub fn use_meeting<C>(known: bool) -> Meeting
where
    C: Command<Args = (), Output = PairView> + 'static,
{
    let query = use_query::<C>((), vec![Topic::Devices, Topic::Charts]);
    let instead = use_state(|| None::<(Rc<PairView>, PairPhase)>);
    let ours = use_state_eq(|| known);
    let first = use_mut_ref(|| true);
    let answer = query.data();
    let phase = answer.as_ref().map(|view| view.phase).unwrap_or_default();
    {
        let (ours, reload) = (ours.setter(), query.reload());
        use_effect_with(phase, move |phase| {
            let clock = going(*phase).then(|| {
                ours.set(true);
                gloo::timers::callback::Interval::new(ASK_MS, move || reload.emit(()))
            });
            // What was pressed is gone with its phase: the focus must not be lost with it.
            if !first.replace(false)
                && gloo::utils::document().active_element().is_none_or(|at| at.tag_name() == "BODY")
            {
                focus("#main h1");
            }
            move || drop(clock)
        });
    }
    let turn = |to: PairPhase, on: bool| {
        let (instead, ours) = (instead.setter(), ours.setter());
        // One that was asked before this, and is answered only now, would stand for what is over as if it were news.
        let (answer, anew) = (answer.clone(), query.anew());
        Callback::from(move |()| {
            instead.set(answer.clone().map(|old| (old, to)));
            ours.set(on);
            anew.emit(());
        })
    };
    let (begin, forget) = (turn(PairPhase::Waiting, true), turn(PairPhase::None, false));
    Meeting { instead: (*instead).clone(), ours: *ours, begin, forget, query }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(phase: PairPhase) -> Rc<PairView> {
        Rc::new(PairView { phase, ..PairView::default() })
    }

    #[test]
    fn a_meeting_that_ended_before_is_not_told_again() {
        let ended = at(PairPhase::Done);
        assert_eq!(seen(&ended, None, false).phase, PairPhase::None, "the page opens on its beginning");
        assert_eq!(seen(&ended, None, true).phase, PairPhase::Done, "one's own end is shown");
    }

    #[test]
    fn an_answer_from_before_counts_as_waiting_until_there_is_another() {
        let before = at(PairPhase::Ended);
        let begun = (before.clone(), PairPhase::Waiting);
        assert_eq!(seen(&before, Some(&begun), true).phase, PairPhase::Waiting, "it began just now");
        let later = at(PairPhase::Asking);
        assert_eq!(seen(&later, Some(&begun), true).phase, PairPhase::Asking, "a later answer counts");
    }
}
