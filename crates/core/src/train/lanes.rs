//! Several runs side by side.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Threads;
use crate::error::{Error, Result};

/// Does `work` on each job, on so many lanes at a time, and gives the results in the order of the jobs. The
/// jobs begin in their order. Each lane has a pool of `threads_of_each` threads, which it lends to one job
/// after the other: a step of a small network is too little for several threads, so small runs go on side by
/// side, each on a thread of its own.
///
/// # Errors
/// The first error of a job; no further job is begun after it. [`Error::Machine`] if threads cannot be
/// started.
pub fn side_by_side<J: Sync, R: Send>(
    lanes: usize,
    threads_of_each: usize,
    jobs: &[J],
    work: impl Fn(&Threads, &J) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results = Mutex::new(Vec::new());
    let lane = || -> Result<()> {
        let threads = Threads::new(threads_of_each)?;
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            let result = work(&threads, job);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes.clamp(1, jobs.len().max(1))).map(|_| scope.spawn(lane)).collect();
        let broken = |_| Err(Error::Machine("a thread ended without a result".into()));
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(broken))
    })?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..40).collect();
        let slower_first = |_: &Threads, &job: &u64| {
            thread::sleep(std::time::Duration::from_micros(50 * (40 - job)));
            Ok(job * job)
        };
        let expected: Vec<u64> = jobs.iter().map(|job| job * job).collect();
        for lanes in [0, 1, 3, 100] {
            assert_eq!(side_by_side(lanes, 1, &jobs, slower_first).unwrap(), expected);
        }
        assert!(side_by_side(2, 1, &[], slower_first).unwrap().is_empty());
    }

    #[test]
    fn each_lane_lends_its_own_threads() {
        let counted = |threads: &Threads, _: &u64| Ok(threads.count());
        assert_eq!(side_by_side(2, 3, &[0; 5], counted).unwrap(), [3; 5]);
    }

    #[test]
    fn after_an_error_nothing_begins() {
        let begun = AtomicUsize::new(0);
        let work = |_: &Threads, &job: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            if job == 3 { Err(Error::argument("job", "it failed")) } else { Ok(job) }
        };
        let jobs: Vec<usize> = (0..100).collect();
        assert_eq!(side_by_side(1, 1, &jobs, work).unwrap_err().to_string(), "job: it failed");
        assert_eq!(begun.load(Ordering::Relaxed), 4);
    }
}
