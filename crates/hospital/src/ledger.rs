//! The table of slots as this program keeps it: its decisions, each a row of the vault, written in one step with the words that follow
//! from them.
//!
//! A row's name is `agent/slot/` and the decision's number (8 bytes, big end first); its body is JSON, `[at_ms, decision]`.

use mecum_client::OwnRow;
use mecum_domain::{SlotDecision, SlotTable};

use crate::error::HospitalError;

/// What the names of the rows begin with.
pub(crate) const ROWS: &[u8] = b"agent/slot/";

/// The table, and how many decisions of it are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    table: SlotTable,
    kept: u64,
}

/// A step that was decided and is not kept yet: the table as it will be, and the rows that make it so.
pub(crate) struct Decided {
    ledger: Ledger,
    pub(crate) rows: Vec<OwnRow>,
}

impl Ledger {
    /// Makes the table again from its decisions.
    ///
    /// # Errors
    /// [`HospitalError::Ledger`]: one of them is missing, cannot be read, or does not follow from those before it.
    pub(crate) fn of_rows(rows: &[OwnRow]) -> Result<Self, HospitalError> {
        let mut ledger = Self::default();
        for row in rows {
            let damaged = HospitalError::Ledger { number: ledger.kept };
            let body = row.body.as_deref().filter(|_| row.name == name(ledger.kept));
            let read = body.and_then(|body| serde_json::from_slice::<(i64, SlotDecision)>(body).ok());
            let Some((at_ms, decision)) = read else { return Err(damaged) };
            ledger.table.apply(&decision, at_ms).map_err(|_| damaged)?;
            ledger.kept += 1;
        }
        Ok(ledger)
    }

    /// Has something decided at `at_ms`, ms since the epoch: `decide` changes the table by what it answers and by nothing else.
    pub(crate) fn decide<T>(
        &self,
        at_ms: i64,
        decide: impl FnOnce(&mut SlotTable) -> (Vec<SlotDecision>, T),
    ) -> (Decided, T) {
        let mut ledger = self.clone();
        let (decisions, answer) = decide(&mut ledger.table);
        let mut rows = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let body = serde_json::to_vec(&(at_ms, decision)).expect("plain fields encode");
            rows.push(OwnRow { name: name(ledger.kept), body: Some(body) });
            ledger.kept += 1;
        }
        (Decided { ledger, rows }, answer)
    }

    /// What was decided has been kept.
    pub(crate) fn take(&mut self, decided: Decided) {
        *self = decided.ledger;
    }

    /// The table as it is.
    pub(crate) fn table(&self) -> &SlotTable {
        &self.table
    }
}

fn name(number: u64) -> Vec<u8> {
    [ROWS, &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use mecum_domain::{Slot, SlotId, SlotState, ThreadId};

    use super::*;

    fn slot(n: u8) -> Slot {
        Slot {
            id: SlotId::from_bytes([n; 16]),
            starts_ms: i64::from(n) * 3_600_000,
            minutes: 20,
            practitioner: "dr. Maya".to_owned(),
            location: "3".to_owned(),
        }
    }

    fn publish(n: u8) -> SlotDecision {
        SlotDecision::Publish { service: "dental".to_owned(), slot: slot(n) }
    }

    fn decided(ledger: &mut Ledger, at_ms: i64, decision: &SlotDecision) -> Vec<OwnRow> {
        let (step, ()) = ledger.decide(at_ms, |table| {
            table.apply(decision, at_ms).expect("it is taken");
            (vec![decision.clone()], ())
        });
        let rows = step.rows.clone();
        ledger.take(step);
        rows
    }

    #[test]
    fn a_table_is_made_again_from_its_decisions_and_one_that_is_missing_stops_it() {
        let mut ledger = Ledger::default();
        let thread = ThreadId::from_bytes([9; 16]);
        let mut rows = decided(&mut ledger, 1, &publish(1));
        rows.extend(decided(&mut ledger, 2, &publish(2)));
        rows.extend(decided(&mut ledger, 3, &SlotDecision::Give { to: thread, slot: slot(1).id }));
        let again = Ledger::of_rows(&rows).expect("all of them");
        assert_eq!(again, ledger, "the same");
        let given = again.table().state(slot(1).id, 4);
        assert_eq!(given, Some(SlotState::Given { to: thread }), "with who has what");
        for missing in 0..rows.len() - 1 {
            let mut some = rows.clone();
            some.remove(missing);
            assert!(Ledger::of_rows(&some).is_err(), "without {missing}");
        }
        for damaged in 0..rows.len() {
            let mut some = rows.clone();
            some[damaged].body = Some(b"[1]".to_vec());
            assert!(Ledger::of_rows(&some).is_err(), "with {damaged} damaged");
        }
        let mut twice = rows.clone();
        let body = twice[0].body.clone();
        twice.push(OwnRow { name: name(3), body });
        assert!(Ledger::of_rows(&twice).is_err(), "what does not follow from what was before");
    }

    #[test]
    fn what_was_decided_and_not_kept_has_changed_nothing() {
        let mut ledger = Ledger::default();
        decided(&mut ledger, 1, &publish(1));
        let before = ledger.clone();
        let (step, ()) = ledger.decide(2, |table| {
            table.apply(&publish(2), 2).expect("it is taken");
            (vec![publish(2)], ())
        });
        assert_eq!((step.rows.len(), &ledger), (1, &before), "the vault did not take it");
    }

    #[test]
    fn a_row_is_these_bytes() {
        let mut ledger = Ledger::default();
        decided(&mut ledger, 1, &publish(1));
        let give = SlotDecision::Give { to: ThreadId::from_bytes([9; 16]), slot: slot(1).id };
        let rows = decided(&mut ledger, 2, &give);
        let [row] = rows.as_slice() else { panic!("one row: {rows:?}") };
        assert_eq!(row.name, b"agent/slot/\0\0\0\0\0\0\0\x01");
        let body = row.body.clone().and_then(|body| String::from_utf8(body).ok());
        let frozen = r#"[2,{"give":{"to":"09090909090909090909090909090909","slot":"01010101010101010101010101010101"}}]"#;
        assert_eq!(body.as_deref(), Some(frozen));
        let publish = Ledger::default().decide(1, |_| (vec![publish(1)], ())).0.rows.remove(0).body;
        let frozen = r#"[1,{"publish":{"service":"dental","slot":{"id":"01010101010101010101010101010101","starts_ms":3600000,"minutes":20,"practitioner":"dr. Maya","location":"3"}}}]"#;
        assert_eq!(publish.and_then(|body| String::from_utf8(body).ok()).as_deref(), Some(frozen));
    }
}
