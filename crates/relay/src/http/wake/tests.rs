//! What no test over TCP can time: something that is stored while a device asks.

use std::sync::OnceLock;

use mecum_seal::{AccountId, DeviceId, IncarnationId};

use super::*;
use crate::Relay;
use crate::store::scripted::{Scripted, relay_over};

const HEAD: u64 = 7;

/// The inbox of a device that is live.
fn live() -> Scripted {
    Scripted { inbox_head: Box::new(|_| Ok(Some(HEAD))), ..Scripted::default() }
}

fn author() -> Author {
    Author {
        account: AccountId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        incarnation: IncarnationId::from_bytes([3; 16]),
    }
}

#[tokio::test]
async fn what_is_stored_while_a_device_asks_wakes_it() {
    // An inbox that gets something new just after it was looked at, and rings for it.
    let ringing: Arc<OnceLock<Relay>> = Arc::default();
    let late = Arc::clone(&ringing);
    let inbox_head = move |author: &Author| {
        if let Some(relay) = late.get() {
            relay.shared.wakes.ring(author.account, DeviceId::from_bytes([9; 16]));
        }
        Ok(Some(HEAD))
    };
    let store = Scripted { inbox_head: Box::new(inbox_head), ..Scripted::default() };
    let (_folder, relay) = relay_over(Arc::new(store));
    assert!(ringing.set(relay.clone()).is_ok(), "set once");
    let asked = hang_and_look(&relay.shared, author(), Some(HEAD)).await;
    let (bell, first) = asked.ok().expect("a live device is answered");
    assert_eq!(first, Some(NOTHING_NEW), "the look came before the news");
    let rung = tokio::time::timeout(Duration::from_secs(1), bell.notified()).await;
    assert!(rung.is_ok(), "and the news has rung all the same");
}

#[tokio::test]
async fn only_the_end_of_the_inbox_has_nothing_after_it() {
    let (_folder, relay) = relay_over(Arc::new(live()));
    for (cursor, said) in [
        (Some(HEAD), Some(NOTHING_NEW)),
        (Some(HEAD - 1), Some(NEWS)),
        (Some(0), Some(NEWS)),
        (Some(HEAD + 1), Some(NEWS)),
        (Some(u64::MAX), Some(NEWS)),
        (None, None),
    ] {
        let (_, first) = hang_and_look(&relay.shared, author(), cursor).await.ok().expect("an answer");
        assert_eq!(first, said, "asked from {cursor:?} with the inbox at {HEAD}");
    }
}

#[tokio::test]
async fn a_device_that_is_not_live_is_told_nothing() {
    let (_folder, relay) = relay_over(Arc::new(Scripted::default()));
    let refused = hang_and_look(&relay.shared, author(), Some(HEAD)).await;
    let Err(refused) = refused else { panic!("refused") };
    assert_eq!(refused.0.code, RefusalCode::UnknownDevice, "as an exchange would say");
}

#[test]
fn a_cursor_is_decimal_digits_and_nothing_else() {
    for (query, number) in [("0", 0), ("12345", 12_345), ("18446744073709551615", u64::MAX)] {
        assert_eq!(cursor(query).ok(), Some(number), "{query} is a cursor");
    }
    for query in ["", "+5", "-1", " 5", "5 ", "0x5", "5&6", "cursor=5", "18446744073709551616", "٥"] {
        assert!(cursor(query).is_err(), "{query:?} is none");
    }
}
