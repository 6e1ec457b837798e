//! The few public keys that make Curve25519 agree on nothing: points whose order divides eight.
//!
//! With one of them as X25519 key everybody computes the same shared secret (zero), and as Ed25519 key it lets one
//! signature fit many messages. Neither ring nor X-Wing refuses them. It must not know what a key is for.
//!
//! Source: RFC 7748, section 7; RFC 8032, section 8; the lists are checked against curve25519-dalek's in the tests.

/// What both curves share, lowest byte first: 0, 1, p − 1, and the non-canonical p and p + 1.
const SHARED: [[u8; 32]; 5] = [
    [0; 32],
    low_and_rest(1, 0, 0),
    low_and_rest(0xec, 0xff, 0x7f),
    low_and_rest(0xed, 0xff, 0x7f),
    low_and_rest(0xee, 0xff, 0x7f),
];

/// The u-coordinates of order eight.
const X25519_ORDER_8: [[u8; 32]; 2] = [
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

/// The y-coordinates of order eight.
const ED25519_ORDER_8: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn low_and_rest(low: u8, rest: u8, high: u8) -> [u8; 32] {
    let mut out = [rest; 32];
    out[0] = low;
    out[31] = high;
    out
}

/// Whether X25519 with this public key gives zero whatever the other side's secret is.
pub(super) fn is_low_order_x25519(key: &[u8; 32]) -> bool {
    listed(key, &X25519_ORDER_8)
}

/// Whether an Ed25519 public key has an order that divides eight.
pub(super) fn is_small_order_ed25519(key: &[u8; 32]) -> bool {
    listed(key, &ED25519_ORDER_8)
}

/// The top bit does not count: X25519 ignores it, and in Ed25519 it only tells a point from its negative.
fn listed(key: &[u8; 32], order_8: &[[u8; 32]; 2]) -> bool {
    let mut key = *key;
    let [.., top] = &mut key;
    *top &= 0x7f;
    SHARED.contains(&key) || order_8.contains(&key)
}

#[cfg(test)]
pub(crate) fn x25519_encodings() -> Vec<[u8; 32]> {
    [SHARED.as_slice(), &X25519_ORDER_8].concat()
}

#[cfg(test)]
pub(super) fn ed25519_encodings() -> Vec<[u8; 32]> {
    [SHARED.as_slice(), &ED25519_ORDER_8].concat()
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::CompressedEdwardsY;
    use curve25519_dalek::montgomery::MontgomeryPoint;

    use super::*;

    #[test]
    fn the_lists_are_exactly_the_points_of_small_order() {
        for point in EIGHT_TORSION {
            assert!(is_small_order_ed25519(point.compress().as_bytes()), "each of the eight is listed");
            assert!(is_low_order_x25519(point.to_montgomery().as_bytes()), "and its u-coordinate");
        }
        for bytes in ed25519_encodings() {
            let point = CompressedEdwardsY(bytes).decompress().expect("a point of the curve");
            assert!(point.is_small_order(), "nothing else is listed");
        }
        for bytes in x25519_encodings() {
            let shared = MontgomeryPoint(bytes).mul_clamped([0x5a; 32]);
            assert_eq!(shared.to_bytes(), [0; 32], "everybody agrees on zero");
        }
    }

    #[test]
    fn honest_keys_are_not_listed() {
        for n in 0..=255u8 {
            let public = MontgomeryPoint::mul_base_clamped([n; 32]);
            assert!(!is_low_order_x25519(public.as_bytes()), "a key like any other");
        }
        let mut base = [0; 32];
        base[0] = 9;
        assert!(!is_low_order_x25519(&base), "the base point");
    }
}
