//! `keymill component bench`: what each case's call costs. Fuel is the same on every machine, so a budget of it can be kept in CI; times are
//! this machine's, and for reading.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cases::{Exercise, exercises};
use runtime::{Limits, Meter, Used};

use super::report;
use super::test::Subject;
use crate::args::BenchComponent;
use crate::catalog::Components;
use crate::ending::{Ending, chain};
use crate::output::Output;

pub(crate) fn run(args: &BenchComponent) -> Result<(), Ending> {
    let components = Components::open()?;
    let Subject { found, cases } = Subject::find(&components, &args.component, args.cases.as_deref())?;
    let failed = |what: String| Ending::component(format!("use {}: {what}", found.name));
    let exercises = exercises(&found.component, &cases).map_err(|error| failed(chain(&error)))?;
    let mut costs = Vec::new();
    for exercise in &exercises {
        costs.push(cost(exercise, args.number).map_err(|what| failed(format!("{}: {what}", exercise.name)))?);
    }
    if costs.is_empty() {
        return Err(Ending::failed("find a call to measure: the config of every case is refused"));
    }
    let limit = Limits::of(found.component.world()).fuel;
    let mut output = Output::open();
    output.write(report::table(&rows(&costs), None).as_bytes())?;
    output.write(format!("a call may take {limit} fuel\n").as_bytes())?;
    output.finish()?;
    within(&costs, args.budget)
}

/// What one case's call costs.
struct Cost {
    name: String,
    fuel: u64,
    memory: usize,
    half: Duration,
    nearly_all: Duration,
}

/// Keeps the most that a call used.
#[derive(Default)]
struct Most(Mutex<(u64, usize)>);

impl Meter for Most {
    fn used(&self, used: &Used) {
        let mut most = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *most = (most.0.max(used.fuel), most.1.max(used.memory));
    }
}

fn cost(exercise: &Exercise<'_>, number: u32) -> Result<Cost, String> {
    let most = Arc::new(Most::default());
    let mut times = Vec::new();
    for _ in 0..number {
        let start = Instant::now();
        let ended = exercise.run(|call| call.with_meter(Arc::clone(&most) as _));
        times.push(start.elapsed());
        ended.map_err(|error| chain(&error))?;
    }
    times.sort_unstable();
    let (fuel, memory) = *most.0.lock().unwrap_or_else(PoisonError::into_inner);
    let (half, nearly_all) = (percentile(&times, 50), percentile(&times, 99));
    Ok(Cost { name: exercise.name.clone(), fuel, memory, half, nearly_all })
}

/// Of sorted times; the nearest that was measured.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).copied().unwrap_or_default()
}

fn rows(costs: &[Cost]) -> Vec<Vec<String>> {
    let titles = ["FUEL", "MEMORY", "P50", "P99", "CASE"].map(str::to_owned).to_vec();
    let row = |cost: &Cost| {
        let times = [cost.half, cost.nearly_all].map(|time| format!("{} µs", time.as_micros()));
        let [half, nearly_all] = times;
        vec![cost.fuel.to_string(), report::size(cost.memory), half, nearly_all, cost.name.clone()]
    };
    std::iter::once(titles).chain(costs.iter().map(row)).collect()
}

fn within(costs: &[Cost], budget: Option<u64>) -> Result<(), Ending> {
    let Some(budget) = budget else { return Ok(()) };
    let over = costs.iter().filter(|cost| cost.fuel > budget);
    let over: Vec<String> = over.map(|cost| format!("{}: {} fuel", cost.name, cost.fuel)).collect();
    if over.is_empty() {
        return Ok(());
    }
    Err(Ending::failed(format!("stay within the budget of {budget} fuel")).with(over))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 99), Duration::from_micros(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_micros(1));
    }

    #[test]
    fn what_is_over_the_budget_is_named() {
        let cost = |name: &str, fuel| Cost {
            name: name.to_owned(),
            fuel,
            memory: 0,
            half: Duration::ZERO,
            nearly_all: Duration::ZERO,
        };
        let costs = [cost("small", 10), cost("large", 11)];
        assert!(within(&costs, None).is_ok() && within(&costs, Some(11)).is_ok());
        let ending = format!("{:?}", within(&costs, Some(10)).unwrap_err());
        assert!(ending.contains("large: 11 fuel") && !ending.contains("small"), "{ending}");
    }
}
