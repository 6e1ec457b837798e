use super::*;
use crate::app::tests::drawn;
use crate::backend::fake::Fake;

fn one(n: u8) -> String {
    let n = format!("{n:02x}");
    format!("/visits/55010101010101010101010101010101/a1{}", n.repeat(15))
}

async fn page(n: u8, language: &'static str) -> String {
    drawn(Fake::family(), Box::leak(one(n).into_boxed_str()), language).await
}

#[tokio::test]
async fn what_is_asked_for_never_looks_booked() {
    let html = page(3, "en").await;
    assert!(
        html.contains("date-tile-open") && !html.contains("class=\"date-tile\""),
        "no date stands in a tile"
    );
    assert!(html.contains("This is a request, not a booking"), "{html}");
    assert!(html.contains("On this device"), "and how far it has got");
    let booked = page(1, "en").await;
    assert!(
        booked.contains("class=\"date-tile\"") && booked.contains("dr. Hendra Wijaya"),
        "a booking has its date"
    );
}

#[tokio::test]
async fn offered_times_are_taken_with_one_press_or_refused_with_words() {
    let html = drawn(Fake::family(), "/visits", "en").await;
    for words in ["Coming 3", "Past 2", "Ns. Dewi Anggraini", "Neither", "Foot check, nurse clinic"] {
        assert!(html.contains(words), "{words} in {html}");
    }
    let html = page(2, "id").await;
    assert!(html.contains("Tidak keduanya"), "{html}");
}

#[tokio::test]
async fn only_what_may_be_done_is_offered() {
    let html = page(1, "en").await;
    assert!(
        html.contains("Ask for another time") && html.contains("Cancel the visit"),
        "a booking can be moved"
    );
    assert!(!html.contains("I am here"), "nobody checks in two weeks before");
    let html = page(4, "en").await;
    assert!(!html.contains("action-bar"), "nothing is done about what is over");
}

#[tokio::test]
async fn a_no_says_why_and_each_word_says_how_far_it_has_got() {
    let html = page(5, "en").await;
    assert!(html.contains("The camera is away for repair") && html.contains("cannot do this"), "{html}");
    let html = page(1, "en").await;
    assert!(html.contains("Seen by Sari Utami (staff)"), "who has seen it: {html}");
}

#[tokio::test]
async fn without_a_hospital_the_way_to_one_is_shown() {
    let fake = Fake::family();
    fake.put("care_list", CareView::default());
    let html = drawn(fake, "/visits", "en").await;
    assert!(html.contains("/hospitals/connect") && !html.contains("/visits/ask"), "{html}");
}

#[tokio::test]
async fn the_words_of_people_are_text() {
    let fake = Fake::family();
    let evil = "<img src=x onerror=alert(1)>".to_owned();
    let thread = CareThreadView {
        title: evil,
        appointment: Some(mecum_api::domain::Appointment::default()),
        ..CareThreadView::default()
    };
    fake.put("care_list", CareView { spaces: Vec::new(), threads: vec![thread] });
    let html = drawn(fake, "/visits", "en").await;
    assert!(!html.contains("<img") && html.contains("&lt;img"), "{html}");
}
