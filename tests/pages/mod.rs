//! What pages show, to whom, and what never is on them.

use crate::world;

mod history;
mod list;
mod replies;
mod repository;
mod rights;
mod scene;

use scene::{Page, Repository, Scene};
