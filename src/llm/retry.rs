//! When a failed attempt is followed by another, where, and after what pause: no I/O, no clock.
