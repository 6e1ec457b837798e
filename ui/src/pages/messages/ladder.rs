//! The rungs of a case: who answers now, who is above them, and how to reach whoever is outside of the hospital.

use mecum_api::domain::{CaseKind, HospitalId};
use mecum_api::{HospitalArgs, Topic, command};
use yew::prelude::*;

use crate::components::{Icon, IconName};
use crate::i18n::{t, use_i18n};
use crate::pages::hospitals::notice::reach;
use crate::query::use_query;

/// A ladder.
#[derive(Properties, PartialEq)]
pub(super) struct LadderProps {
    /// The hospital that published it.
    pub(super) hospital: HospitalId,
    /// Of which kind of case.
    pub(super) kind: CaseKind,
    /// The rung that the case is on, from 0.
    pub(super) rung: u8,
}

/// The rungs, the present one marked.
#[component]
pub(super) fn Ladder(props: &LadderProps) -> Html {
    let i18n = use_i18n();
    let query =
        use_query::<command::HospitalGet>(HospitalArgs { hospital: props.hospital }, vec![Topic::Charts]);
    let Some(view) = query.data() else { return Html::default() };
    let Some(ladder) = view.ladders.iter().find(|one| one.kind == props.kind) else { return Html::default() };
    html! {
        <section class="talk-ladder">
            <h2 class="section-head">{ t!(i18n, "talk-ladder") }</h2>
            <ol class="talk-rungs">
                { for ladder.rungs.iter().enumerate().map(|(at, rung)| {
                    let here = at == usize::from(props.rung);
                    html! {
                        <li class={classes!("talk-rung", here.then_some("talk-rung-here"))} aria-current={here.then_some("step")}>
                            <Icon icon={if here { IconName::User } else { IconName::StepUp }} small=true />
                            <span><bdi>{ rung.name.clone() }</bdi>
                                if here { { " " }<span class="small">{ t!(i18n, "talk-ladder-here") }</span> }
                                if let Some(outside) = &rung.outside { <span class="small talk-outside">{ t!(i18n, "talk-ladder-outside") }{ " " }{ reach(outside) }</span> }
                            </span>
                        </li>
                    }
                }) }
            </ol>
        </section>
    }
}
