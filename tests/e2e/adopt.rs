//! A namespace that was installed by hand and runs comes under Git, and nothing in it notices.

mod applied;
mod flux;
mod helm;
mod scene;
