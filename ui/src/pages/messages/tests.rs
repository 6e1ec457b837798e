use mecum_api::domain::{Case, CaseAct};
use mecum_api::{CareActView, CareActWords};

use super::*;
use crate::app::tests::drawn;
use crate::backend::fake::Fake;

async fn talk(n: u8) -> String {
    let n = format!("{n:02x}");
    let path = format!("/messages/55010101010101010101010101010101/b1{}", n.repeat(15));
    drawn(Fake::family(), Box::leak(path.into_boxed_str()), "en").await
}

#[tokio::test]
async fn the_list_says_who_answers_what_is_owed_and_what_is_new() {
    let html = drawn(Fake::family(), "/messages", "en").await;
    for words in [
        "Not for emergencies",
        "tel:119",
        "Late lab result",
        "Sari Utami",
        "3 h 20 min",
        "1 new",
        "Complaints 3",
    ] {
        assert!(html.contains(words), "{words} in {html}");
    }
    let at = |words: &str| html.find(words).unwrap_or(usize::MAX);
    assert!(at("Bed moved") < at("About the HbA1c"), "what waits comes first");
}

#[tokio::test]
async fn a_step_up_opens_when_what_was_promised_is_late_and_not_before() {
    let running = talk(1).await;
    assert!(running.contains("Step up, opens") && running.contains("button-not-yet"), "{running}");
    assert!(!running.contains("button-danger-filled"), "it is not offered yet");
    let late = talk(2).await;
    assert!(late.contains("button-danger-filled") && !late.contains("button-not-yet"), "{late}");
    assert!(
        late.contains("Ombudsman of Yogyakarta") && late.contains("tel:02741234"),
        "the last rung is outside"
    );
}

#[tokio::test]
async fn the_receipt_names_a_handler_and_keeps_the_pledge_in_the_case() {
    let html = talk(1).await;
    for words in
        ["Sari Utami answers this", "Nobody is treated worse", "Sari Utami took it on", "Seen by Sari Utami"]
    {
        assert!(html.contains(words), "{words} in {html}");
    }
}

#[tokio::test]
async fn an_outcome_is_settled_or_not_and_says_what_changed() {
    let html = talk(4).await;
    for words in ["You said, we changed: Two porters", "It is settled", "It is not settled"] {
        assert!(html.contains(words), "{words} in {html}");
    }
    let question = talk(3).await;
    assert!(
        !question.contains("It is settled") && question.contains("Write back"),
        "a question has no outcome"
    );
}

#[tokio::test]
async fn writing_takes_two_taps_and_a_complaint_is_promised_to_be_safe() {
    let html = drawn(Fake::family(), "/messages/write/new", "en").await;
    for kind in ["question", "complaint", "request", "correction", "message"] {
        assert!(html.contains(&format!("/messages/write/{kind}")), "{kind} can be chosen");
    }
    let html = drawn(Fake::family(), "/messages/write/complaint", "en").await;
    for words in ["Nobody is treated worse", "The ward does not see", "within 8 h", "What would help"] {
        assert!(html.contains(words), "{words} in {html}");
    }
    let html = drawn(Fake::family(), "/messages/write/message", "id").await;
    assert!(!html.contains("id=\"help\""), "a message asks for nothing to be mended");
}

#[tokio::test]
async fn the_words_of_both_sides_are_text() {
    let fake = Fake::family();
    let evil = "<script>alert(1)</script>";
    let act = CareActView {
        key: mecum_api::domain::ActKey {
            side: mecum_api::domain::Side::Hospital,
            id: mecum_api::domain::ActId::default(),
        },
        by: evil.into(),
        role: mecum_api::domain::Role::Staff,
        at_ms: 1,
        receipt: ReceiptState::Received,
        seen: None,
        what: CareActWords::Case(CaseAct::Say { text: evil.into() }),
    };
    let case = Some(Case { handler: evil.into(), ..Case::default() });
    fake.put("care_talks", Vec::<CareThreadView>::new());
    fake.put(
        "care_get",
        CareThreadView {
            title: evil.into(),
            name: evil.into(),
            acts: vec![act],
            case,
            ..CareThreadView::default()
        },
    );
    let html =
        drawn(fake, "/messages/55010101010101010101010101010101/b1010101010101010101010101010101", "en")
            .await;
    assert!(!html.contains("<script>alert") && html.matches("&lt;script&gt;").count() >= 4, "{html}");
}
