//! What a turn has measured, and the table of several turns: every figure of the peer with keymill's share of it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::Samples;
use crate::sync::controller::Cost;

/// The figures of one controller.
#[derive(Debug)]
pub struct Figures {
    /// From the start of the process until all objects are Ready.
    pub cold: Duration,
    /// What that has cost.
    pub cold_cost: Cost,
    /// A few seconds later, when events are written and nothing is left to do.
    pub settled: Cost,
    /// From the creation of one more object until its Secret exists.
    pub new: Samples,
    /// Secrets that another start has written, and those whose data differ after it.
    pub restart_writes: usize,
    pub restart_changes: usize,
    /// The first seconds of that start.
    pub restart: Cost,
    /// From the change of a Secret until the store has it; nothing when it did not come in time.
    pub push: Option<Samples>,
    pub deaths: u32,
}

struct Row {
    name: &'static str,
    unit: &'static str,
    decimals: usize,
    value: fn(&Figures) -> Option<f64>,
    /// What keymill is to reach.
    most: Option<f64>,
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "cold sync, all Ready", unit: "s", decimals: 2, most: Some(5.0), value: |f| Some(f.cold.as_secs_f64()) },
    Row { name: "  CPU of that", unit: "s", decimals: 2, most: Some(2.0), value: |f| Some(f.cold_cost.cpu_seconds) },
    Row { name: "  CPU, events included", unit: "s", decimals: 2, most: None, value: |f| Some(f.settled.cpu_seconds) },
    Row { name: "  RSS after it", unit: "MiB", decimals: 1, most: Some(40.0), value: |f| Some(f.settled.resident_mib) },
    Row { name: "  peak RSS", unit: "MiB", decimals: 1, most: None, value: |f| Some(f.settled.peak_mib) },
    Row { name: "new object p50", unit: "ms", decimals: 1, most: Some(12.0), value: |f| Some(millis(&f.new, 500)) },
    Row { name: "new object p95", unit: "ms", decimals: 1, most: Some(20.0), value: |f| Some(millis(&f.new, 950)) },
    Row { name: "new object max", unit: "ms", decimals: 1, most: Some(50.0), value: |f| Some(millis(&f.new, 1000)) },
    Row { name: "restart: Secrets written", unit: "", decimals: 0, most: Some(0.0), value: |f| Some(count(f.restart_writes)) },
    Row { name: "restart: values changed", unit: "", decimals: 0, most: Some(0.0), value: |f| Some(count(f.restart_changes)) },
    Row { name: "restart: CPU, first 12 s", unit: "s", decimals: 2, most: Some(0.3), value: |f| Some(f.restart.cpu_seconds) },
    Row { name: "source to store p50", unit: "ms", decimals: 1, most: None, value: |f| Some(millis(f.push.as_ref()?, 500)) },
    Row { name: "source to store p99", unit: "ms", decimals: 1, most: Some(1000.0), value: |f| Some(millis(f.push.as_ref()?, 990)) },
    Row { name: "times it died", unit: "", decimals: 0, most: Some(0.0), value: |f| Some(f64::from(f.deaths)) },
];

/// Our figures, the most that they may be, and those of the others, each with our share of it. At most 80 columns for two others.
#[must_use]
pub fn table(ours: &Figures, others: &[(&str, &Figures)]) -> String {
    let mut text = format!("{:<26}{:>4}{:>9}{:>7}", "", "", "keymill", "goal");
    for (name, _) in others {
        let _infallible = write!(text, "{name:>11}{:>6}", "ratio");
    }
    for row in ROWS {
        let (our, most) =
            ((row.value)(ours), row.most.map_or_else(|| "-".to_owned(), |most| most.to_string()));
        let _infallible =
            write!(text, "\n{:<26}{:>4}{:>9}{most:>7}", row.name, row.unit, number(our, row.decimals));
        for (_, figures) in others {
            let their = (row.value)(figures);
            let share = our.zip(their).filter(|(_, their)| *their > 0.0).map(|(our, their)| our / their);
            let _infallible = write!(text, "{:>11}{:>6}", number(their, row.decimals), number(share, 2));
        }
    }
    text
}

/// `-` where there is none.
fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

fn millis(samples: &Samples, share: usize) -> f64 {
    samples.per_mille(share).as_secs_f64() * 1e3
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cold: u64, push: Option<u64>) -> Figures {
        let samples = |millis| Samples::of(vec![Duration::from_millis(millis)]);
        Figures {
            cold: Duration::from_secs(cold),
            cold_cost: Cost::default(),
            settled: Cost { cpu_seconds: 1.0, resident_mib: 58.5, peak_mib: 60.0 },
            new: samples(10),
            restart_writes: 0,
            restart_changes: 0,
            restart: Cost::default(),
            push: push.map(samples),
            deaths: 0,
        }
    }

    #[test]
    fn a_table_of_three_fits_a_terminal_and_has_the_share() {
        let (ours, tuned, plain) = (figures(4, Some(100)), figures(8, None), figures(100, None));
        let table = table(&ours, &[("ESO tuned", &tuned), ("ESO", &plain)]);
        assert!(table.lines().all(|line| line.len() <= 80), "{table}");
        let words = |row: usize| table.lines().nth(row).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(1)[5..], ["4.00", "5", "8.00", "0.50", "100.00", "0.04"]);
        assert_eq!(words(13)[4..], ["ms", "100.0", "1000", "-", "-", "-", "-"]);
    }
}
