//! Settings: the raw mirror of the file, and what it resolves to.
