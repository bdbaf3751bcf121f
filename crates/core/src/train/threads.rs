//! Work for several threads, cut into pieces by the spec and never by the machine.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// The threads of a run.
#[derive(Debug)]
pub struct Threads {
    pool: ThreadPool,
}

impl Threads {
    /// A pool of so many threads; 0 means as many as the machine has.
    ///
    /// # Errors
    /// [`Error::Machine`] if the threads cannot be started.
    pub fn new(count: usize) -> Result<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(count).build();
        let pool = pool.map_err(|why| Error::Machine(format!("cannot start {count} threads: {why}")))?;
        Ok(Self { pool })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs something on the pool; parallel work within it uses the pool's threads.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

/// Does `work` on each item, on the threads of the current pool when `parallel`. Allocates nothing.
pub(super) fn for_each<T: Send>(items: &mut [T], parallel: bool, work: &(impl Fn(&mut T) + Sync)) {
    match items {
        [] => {}
        [item] => work(item),
        items if parallel => {
            let (left, right) = items.split_at_mut(items.len() / 2);
            rayon::join(|| for_each(left, true, work), || for_each(right, true, work));
        }
        items => items.iter_mut().for_each(work),
    }
}
