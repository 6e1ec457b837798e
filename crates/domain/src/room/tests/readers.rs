//! What the agent sends to whom.

use super::*;

fn sent(feed: &Feed, reader: Option<Pseudonym>) -> (Room, String) {
    let sent = for_reader(HOSPITAL, &feed.acts, reader);
    assert_eq!(sent.len(), feed.acts.len(), "every place is there");
    (Room::of(HOSPITAL, sent.clone()), format!("{sent:?}"))
}

#[test]
fn a_member_has_no_hidden_held_or_deleted_words_and_no_flag_of_others() {
    let mut feed = Feed::open();
    let hidden = feed.post(ANI, "hidden words");
    feed.put(BUDI, A::Flag { post: hidden, reason: "flag of budi".into() });
    feed.put(DEWI, A::Hide { post: hidden, reason: "an address".into() });
    feed.put(ANI, A::Appeal { post: hidden, words: "appeal of ani".into() });
    let changed = feed.post(BUDI, "with my number");
    feed.put(BUDI, A::Edit { post: changed, revision: 2, text: "without it".into() });
    let deleted = feed.post(EKO, "deleted words");
    feed.put(BUDI, A::Flag { post: deleted, reason: "flag of the deleted".into() });
    feed.put(EKO, A::Delete { post: deleted });
    feed.put(BUDI, A::Hide { post: changed, reason: "words of who is no moderator".into() });
    feed.put(HOSPITAL, A::Close { reason: text() });
    let held = feed.post(BUDI, "held words");
    let other = Pseudonym::from_bytes([9; 16]);
    let (room, has) = sent(&feed, Some(other));
    for words in [
        "hidden words",
        "flag of budi",
        "appeal of ani",
        "with my number",
        "deleted words",
        "flag of the deleted",
        "words of who is no moderator",
        "held words",
    ] {
        assert!(!has.contains(words), "not theirs: {words}");
    }
    assert_eq!(room.seen_by(Some(other)), feed.room().seen_by(Some(other)), "and they see the same");
    let (room, has) = sent(&feed, Some(EKO));
    for words in ["hidden words", "flag of budi", "appeal of ani", "held words"] {
        assert!(has.contains(words), "who moderates has it: {words}");
    }
    assert!(!has.contains("flag of the deleted") && !has.contains("deleted words"), "of the deleted nothing");
    assert_eq!(room.to_look_at(EKO), feed.room().to_look_at(EKO), "and is asked the same");
    let (_, has) = sent(&feed, Some(ANI));
    assert!(has.contains("hidden words") && has.contains("appeal of ani"), "an author has their own");
    assert!(!has.contains("flag of budi"), "but not who flagged it");
    feed.put(HOSPITAL, A::Open);
    assert!(sent(&feed, None).1.contains("held words"), "once the room opens everybody has them");
    feed.put(BUDI, A::Delete { post: held });
    for reader in [None, Some(BUDI), Some(EKO), Some(HOSPITAL)] {
        assert!(!sent(&feed, reader).1.contains("held words"), "and then nobody: {reader:?}");
    }
}

#[test]
fn who_is_relieved_has_what_a_member_has() {
    let (mut feed, post, _) = begun(Appealed);
    feed.put(HOSPITAL, A::Relieve { moderator: EKO });
    let (room, has) = sent(&feed, Some(EKO));
    assert!(!has.contains("\"old\""), "the words are hidden from her now");
    assert_eq!(room.seen_by(Some(EKO)), feed.room().seen_by(Some(EKO)), "{post}");
}

#[test]
fn a_post_that_an_appeal_shows_again_is_shown_to_everybody() {
    let (mut feed, post, appeal) = begun(Appealed);
    feed.put_seen(EKO, 0, A::Decide { appeal, restore: true, reason: "words for the author".into() });
    let (room, has) = sent(&feed, Some(BUDI));
    let view = room.seen_by(Some(BUDI)).into_iter().find(|view| view.id == post).expect("it is seen");
    assert_eq!(view.body, PostBody::Shown("old".into()), "by who knows nothing of what was said");
    assert!(!has.contains("words for the author"), "for these are not for him");
}
