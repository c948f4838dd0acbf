//! Fakes with scripted faults, for tests of the engine and of programs that embed it.

mod model;
mod sink;

pub use model::{FakeModel, Step};
pub use sink::{Fault, FaultySink};
