//! The clock of a conversation: what a hospital owes and until when, counted in its own hours.
//!
//! It shows what it is given: minutes are those of the client, and nothing here counts hours.

use mecum_api::{ClockState, ClockView};
use yew::prelude::*;

use super::{Icon, IconName};
use crate::format;
use crate::i18n::{I18n, t, use_i18n};

const MINUTE_MS: u32 = 60_000;

/// The widest that what is late is drawn, in parts of what was promised: the words say how late it is.
const WIDEST_LATE: f64 = 1.0 / 3.0;

/// A clock.
#[derive(Properties, PartialEq)]
pub struct ClockProps {
    /// How it stands.
    pub clock: ClockView,
    /// In a row of a list: without its ruler.
    #[prop_or_default]
    pub row: bool,
}

/// Open minutes as people say them: "3 h 20 min".
pub fn duration(i18n: &I18n, minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => t!(i18n, "clock-minutes", minutes = minutes),
        (hours, 0) => t!(i18n, "clock-hours", hours = hours),
        (hours, minutes) => t!(i18n, "clock-both", hours = hours, minutes = minutes),
    }
}

/// An instant as people say it: the time and "today", else the day with it.
pub fn when(i18n: &I18n, at_ms: i64) -> String {
    let today = format::local_day(format::now_ms());
    if format::local_day(at_ms) == today {
        t!(i18n, "clock-today", time = format::clock(at_ms))
    } else {
        format::instant_near(i18n.language(), at_ms, today)
    }
}

/// Asks again every minute, so that what is left stays true while a page is open.
#[hook]
pub fn use_each_minute(reload: Callback<()>) {
    use_effect_with((), move |()| {
        let clock = gloo::timers::callback::Interval::new(MINUTE_MS, move || reload.emit(()));
        move || drop(clock)
    });
}

/// A clock: what is left and until when, with its ruler or in one line.
#[component]
pub fn Clock(props: &ClockProps) -> Html {
    let i18n = use_i18n();
    let clock = &props.clock;
    let (state, icon) = match clock.state {
        ClockState::Running => ("clock-running", IconName::Clock),
        ClockState::Soon => ("clock-soon", IconName::Timer),
        ClockState::Late => ("clock-late", IconName::OctagonAlert),
        ClockState::Paused => ("clock-paused", IconName::CirclePause),
    };
    let (span, due) = (duration(&i18n, clock.minutes), when(&i18n, clock.due_ms));
    let owed = if clock.outcome { "outcome" } else { "answer" };
    if props.row {
        let (words, small) = match clock.state {
            ClockState::Late => {
                (i18n.format(&format!("clock-row-late-{owed}"), &[("time", span.into())]), String::new())
            }
            ClockState::Paused => (t!(i18n, "clock-paused"), clock.paused_for.clone().unwrap_or_default()),
            _ => (t!(i18n, "clock-row-left", time = span), t!(i18n, "clock-row-by", when = due)),
        };
        return html! {
            <span class={classes!("clock-row", state)}>
                <Icon {icon} small=true /><strong>{ words }</strong>{ " " }<span class="clock-row-due"><bdi>{ small }</bdi></span>
            </span>
        };
    }
    let late = clock.state == ClockState::Late;
    let paused = clock.state == ClockState::Paused;
    html! {
        <div class={classes!("clock", state)}>
            <p class="clock-head">
                if late {
                    <Icon {icon} /><strong>{ i18n.format(&format!("clock-late-{owed}"), &[("time", span.into())]) }</strong>
                } else if paused {
                    <Icon {icon} /><strong>{ t!(i18n, "clock-paused") }</strong>
                } else {
                    <strong>{ span }</strong>{ " " }<span>{ i18n.text(&format!("clock-left-{owed}")) }</span>
                }
            </p>
            if let Some(why) = clock.paused_for.as_ref().filter(|_| paused) { <p><bdi>{ why.clone() }</bdi></p> }
            <p class="small">
                { if late { t!(i18n, "clock-was-due", when = due.clone()) } else if paused { t!(i18n, "clock-stands") } else { t!(i18n, "clock-due", when = due.clone()) } }
            </p>
            if !paused {
                { ruler(&i18n, clock) }
                <dl class="clock-ends">
                    <div><dt>{ t!(i18n, "clock-received") }</dt><dd>{ when(&i18n, clock.received_ms) }</dd></div>
                    <div><dt>{ i18n.text(&format!("clock-owed-{owed}")) }</dt><dd>{ due }</dd></div>
                </dl>
            }
        </div>
    }
}

/// Received, now and due on a line of open hours. The words beside it say the same.
fn ruler(i18n: &I18n, clock: &ClockView) -> Html {
    let of = f64::from(clock.of_minutes.max(1));
    let late = clock.state == ClockState::Late;
    let over = if late { f64::from(clock.minutes).min(of * WIDEST_LATE) } else { 0.0 };
    let all = of + over;
    let now = if late { all } else { (of - f64::from(clock.minutes)).clamp(0.0, of) };
    let at = |minutes: f64| format!("{:.1}%", 1.5 + minutes / all * 97.0);
    let wide = |minutes: f64| format!("{:.1}%", minutes / all * 97.0);
    // A line for each open hour says nothing once there are many.
    let hours = if clock.of_minutes <= 960 { clock.of_minutes / 60 } else { 0 };
    let anchor = match now / all {
        part if part < 0.2 => "start",
        part if part > 0.8 => "end",
        _ => "middle",
    };
    html! {
        <svg class="clock-ruler" width="100%" aria-hidden="true" focusable="false">
            <defs>
                <pattern id="clock-late-lines" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <line class="clock-hatch" y2="6" stroke-width="4" />
                </pattern>
            </defs>
            <rect class="clock-well" x={at(0.0)} y="1.5em" width={wide(all)} height="1em" />
            <rect class="clock-done" x={at(0.0)} y="1.5em" width={wide(now.min(of))} height="1em" />
            if late { <rect x={at(of)} y="1.5em" width={wide(over)} height="1em" fill="url(#clock-late-lines)" /> }
            { for (1..hours).map(|hour| { let x = at(f64::from(hour * 60)); html! { <line class="clock-hour" x1={x.clone()} x2={x} y1="2.1em" y2="2.5em" /> } }) }
            <circle class="clock-from" cx={at(0.0)} cy="2em" r="0.5em" />
            <line class="clock-mark" x1={at(of)} x2={at(of)} y1="1.1em" y2="2.7em" />
            <svg class="clock-flag" x={at(of)} overflow="visible"><rect x="-0.8em" y="1em" width="0.8em" height="0.45em" /></svg>
            <line class="clock-mark" x1={at(now)} x2={at(now)} y1="1.2em" y2="2.8em" />
            <text x={at(now)} y="0.85em" text-anchor={anchor}>{ t!(i18n, "clock-now", time = format::clock(format::now_ms())) }</text>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_minutes_are_said_in_hours_and_minutes() {
        let i18n = I18n::new("en");
        assert_eq!(duration(&i18n, 200), "3 h 20 min");
        assert_eq!(duration(&i18n, 50), "50 min");
        assert_eq!(duration(&i18n, 480), "8 h");
        assert_eq!(duration(&I18n::new("id"), 200), "3 jam 20 menit");
    }
}
