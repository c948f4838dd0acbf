//! Dates in running text.
