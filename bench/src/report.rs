//! The rows of the report, and the numbers behind a figure.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::Failed;

/// One figure of the issue. Where a figure has two targets, each is one of `parts` and the row is ok if all are; its own
/// numbers are then those of the first part.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// The figure.
    pub(crate) id: &'static str,
    /// What was measured, exactly.
    pub(crate) what: String,
    /// Median.
    pub(crate) ours: Option<f64>,
    /// Median of the other side.
    pub(crate) baseline: Option<f64>,
    /// `ours / baseline`.
    pub(crate) ratio: Option<f64>,
    /// As the issue states it.
    pub(crate) target: &'static str,
    /// Whether it was reached.
    pub(crate) ok: bool,
    /// Least of ours.
    pub(crate) min: Option<f64>,
    /// Largest of ours.
    pub(crate) max: Option<f64>,
    /// How often ours was measured.
    pub(crate) n: usize,
    /// Of all numbers but the ratio.
    pub(crate) unit: &'static str,
    /// The single targets, where there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Row>,
}

impl Row {
    /// A row of our numbers; `good` judges the median.
    pub(crate) fn of(
        id: &'static str,
        what: impl Into<String>,
        target: &'static str,
        unit: &'static str,
        ours: &Numbers,
        good: impl FnOnce(f64) -> bool,
    ) -> Self {
        Self {
            id,
            what: what.into(),
            ours: ours.median().map(rounded),
            baseline: None,
            ratio: None,
            target,
            ok: ours.median().is_some_and(good),
            min: ours.min().map(rounded),
            max: ours.max().map(rounded),
            n: ours.0.len(),
            unit,
            parts: Vec::new(),
        }
    }

    /// The same against another side; `good` judges both medians. Without the other side it is not ok.
    pub(crate) fn against(
        self,
        baseline: &Numbers,
        ours: &Numbers,
        good: impl FnOnce(f64, f64) -> bool,
    ) -> Self {
        let both = ours.median().zip(baseline.median()).filter(|(_, baseline)| *baseline > 0.0);
        Self {
            baseline: baseline.median().map(rounded),
            ratio: both.map(|(ours, baseline)| rounded(ours / baseline)),
            ok: both.is_some_and(|(ours, baseline)| good(ours, baseline)),
            ..self
        }
    }

    /// A row of several targets; its own numbers are the first part's.
    pub(crate) fn joined(
        id: &'static str,
        what: impl Into<String>,
        target: &'static str,
        parts: Vec<Row>,
    ) -> Self {
        let nothing = Self::of(id, "", target, "", &Numbers::default(), |_| false);
        let first = parts.first().cloned().unwrap_or(nothing);
        let ok = !parts.is_empty() && parts.iter().all(|part| part.ok);
        Self { id, what: what.into(), target, ok, parts, ..first }
    }

    /// A row that was not measured.
    pub(crate) fn absent(id: &'static str, reason: &str) -> Self {
        Self::of(id, format!("not measured: {reason}"), "", "", &Numbers::default(), |_| false)
    }
}

/// What was measured, in the order in which it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(pub(crate) Vec<f64>);

impl Numbers {
    /// Takes a time, in ms.
    pub(crate) fn time(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1_000.0);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle one; of two, their mean.
    pub(crate) fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let upper = sorted.get(sorted.len() / 2).copied()?;
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied()?;
        Some(f64::midpoint(lower, upper))
    }

    /// The least.
    pub(crate) fn min(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    /// The largest.
    pub(crate) fn max(&self) -> Option<f64> {
        self.sorted().last().copied()
    }
}

/// To a thousandth: more digits would say nothing.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// The rows so far.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    /// Takes a row and says it; a measurement that failed is a row that is not ok.
    pub(crate) fn take(&mut self, id: &'static str, measured: Result<Row, Failed>) {
        let row = measured.unwrap_or_else(|error| Row::absent(id, &error.to_string()));
        say(&row);
        row.parts.iter().for_each(say);
        self.0.push(row);
    }

    /// Writes all rows.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failed> {
        std::fs::write(path, serde_json::to_vec_pretty(&self.0)?)?;
        let missed: Vec<&str> = self.0.iter().filter(|row| !row.ok).map(|row| row.id).collect();
        let said = if missed.is_empty() {
            "every target reached".into()
        } else {
            format!("missed: {}", missed.join(", "))
        };
        eprintln!("bench: {} rows, {said}", self.0.len());
        Ok(())
    }
}

fn say(row: &Row) {
    let number = |number: Option<f64>| number.map_or_else(|| "-".into(), |number| number.to_string());
    eprintln!(
        "bench: {:7} {} {} {} (min {}, max {}, n {}), baseline {}, ratio {}, target {} | {}",
        row.id,
        if row.ok { "ok    " } else { "MISSED" },
        number(row.ours),
        row.unit,
        number(row.min),
        number(row.max),
        row.n,
        number(row.baseline),
        number(row.ratio),
        row.target,
        row.what,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_without_its_other_side_is_not_ok() {
        let ours = Numbers(vec![3.0, 1.0, 2.0]);
        let alone = Row::of("open", "", "≤ 1.15×", "ms", &ours, |_| true);
        let alone = alone.against(&Numbers::default(), &ours, |_, _| true);
        assert!(!alone.ok, "nothing to compare with");
        assert_eq!(
            (alone.ours, alone.min, alone.max, alone.n),
            (Some(2.0), Some(1.0), Some(3.0), 3),
            "the median"
        );
        let both = Row::of("open", "", "≤ 1.15×", "ms", &ours, |_| true);
        let both = both.against(&Numbers(vec![1.0, 3.0]), &ours, |ours, other| ours <= other);
        assert_eq!((both.baseline, both.ratio, both.ok), (Some(2.0), Some(1.0), true), "of two, the mean");
    }

    #[test]
    fn a_row_of_two_targets_needs_both() {
        let numbers = Numbers(vec![1.0]);
        let part = |good| Row::of("first", "", "", "ms", &numbers, move |_| good);
        assert!(Row::joined("first", "", "", vec![part(true), part(true)]).ok, "both reached");
        assert!(!Row::joined("first", "", "", vec![part(true), part(false)]).ok, "one is missed");
        assert!(!Row::joined("first", "", "", Vec::new()).ok, "none was measured");
    }
}
