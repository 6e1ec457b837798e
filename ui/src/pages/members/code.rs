//! The code of an invitation: QR, words, the server's address, and the time that it has left.

use mecum_api::PairOfferView;
use yew::prelude::*;

use crate::components::{Button, ButtonKind, Qr};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};

/// A code to show.
#[derive(Properties, PartialEq)]
pub(super) struct InvitationCodeProps {
    /// The code.
    pub(super) offer: PairOfferView,
    /// What it offers, in one sentence.
    pub(super) offers: AttrValue,
    /// Takes it back.
    pub(super) on_stop: Callback<MouseEvent>,
}

/// The code. It goes on when the page is left; only Stop takes it back.
#[component]
pub(super) fn InvitationCode(props: &InvitationCodeProps) -> Html {
    let i18n = use_i18n();
    let offer = &props.offer;
    let left = use_state_eq(|| seconds_left(offer.ends_ms));
    {
        let left = left.clone();
        use_effect_with(offer.ends_ms, move |ends| {
            let ends = *ends;
            left.set(seconds_left(ends));
            let clock = gloo::timers::callback::Interval::new(1000, move || left.set(seconds_left(ends)));
            move || drop(clock)
        });
    }
    html! {
        <div class="pair-offer">
            <p class="lead">{ t!(i18n, "invite-give") }</p>
            <p class="small">{ props.offers.clone() }</p>
            <p class="pair-left" role="timer"><strong>{ left_words(&i18n, *left, offer.ends_ms) }</strong></p>
            { code_block(&i18n, offer, &t!(i18n, "invite-qr-label")) }
            <p class="small">{ t!(i18n, "invite-once") }</p>
            <p class="pair-waiting"><span class="ring" aria-hidden="true" />{ t!(i18n, "invite-waiting") }</p>
            <p class="small">{ t!(i18n, "invite-may-leave") }</p>
            <div class="button-row">
                <Button kind={ButtonKind::Second} onclick={props.on_stop.clone()}>{ t!(i18n, "pair-stop") }</Button>
            </div>
        </div>
    }
}

/// A code as a picture and in words, with the server that both sides must use.
pub(crate) fn code_block(i18n: &I18n, offer: &PairOfferView, label: &str) -> Html {
    html! {
        <div class="pair-code">
            <div class="pair-qr">
                <h2 class="section-title">{ t!(i18n, "invite-scan") }</h2>
                <Qr text={offer.qr.clone()} label={label.to_owned()} />
            </div>
            <div class="pair-words">
                <h2 class="section-title">{ t!(i18n, "invite-or-words") }</h2>
                { word_list(&offer.words) }
                <p class="small">{ t!(i18n, "invite-server") }</p>
                <p class="pair-server"><bdi translate="no">{ offer.server.clone() }</bdi></p>
            </div>
        </div>
    }
}

/// Words with their numbers, to be read aloud or typed.
pub(crate) fn word_list(words: &[String]) -> Html {
    html! { <ol class="word-list" translate="no">{ for words.iter().map(|word| html! { <li lang="en">{ word.clone() }</li> }) }</ol> }
}

/// A long time as the moment when it ends; the last hour as a clock.
fn left_words(i18n: &I18n, left: i64, ends_ms: i64) -> String {
    if left >= 3_600 {
        let today = format::local_day(format::now_ms());
        return t!(i18n, "invite-good-until", when = format::instant_near(i18n.language(), ends_ms, today));
    }
    t!(i18n, "pair-left", time = format!("{}:{:02}", left / 60, left % 60))
}

fn seconds_left(ends_ms: i64) -> i64 {
    ((ends_ms - format::now_ms()) / 1000).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_days_are_a_date_and_the_last_hour_is_a_clock() {
        let en = I18n::new("en");
        let ends_ms = format::now_ms() + 172_800_000;
        assert_eq!(left_words(&en, 172_800, ends_ms), "Good until Thu 10 Sep, 04:00", "no clock of days");
        assert_eq!(left_words(&en, 599, ends_ms), "9:59 left", "minutes and seconds");
    }
}
