use super::*;

fn account(n: u8) -> AccountId {
    AccountId::from_bytes([n; 16])
}

fn care(members: &[(u8, u8)]) -> Care {
    let member = |(n, part): &(u8, u8)| CareMember { account: account(*n), part: *part };
    Care { hospital: [9; 16], members: members.iter().map(member).collect() }
}

#[test]
fn a_label_that_names_the_owner_or_a_part_that_is_not_known_is_none() {
    let owner = account(1);
    let sound = |members: &[(u8, u8)]| care(members).is_sound(owner);
    assert!(sound(&[(2, 2)]), "the agent alone");
    assert!(sound(&[(2, 1), (3, 2)]), "with staff");
    let eight: Vec<(u8, u8)> = (2..=9).map(|n| (n, 1)).collect();
    assert!(sound(&eight), "as many as there may be");
    let nine: Vec<(u8, u8)> = (2..=10).map(|n| (n, 1)).collect();
    assert!(!sound(&nine), "and one more");
    assert!(!sound(&[]), "nobody");
    assert!(!sound(&[(1, 2)]), "the owner");
    assert!(!sound(&[(1, 1), (2, 2)]), "the owner among others");
    assert!(!sound(&[(2, 0)]) && !sound(&[(2, 3)]), "in no part that is known");
    assert!(!sound(&[(3, 1), (2, 2)]), "in another order");
    assert!(!sound(&[(2, 1), (2, 2)]), "twice");
}
