//! XLSX files as sources and as results tables.
