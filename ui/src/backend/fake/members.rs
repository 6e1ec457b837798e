//! Fixtures of members and invitations.

use mecum_api::{
    InvitationView, MemberRole, MemberSectionView, MemberState, MemberView, MembersView, PairOfferView, Verb,
};

use super::{Fake, NOW_MS, chart};

/// A day in ms.
const DAY_MS: i64 = 86_400_000;

/// The answers of the family's members: one who writes, one who waits, one who was removed.
pub(super) fn put(fake: &Fake) {
    fake.put("member_list", members());
    fake.put("member_invite", offer());
    fake.put("invitation_open", invitation());
}

fn section(name: &str, role: MemberRole, state: MemberState, days: i64) -> MemberSectionView {
    let verbs = if role == MemberRole::Reader { vec![Verb::Read] } else { vec![Verb::Read, Verb::Write] };
    MemberSectionView {
        section: name.into(),
        role,
        verbs,
        state,
        at_ms: NOW_MS - days * DAY_MS,
        ..MemberSectionView::default()
    }
}

fn member(name: &str, sections: Vec<MemberSectionView>) -> MemberView {
    MemberView { account: name.to_lowercase(), name: name.into(), sections, ..MemberView::default() }
}

/// Who sees Laras's record.
pub fn members() -> MembersView {
    let reason = Some("helps with the medicines".to_owned());
    let ends = Some("2026-12-31".to_owned());
    let writes = |name: &str| MemberSectionView {
        until: ends.clone(),
        reason: reason.clone(),
        ..section(name, MemberRole::Writer, MemberState::Member, 57)
    };
    MembersView {
        chart: chart(1),
        name: "Laras".into(),
        manages: true,
        shared_by: None,
        sections: ["summary", "medications", "results", "measurements", "visits", "diary", "family"]
            .map(str::to_owned)
            .into(),
        members: vec![
            MemberView { own: true, owner: true, ..member("Laras", Vec::new()) },
            member(
                "Ani",
                vec![
                    writes("medications"),
                    writes("measurements"),
                    section("results", MemberRole::Reader, MemberState::Member, 57),
                ],
            ),
            member("Budi", vec![section("visits", MemberRole::Reader, MemberState::Joining, 0)]),
            member("Lina", vec![section("diary", MemberRole::Reader, MemberState::Removed, 3)]),
        ],
    }
}

fn offer() -> PairOfferView {
    let words = "abacus lantern maple orbit quiet saddle velvet window yellow zebra anchor basket";
    PairOfferView {
        words: words.split(' ').map(str::to_owned).collect(),
        qr: "mecum:member?s=http://127.0.0.1:1&k=not-a-key".into(),
        server: "http://127.0.0.1:1".into(),
        ends_ms: NOW_MS + 600_000,
    }
}

/// What Ani shares of her father's record.
pub fn invitation() -> InvitationView {
    InvitationView {
        from: "Ani".into(),
        name: "Pak Harun".into(),
        sections: vec!["medications".into(), "results".into()],
        role: MemberRole::Writer,
        until: Some("2026-12-31".into()),
        reason: Some("while I travel".into()),
        ends_ms: NOW_MS + 600_000,
    }
}
