//! Argon2id: makes each guess at a passphrase cost memory and time.
//!
//! Source: RFC 9106; the floor is OWASP's minimum for Argon2id (19 MiB, two passes).

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// Most memory a stored slot may ask for: an altered file must not be able to exhaust the device.
const MAX_M_KIB: u32 = 1024 * 1024;
/// Most passes a stored slot may ask for.
const MAX_T: u32 = 16;
/// Most lanes a stored slot may ask for.
const MAX_P: u32 = 16;

/// The parameters are below the floor, or beyond what a device can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KdfParamsError {
    /// Weaker than the floor: a downgraded or hand-made slot.
    #[error("passphrase parameters are below the floor")]
    BelowFloor,
    /// More than [`KdfParams`] allows, or no valid Argon2 parameters at all.
    #[error("passphrase parameters are out of range")]
    OutOfRange,
}

/// The weakest parameters that are accepted. Only tests have another than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfFloor {
    m_kib: u32,
    t: u32,
}

impl Default for KdfFloor {
    fn default() -> KdfFloor {
        KdfFloor { m_kib: 19 * 1024, t: 2 }
    }
}

impl KdfFloor {
    pub(crate) const fn none_for_tests() -> KdfFloor {
        KdfFloor { m_kib: 0, t: 0 }
    }
}

/// Argon2id's memory, passes and lanes, and the floor they were checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    m_kib: u32,
    t: u32,
    p: u32,
    floor: KdfFloor,
}

impl Default for KdfParams {
    /// 64 MiB, three passes, four lanes: RFC 9106's second recommendation.
    fn default() -> KdfParams {
        KdfParams { m_kib: 64 * 1024, t: 3, p: 4, floor: KdfFloor::default() }
    }
}

impl KdfParams {
    /// Memory in KiB, passes and lanes, if they are not below `floor` and not beyond 1 GiB, 16 and 16.
    pub fn new(m_kib: u32, t: u32, p: u32, floor: KdfFloor) -> Result<KdfParams, KdfParamsError> {
        if m_kib > MAX_M_KIB || t > MAX_T || p > MAX_P {
            return Err(KdfParamsError::OutOfRange);
        }
        if m_kib < floor.m_kib || t < floor.t {
            return Err(KdfParamsError::BelowFloor);
        }
        Params::new(m_kib, t, p, Some(32)).map_err(|_| KdfParamsError::OutOfRange)?;
        Ok(KdfParams { m_kib, t, p, floor })
    }

    /// Memory in KiB.
    pub fn m_kib(&self) -> u32 {
        self.m_kib
    }

    /// Passes over the memory.
    pub fn t(&self) -> u32 {
        self.t
    }

    /// Lanes.
    pub fn p(&self) -> u32 {
        self.p
    }

    /// The floor these were checked against; a slot stored with weaker ones is refused.
    pub fn floor(&self) -> KdfFloor {
        self.floor
    }
}

/// `Argon2id(passphrase, salt)`, 32 bytes, version 0x13.
pub(crate) fn stretch(passphrase: &str, salt: &[u8; 32], params: &KdfParams) -> Zeroizing<[u8; 32]> {
    let checked = Params::new(params.m_kib, params.t, params.p, Some(32))
        .expect("the parameters were checked when made");
    let mut out = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, checked)
        .hash_password_into(passphrase.as_bytes(), salt, out.as_mut())
        .expect("passphrase, salt and output are within Argon2's limits");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_below_the_floor_are_refused() {
        let floor = KdfFloor::default();
        assert_eq!(
            KdfParams::new(19 * 1024 - 1, 2, 1, floor),
            Err(KdfParamsError::BelowFloor),
            "too little memory"
        );
        assert_eq!(KdfParams::new(19 * 1024, 1, 1, floor), Err(KdfParamsError::BelowFloor), "too few passes");
        assert!(KdfParams::new(19 * 1024, 2, 1, floor).is_ok(), "the floor itself is allowed");
        let default = KdfParams::default();
        assert!(
            KdfParams::new(default.m_kib, default.t, default.p, floor).is_ok(),
            "the default stands above it"
        );
        println!("proof-control: the floor itself is taken");
    }

    #[test]
    fn parameters_that_would_exhaust_the_device_are_refused() {
        let floor = KdfFloor::default();
        for (m, t, p) in [(u32::MAX, 2, 1), (64 * 1024, 1_000, 1), (64 * 1024, 2, 64), (19 * 1024, 2, 0)] {
            assert_eq!(KdfParams::new(m, t, p, floor), Err(KdfParamsError::OutOfRange), "{m} {t} {p}");
        }
    }
}
