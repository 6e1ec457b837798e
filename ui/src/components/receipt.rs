//! Receipts fill like a moon: dashed ring on this device, half when stored at the server, full when another device signed for it.

use mecum_api::ReceiptState;
use yew::prelude::*;

use crate::i18n::{I18n, use_i18n};

/// A receipt.
#[derive(Properties, PartialEq)]
pub struct ReceiptProps {
    /// How far it has got.
    pub state: ReceiptState,
}

/// The word of a receipt.
pub fn receipt_text(i18n: &I18n, state: ReceiptState) -> String {
    i18n.text(match state {
        ReceiptState::Device => "receipt-device",
        ReceiptState::Sent => "receipt-sent",
        ReceiptState::Received => "receipt-received",
    })
}

/// The mark alone, beside words that say the same.
#[component]
pub fn ReceiptMark(props: &ReceiptProps) -> Html {
    let inner = match props.state {
        ReceiptState::Device => html! {
            <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="2.6 2.1" />
        },
        ReceiptState::Sent => html! {
            <>
                <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" />
                <path fill="currentColor" d="M2 8a6 6 0 0 0 12 0Z" />
            </>
        },
        ReceiptState::Received => html! { <circle cx="8" cy="8" r="7" fill="currentColor" /> },
    };
    html! { <svg class="receipt-mark" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{ inner }</svg> }
}

/// A receipt: mark and word.
#[component]
pub fn Receipt(props: &ReceiptProps) -> Html {
    let i18n = use_i18n();
    html! {
        <span class="receipt"><ReceiptMark state={props.state} />{ receipt_text(&i18n, props.state) }</span>
    }
}
