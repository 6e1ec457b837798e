//! Notices: a tinted block in the page that stays while it is true.

use yew::prelude::*;

use super::{Icon, IconName};

/// What a notice is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoticeKind {
    /// Plain.
    #[default]
    Plain,
    /// Something waits: offline, or a person's choice.
    Wait,
    /// No signal.
    Offline,
    /// Urgent.
    Urgent,
}

/// A notice.
#[derive(Properties, PartialEq)]
pub struct NoticeProps {
    /// What it is about.
    #[prop_or_default]
    pub kind: NoticeKind,
    /// Its words.
    pub children: Html,
}

/// A notice.
#[component]
pub fn Notice(props: &NoticeProps) -> Html {
    let (class, icon) = match props.kind {
        NoticeKind::Plain => ("notice", IconName::Info),
        NoticeKind::Wait => ("notice notice-wait", IconName::CirclePause),
        NoticeKind::Offline => ("notice", IconName::WifiOff),
        NoticeKind::Urgent => ("notice notice-urgent", IconName::OctagonAlert),
    };
    html! {
        <div {class}><Icon {icon} /><div class="notice-words">{ props.children.clone() }</div></div>
    }
}
