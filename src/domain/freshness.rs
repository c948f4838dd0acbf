//! Which stored answers still count.
