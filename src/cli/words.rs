//! Numbers, times and money as people read them.

use std::time::Duration;

/// A number with its thousands apart: `200,000`.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `2 rows`: a number with its noun, which takes an s.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

/// Dollars: cents where there are dollars, more digits where there are none.
pub(crate) fn dollars(usd: f64) -> String {
    if usd >= 1.0 || usd == 0.0 { format!("${usd:.2}") } else { format!("${usd:.4}") }
}

/// A duration: `0.3 s`, `12 s`, `4 min 5 s`, `2 h 3 min`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Bytes: `512 B`, `1.5 KiB`, `20.0 MiB`.
pub(crate) fn bytes(n: u64) -> String {
    const KIB: f64 = 1024.0;
    let size = n as f64;
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KiB", size / KIB),
        _ => format!("{:.1} MiB", size / KIB / KIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(number).as_slice());
        assert_eq!((counted(1, "row"), counted(0, "row")), ("1 row".into(), "0 rows".into()));
        assert_eq!([0.0, 0.00012, 0.5, 12.345].map(dollars), ["$0.00", "$0.0001", "$0.5000", "$12.35"]);
        let times = [(0.27, "0.3 s"), (12.9, "12 s"), (245.0, "4 min 5 s"), (7380.0, "2 h 3 min")];
        for (seconds, text) in times {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!([512, 1536, 20 << 20].map(bytes), ["512 B", "1.5 KiB", "20.0 MiB"]);
    }
}
