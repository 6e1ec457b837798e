//! Whose a name is, and what is one.

use super::*;

#[test]
fn a_name_is_one_persons_and_a_moderators_before_a_members() {
    let mut feed = Feed::open();
    feed.put(ANI, A::TakeName { name: " Melati ".into() });
    let late = feed.put(BUDI, A::TakeName { name: "mélati".into() });
    assert_eq!(feed.why(late), Some(RoomRefusal::NameTaken), "it sounds the same");
    assert_eq!((feed.room().name(ANI), feed.room().name(BUDI)), ("Melati", ""), "the first in the feed");
    feed.put(HOSPITAL, A::Appoint { moderator: BUDI, name: "Melati".into() });
    assert_eq!((feed.room().name(ANI), feed.room().name(BUDI)), ("", "Melati"), "who moderates has it");
    feed.put(HOSPITAL, A::Relieve { moderator: BUDI });
    feed.put(ANI, A::TakeName { name: "Melati".into() });
    assert_eq!((feed.room().name(ANI), feed.room().name(BUDI)), ("Melati", ""), "then it is free again");
}

#[test]
fn nobody_takes_a_name_that_looks_like_another() {
    let mut feed = Feed::open();
    for same in ["DEWI", "De wi", "De-wi", "D\u{1ebf}wi", "Dew\u{129}", "De\u{175}i"] {
        let taken = feed.put(ANI, A::TakeName { name: same.into() });
        assert_eq!(feed.why(taken), Some(RoomRefusal::NameTaken), "it is a moderator's: {same}");
    }
    for odd in [
        "D\u{435}wi",
        "Dewi\u{3164}",
        "Dewi\u{115f}",
        "\u{202e}iweD",
        "Dewi\nadmin",
        "De  wi",
        "🌼",
        "-",
        "\u{301}",
    ] {
        let bad = feed.put(ANI, A::TakeName { name: odd.into() });
        assert_eq!(feed.why(bad), Some(RoomRefusal::BadName), "{odd:?}");
    }
    let nothing = feed.put(ANI, A::TakeName { name: "\u{200b}".into() });
    assert_eq!(feed.why(nothing), Some(RoomRefusal::NoWords), "nothing that is seen");
    let fine = feed.put(ANI, A::TakeName { name: "Bunga d'Été 2".into() });
    assert_eq!((feed.why(fine), feed.room().name(ANI)), (None, "Bunga d'Été 2"), "this is one");
}

#[test]
fn a_name_that_two_moderators_have_is_free_when_the_last_of_them_goes() {
    let mut feed = Feed::open();
    let mine = feed.put(ANI, A::TakeName { name: "Sari".into() });
    for moderator in [DEWI, EKO] {
        feed.put(HOSPITAL, A::Appoint { moderator, name: "Sari".into() });
    }
    assert_eq!(feed.why(mine), Some(RoomRefusal::NameTaken), "she is told that her name went");
    feed.put(HOSPITAL, A::Relieve { moderator: EKO });
    let early = feed.put(BUDI, A::TakeName { name: "Sari".into() });
    assert_eq!(feed.why(early), Some(RoomRefusal::NameTaken), "one of them still moderates");
    feed.put(HOSPITAL, A::Relieve { moderator: DEWI });
    let late = feed.put(BUDI, A::TakeName { name: "Sari".into() });
    assert_eq!(feed.why(late), None, "now it is free");
}
