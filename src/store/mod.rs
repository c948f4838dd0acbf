//! The store: one SQLite file that remembers what was paid for.
