//! Conformance suites: what every backend of a port must do, whatever lies below.
//!
//! Each module has `CASES`, by name. A backend's tests run each case with a function that opens the backend at
//! one place which is empty at first; opening again after a drop is a restart. A case panics when the backend
//! does not hold the contract.

pub mod blobs;
pub mod columns;
pub mod ids;
pub mod payloads;
pub mod queue;
pub mod rows;
pub mod sql;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

/// Opens a backend at the place of the case; again after a drop.
pub type Open<'a, P> = &'a dyn Fn() -> Box<P>;

/// A case: its name, and what it does.
pub type Case<P> = (&'static str, fn(Open<'_, P>));

/// Runs every case at a place of its own, which `place` makes: it answers how to open the backend there.
pub fn run<P: ?Sized>(cases: &[Case<P>], mut place: impl FnMut() -> Box<dyn Fn() -> Box<P>>) {
    for (name, case) in cases {
        println!("case {name}");
        let open = place();
        case(&*open);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Numbers(u64);

impl Numbers {
    /// A sequence of its own per seed.
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.draw() % n as u64) as usize
    }

    /// One of these.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
