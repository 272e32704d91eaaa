//! What is demanded of an image, and the judgement on what is known of it. Pure.

mod judge;
mod reason;

pub use judge::{Asked, Evidence, Judgement, Requirement, Statement, Unusable, Verdict, judge};
pub use reason::Reason;
