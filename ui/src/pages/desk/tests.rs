use super::*;
use crate::app::tests::drawn;
use crate::backend::fake::Fake;

fn talk(first: &str, n: u8) -> &'static str {
    let n = format!("{n:02x}").repeat(15);
    let path = format!("/desk/{}/55010101010101010101010101010101/{first}{n}", "02".repeat(16));
    Box::leak(path.into_boxed_str())
}

#[tokio::test]
async fn the_queue_shows_clock_kind_whose_and_who_answers_and_offers_what_nobody_took() {
    let html = drawn(Fake::family(), "/desk", "en").await;
    for words in [
        "Sari Utami",
        "Late",
        "Bed moved without telling family",
        "Ibu Ratna",
        "Nobody yet",
        "Take it",
        "4 wait, 1 late",
    ] {
        assert!(html.contains(words), "{words} in {html}");
    }
}

#[tokio::test]
async fn nobody_works_at_a_desk_without_a_name() {
    let fake = Fake::family();
    fake.put("desk_get", DeskView { serves: true, name: None });
    let html = drawn(fake, "/desk", "en").await;
    assert!(html.contains("desk-name") && !html.contains("Late lab result"), "{html}");
    let fake = Fake::family();
    fake.put("desk_get", DeskView { serves: true, name: None });
    let html = drawn(fake, talk("b1", 1), "en").await;
    assert!(!html.contains("desk-actions"), "nothing is answered in nobody's name: {html}");
}

#[tokio::test]
async fn whose_name_is_kept_from_the_ward_is_not_shown() {
    let fake = Fake::family();
    let item = DeskItemView {
        chart: mecum_api::domain::ChartId::default(),
        space: "55".into(),
        thread: mecum_api::domain::ThreadId::default(),
        whose: String::new(),
        kind: DeskKind::Case(mecum_api::domain::CaseKind::Complaint),
        title: "<b>Loud</b>".into(),
        handler: String::new(),
        last_ms: 1,
        clock: None,
        rung: 1,
        unseen: 0,
        unsent: 0,
    };
    fake.put("desk_queue", DeskQueueView { items: vec![item], total: 1, waiting: 1, late: 0 });
    let html = drawn(fake, "/desk", "en").await;
    assert!(html.contains("Name hidden from the ward") && html.contains("stepped up"), "{html}");
    assert!(html.contains("&lt;b&gt;Loud") && !html.contains("<b>Loud"), "a title is text");
}

#[tokio::test]
async fn who_answers_a_code_is_let_in_by_a_yes_of_the_desk() {
    let html = drawn(Fake::family(), "/desk/codes", "en").await;
    for words in ["Laras wants to connect the record of Ibu Ratna", "Yes, it is them", "No"] {
        assert!(html.contains(words), "{words} in {html}");
    }
}

#[tokio::test]
async fn an_answer_carries_the_name_of_who_signed_in() {
    use mecum_api::CareVerb;
    let fake = Fake::family();
    let case = mecum_api::domain::Case { handler: "Rudi H.".into(), ..mecum_api::domain::Case::default() };
    let view = CareThreadView {
        title: "Late".into(),
        case: Some(case),
        may: vec![CareVerb::Take, CareVerb::Say, CareVerb::Outcome],
        ..CareThreadView::default()
    };
    fake.put("care_talks", Vec::<CareThreadView>::new());
    fake.put("care_get", view);
    let html = drawn(fake, talk("b1", 9), "en").await;
    for words in ["Rudi H. answers this", "Take it", "Answer", "Say what came of it"] {
        assert!(html.contains(words), "{words} in {html}");
    }
    assert!(!html.contains("Call the visit off"), "what may not be done is not offered");
}
