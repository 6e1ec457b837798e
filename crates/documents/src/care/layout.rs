//! How an act lies in bytes: CBOR (RFC 8949), in its shortest form, arrays only; the numbers of kinds are never reused.

use mecum_domain::{
    ActId, ActKey, AppointmentAct, CaseAct, CaseKind, PauseFor, Side, Slot, SlotId, ThreadId, Wish,
};
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::MAX_ACT_BYTES;

/// Where acts are written to.
pub(super) type Out<'a> = Encoder<&'a mut Vec<u8>>;

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

/// Something with one place in an array.
pub(super) trait Laid: Sized {
    /// Writes it.
    fn put(&self, e: &mut Out<'_>) -> Written;

    /// Reads it.
    fn take(d: &mut Decoder<'_>) -> Result<Self, Error>;
}

impl Laid for String {
    fn put(&self, e: &mut Out<'_>) -> Written {
        e.str(self).map(|_| ())
    }

    fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
        d.str().map(str::to_owned)
    }
}

macro_rules! numbers {
    ($($type:ident)*) => { $(impl Laid for $type {
        fn put(&self, e: &mut Out<'_>) -> Written { e.$type(*self).map(|_| ()) }
        fn take(d: &mut Decoder<'_>) -> Result<Self, Error> { d.$type() }
    })* };
}
numbers! { u8 u16 u64 i64 bool }

macro_rules! ids {
    ($($type:ident)*) => { $(impl Laid for $type {
        fn put(&self, e: &mut Out<'_>) -> Written { e.bytes(self.as_bytes()).map(|_| ()) }
        fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
            let bytes = d.bytes()?.try_into().map_err(|_| Error::message("an id has 16 bytes"))?;
            Ok(Self::from_bytes(bytes))
        }
    })* };
}
ids! { ActId ThreadId SlotId }

macro_rules! codes {
    ($type:ident: $($name:ident = $code:literal)*) => { impl Laid for $type {
        fn put(&self, e: &mut Out<'_>) -> Written { e.u8(match self { $(Self::$name => $code,)* }).map(|_| ()) }
        fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
            match d.u8()? { $($code => Ok(Self::$name),)* _ => Err(Error::message("a code that this version does not know")) }
        }
    } };
}
codes! { Side: Patient = 1 Hospital = 2 }
codes! { CaseKind: Question = 1 Request = 2 Complaint = 3 Correction = 4 Message = 5 }
codes! { PauseFor: Patient = 1 Other = 2 }

macro_rules! records {
    ($($type:ident { $($field:ident)* })*) => { $(impl Laid for $type {
        fn put(&self, e: &mut Out<'_>) -> Written {
            e.array([$(stringify!($field)),*].len() as u64)?;
            $(self.$field.put(e)?;)*
            Ok(())
        }
        fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
            length(d, [$(stringify!($field)),*].len())?;
            Ok(Self { $($field: Laid::take(d)?),* })
        }
    })* };
}
records! {
    ActKey { side id }
    Slot { id starts_ms minutes practitioner location }
    Wish { slots words }
}

macro_rules! acts {
    ($type:ident: $($name:ident = $code:literal { $($field:ident)* })*) => { impl Laid for $type {
        fn put(&self, e: &mut Out<'_>) -> Written {
            match self { $(Self::$name { $($field),* } => {
                let fields: &[&str] = &[$(stringify!($field)),*];
                e.array(1 + fields.len() as u64)?.u8($code)?;
                $($field.put(e)?;)*
            })* }
            Ok(())
        }
        fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
            let has = d.array()?.ok_or_else(|| Error::message("an array without a length"))?;
            match d.u8()? { $($code => {
                let fields: &[&str] = &[$(stringify!($field)),*];
                if has != 1 + fields.len() as u64 { return Err(Error::message("another number of fields")); }
                Ok(Self::$name { $($field: Laid::take(d)?),* })
            })* _ => Err(Error::message("an act that this version does not know")) }
        }
    } };
}
acts! { AppointmentAct:
    Ask = 1 { service wish reason }
    Accept = 2 { offer slot }
    Refuse = 3 { offer wish }
    Move = 4 { wish reason }
    Cancel = 5 { reason }
    CheckIn = 6 {}
    Received = 32 { handler due_ms }
    Offer = 33 { slots note until_ms }
    Withdraw = 34 { offer reason }
    Confirm = 35 { answers slot }
    Book = 36 { answers slot }
    SlotGone = 37 { answers slot }
    Decline = 38 { reason }
    CallOff = 39 { reason }
    Arrived = 40 {}
    Done = 41 {}
    Missed = 42 {}
}
acts! { CaseAct:
    Open = 1 { kind about happened help ward_blind }
    Say = 2 { text }
    StepUp = 3 { rung reason }
    Settle = 4 {}
    Withdraw = 5 { reason }
    Reopen = 6 { reason }
    Received = 32 { of handler rung answer_due_ms outcome_due_ms pledge }
    Take = 33 {}
    HandOver = 34 { to reason }
    Pause = 35 { waits_for reason }
    Resume = 36 {}
    Outcome = 37 { text changed }
}

impl<T: Laid> Laid for Vec<T> {
    fn put(&self, e: &mut Out<'_>) -> Written {
        e.array(self.len() as u64)?;
        self.iter().try_for_each(|one| one.put(e))
    }

    fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
        let has = d.array()?.ok_or_else(|| Error::message("an array without a length"))?;
        // Each takes a byte at least: no act has more of them than bytes.
        if has > MAX_ACT_BYTES as u64 {
            return Err(Error::message("more items than an act has bytes"));
        }
        (0..has).map(|_| T::take(d)).collect()
    }
}

impl<T: Laid> Laid for Option<T> {
    fn put(&self, e: &mut Out<'_>) -> Written {
        match self {
            Some(one) => one.put(e),
            None => e.null().map(|_| ()),
        }
    }

    fn take(d: &mut Decoder<'_>) -> Result<Self, Error> {
        if d.datatype()? == minicbor::data::Type::Null {
            return d.null().map(|()| None);
        }
        T::take(d).map(Some)
    }
}

/// An array of exactly so many.
pub(super) fn length(d: &mut Decoder<'_>, length: usize) -> Result<(), Error> {
    if d.array()? == Some(length as u64) { Ok(()) } else { Err(Error::message("another number of fields")) }
}
